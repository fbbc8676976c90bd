/** OffsetForLeaderEpoch v2-4. There is one epoch, and it ends at the high watermark. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import { leaderEpoch } from '../options.ts'

export const handleOffsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = async (request, _call, { catalog }) => {
  const topics = request.topics.map(async ({ topic: name, partitions }) => {
    const topic = await findTopicByName(catalog, name)
    const states =
      topic === undefined
        ? []
        : await catalog.partitionStates(partitions.map(({ partition }) => ({ topicId: topic.topicId, partition })))
    return {
      topic: name,
      partitions: partitions.map((wanted, index) => {
        const { partition, currentLeaderEpoch } = wanted
        const state = states[index]
        if (state === undefined) return { partition, errorCode: kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        if (currentLeaderEpoch > leaderEpoch) return { partition, errorCode: kafkaErrorCode.UNKNOWN_LEADER_EPOCH }
        if (currentLeaderEpoch !== -1 && currentLeaderEpoch < leaderEpoch) {
          return { partition, errorCode: kafkaErrorCode.FENCED_LEADER_EPOCH }
        }
        if (wanted.leaderEpoch !== leaderEpoch) return { partition, errorCode: kafkaErrorCode.NONE }
        return { partition, errorCode: kafkaErrorCode.NONE, leaderEpoch, endOffset: state.highWatermark }
      }),
    }
  })
  return { topics: await Promise.all(topics) }
}
