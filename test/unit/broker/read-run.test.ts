import { describe, expect, it } from 'vitest'
import { RunReader } from '../../../broker/fetch/read-run.ts'
import type { SegmentRun } from '../../../catalog/client.ts'
import { systemClock } from '../../../core/clock.ts'
import { Leases } from '../../../core/lease.ts'
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

  it('gives the same batches wherever the blocks of the cache end, lent or copied', async () => {
    const memory = new MemoryStore(systemClock)
    await memory.put(run.objectKey, Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(9)]))
    const inside: SegmentRun = { ...run, byteOffset: 5, objectBytes: bytes.length + 14 }
    for (let blockBytes = 1; blockBytes <= bytes.length + 20; blockBytes++) {
      for (const bytesMax of [0, 1_000_000]) {
        const cache = new RangeCache(memory, { bytesMax, blockBytes, loadBytesMax: 4 * blockBytes })
        const reader = new RunReader(cache)
        for (const [offset, expected] of [
          [100n, [100n, 102n, 105n]],
          [101n, [100n, 102n, 105n]],
          [104n, [102n, 105n]],
          [105n, [105n]],
        ] as const) {
          const read = await reader.read(inside, { ...wholeRun, offset })
          expect(baseOffsets(read!.batches), `blocks of ${blockBytes}, offset ${offset}`).toEqual(expected)
          expect(read!.nextOffset).toBe(106n)
        }
        const first = await reader.read(inside, { ...wholeRun, offset: 100n, bytesMax: 1 })
        expect(baseOffsets(first!.batches)).toEqual([100n])
        const none = await reader.read(inside, { ...wholeRun, offset: 102n, bytesMax: 1, atLeastOne: false })
        expect(none).toMatchObject({ nextOffset: 102n, batches: Buffer.alloc(0) })
        expect(cache.stats().lentBytes).toBe(0)
      }
    }
  })

  it('lends what stays as it is, although the cache lets it go, until the leases end', async () => {
    const memory = new MemoryStore(systemClock)
    await memory.put(run.objectKey, bytes)
    const cache = new RangeCache(memory, { bytesMax: 1_000_000 })
    const leases = new Leases()
    const lent = await new RunReader(cache).lend(run, { ...wholeRun, offset: 100n }, leases)
    cache.forget(run.objectKey, 0, bytes.length)
    expect(lent).toMatchObject({ bytes: bytes.length, nextOffset: 106n })
    expect(baseOffsets(lent!.pieces[0]!)).toEqual([100n, 102n, 105n])
    expect(cache.stats()).toMatchObject({ bytes: 0, lentBytes: bytes.length })
    leases.giveBack()
    expect(cache.stats().lentBytes).toBe(0)
  })

  it('writes nothing into a batch that is damaged, and keeps nothing borrowed', async () => {
    const damaged = Buffer.from(bytes)
    damaged[damaged.length - 1]! ^= 1
    const memory = new MemoryStore(systemClock)
    await memory.put(run.objectKey, damaged)
    const cache = new RangeCache(memory, { bytesMax: 1_000_000 })
    const reader = new RunReader(cache)
    await expect(reader.read(run, { ...wholeRun, offset: 100n })).rejects.toMatchObject({ code: 'corrupt-segment' })
    const after = Buffer.from((await cache.read(run.objectKey, 0, bytes.length))!)
    const last = bytes.length - batches[2]!.length
    expect(after.subarray(last)).toEqual(damaged.subarray(last))
    expect(cache.stats().lentBytes).toBe(0)
  })
})
