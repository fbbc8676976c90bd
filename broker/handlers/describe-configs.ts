/** DescribeConfigs v1-4 for topics and for the broker. */
import { type KafkaErrorName, kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { type DescribedConfig, describeBrokerConfigs, describeTopicConfigs, resourceType } from '../describe-configs.ts'
import { findTopicByName } from '../find-topic.ts'
import { isTopicNameValid } from '../topic-names.ts'

type Resource = RequestBody<'DescribeConfigs'>['resources'][number]
type Answer = ResponseBody<'DescribeConfigs'>['results'][number]

export const handleDescribeConfigs: Handler<'DescribeConfigs'> = async (request, _call, context) => {
  const results = await Promise.all(request.resources.map(resource => describe(resource, context)))
  if (request.includeSynonyms && request.includeDocumentation) return { results }
  return {
    results: results.map(result => ({
      ...result,
      configs: result.configs.map(config => ({
        ...config,
        synonyms: request.includeSynonyms ? config.synonyms : [],
        documentation: request.includeDocumentation ? (config.documentation ?? null) : null,
      })),
    })),
  }
}

async function describe(resource: Resource, context: HandlerContext): Promise<Answer> {
  const { resourceType: type, resourceName, configurationKeys } = resource
  const answer = (configs: readonly DescribedConfig[]): Answer => ({
    errorCode: kafkaErrorCode.NONE,
    errorMessage: null,
    resourceType: type,
    resourceName,
    configs,
  })
  const refuse = (error: KafkaErrorName, errorMessage: string): Answer => {
    return { errorCode: kafkaErrorCode[error], errorMessage, resourceType: type, resourceName, configs: [] }
  }
  const keys = configurationKeys === null || configurationKeys.length === 0 ? undefined : configurationKeys
  if (type === resourceType.topic) {
    if (!isTopicNameValid(resourceName)) return refuse('INVALID_TOPIC_EXCEPTION', 'The topic name is invalid.')
    const topic = await findTopicByName(context.catalog, resourceName)
    if (topic === undefined) return refuse('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic.')
    return answer(describeTopicConfigs(topic.configs, keys))
  }
  if (type === resourceType.broker) {
    const { own } = context.cluster
    const { nodeId } = own
    if (resourceName !== '' && resourceName !== String(nodeId)) {
      return refuse('INVALID_REQUEST', `Unexpected broker id, expected ${nodeId} but received ${resourceName}`)
    }
    // The empty name asks for cluster-wide dynamic defaults, and there are none.
    return answer(resourceName === '' ? [] : describeBrokerConfigs(context.options, own, keys))
  }
  return refuse('INVALID_REQUEST', `Unsupported resource type: ${type}`)
}
