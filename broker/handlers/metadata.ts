/**
 * Metadata v0-13. Unknown topics are created when both client and broker allow it, durably before the answer (a topic that is
 * answered and then lost would let consumers restart from 0).
 *
 * Every agent calls itself the controller: any serves what controllers are asked. The leader epoch never changes.
 */
import type { RegisteredNode, Topic } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import { noUuid } from '../../kafka/protocol/schema.ts'
import type { ClusterView } from '../cluster-view.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicById, findTopicByName } from '../find-topic.ts'
import { brokerLimits, leaderEpoch } from '../options.ts'
import { isTopicNameValid } from '../topic-names.ts'

type TopicAnswer = ResponseBody<'Metadata'>['topics'][number]

export const handleMetadata: Handler<'Metadata'> = async (request, { version }, context) => {
  const { catalog, cluster, options } = context
  const asksForAll = request.topics === null || (version === 0 && request.topics.length === 0)
  const mayCreate = options.autoCreateTopics && request.allowAutoTopicCreation
  const [clusterId, topics] = await Promise.all([
    catalog.clusterId(),
    asksForAll
      ? catalog.topics()
      : Promise.all(
          (request.topics ?? []).map(({ name, topicId }, index) =>
            findTopic(name, topicId, mayCreate && index < brokerLimits.topicsCreatedPerRequestMax, context),
          ),
        ),
  ])
  const brokers = await cluster.brokers()
  return {
    brokers: brokers.map(({ nodeId, kafkaHost, kafkaPort }) => ({ nodeId, host: kafkaHost, port: kafkaPort })),
    clusterId,
    controllerId: cluster.own.nodeId,
    topics: topics.map(topic => ('errorCode' in topic ? topic : describeTopic(topic, brokers, cluster))),
    errorCode: kafkaErrorCode.NONE,
  }
}

async function findTopic(
  name: string | null,
  topicId: string,
  mayCreate: boolean,
  { catalog, options, log }: HandlerContext,
): Promise<TopicAnswer | Topic> {
  if (name === null || (name === '' && topicId !== noUuid)) {
    const topic = await findTopicById(catalog, topicId)
    return topic ?? { ...noTopic(null, kafkaErrorCode.UNKNOWN_TOPIC_ID), topicId }
  }
  if (!isTopicNameValid(name)) return noTopic(name, kafkaErrorCode.INVALID_TOPIC_EXCEPTION)
  // Creating tells whether it exists, too.
  const topic = await (mayCreate ? catalog.topicByName(name) : findTopicByName(catalog, name))
  if (topic !== undefined) return topic
  if (!mayCreate) return noTopic(name, kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const created = await catalog.createTopic(name, options.partitionCountDefault, {})
  if (created.outcome === 'created') {
    log.info('topic created on first use', { topic: name, partitionCount: created.topic.partitionCount })
  }
  return created.topic
}

function noTopic(name: string | null, errorCode: number): TopicAnswer {
  return { errorCode, name, partitions: [] }
}

function describeTopic(topic: Topic, brokers: readonly RegisteredNode[], cluster: ClusterView): TopicAnswer {
  const { name, topicId, partitionCount } = topic
  const leaders = cluster.partitionLeaders(topic, 0, partitionCount, brokers)
  const partitions = Array.from(leaders, (leaderId, partitionIndex) => ({
    errorCode: kafkaErrorCode.NONE,
    partitionIndex,
    leaderId,
    leaderEpoch,
    replicaNodes: [leaderId],
    isrNodes: [leaderId],
  }))
  return { errorCode: kafkaErrorCode.NONE, name, topicId, partitions }
}
