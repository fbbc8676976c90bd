import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRemoteSource } from '../../ingest/sources/remote-source.ts'
import { findWholeBatches } from '../../ingest/whole-batches.ts'
import type { RecordReader, RecordSource } from '../../kafka/record-source.ts'
import { type Kafka, startKafka } from '../peers/index.ts'
import { type StartedBroker, startBroker } from '../support/start-broker.ts'
import { waitFor } from '../support/wait-for.ts'

/** The same questions to Apache Kafka and to Floe's broker, through sockets. */
describe.each(['Apache Kafka', 'Floe'])('a remote source on %s', kind => {
  let kafka: Kafka | undefined
  let floe: StartedBroker | undefined
  let address = ''
  let source: RecordSource
  let reader: RecordReader

  beforeAll(async () => {
    if (kind === 'Floe') {
      floe = await startBroker({ flushIntervalMs: 5 })
      address = floe.address
    } else {
      kafka = await startKafka({})
      address = kafka.bootstrap
    }
    const [hostname = '', port = ''] = address.split(':')
    source = createRemoteSource({ name: 'peer', bootstrapBrokers: [{ hostname, port: Number(port) }] })
    reader = source.openReader()
  })

  afterAll(async () => {
    await source?.close()
    await floe?.stop()
    await kafka?.stop()
  })

  const admin = (): Admin => new Admin({ clientId: 'test', bootstrapBrokers: [address] })
  const createTopic = async (topic: string, partitions: number): Promise<void> => {
    const client = admin()
    await client.createTopics({ topics: [topic], partitions, replicas: 1 })
    await client.close()
  }
  const produce = async (topic: string, count: number): Promise<void> => {
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [address], serializers: stringSerializers })
    for (let index = 0; index < count; index++) {
      await producer.send({ messages: [{ topic, key: `k${index}`, value: `v${index}`, partition: index % 2 }] })
    }
    await producer.close()
  }
  const options = { waitMsMax: 2_000, bytesMin: 1, bytesMax: 1_000_000 }

  it('describes topics, and knows nothing of those that do not exist', async () => {
    await createTopic('described', 3)
    const described = await source.describeTopic('described')
    expect(described?.partitionCount).toBe(3)
    expect(described?.topicId).toMatch(/^[0-9a-f]{8}-/)
    expect(await source.describeTopic('not-there')).toBeUndefined()
  })

  it('reads whole batches from where it is asked to and tells the ends', async () => {
    await createTopic('read', 2)
    await produce('read', 10)
    const states = await source.partitionStates('read', [0, 1])
    expect(states).toEqual([
      { partition: 0, logStartOffset: 0n, endOffset: 5n },
      { partition: 1, logStartOffset: 0n, endOffset: 5n },
    ])
    const { topicId } = (await source.describeTopic('read'))!
    for (const named of [{}, { topicId: topicId! }]) {
      const ends = new Map([
        [0, 2n],
        [1, 0n],
      ])
      while ([...ends.values()].some(end => end < 5n)) {
        const parts = [...ends].map(([partition, offset]) => ({ partition, offset, bytesMax: 100_000 }))
        for (const fetched of await reader.fetch('read', parts, { ...options, ...named })) {
          expect(fetched.error).toBe('none')
          ends.set(fetched.partition, findWholeBatches(fetched.batches, ends.get(fetched.partition)!).end)
        }
      }
      expect([...ends.values()]).toEqual([5n, 5n])
    }
  })

  it('says so when an offset is out of range', async () => {
    await createTopic('ranges', 1)
    // A leader that was chosen just now may not know it yet: `unavailable` means to ask again.
    await waitFor(async () => {
      const [fetched] = await reader.fetch('ranges', [{ partition: 0, offset: 7n, bytesMax: 1000 }], options)
      expect(fetched?.error).toMatch(/offset-out-of-range|unavailable/)
      return fetched?.error === 'offset-out-of-range'
    })
  })

  it('never reads a topic that was created again as if it were the old one', async () => {
    await createTopic('again', 2)
    const before = await source.describeTopic('again')
    const client = admin()
    await client.deleteTopics({ topics: ['again'] })
    await client.close()
    await createTopic('again', 2)
    await produce('again', 2)
    await waitFor(async () => {
      const [fetched] = await reader.fetch('again', [{ partition: 0, offset: 0n, bytesMax: 1000 }], {
        ...options,
        topicId: before!.topicId!,
      })
      expect(fetched?.error).toMatch(/unknown-topic|unavailable/)
      return fetched?.error === 'unknown-topic'
    })
  })
})

describe('a remote source that cannot be reached', () => {
  it('says which cluster and which address', async () => {
    const source = createRemoteSource({ name: 'gone', bootstrapBrokers: [{ hostname: '127.0.0.1', port: 1 }] })
    await expect(source.describeTopic('x')).rejects.toThrow(
      /^source cluster gone \(127\.0\.0\.1:1\) cannot be reached: .*ECONNREFUSED/,
    )
    await source.close()
  })
})
