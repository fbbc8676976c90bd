/** Produces the sample topics through an ordinary Kafka client over TCP, as any program would. */
import { Admin, Producer } from '@platformatic/kafka'
import type { CatalogQueries } from '../../catalog/client.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { SampleTopic } from './sample-data.ts'

export interface DemoProducer {
  readonly sample: SampleTopic
  /** Acknowledged in this run. */
  readonly producedCount: number
  /** Makes and sends the next records; resolves when the broker acknowledged them. */
  produce(count: number): Promise<void>
  close(): Promise<void>
}

export async function createTopics(
  samples: readonly SampleTopic[],
  catalog: CatalogQueries,
  port: number,
): Promise<void> {
  const known = new Set((await catalog.topics()).map(topic => topic.name))
  const admin = new Admin({ clientId: 'floe-demo', bootstrapBrokers: [`127.0.0.1:${port}`] })
  try {
    for (const { topic, partitionCount } of samples) {
      if (!known.has(topic)) await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: 1 })
    }
  } finally {
    await admin.close()
  }
}

/** Records the topic took so far, in this run and before. */
export async function countRecords(catalog: CatalogQueries, name: string): Promise<number> {
  const topic = await catalog.topicByName(name)
  if (topic === undefined) return 0
  const { topicId, partitionCount } = topic
  const asked = Array.from({ length: partitionCount }, (_, partition) => ({ topicId, partition }))
  return (await catalog.partitionStates(asked)).reduce((sum, state) => sum + Number(state?.highWatermark ?? 0n), 0)
}

export function createProducer(sample: SampleTopic, port: number, firstNumber: number): DemoProducer {
  const producer = new Producer({
    clientId: `floe-demo-${sample.topic}`,
    bootstrapBrokers: [`127.0.0.1:${port}`],
    // A retried request must not become a second record.
    idempotent: true,
    retries: 5,
  })
  let nextNumber = firstNumber
  let producedCount = 0
  return {
    sample,
    get producedCount() {
      return producedCount
    },
    async produce(count) {
      const nowMs = Date.now()
      const messages = Array.from({ length: count }, (_, index) => ({
        topic: sample.topic,
        ...sample.makeRecord(nextNumber + index, nowMs),
      }))
      nextNumber += count
      try {
        await producer.send({ messages })
      } catch (error) {
        throw new FloeError(
          'unavailable',
          'demo-produce-failed',
          `producing to ${sample.topic} failed: ${errorMessage(error)}`,
          {},
          error,
        )
      }
      producedCount += count
    },
    close: () => producer.close(),
  }
}
