import { describe, expect, test } from 'vitest'
import type { CatalogClient, SegmentBatch } from '../../../catalog/client.ts'
import { grantGraceMs, producerExpiryMs } from '../../../catalog/limits.ts'
import { segmentKey } from '../../../catalog/object-names.ts'
import { makeFixture } from './catalog-fixture.ts'

async function openWithTopic() {
  const fixture = makeFixture()
  const catalog = await fixture.open()
  const { client } = catalog
  const { topic } = await client.createTopic('orders', 2, {})
  const { grantId } = await client.grantNames('segment', 100, 48 * 3600_000)
  const { first: producerId } = await client.allocateProducerIds(5)
  return { ...fixture, catalog, client, topicId: topic.topicId, grantId, producerId }
}

const plain = { producerId: -1n, producerEpoch: -1, baseSequence: -1 }

function batch(topicId: string, partition: number, byteOffset: number, more: Partial<SegmentBatch> = {}): SegmentBatch {
  return { topicId, partition, byteOffset, byteLength: 100, offsetCount: 10, maxTimestampMs: 1000, ...plain, ...more }
}

async function commit(client: CatalogClient, grantId: number, nameIndex: number, batches: readonly SegmentBatch[]) {
  const result = await client.commitSegment({ grantId, nameIndex, segmentBytes: 10_000, batches })
  if (result.outcome !== 'committed') throw new Error(result.outcome)
  return result.batches
}

describe('runs', () => {
  test('batches of a partition that lie back to back are one run; others are not', async () => {
    const { client, topicId, grantId } = await openWithTopic()
    await commit(client, grantId, 0, [
      batch(topicId, 0, 0, { maxTimestampMs: 5 }),
      batch(topicId, 0, 100, { maxTimestampMs: 3 }),
      batch(topicId, 1, 200),
      batch(topicId, 0, 300, { maxTimestampMs: 9 }),
    ])
    const run = { objectKey: segmentKey(grantId, 0), objectBytes: 10_000 }
    expect(await client.findRuns(topicId, 0, 0n, 1e9)).toEqual([
      { ...run, byteOffset: 0, byteLength: 200, baseOffset: 0n, endOffset: 20n, maxTimestampMs: 5 },
      { ...run, byteOffset: 300, byteLength: 100, baseOffset: 20n, endOffset: 30n, maxTimestampMs: 9 },
    ])
    expect(await client.partitionStates([{ topicId, partition: 0 }])).toEqual([
      { logStartOffset: 0n, highWatermark: 30n, lastStableOffset: 30n },
    ])
  })

  test('runs are found by offset, at least one, then by bytes; none at the end', async () => {
    const { client, topicId, grantId } = await openWithTopic()
    for (let name = 0; name < 5; name++) await commit(client, grantId, name, [batch(topicId, 0, 0)])
    const bases = async (offset: bigint, bytesMax: number) =>
      (await client.findRuns(topicId, 0, offset, bytesMax)).map(run => run.baseOffset)
    expect(await bases(0n, 0)).toEqual([0n])
    expect(await bases(19n, 250)).toEqual([10n, 20n])
    expect(await bases(20n, 1e9)).toEqual([20n, 30n, 40n])
    expect(await bases(49n, 1e9)).toEqual([40n])
    expect(await bases(50n, 1e9)).toEqual([])
    expect(await client.findRuns(topicId, 7, 0n, 1)).toEqual([])
    expect(await client.findRuns('unknown', 0, 0n, 1)).toEqual([])
  })

  test('runs are found by timestamp, also when timestamps go up and down', async () => {
    const { client, topicId, grantId } = await openWithTopic()
    for (const [name, maxTimestampMs] of [50, 10, 70, 60, 70].entries()) {
      await commit(client, grantId, name, [batch(topicId, 0, 0, { maxTimestampMs })])
    }
    const base = async (timestampMs: number) => (await client.findRunByTimestamp(topicId, 0, timestampMs))?.baseOffset
    expect(await Promise.all([base(-5), base(50), base(51), base(71)])).toEqual([0n, 0n, 20n, undefined])
    expect((await client.findRunOfMaxTimestamp(topicId, 0))?.baseOffset).toBe(20n)
    expect(await client.findRunOfMaxTimestamp(topicId, 1)).toBeUndefined()
  })

  test('moving the log start lets go of whole runs, and the last one makes the object garbage', async () => {
    const { client, clock, topicId, grantId } = await openWithTopic()
    await commit(client, grantId, 0, [batch(topicId, 0, 0), batch(topicId, 1, 100)])
    await commit(client, grantId, 1, [batch(topicId, 0, 0)])
    expect(await client.advanceLogStart(topicId, 0, 21n)).toEqual({ outcome: 'offset-out-of-range' })
    expect(await client.advanceLogStart(topicId, 0, -1n)).toEqual({ outcome: 'offset-out-of-range' })
    expect(await client.advanceLogStart(topicId, 9, 0n)).toEqual({ outcome: 'unknown-topic' })
    expect(await client.advanceLogStart(topicId, 0, 12n)).toEqual({ outcome: 'advanced', logStartOffset: 12n })
    expect(await client.advanceLogStart(topicId, 0, 3n)).toEqual({ outcome: 'advanced', logStartOffset: 12n })
    expect((await client.findRuns(topicId, 0, 0n, 1e9)).map(run => run.baseOffset)).toEqual([10n])
    expect(await client.garbageObjects(clock.time + 1, 10)).toEqual([])
    expect(await client.advanceLogStart(topicId, 1, 10n)).toMatchObject({ outcome: 'advanced' })
    const garbage = await client.garbageObjects(clock.time + 1, 10)
    expect(garbage.map(({ keys }) => keys)).toEqual([[segmentKey(grantId, 0)]])
    expect(await client.garbageObjects(clock.time, 10)).toEqual([])
    await client.deleteTopic(topicId)
    const both = await client.garbageObjects(clock.time + 1, 10)
    expect(both.map(({ keys }) => keys[0])).toEqual([segmentKey(grantId, 0), segmentKey(grantId, 1)])
    await client.forgetGarbage([garbage[0]!.garbageId, 999])
    const left = await client.garbageObjects(clock.time + 1, 10)
    expect(left.map(({ keys }) => keys[0])).toEqual([segmentKey(grantId, 1)])
    expect(await client.garbageObjects(clock.time + 1, 10, left[0]!.garbageId)).toEqual([])
  })

  test('a batch outside the segment refuses the whole command and uses no name', async () => {
    const { client, topicId, grantId } = await openWithTopic()
    const bad = { grantId, nameIndex: 0, segmentBytes: 100, batches: [batch(topicId, 0, 1)] }
    await expect(client.commitSegment(bad)).rejects.toMatchObject({ kind: 'invalid', code: 'segment-batch-invalid' })
    expect((await commit(client, grantId, 0, [batch(topicId, 0, 1)]))[0]).toMatchObject({ outcome: 'appended' })
  })
})

describe('names', () => {
  test('a name is committed once, by its deadline, for its purpose', async () => {
    const { client, clock, topicId, grantId } = await openWithTopic()
    const segment = { segmentBytes: 10_000, batches: [batch(topicId, 0, 0)] }
    await commit(client, grantId, 99, [batch(topicId, 0, 0)])
    const expired = { outcome: 'grant-expired' }
    expect(await client.commitSegment({ ...segment, grantId, nameIndex: 99 })).toEqual(expired)
    expect(await client.commitSegment({ ...segment, grantId, nameIndex: 100 })).toEqual(expired)
    expect(await client.commitSegment({ ...segment, grantId: 77, nameIndex: 0 })).toEqual(expired)
    const files = await client.grantNames('data-file', 5, 1000)
    expect(await client.commitSegment({ ...segment, grantId: files.grantId, nameIndex: 0 })).toEqual(expired)
    const short = await client.grantNames('segment', 5, 1000)
    expect(short).toEqual({ grantId: short.grantId, count: 5, deadlineMs: clock.time + 1000 })
    clock.advance(999)
    await commit(client, short.grantId, 1, [batch(topicId, 0, 0)])
    clock.advance(1)
    expect(await client.commitSegment({ ...segment, grantId: short.grantId, nameIndex: 2 })).toEqual(expired)
  })

  test('names that were never committed become garbage after the grace period, committed ones do not', async () => {
    const { client, clock, topicId } = await openWithTopic()
    const { grantId } = await client.grantNames('segment', 3, 1000)
    await commit(client, grantId, 1, [batch(topicId, 0, 0)])
    clock.advance(1000 + grantGraceMs - 1)
    await client.allocateProducerIds(1)
    expect(await client.garbageObjects(clock.time + 1, 10)).toEqual([])
    clock.advance(60_001)
    await client.allocateProducerIds(1)
    const garbage = await client.garbageObjects(clock.time + 1, 10)
    expect(garbage.flatMap(({ keys }) => keys)).toEqual([segmentKey(grantId, 0), segmentKey(grantId, 2)])
  })
})

describe('idempotent producers', () => {
  async function produce(
    setup: Awaited<ReturnType<typeof openWithTopic>>,
    name: number,
    baseSequence: number,
    more: Partial<SegmentBatch> = {},
  ) {
    const { client, grantId, topicId, producerId } = setup
    const [result] = await commit(client, grantId, name, [
      batch(topicId, 0, 0, { producerId, producerEpoch: 0, baseSequence, ...more }),
    ])
    return 'baseOffset' in result! ? [result.outcome, result.baseOffset] : [result!.outcome]
  }

  test('the next sequence is appended, the last five are recognized, gaps and overlaps are not taken', async () => {
    const setup = await openWithTopic()
    for (let index = 0; index < 6; index++) {
      expect(await produce(setup, index, index * 10)).toEqual(['appended', BigInt(index * 10)])
    }
    expect(await produce(setup, 10, 50)).toEqual(['duplicate', 50n])
    expect(await produce(setup, 11, 10)).toEqual(['duplicate', 10n])
    expect(await produce(setup, 12, 0)).toEqual(['out-of-order-sequence'])
    expect(await produce(setup, 13, 61)).toEqual(['out-of-order-sequence'])
    expect(await produce(setup, 14, 55)).toEqual(['out-of-order-sequence'])
    expect(await produce(setup, 15, 50, { offsetCount: 5 })).toEqual(['out-of-order-sequence'])
    expect(await produce(setup, 16, 60)).toEqual(['appended', 60n])
  })

  test('a segment of nothing but duplicates is garbage', async () => {
    const setup = await openWithTopic()
    await produce(setup, 0, 0)
    await produce(setup, 1, 0)
    const garbage = await setup.client.garbageObjects(setup.clock.time + 1, 10)
    expect(garbage.flatMap(({ keys }) => keys)).toEqual([segmentKey(setup.grantId, 1)])
  })

  test('a newer epoch starts at 0, an older one is refused', async () => {
    const setup = await openWithTopic()
    await produce(setup, 0, 0)
    expect(await produce(setup, 1, 5, { producerEpoch: 1 })).toEqual(['out-of-order-sequence'])
    expect(await produce(setup, 2, 0, { producerEpoch: 1 })).toEqual(['appended', 10n])
    expect(await produce(setup, 3, 10, { producerEpoch: 0 })).toEqual(['invalid-producer-epoch'])
    expect(await produce(setup, 4, 0, { producerEpoch: 1 })).toEqual(['duplicate', 10n])
  })

  test('sequences wrap from 2147483647 to 0', async () => {
    const setup = await openWithTopic()
    const last = 2_147_483_647
    expect(await produce(setup, 0, last - 4, { offsetCount: 5 })).toEqual(['appended', 0n])
    expect(await produce(setup, 1, 0, { offsetCount: 5 })).toEqual(['appended', 5n])
    expect(await produce(setup, 2, last - 4, { offsetCount: 5 })).toEqual(['duplicate', 0n])
    expect(await produce(setup, 3, 5, { offsetCount: 1 })).toEqual(['appended', 10n])
  })

  test('a batch that crosses the wrap is followed by the right sequence', async () => {
    const setup = await openWithTopic()
    expect(await produce(setup, 0, 2_147_483_646, { offsetCount: 4 })).toEqual(['appended', 0n])
    expect(await produce(setup, 1, 2, { offsetCount: 1 })).toEqual(['appended', 4n])
  })

  test('any sequence starts a producer that is new to the partition or was silent for a day', async () => {
    const setup = await openWithTopic()
    expect(await produce(setup, 0, 777)).toEqual(['appended', 0n])
    setup.clock.advance(producerExpiryMs)
    expect(await produce(setup, 1, 3)).toEqual(['appended', 10n])
    expect(setup.catalog.state.producers.count).toBe(1)
    setup.clock.advance(producerExpiryMs)
    await setup.client.allocateProducerIds(1)
    expect(setup.catalog.state.producers.count).toBe(0)
  })

  test('an id that was never handed out is unknown; blocks of ids never overlap', async () => {
    const setup = await openWithTopic()
    expect(await produce(setup, 0, 0, { producerId: setup.producerId + 5n })).toEqual(['unknown-producer-id'])
    expect(await produce(setup, 1, 0, { producerId: 2n ** 62n })).toEqual(['unknown-producer-id'])
    expect(await setup.client.allocateProducerIds(3)).toEqual({ first: 5n, count: 3 })
    expect(await setup.client.allocateProducerIds(1)).toEqual({ first: 8n, count: 1 })
    const [unknown] = await commit(setup.client, setup.grantId, 2, [batch('not-a-topic', 0, 0)])
    expect(unknown).toEqual({ outcome: 'unknown-topic-or-partition' })
  })
})
