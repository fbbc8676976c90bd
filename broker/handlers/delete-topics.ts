/** DeleteTopics v1-6, by name, or by id from v6 on. The records' objects become garbage and are collected later. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import { noUuid } from '../../kafka/protocol/schema.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicById, findTopicByName } from '../find-topic.ts'

type TopicAnswer = ResponseBody<'DeleteTopics'>['responses'][number]

export const handleDeleteTopics: Handler<'DeleteTopics'> = async (request, { version }, context) => {
  const wanted = version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: noUuid }))
  return { responses: await Promise.all(wanted.map(({ name, topicId }) => deleteTopic(name, topicId, context))) }
}

async function deleteTopic(
  name: string | null,
  topicId: string,
  { catalog, log }: HandlerContext,
): Promise<TopicAnswer> {
  if (name !== null && topicId !== noUuid) {
    return { name, topicId, errorCode: kafkaErrorCode.INVALID_REQUEST, errorMessage: 'Give a name or an id, not both.' }
  }
  const topic = await (name === null ? findTopicById(catalog, topicId) : findTopicByName(catalog, name))
  const unknown = name === null ? kafkaErrorCode.UNKNOWN_TOPIC_ID : kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (topic === undefined || (await catalog.deleteTopic(topic.topicId)) === 'unknown-topic') {
    return { name, topicId, errorCode: unknown, errorMessage: 'This server does not host this topic.' }
  }
  log.info('topic deleted', { topic: topic.name, topicId: topic.topicId })
  return { name: topic.name, topicId: topic.topicId, errorCode: kafkaErrorCode.NONE }
}
