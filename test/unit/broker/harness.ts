/** Requests that the broker's wire tests have in common. */
import type { RequestInput, ResponseOutput } from '../../../kafka/protocol/codec.ts'
import { type BatchOptions, buildBatch } from '../../../kafka/records/build.ts'
import type { TestClient } from '../../support/in-memory-broker.ts'

export type PartitionAnswer = ResponseOutput<'Produce'>['responses'][number]['partitionResponses'][number]
export type FetchPartitionAnswer = ResponseOutput<'Fetch'>['responses'][number]['partitions'][number]

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A batch of records without keys, 1 ms apart. */
export function makeBatch(values: readonly string[], options: BatchOptions & { firstMs?: number } = {}): Uint8Array {
  const firstMs = options.firstMs ?? Date.now()
  return buildBatch(
    values.map((value, index) => ({ key: null, value: encode(value), timestampMs: BigInt(firstMs + index) })),
    options,
  )
}

export function produceBody(
  topic: string,
  batch: Uint8Array | null,
  { acks = -1, partition = 0 }: { acks?: number; partition?: number } = {},
): RequestInput<'Produce'> {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
  }
}

export async function produce(
  client: TestClient,
  topic: string,
  batch: Uint8Array | null,
  version = 11,
  acks = -1,
): Promise<PartitionAnswer> {
  const answer = await client.call('Produce', produceBody(topic, batch, { acks }), version)
  return answer.responses[0]!.partitionResponses[0]!
}

export interface FetchChanges {
  readonly partition?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly isolationLevel?: number
}

export function fetchBody(topic: string, fetchOffset: bigint, changes: FetchChanges = {}): RequestInput<'Fetch'> {
  const { partition = 0, maxWaitMs = 0, minBytes = 1, maxBytes = 50_000_000, isolationLevel = 0 } = changes
  const { partitionMaxBytes = 1_000_000, currentLeaderEpoch = -1 } = changes
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel,
    topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }] }],
    forgottenTopicsData: [],
  }
}

export async function fetchOne(
  client: TestClient,
  topic: string,
  fetchOffset: bigint,
  changes: FetchChanges = {},
): Promise<FetchPartitionAnswer> {
  const answer = await client.call('Fetch', fetchBody(topic, fetchOffset, changes), 12)
  return answer.responses[0]!.partitions[0]!
}

export async function createTopic(
  client: TestClient,
  name: string,
  numPartitions = 1,
  configs: Record<string, string | null> = {},
): Promise<ResponseOutput<'CreateTopics'>['topics'][number]> {
  const answer = await client.call('CreateTopics', {
    topics: [
      {
        name,
        numPartitions,
        replicationFactor: -1,
        assignments: [],
        configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
      },
    ],
    timeoutMs: 1_000,
    validateOnly: false,
  })
  return answer.topics[0]!
}
