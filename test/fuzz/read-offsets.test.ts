/**
 * Data files damaged in any way: reading their offsets ends in rows or in one error that names the file, never in a crash, a hang
 * or more rows than the catalog knows.
 */
import { beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { isFloeError } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import { readOffsets } from '../../ingest/verify/read-offsets.ts'
import { tableFileBuilderDefaults } from '../../ingest/worker/builder-types.ts'
import { TableFileBuilder } from '../../ingest/worker/table-file-builder.ts'
import { buildBatch } from '../../kafka/records/build.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { numberedTable } from '../support/numbered-table.ts'
import { numberedValue } from '../support/record-ledger.ts'

const recordCount = 300
const key = 'data/one.parquet'
const store = new MemoryStore(systemClock)
let file: Buffer

beforeAll(() => {
  const { definition, format } = numberedTable('orders', { freshnessMs: 100 })
  const builder = new TableFileBuilder({ ...definition, format, options: tableFileBuilderDefaults })
  const records = Array.from({ length: recordCount }, (_, n) => ({
    key: null,
    value: Buffer.from(numberedValue('orders', 's', n)),
    timestampMs: 1_760_000_000_000n,
  }))
  builder.append({ partition: 3, batches: buildBatch(records), start: 0n, end: BigInt(recordCount), aborted: [] })
  file = Buffer.concat(builder.finish().files[0]!.chunks)
})

async function readAll(bytes: Uint8Array): Promise<number> {
  await store.put(key, bytes)
  let count = 0
  for await (const batch of readOffsets(store, key, bytes.length, 'floe.', recordCount)) {
    expect(batch.partitions).toHaveLength(batch.count)
    expect(batch.offsetWords).toHaveLength(2 * batch.count)
    count += batch.count
  }
  return count
}

it('reads the file as it was written', async () => {
  expect(await readAll(file)).toBe(recordCount)
})

it('survives flipped bits, overwritten stretches and cut files', async () => {
  const random = seededRandom(11)
  const below = (end: number): number => Math.floor(random.fraction() * end)
  let failedCount = 0
  for (let round = 0; round < 1_500; round++) {
    let damaged = Buffer.from(file)
    const at = round % 2 === 0 ? below(file.length) : file.length - 1 - below(Math.min(file.length, 1_500))
    if (round % 5 === 0) damaged = damaged.subarray(0, at)
    else if (round % 5 === 1) damaged.set(random.bytes(Math.min(16, file.length - at)), at)
    else damaged[at]! ^= 1 << below(8)
    try {
      expect(await readAll(damaged)).toBeLessThanOrEqual(recordCount)
    } catch (error) {
      expect(isFloeError(error, 'corrupt') && error.message.startsWith(key), String(error)).toBe(true)
      failedCount++
    }
  }
  expect(failedCount).toBeGreaterThan(300)
})
