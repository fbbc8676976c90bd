/** CreatePartitions v0-3: `count` is the new total and must be larger. Assignments are ignored: there are no replicas to place. */
import { type KafkaErrorName, kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import { brokerLimits } from '../options.ts'

type TopicRequest = RequestBody<'CreatePartitions'>['topics'][number]
type TopicAnswer = ResponseBody<'CreatePartitions'>['results'][number]

export const handleCreatePartitions: Handler<'CreatePartitions'> = async (request, _call, context) => {
  return {
    results: await Promise.all(request.topics.map(topic => createPartitions(topic, request.validateOnly, context))),
  }
}

async function createPartitions(
  { name, count }: TopicRequest,
  validateOnly: boolean,
  { catalog, log }: HandlerContext,
): Promise<TopicAnswer> {
  const refuse = (error: KafkaErrorName, errorMessage: string): TopicAnswer => {
    return { name, errorCode: kafkaErrorCode[error], errorMessage }
  }
  const topic = await findTopicByName(catalog, name)
  if (topic === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  }
  const notMore = `Topic currently has ${topic.partitionCount} partitions, which is higher than the requested ${count}.`
  if (count === topic.partitionCount) {
    return refuse('INVALID_PARTITIONS', `Topic already has ${count} partition(s).`)
  }
  if (count < topic.partitionCount) return refuse('INVALID_PARTITIONS', notMore)
  if (count > brokerLimits.partitionsPerTopicMax) {
    return refuse('INVALID_PARTITIONS', `At most ${brokerLimits.partitionsPerTopicMax} partitions are allowed.`)
  }
  if (validateOnly) return { name, errorCode: kafkaErrorCode.NONE }
  const outcome = await catalog.createPartitions(topic.topicId, count)
  if (outcome === 'unknown-topic') {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  }
  if (outcome === 'not-an-increase') return refuse('INVALID_PARTITIONS', notMore)
  log.info('partitions added', { topic: name, partitionCount: count })
  return { name, errorCode: kafkaErrorCode.NONE }
}
