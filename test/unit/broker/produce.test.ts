/** Produce rules as Kafka answers them, and the idempotent producer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkaErrorCode } from '../../../kafka/errors.ts'
import { BatchCursor } from '../../../kafka/records/batch.ts'
import { setCrc } from '../../../kafka/records/patch.ts'
import { type InMemoryBroker, startInMemoryBroker, type TestClient } from '../../support/in-memory-broker.ts'
import { createTopic, fetchOne, makeBatch, produce, produceBody } from './harness.ts'

let running: InMemoryBroker
let client: TestClient
let topicCount = 0

beforeAll(async () => {
  running = await startInMemoryBroker()
  client = running.connect()
})
afterAll(() => running.close())

async function freshTopic(configs: Record<string, string> = {}): Promise<string> {
  const name = `produce-${++topicCount}`
  expect(await createTopic(client, name, 1, configs)).toMatchObject({ errorCode: 0 })
  return name
}

function patched(batch: Uint8Array, patch: (view: DataView) => void): Uint8Array {
  const copy = batch.slice()
  patch(new DataView(copy.buffer))
  setCrc(copy)
  return copy
}

describe('what a batch must be', () => {
  const cases: [string, () => Uint8Array | null, number][] = [
    ['no batch at all', () => null, kafkaErrorCode.INVALID_RECORD],
    [
      'a wrong checksum',
      () => makeBatch(['a']).map((byte, at) => (at === 17 ? byte ^ 1 : byte)),
      kafkaErrorCode.CORRUPT_MESSAGE,
    ],
    ['a cut batch', () => makeBatch(['abcdef']).slice(0, -2), kafkaErrorCode.CORRUPT_MESSAGE],
    ['an old magic', () => makeBatch(['a']).map((byte, at) => (at === 16 ? 1 : byte)), kafkaErrorCode.INVALID_RECORD],
    ['two batches', () => Buffer.concat([makeBatch(['a']), makeBatch(['b'])]), kafkaErrorCode.INVALID_RECORD],
    [
      'a wrong record count',
      () => patched(makeBatch(['a', 'b']), view => view.setInt32(57, 3)),
      kafkaErrorCode.INVALID_RECORD,
    ],
    [
      'a control batch',
      () => patched(makeBatch(['a']), view => view.setInt16(21, 0x20)),
      kafkaErrorCode.INVALID_RECORD,
    ],
    ['a batch above max.message.bytes', () => makeBatch(['x'.repeat(1_048_588)]), kafkaErrorCode.MESSAGE_TOO_LARGE],
    [
      'a transactional batch',
      () => makeBatch(['a'], { producerId: 7n, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
      kafkaErrorCode.INVALID_TXN_STATE,
    ],
    [
      'a timestamp far in the future',
      () => makeBatch(['a'], { firstMs: Date.now() + 7_200_000 }),
      kafkaErrorCode.INVALID_TIMESTAMP,
    ],
  ]
  it.each(cases)('refuses %s', async (_what, make, errorCode) => {
    const topic = await freshTopic()
    expect(await produce(client, topic, make())).toMatchObject({ errorCode, baseOffset: -1n })
    expect(await produce(client, topic, makeBatch(['fine']))).toMatchObject({ errorCode: 0, baseOffset: 0n })
  })

  it('refuses zstd before v7 and takes it from then on', async () => {
    const topic = await freshTopic()
    const batch = makeBatch(['a'], { codec: 'zstd' })
    expect((await produce(client, topic, batch, 6)).errorCode).toBe(kafkaErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect((await produce(client, topic, batch, 7)).errorCode).toBe(0)
  })

  it('names the records without a key of a compacted topic', async () => {
    const topic = await freshTopic({ 'cleanup.policy': 'compact' })
    const answer = await produce(client, topic, makeBatch(['a', 'b'], { codec: 'gzip' }))
    expect(answer.errorCode).toBe(kafkaErrorCode.INVALID_RECORD)
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1])
    expect((await produce(client, topic, makeBatch(['a']), 7)).recordErrors).toEqual([])
  })

  it('refuses unknown topics and partitions without creating them', async () => {
    expect((await produce(client, 'nowhere', makeBatch(['a']))).errorCode).toBe(3)
    const topic = await freshTopic()
    const answer = await client.call('Produce', produceBody(topic, makeBatch(['a']), { partition: 1 }), 9)
    expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(3)
    expect(await running.catalog.topicByName('nowhere')).toBeUndefined()
  })

  it('follows a changed max.message.bytes', async () => {
    const topic = await freshTopic({ 'max.message.bytes': '100' })
    expect((await produce(client, topic, makeBatch(['x'.repeat(200)]))).errorCode).toBe(10)
    await client.call('IncrementalAlterConfigs', {
      validateOnly: false,
      resources: [
        {
          resourceType: 2,
          resourceName: topic,
          configs: [{ name: 'max.message.bytes', configOperation: 0, value: '1000' }],
        },
      ],
    })
    expect((await produce(client, topic, makeBatch(['x'.repeat(200)]))).errorCode).toBe(0)
  })
})

describe('acks', () => {
  it('refuses other values than -1, 0 and 1', async () => {
    const topic = await freshTopic()
    expect((await produce(client, topic, makeBatch(['a']), 9, 2)).errorCode).toBe(21)
    expect((await produce(client, topic, makeBatch(['a']), 9, 1)).errorCode).toBe(0)
  })

  it('answers nothing to acks 0', async () => {
    const topic = await freshTopic()
    const silent = running.connect()
    silent.stream.write(silent.prepare('Produce', produceBody(topic, makeBatch(['a', 'b']), { acks: 0 }), 9).bytes)
    expect((await silent.call('ApiVersions', { clientSoftwareName: 'x', clientSoftwareVersion: '1' })).errorCode).toBe(
      0,
    )
    expect((await fetchOne(client, topic, 0n)).highWatermark).toBe(2n)
  })

  it('closes the connection when acks 0 fails', async () => {
    const silent = running.connect()
    silent.stream.write(silent.prepare('Produce', produceBody('nowhere', makeBatch(['a']), { acks: 0 }), 9).bytes)
    await silent.closed
  })
})

describe('timestamps', () => {
  it('keeps those of the producer in a CreateTime topic', async () => {
    const topic = await freshTopic()
    expect(await produce(client, topic, makeBatch(['a'], { firstMs: 1_000 }))).toMatchObject({ logAppendTimeMs: -1n })
    const batch = new BatchCursor((await fetchOne(client, topic, 0n)).records!)
    expect(batch.next() && batch.maxTimestamp).toBe(1_000n)
  })

  it('stamps batch and answer of a LogAppendTime topic', async () => {
    const topic = await freshTopic({ 'message.timestamp.type': 'LogAppendTime' })
    const answer = await produce(client, topic, makeBatch(['a'], { firstMs: 1_000 }))
    expect(answer.logAppendTimeMs).toBeGreaterThan(1_000_000n)
    const batch = new BatchCursor((await fetchOne(client, topic, 0n)).records!)
    expect(batch.next() && [batch.isLogAppendTime, batch.isCrcValid(), batch.maxTimestamp]).toEqual([
      true,
      true,
      answer.logAppendTimeMs,
    ])
  })
})

describe('idempotent producers', () => {
  it('answers a retried batch with its first offset and stores it once', async () => {
    const topic = await freshTopic()
    const { producerId } = await client.call('InitProducerId', {
      transactionalId: null,
      transactionTimeoutMs: 0,
      producerId: 0n,
      producerEpoch: 0,
    })
    const batch = makeBatch(['a', 'b'], { producerId, producerEpoch: 0, baseSequence: 0 })
    const next = makeBatch(['c'], { producerId, producerEpoch: 0, baseSequence: 2 })
    expect(await produce(client, topic, batch)).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect(await produce(client, topic, next)).toMatchObject({ errorCode: 0, baseOffset: 2n })
    expect(await produce(client, topic, batch)).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect((await fetchOne(client, topic, 3n)).highWatermark).toBe(3n)
  })

  it('refuses gaps and old epochs', async () => {
    const topic = await freshTopic()
    const { producerId } = await client.call('InitProducerId', { transactionalId: null, transactionTimeoutMs: 0 })
    const send = (producerEpoch: number, baseSequence: number) =>
      produce(client, topic, makeBatch(['a'], { producerId, producerEpoch, baseSequence }))
    expect((await send(0, 0)).errorCode).toBe(0)
    expect((await send(0, 2)).errorCode).toBe(45)
    expect((await send(1, 5)).errorCode).toBe(45)
    expect((await send(1, 0)).errorCode).toBe(0)
    expect((await send(0, 1)).errorCode).toBe(47)
  })

  it('gives every producer another id and refuses transactional ones', async () => {
    const ask = (transactionalId: string | null) =>
      client.call('InitProducerId', { transactionalId, transactionTimeoutMs: 60_000 })
    expect((await ask(null)).producerId).not.toBe((await ask(null)).producerId)
    expect((await ask('tx')).errorCode).not.toBe(0)
    expect((await ask('')).errorCode).toBe(kafkaErrorCode.INVALID_REQUEST)
  })
})

it('answers a batch whose topic was deleted before its commit with UNKNOWN_TOPIC_OR_PARTITION, and only it', async () => {
  const slow = await startInMemoryBroker({ flushIntervalMs: 60_000, segmentBytesTarget: 4_000 })
  const other = slow.connect()
  await createTopic(other, 'gone')
  await createTopic(other, 'stays')
  await produce(other, 'stays', makeBatch(['goes at once and begins the interval']))
  const gone = slow.connect().call('Produce', produceBody('gone', makeBatch(['a'])), 9)
  while (slow.broker.metrics.requests.get('Produce') !== 2) await new Promise(resolve => setImmediate(resolve))
  await other.call('DeleteTopics', { topics: [{ name: 'gone' }], timeoutMs: 1_000 })
  const stays = await produce(other, 'stays', makeBatch(['x'.repeat(5_000)]))
  expect(stays.errorCode).toBe(0)
  expect((await gone).responses[0]!.partitionResponses[0]!.errorCode).toBe(3)
  await slow.close()
})

it('flushes the first batch after a pause at once, and what follows within the interval together', async () => {
  const slow = await startInMemoryBroker({ flushIntervalMs: 60_000, segmentBytesTarget: 100_000 })
  const { metrics } = slow.broker
  const own = slow.connect()
  await createTopic(own, 't')
  expect((await produce(own, 't', makeBatch(['at once']))).baseOffset).toBe(0n)
  expect(metrics.flushes).toBe(1)
  // Only the size ends the interval early: a flush that came any sooner would be one more.
  const waiting = [1, 2, 3].map(() => produce(own, 't', makeBatch(['x'.repeat(30_000)])))
  await produce(own, 't', makeBatch(['x'.repeat(30_000)]))
  await Promise.all(waiting)
  expect(metrics.flushes).toBe(2)
  await slow.close()
})

it('gives frames back once their batches are in a segment, and answers and stores them as they were', async () => {
  const own = await startInMemoryBroker()
  const producer = own.connect()
  await createTopic(producer, 't')
  const batch = makeBatch(['y'.repeat(400_000)])
  for (const baseOffset of [0n, 1n, 2n]) {
    expect(await produce(producer, 't', batch)).toMatchObject({ errorCode: 0, baseOffset })
  }
  expect(own.broker.metrics.batchBytesProduced).toBe(3 * batch.length)
  const { records } = await fetchOne(producer, 't', 1n)
  // Base offset and partition leader epoch are filled in by the broker.
  expect(Buffer.from(records!).subarray(16, batch.length).equals(batch.subarray(16))).toBe(true)
  await own.close()
})

it('keeps the batches of many partitions apart in one segment', async () => {
  const topic = `produce-${++topicCount}`
  await createTopic(client, topic, 3)
  const answer = await client.call(
    'Produce',
    {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: topic,
          partitionData: [2, 0, 1].map(index => ({ index, records: makeBatch([`p${index}`, 'second']) })),
        },
      ],
    },
    9,
  )
  expect(answer.responses[0]!.partitionResponses.map(({ index, errorCode }) => [index, errorCode])).toEqual([
    [2, 0],
    [0, 0],
    [1, 0],
  ])
  for (const partition of [0, 1, 2]) {
    const { records } = await fetchOne(client, topic, 0n, { partition })
    expect(Buffer.from(records!).includes(`p${partition}`)).toBe(true)
  }
})
