/**
 * ListOffsets v1-9. Latest is the last stable offset under read committed. A timestamp search is exact to the record.
 * A partition that is named twice is an invalid request.
 */
import type { PartitionState } from '../../catalog/client.ts'
import { errorMessage } from '../../core/errors.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import { leaderEpoch } from '../options.ts'

type PartitionRequest = RequestBody<'ListOffsets'>['topics'][number]['partitions'][number]
type PartitionAnswer = ResponseBody<'ListOffsets'>['topics'][number]['partitions'][number]

/** Timestamps that ask for a place. */
const place = { latest: -1n, earliest: -2n, maxTimestamp: -3n, earliestLocal: -4n, latestTiered: -5n } as const

export const handleListOffsets: Handler<'ListOffsets'> = async (request, _call, context) => {
  const readCommitted = request.isolationLevel === 1
  // Whoever asks where the end is must be told of everything that was acknowledged before, by whichever agent.
  await context.catalog.readBarrier()
  const topics = await Promise.all(
    request.topics.map(async ({ name, partitions }) => {
      const topic = await findTopicByName(context.catalog, name)
      if (topic === undefined) {
        const errorCode = kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
      }
      const states = await context.catalog.partitionStates(
        partitions.map(({ partitionIndex }) => ({ topicId: topic.topicId, partition: partitionIndex })),
      )
      const counts = new Map<number, number>()
      for (const { partitionIndex } of partitions) counts.set(partitionIndex, (counts.get(partitionIndex) ?? 0) + 1)
      const answers = partitions.map((partition, index): PartitionAnswer | Promise<PartitionAnswer> => {
        const { partitionIndex } = partition
        if (counts.get(partitionIndex)! > 1) return { partitionIndex, errorCode: kafkaErrorCode.INVALID_REQUEST }
        return findOffset(topic.topicId, partition, states[index], readCommitted, context)
      })
      return { name, partitions: await Promise.all(answers) }
    }),
  )
  return { topics }
}

async function findOffset(
  topicId: string,
  partition: PartitionRequest,
  state: PartitionState | undefined,
  readCommitted: boolean,
  context: HandlerContext,
): Promise<PartitionAnswer> {
  const { partitionIndex, timestamp } = partition
  const refuse = (errorCode: number): PartitionAnswer => ({ partitionIndex, errorCode })
  const found = (offset: bigint, timestampMs = -1n): PartitionAnswer => {
    return { partitionIndex, errorCode: kafkaErrorCode.NONE, timestamp: timestampMs, offset, leaderEpoch }
  }
  if (state === undefined) return refuse(kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const epoch = partition.currentLeaderEpoch
  if (epoch !== -1 && epoch < leaderEpoch) return refuse(kafkaErrorCode.FENCED_LEADER_EPOCH)
  if (epoch > leaderEpoch) return refuse(kafkaErrorCode.UNKNOWN_LEADER_EPOCH)
  switch (timestamp) {
    case place.latest:
      return found(readCommitted ? state.lastStableOffset : state.highWatermark)
    case place.earliest:
    case place.earliestLocal:
      return found(state.logStartOffset)
    case place.latestTiered:
      return refuse(kafkaErrorCode.NONE)
  }
  if (timestamp < 0n && timestamp !== place.maxTimestamp) return refuse(kafkaErrorCode.UNSUPPORTED_VERSION)
  try {
    const record =
      timestamp === place.maxTimestamp
        ? await context.timeLookup.findOfMaxTimestamp(topicId, partitionIndex, state)
        : await context.timeLookup.findByTimestamp(topicId, partitionIndex, timestamp, state)
    return record === undefined ? refuse(kafkaErrorCode.NONE) : found(record.offset, record.timestampMs)
  } catch (error) {
    context.log.error('time lookup failed', {
      topicId,
      partition: partitionIndex,
      reason: errorMessage(error),
    })
    return refuse(kafkaErrorCode.KAFKA_STORAGE_ERROR)
  }
}
