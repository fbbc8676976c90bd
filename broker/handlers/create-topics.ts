/**
 * CreateTopics v2-7. Configs are validated against the table of known ones. There are no replicas to place: replication factors
 * from 1 to 3 and -1 are accepted and mean the same, manual assignments only tell the number of partitions.
 */
import { type KafkaErrorName, kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { describeTopicConfigs } from '../describe-configs.ts'
import { brokerLimits } from '../options.ts'
import { findConfigProblem } from '../topic-configs.ts'
import { isTopicNameValid } from '../topic-names.ts'

type TopicRequest = RequestBody<'CreateTopics'>['topics'][number]
type TopicAnswer = ResponseBody<'CreateTopics'>['topics'][number]

const replicationFactorMax = 3
const replicationFactorReported = 1

export const handleCreateTopics: Handler<'CreateTopics'> = async (request, _call, context) => {
  const requests = Map.groupBy(request.topics, ({ name }) => name)
  const topics = await Promise.all(
    Array.from(requests.values(), ([topic, ...again]) => {
      if (again.length > 0) return refuse(topic!.name, 'INVALID_REQUEST', 'The topic is named twice.')
      return createTopic(topic!, request.validateOnly, context)
    }),
  )
  return { topics }
}

async function createTopic(
  topic: TopicRequest,
  validateOnly: boolean,
  { catalog, options, log }: HandlerContext,
): Promise<TopicAnswer> {
  const { name } = topic
  if (!isTopicNameValid(name)) {
    return refuse(name, 'INVALID_TOPIC_EXCEPTION', `Topic name '${name}' is not 1 to 249 of [a-zA-Z0-9._-].`)
  }
  if ((await catalog.topicByName(name)) !== undefined) return refuseExisting(name)
  const partitionCount = countPartitions(topic, options.partitionCountDefault)
  if (typeof partitionCount !== 'number') return refuse(name, partitionCount.error, partitionCount.message)
  const configs: Record<string, string> = {}
  for (const { name: config, value } of topic.configs) {
    const problem = findConfigProblem(config, value)
    if (problem !== undefined) return refuse(name, 'INVALID_CONFIG', problem)
    configs[config] = value!
  }
  const answer = {
    name,
    errorCode: kafkaErrorCode.NONE,
    numPartitions: partitionCount,
    replicationFactor: replicationFactorReported,
    configs: describeTopicConfigs(configs, undefined),
  }
  if (validateOnly) return answer
  const created = await catalog.createTopic(name, partitionCount, configs)
  if (created.outcome === 'exists') return refuseExisting(name)
  log.info('topic created', { topic: name, partitionCount })
  return { ...answer, topicId: created.topic.topicId }
}

function countPartitions(
  topic: TopicRequest,
  partitionCountDefault: number,
): number | { error: KafkaErrorName; message: string } {
  const { numPartitions, replicationFactor, assignments } = topic
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      return { error: 'INVALID_REQUEST', message: 'Give either an assignment or partitions and replicas, not both.' }
    }
    const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
    for (let index = 0; index < assignments.length; index++) {
      if (!indexes.has(index)) {
        return { error: 'INVALID_REPLICA_ASSIGNMENT', message: 'Partitions must be numbered from 0 without gaps.' }
      }
    }
    return assignments.length
  }
  if (replicationFactor !== -1 && (replicationFactor < 1 || replicationFactor > replicationFactorMax)) {
    return { error: 'INVALID_REPLICATION_FACTOR', message: 'Replication factor must be 1 to 3, or -1 for the default.' }
  }
  if (numPartitions === -1) return partitionCountDefault
  if (numPartitions < 1) {
    return { error: 'INVALID_PARTITIONS', message: 'Number of partitions was set to an invalid non-positive value.' }
  }
  if (numPartitions > brokerLimits.partitionsPerTopicMax) {
    return {
      error: 'INVALID_PARTITIONS',
      message: `At most ${brokerLimits.partitionsPerTopicMax} partitions are allowed.`,
    }
  }
  return numPartitions
}

function refuseExisting(name: string): TopicAnswer {
  return refuse(name, 'TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
}

function refuse(name: string, error: KafkaErrorName, errorMessage: string): TopicAnswer {
  return { name, errorCode: kafkaErrorCode[error], errorMessage, configs: null }
}
