import { describe, expect, it } from 'vitest'
import { RunReader } from '../../../broker/fetch/read-run.ts'
import type { SegmentRun } from '../../../catalog/client.ts'
import { systemClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { BatchCursor, fieldAt } from '../../../kafka/records/batch.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { RangeCache } from '../../../storage/range-cache.ts'
import { makeBatch } from './harness.ts'

const batches = [makeBatch(['a', 'b']), makeBatch(['c', 'd', 'e']), makeBatch(['f'])]
const bytes = Buffer.concat(batches)
const run: SegmentRun = {
  objectKey: 'segments/one.log',
  objectBytes: bytes.length,
  byteOffset: 0,
  byteLength: bytes.length,
  baseOffset: 100n,
  endOffset: 106n,
  maxTimestampMs: 0,
}
const wholeRun = { limitOffset: 106n, bytesMax: bytes.length, atLeastOne: true }

async function setUp(object: Uint8Array): Promise<{ store: FaultyStore; reader: RunReader }> {
  const memory = new MemoryStore(systemClock)
  await memory.put(run.objectKey, object)
  const store = new FaultyStore(memory, { clock: systemClock, random: seededRandom(1) })
  return { store, reader: new RunReader(new RangeCache(store, { bytesMax: 1024 * 1024 })) }
}

function baseOffsets(records: Uint8Array): bigint[] {
  const offsets: bigint[] = []
  const batch = new BatchCursor(records)
  while (batch.next()) offsets.push(batch.baseOffset)
  return offsets
}

describe('reading a run', () => {
  it.each(['corruptBytes', 'truncatedBytes'] as const)('reads again after one bad read (%s)', async fault => {
    const { store, reader } = await setUp(bytes)
    store.script({ fault, operation: 'get', key: /one/ })
    const read = await reader.read(run, { ...wholeRun, offset: 100n })
    expect(store.scriptedCountLeft).toBe(0)
    expect(baseOffsets(read!.batches)).toEqual([100n, 102n, 105n])
  })

  it('takes no offsets from a skipped batch that is damaged', async () => {
    const damaged = Buffer.from(bytes)
    // The batch of two records claims three: all that follows would get other offsets.
    damaged.writeInt32BE(2, fieldAt.lastOffsetDelta)
    const { reader } = await setUp(damaged)
    await expect(reader.read(run, { ...wholeRun, offset: 104n })).rejects.toMatchObject({
      code: 'corrupt-segment',
      message: 'segment segments/one.log at byte 0: a record batch fails its CRC',
    })
  })
})
