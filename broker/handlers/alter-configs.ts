/** AlterConfigs v0-2 (deprecated by KIP-339): replaces the whole explicit configuration of a topic. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import { type ConfigChange, changeTopicConfigs } from '../change-configs.ts'
import type { Handler } from '../context.ts'

export const handleAlterConfigs: Handler<'AlterConfigs'> = async (request, _call, context) => {
  const responses = request.resources.map(async ({ resourceType, resourceName, configs }) => {
    const changes: ConfigChange[] = configs.map(({ name, value }) => ({ name, operation: 'set', value }))
    const result = await changeTopicConfigs(resourceType, resourceName, changes, {
      context,
      replacesAll: true,
      validateOnly: request.validateOnly,
    })
    const errorMessage = result.message ?? null
    return { resourceType, resourceName, errorCode: kafkaErrorCode[result.error], errorMessage }
  })
  return { responses: await Promise.all(responses) }
}
