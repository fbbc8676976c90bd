/** Reads a topic from its first to its last record with an ordinary consumer (@platformatic/kafka). */
import { Admin, Consumer, ListOffsetTimestamps, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka'

export interface TopicRecord {
  readonly offset: bigint
  readonly key: string
  readonly value: string
}

export interface ConsumedRecord extends TopicRecord {
  readonly timestampMs: bigint
}

/** Records by partition, as the consumer gave them. errors  when the end is not reached in time */
export async function readTopic(
  address: string,
  topic: string,
  partitionCount: number,
  timeoutMs = 300_000,
): Promise<ConsumedRecord[][]> {
  const common = { clientId: 'reader', bootstrapBrokers: address.split(','), retries: 10, retryDelay: 100 }
  const records: ConsumedRecord[][] = Array.from({ length: partitionCount }, () => [])
  const ends = await endOffsets(common, topic, partitionCount)
  if (ends.every(end => end === 0n)) return records
  const consumer = new Consumer({ ...common, groupId: `reader-${topic}`, deserializers: stringDeserializers })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
    maxWaitTime: 100,
  })
  const missing = new Set(ends.keys().filter(partition => ends[partition]! > 0n))
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    stream.destroy()
  }, timeoutMs)
  try {
    for await (const { partition, offset, key, value, timestamp: timestampMs } of stream) {
      records[partition]!.push({ offset, key, value, timestampMs })
      if (offset + 1n >= ends[partition]!) missing.delete(partition)
      if (missing.size === 0) break
    }
  } catch (error) {
    if (!timedOut) throw error
  } finally {
    clearTimeout(timer)
    await consumer.close(true)
  }
  if (missing.size > 0) throw new Error(`${topic}: partitions ${[...missing]} were not read to their ends ${ends}`)
  return records
}

async function endOffsets(
  common: { readonly clientId: string; readonly bootstrapBrokers: string[] },
  topic: string,
  partitionCount: number,
): Promise<bigint[]> {
  const admin = new Admin(common)
  try {
    const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }))
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
    const ends = new Array<bigint>(partitionCount).fill(0n)
    for (const { partitionIndex, offset } of found?.partitions ?? []) ends[partitionIndex] = offset
    return ends
  } finally {
    await admin.close()
  }
}
