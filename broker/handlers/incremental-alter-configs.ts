/** IncrementalAlterConfigs v0-1 (KIP-339): set, delete, append and subtract single configs of a topic. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import { type ConfigChange, type ConfigOperation, changeTopicConfigs } from '../change-configs.ts'
import type { Handler } from '../context.ts'

const operations: readonly ConfigOperation[] = ['set', 'delete', 'append', 'subtract']

export const handleIncrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = async (request, _call, context) => {
  const responses = request.resources.map(async ({ resourceType, resourceName, configs }) => {
    const changes: ConfigChange[] = configs.map(({ name, configOperation, value }) => ({
      name,
      operation: operations[configOperation] ?? 'unknown',
      value,
    }))
    const result = await changeTopicConfigs(resourceType, resourceName, changes, {
      context,
      replacesAll: false,
      validateOnly: request.validateOnly,
    })
    const errorMessage = result.message ?? null
    return { resourceType, resourceName, errorCode: kafkaErrorCode[result.error], errorMessage }
  })
  return { responses: await Promise.all(responses) }
}
