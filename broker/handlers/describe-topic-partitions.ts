/** DescribeTopicPartitions v0 (KIP-966): topics in name order, partitions in pages that continue at the cursor. */
import type { Topic } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import { brokerLimits, leaderEpoch } from '../options.ts'
import { isTopicNameValid } from '../topic-names.ts'

type TopicAnswer = ResponseBody<'DescribeTopicPartitions'>['topics'][number]

export const handleDescribeTopicPartitions: Handler<'DescribeTopicPartitions'> = async (request, _call, context) => {
  const { catalog, cluster } = context
  const all = request.topics.length === 0
  const known: readonly Topic[] = all
    ? await catalog.topics()
    : (await Promise.all(request.topics.map(({ name }) => findTopicByName(catalog, name)))).filter(
        topic => topic !== undefined,
      )
  const byName = new Map(known.map(topic => [topic.name, topic]))
  const names = [...new Set(all ? byName.keys() : request.topics.map(({ name }) => name))].sort()
  const { cursor } = request
  let left = Math.min(Math.max(1, request.responsePartitionLimit), brokerLimits.describedPartitionsMax)
  const topics: TopicAnswer[] = []
  const brokers = await cluster.brokers()
  for (const name of names) {
    if (cursor !== null && name < cursor.topicName) continue
    const topic = byName.get(name)
    if (topic === undefined) {
      const errorCode = isTopicNameValid(name)
        ? kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : kafkaErrorCode.INVALID_TOPIC_EXCEPTION
      topics.push({ errorCode, name, partitions: [] })
      continue
    }
    const first = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: first } }
    const end = Math.min(topic.partitionCount, first + left)
    topics.push(describePage(topic, first, cluster.partitionLeaders(topic, first, end, brokers)))
    left -= end - first
    if (end < topic.partitionCount) return { topics, nextCursor: { topicName: name, partitionIndex: end } }
  }
  return { topics, nextCursor: null }
}

function describePage({ name, topicId }: Topic, first: number, leaders: Uint32Array): TopicAnswer {
  const partitions = Array.from(leaders, (leaderId, index) => ({
    errorCode: kafkaErrorCode.NONE,
    partitionIndex: first + index,
    leaderId,
    leaderEpoch,
    replicaNodes: [leaderId],
    isrNodes: [leaderId],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  }))
  return { errorCode: kafkaErrorCode.NONE, name, topicId, partitions }
}
