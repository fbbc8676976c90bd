/**
 * Metadata v0-13. Unknown topics are created when both client and broker allow it, durably before the answer (a topic that is
 * answered and then lost would let consumers restart from 0).
 *
 * This agent leads every partition and is the controller; the leader epoch never changes.
 */
import type { Topic } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import { noUuid } from '../../kafka/protocol/schema.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { brokerLimits, leaderEpoch, nodeId } from '../options.ts'
import { isTopicNameValid } from '../topic-names.ts'

type TopicAnswer = ResponseBody<'Metadata'>['topics'][number]

export const handleMetadata: Handler<'Metadata'> = async (request, { version }, context) => {
  const { catalog, options } = context
  const asksForAll = request.topics === null || (version === 0 && request.topics.length === 0)
  const mayCreate = options.autoCreateTopics && request.allowAutoTopicCreation
  const [clusterId, topics] = await Promise.all([
    catalog.clusterId(),
    asksForAll
      ? catalog.topics().then(all => all.map(describeTopic))
      : Promise.all(
          (request.topics ?? []).map(({ name, topicId }, index) =>
            findTopic(name, topicId, mayCreate && index < brokerLimits.topicsCreatedPerRequestMax, context),
          ),
        ),
  ])
  return {
    brokers: [{ nodeId, host: options.advertisedHost, port: options.advertisedPort }],
    clusterId,
    controllerId: nodeId,
    topics,
    errorCode: kafkaErrorCode.NONE,
  }
}

async function findTopic(
  name: string | null,
  topicId: string,
  mayCreate: boolean,
  { catalog, options, log }: HandlerContext,
): Promise<TopicAnswer> {
  if (name === null || (name === '' && topicId !== noUuid)) {
    const topic = await catalog.topicById(topicId)
    return topic === undefined ? { ...noTopic(null, kafkaErrorCode.UNKNOWN_TOPIC_ID), topicId } : describeTopic(topic)
  }
  if (!isTopicNameValid(name)) return noTopic(name, kafkaErrorCode.INVALID_TOPIC_EXCEPTION)
  const topic = await catalog.topicByName(name)
  if (topic !== undefined) return describeTopic(topic)
  if (!mayCreate) return noTopic(name, kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const created = await catalog.createTopic(name, options.partitionCountDefault, {})
  if (created.outcome === 'created') {
    log.info('topic created on first use', { topic: name, partitionCount: created.topic.partitionCount })
  }
  return describeTopic(created.topic)
}

function noTopic(name: string | null, errorCode: number): TopicAnswer {
  return { errorCode, name, partitions: [] }
}

function describeTopic({ name, topicId, partitionCount }: Topic): TopicAnswer {
  const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
    errorCode: kafkaErrorCode.NONE,
    partitionIndex,
    leaderId: nodeId,
    leaderEpoch,
    replicaNodes: [nodeId],
    isrNodes: [nodeId],
  }))
  return { errorCode: kafkaErrorCode.NONE, name, topicId, partitions }
}
