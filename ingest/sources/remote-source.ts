/** Topics of any Kafka-protocol cluster as a RecordSource. */
import type { RecordReader, RecordSource, SourcePartitionState, SourceTopic } from '../../kafka/record-source.ts'
import {
  isolationReadCommitted,
  noTopicId,
  RemoteCluster,
  type RemoteClusterOptions,
  unknownTopicOrPartition,
} from './remote-cluster.ts'
import { RemoteReader } from './remote-reader.ts'

const timestampLatest = -1n
const timestampEarliest = -2n

export function createRemoteSource(options: RemoteClusterOptions): RecordSource {
  return new RemoteSource(options)
}

class RemoteSource implements RecordSource {
  readonly #options: RemoteClusterOptions
  /** For everything but records. */
  readonly #cluster: RemoteCluster
  readonly #readers = new Set<RemoteReader>()

  constructor(options: RemoteClusterOptions) {
    this.#options = options
    this.#cluster = new RemoteCluster(options)
  }

  async describeTopic(topic: string): Promise<SourceTopic | undefined> {
    const described = await this.#cluster.describe(topic)
    if (described === undefined) return undefined
    const topicId = described.id === noTopicId ? undefined : described.id
    return { topicId, partitionCount: described.partitionsCount }
  }

  async partitionStates(topic: string, partitions: readonly number[]): Promise<readonly SourcePartitionState[]> {
    const [starts, ends] = await Promise.all([
      this.#listOffsets(topic, partitions, timestampEarliest),
      this.#listOffsets(topic, partitions, timestampLatest),
    ])
    return partitions.map(partition => ({
      partition,
      logStartOffset: starts.get(partition)!,
      endOffset: ends.get(partition)!,
    }))
  }

  async #listOffsets(
    topic: string,
    partitions: readonly number[],
    timestamp: bigint,
  ): Promise<ReadonlyMap<number, bigint>> {
    const byLeader = await this.#cluster.groupByLeader(topic, partitions, partition => partition)
    const offsets = new Map<number, bigint>()
    await Promise.all(
      [...byLeader].map(async ([leader, group]) => {
        const answer = await this.#cluster.call(leader, 'ListOffsets', {
          replicaId: -1,
          isolationLevel: isolationReadCommitted,
          topics: [{ name: topic, partitions: group.map(partitionIndex => ({ partitionIndex, timestamp })) }],
        })
        for (const each of answer.topics[0]?.partitions ?? []) {
          if (each.errorCode !== 0) throw this.#cluster.partitionError(topic, each.partitionIndex, each.errorCode)
          offsets.set(each.partitionIndex, each.offset)
        }
      }),
    )
    for (const partition of partitions) {
      if (!offsets.has(partition)) throw this.#cluster.partitionError(topic, partition, unknownTopicOrPartition)
    }
    return offsets
  }

  openReader(): RecordReader {
    const reader = new RemoteReader(new RemoteCluster(this.#options))
    this.#readers.add(reader)
    return {
      fetch: (topic, parts, options) => reader.fetch(topic, parts, options),
      close: async () => {
        this.#readers.delete(reader)
        await reader.close()
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#cluster.close(), ...[...this.#readers].map(reader => reader.close())])
    this.#readers.clear()
  }
}
