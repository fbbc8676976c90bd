/** Fetch and ListOffsets rules, damaged and missing objects, the local source. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkaErrorCode } from '../../../kafka/errors.ts'
import { noUuid } from '../../../kafka/protocol/schema.ts'
import { BatchCursor } from '../../../kafka/records/batch.ts'
import { setMaxTimestamp } from '../../../kafka/records/patch.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { type InMemoryBroker, startInMemoryBroker, type TestClient } from '../../support/in-memory-broker.ts'
import { createTopic, fetchBody, fetchOne, makeBatch, produce } from './harness.ts'

let running: InMemoryBroker
let client: TestClient
let topicCount = 0

beforeAll(async () => {
  running = await startInMemoryBroker()
  client = running.connect()
})
afterAll(() => running.close())

async function freshTopic(...batches: Uint8Array[]): Promise<string> {
  const name = `fetch-${++topicCount}`
  await createTopic(client, name)
  for (const batch of batches) expect((await produce(client, name, batch)).errorCode).toBe(0)
  return name
}

/** [base offset, record count] of every batch. */
function shape(records: Uint8Array | null): [bigint, number][] {
  const found: [bigint, number][] = []
  const batch = new BatchCursor(records!)
  while (batch.next()) {
    expect(batch.isCrcValid()).toBe(true)
    expect(batch.partitionLeaderEpoch).toBe(0)
    found.push([batch.baseOffset, batch.recordCount])
  }
  expect(batch.trailingBytes).toBe(0)
  return found
}

const three = () => [makeBatch(['a', 'b']), makeBatch(['c', 'd', 'e']), makeBatch(['f'])] as const

describe('what a fetch returns', () => {
  it('returns whole batches with absolute offsets, beginning with the one that holds the offset', async () => {
    const topic = await freshTopic(...three())
    expect(shape((await fetchOne(client, topic, 0n)).records)).toEqual([
      [0n, 2],
      [2n, 3],
      [5n, 1],
    ])
    expect(shape((await fetchOne(client, topic, 3n)).records)).toEqual([
      [2n, 3],
      [5n, 1],
    ])
    expect(shape((await fetchOne(client, topic, 5n)).records)).toEqual([[5n, 1]])
  })

  it('finds the same batches when several lie in one segment', async () => {
    const name = `fetch-${++topicCount}`
    await createTopic(client, name)
    const together = await startInMemoryBroker({ flushIntervalMs: 500 })
    const own = together.connect()
    await createTopic(own, name)
    await createTopic(own, 'earlier')
    await produce(own, 'earlier', makeBatch(['goes at once and begins the interval']))
    await Promise.all(three().map(batch => produce(own, name, batch)))
    expect(together.broker.metrics.flushes).toBe(2)
    for (const offset of [0n, 1n, 2n, 4n, 5n]) {
      const [first] = shape((await fetchOne(own, name, offset)).records)
      expect(first![0] <= offset && offset < first![0] + BigInt(first![1])).toBe(true)
    }
    // One batch at a time, every read going on where the last one ended.
    const seen = []
    for (let offset = 0n; offset < 6n; ) {
      const [batch] = shape((await fetchOne(own, name, offset, { partitionMaxBytes: 1 })).records)
      seen.push(batch![0])
      offset = batch![0] + BigInt(batch![1])
    }
    expect(seen).toEqual([0n, 2n, 5n])
    await together.close()
  })

  it('returns at least one batch however small the limit, in the first non-empty partition only', async () => {
    const topic = await freshTopic(...three())
    expect(shape((await fetchOne(client, topic, 0n, { partitionMaxBytes: 1 })).records)).toEqual([[0n, 2]])
    expect(shape((await fetchOne(client, topic, 0n, { maxBytes: 1 })).records)).toEqual([[0n, 2]])
    const other = await freshTopic(...three())
    const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }]
    const answer = await client.call(
      'Fetch',
      {
        ...fetchBody(topic, 0n, { maxBytes: 1 }),
        topics: [
          { topic, partitions },
          { topic: other, partitions },
        ],
      },
      12,
    )
    expect(answer.responses.map(({ partitions: [one] }) => shape(one!.records).length)).toEqual([1, 0])
  })

  it('answers empty at the end and OFFSET_OUT_OF_RANGE beyond it', async () => {
    const topic = await freshTopic(...three())
    expect(await fetchOne(client, topic, 6n)).toMatchObject({ errorCode: 0, highWatermark: 6n, lastStableOffset: 6n })
    expect((await fetchOne(client, topic, 7n)).errorCode).toBe(1)
    await client.call('DeleteRecords', {
      timeoutMs: 1_000,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 3n }] }],
    })
    expect((await fetchOne(client, topic, 2n)).errorCode).toBe(1)
    expect(await fetchOne(client, topic, 3n)).toMatchObject({ errorCode: 0, logStartOffset: 3n })
  })

  it('names aborted transactions as empty under read committed and null otherwise', async () => {
    const topic = await freshTopic(...three())
    expect((await fetchOne(client, topic, 0n)).abortedTransactions).toBeNull()
    expect((await fetchOne(client, topic, 0n, { isolationLevel: 1 })).abortedTransactions).toEqual([])
  })
})

describe('when a fetch is answered', () => {
  it('is woken by an append of another connection', async () => {
    const topic = await freshTopic()
    const waiting = fetchOne(running.connect(), topic, 0n, { maxWaitMs: 20_000 })
    await produce(client, topic, makeBatch(['late']))
    expect(shape((await waiting).records)).toEqual([[0n, 1]])
  })

  it('waits for min bytes and answers what there is at the deadline, without throttling', async () => {
    const topic = await freshTopic(makeBatch(['a']))
    const startMs = performance.now()
    const answer = await client.call('Fetch', fetchBody(topic, 0n, { maxWaitMs: 60, minBytes: 100_000 }), 12)
    expect(performance.now() - startMs).toBeGreaterThan(50)
    expect(answer.throttleTimeMs).toBe(0)
    expect(shape(answer.responses[0]!.partitions[0]!.records)).toEqual([[0n, 1]])
  })

  it('answers at once when any partition has an error', async () => {
    const topic = await freshTopic()
    expect((await fetchOne(client, topic, 9n, { maxWaitMs: 60_000 })).errorCode).toBe(1)
    expect((await fetchOne(client, topic, 0n, { maxWaitMs: 60_000, partition: 4 })).errorCode).toBe(3)
    expect((await fetchOne(client, topic, 0n, { maxWaitMs: 60_000, currentLeaderEpoch: 5 })).errorCode).toBe(75)
    expect((await fetchOne(client, 'nowhere', 0n, { maxWaitMs: 60_000 })).errorCode).toBe(3)
    const byId = {
      ...fetchBody('', 0n, { maxWaitMs: 60_000 }),
      topics: [
        {
          topicId: '11111111-2222-4333-8444-555555555555',
          partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }],
        },
      ],
    }
    const answer = await client.call('Fetch', { ...byId, topics: byId.topics.map(t => ({ ...t, topic: '' })) }, 13)
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(kafkaErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('answers at once without partitions, and refuses sessions it did not open', async () => {
    const empty = { ...fetchBody('x', 0n, { maxWaitMs: 60_000 }), topics: [] }
    expect((await client.call('Fetch', empty, 12)).responses).toEqual([])
    const answer = await client.call('Fetch', { ...empty, sessionId: 5, sessionEpoch: 1 }, 12)
    expect(answer.errorCode).toBe(kafkaErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect((await client.call('Fetch', { ...empty, sessionEpoch: 0 }, 12)).sessionId).toBe(0)
  })

  it('serves topics by id from v13 on', async () => {
    const topic = await freshTopic(makeBatch(['a']))
    const found = await running.catalog.topicByName(topic)
    const body = fetchBody(topic, 0n)
    const answer = await client.call(
      'Fetch',
      { ...body, topics: body.topics.map(each => ({ ...each, topicId: found!.topicId })) },
      13,
    )
    expect(answer.responses[0]!.topicId).toBe(found!.topicId)
    expect(shape(answer.responses[0]!.partitions[0]!.records)).toEqual([[0n, 1]])
    expect(answer.responses[0]!.topicId).not.toBe(noUuid)
  })
})

describe('offsets by time', () => {
  const find = async (topic: string, timestamp: bigint) => {
    const answer = await client.call('ListOffsets', {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
    })
    const { errorCode, offset, timestamp: found } = answer.topics[0]!.partitions[0]!
    return [errorCode, offset, found]
  }

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('finds the very record in %s batches', async codec => {
    const topic = await freshTopic(
      makeBatch(['a', 'b'], { firstMs: 1_000, codec }),
      makeBatch(['c', 'd', 'e'], { firstMs: 2_000, codec }),
      makeBatch(['f'], { firstMs: 1_500, codec }),
    )
    expect(await find(topic, 0n)).toEqual([0, 0n, 1_000n])
    expect(await find(topic, 1_001n)).toEqual([0, 1n, 1_001n])
    expect(await find(topic, 1_002n)).toEqual([0, 2n, 2_000n])
    expect(await find(topic, 2_002n)).toEqual([0, 4n, 2_002n])
    expect(await find(topic, 2_003n)).toEqual([0, -1n, -1n])
    expect(await find(topic, -3n)).toEqual([0, 4n, 2_002n])
    expect(await find(topic, -2n)).toEqual([0, 0n, -1n])
    expect(await find(topic, -1n)).toEqual([0, 6n, -1n])
  })

  it('goes by the true maximum of a batch whose header tells another one', async () => {
    const early = makeBatch(['a', 'b'], { firstMs: 1_000 })
    setMaxTimestamp(early, 5n)
    const late = makeBatch(['c'], { firstMs: 2_000 })
    setMaxTimestamp(late, 9_000n)
    const topic = await freshTopic(early, late)
    expect(await find(topic, 1_001n)).toEqual([0, 1n, 1_001n])
    expect(await find(topic, 1_500n)).toEqual([0, 2n, 2_000n])
    expect(await find(topic, 2_001n)).toEqual([0, -1n, -1n])
    expect(await find(topic, -3n)).toEqual([0, 2n, 2_000n])
    // What consumers get is a whole batch with a right checksum.
    const batch = new BatchCursor((await fetchOne(client, topic, 0n)).records!)
    expect(batch.next() && batch.isCrcValid() && batch.maxTimestamp).toBe(1_001n)
  })

  it('never answers below the log start', async () => {
    const topic = await freshTopic(makeBatch(['a', 'b', 'c'], { firstMs: 1_000 }))
    await client.call('DeleteRecords', {
      timeoutMs: 1_000,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 1n }] }],
    })
    expect(await find(topic, 0n)).toEqual([0, 1n, 1_001n])
  })

  it('answers an empty partition with nothing and an unknown topic with its error', async () => {
    const topic = await freshTopic()
    expect(await find(topic, 5n)).toEqual([0, -1n, -1n])
    expect(await find(topic, -3n)).toEqual([0, -1n, -1n])
    expect((await find('nowhere', -1n))[0]).toBe(3)
  })
})

describe('objects that are not what they should be', () => {
  async function startWithDamage(damage: (store: ObjectStore, key: string) => Promise<void>) {
    const plain = new MemoryStore({ ...(await import('../../../core/clock.ts')).systemClock })
    const broker = await startInMemoryBroker({ cacheBytesMax: 0, wrapStore: () => plain })
    const own = broker.connect()
    await createTopic(own, 'bad')
    await createTopic(own, 'good')
    await produce(own, 'bad', makeBatch(['a', 'b']))
    const [info] = (await plain.list('segments/')).objects
    await produce(own, 'good', makeBatch(['c']))
    await damage(plain, info!.key)
    const answer = await own.call(
      'Fetch',
      {
        ...fetchBody('bad', 0n),
        topics: ['bad', 'good'].map(topic => ({
          topic,
          partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }],
        })),
      },
      12,
    )
    const [bad, good] = answer.responses.map(({ partitions }) => partitions[0]!)
    await broker.close()
    return { bad: bad!, good: good!, complaints: broker.complaints, key: info!.key }
  }

  it('answers KAFKA_STORAGE_ERROR for a missing object, for that partition only', async () => {
    const { bad, good, complaints, key } = await startWithDamage((store, gone) => store.delete([gone]))
    expect(bad.errorCode).toBe(kafkaErrorCode.KAFKA_STORAGE_ERROR)
    expect(shape(good.records)).toEqual([[0n, 1]])
    expect(complaints.some(line => line.includes(key))).toBe(true)
  })

  it('never hands out a batch whose bytes changed, and names object and byte', async () => {
    const { bad, good, complaints, key } = await startWithDamage(async (store, damaged) => {
      const bytes = (await store.get(damaged))!
      bytes[bytes.length - 3]! ^= 1
      await store.put(damaged, bytes)
    })
    expect(bad).toMatchObject({ errorCode: kafkaErrorCode.KAFKA_STORAGE_ERROR })
    expect(bad.records).toHaveLength(0)
    expect(shape(good.records)).toEqual([[0n, 1]])
    expect(complaints.some(line => line.includes(`${key} at byte 16`) && line.includes('CRC'))).toBe(true)
  })
})

describe('the local source', () => {
  it('reads what was produced, waits for more, and reports what does not exist', async () => {
    const topic = await freshTopic(...three())
    const source = running.broker.localSource()
    const reader = source.openReader()
    expect(await source.describeTopic(topic)).toMatchObject({ partitionCount: 1 })
    expect(await source.describeTopic('nowhere')).toBeUndefined()
    expect(await source.partitionStates(topic, [0])).toEqual([{ partition: 0, logStartOffset: 0n, endOffset: 6n }])
    const options = { waitMsMax: 20_000, bytesMin: 1, bytesMax: 1_000_000 }
    const [first] = await reader.fetch(topic, [{ partition: 0, offset: 1n, bytesMax: 1_000_000 }], options)
    expect(first).toMatchObject({ error: 'none', endOffset: 6n, highWatermark: 6n, aborted: [] })
    expect(shape(first!.batches)).toEqual([
      [0n, 2],
      [2n, 3],
      [5n, 1],
    ])
    const waiting = reader.fetch(topic, [{ partition: 0, offset: 6n, bytesMax: 1_000_000 }], options)
    await produce(client, topic, makeBatch(['g']))
    expect(shape((await waiting)[0]!.batches)).toEqual([[6n, 1]])
    const [beyond] = await reader.fetch(topic, [{ partition: 0, offset: 99n, bytesMax: 1 }], options)
    expect(beyond!.error).toBe('offset-out-of-range')
    const [unknown] = await reader.fetch('nowhere', [{ partition: 0, offset: 0n, bytesMax: 1 }], options)
    expect(unknown!.error).toBe('unknown-topic')
    await expect(source.partitionStates(topic, [3])).rejects.toMatchObject({ kind: 'invalid' })
  })

  it('ends a waiting fetch when aborted or closed', async () => {
    const topic = await freshTopic()
    const source = running.broker.localSource()
    const reader = source.openReader()
    const parts = [{ partition: 0, offset: 0n, bytesMax: 1 }]
    const abort = new AbortController()
    const options = { waitMsMax: 60_000, bytesMin: 1, bytesMax: 1 }
    const aborted = reader.fetch(topic, parts, { ...options, signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    const closed = reader.fetch(topic, parts, options)
    await source.close()
    await expect(closed).rejects.toMatchObject({ code: 'source-closed' })
  })
})
