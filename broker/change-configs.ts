/** Validates and applies changes to a topic's configs: what AlterConfigs and IncrementalAlterConfigs share. */
import type { Topic } from '../catalog/client.ts'
import type { KafkaErrorName } from '../kafka/errors.ts'
import type { HandlerContext } from './context.ts'
import { resourceType } from './describe-configs.ts'
import { findTopicByName } from './find-topic.ts'
import { effectiveValue, findConfigProblem, splitList, topicConfigs } from './topic-configs.ts'

export type ConfigOperation = 'set' | 'delete' | 'append' | 'subtract' | 'unknown'

export interface ConfigChange {
  readonly name: string
  readonly operation: ConfigOperation
  readonly value: string | null
}

export interface ChangeResult {
  readonly error: KafkaErrorName
  readonly message?: string
}

export interface ChangeOptions {
  readonly context: HandlerContext
  /** Configs that are not named go back to their default. */
  readonly replacesAll: boolean
  readonly validateOnly: boolean
}

export async function changeTopicConfigs(
  type: number,
  resourceName: string,
  changes: readonly ConfigChange[],
  { context, replacesAll, validateOnly }: ChangeOptions,
): Promise<ChangeResult> {
  if (type === resourceType.broker) {
    return { error: 'INVALID_REQUEST', message: 'Broker configs are set where the broker is started, not by clients.' }
  }
  if (type !== resourceType.topic) return { error: 'INVALID_REQUEST', message: `Unsupported resource type: ${type}` }
  const topic = await findTopicByName(context.catalog, resourceName)
  if (topic === undefined) {
    return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `The topic '${resourceName}' does not exist.` }
  }
  const result = new Map<string, string | undefined>()
  if (replacesAll) for (const name of Object.keys(topic.configs)) result.set(name, undefined)
  const named = new Set<string>()
  for (const change of changes) {
    if (named.has(change.name)) {
      return { error: 'INVALID_REQUEST', message: `Error due to duplicate config keys: ${change.name}` }
    }
    named.add(change.name)
    const value = resolveChange(topic, change)
    if (typeof value === 'object') return value
    const problem = value === undefined ? undefined : findConfigProblem(change.name, value)
    if (problem !== undefined) return { error: 'INVALID_CONFIG', message: problem }
    result.set(change.name, value)
  }
  if (validateOnly || result.size === 0) return { error: 'NONE' }
  const outcome = await context.catalog.alterTopicConfigs(topic.topicId, Object.fromEntries(result))
  return outcome === 'altered' ? { error: 'NONE' } : { error: 'UNKNOWN_TOPIC_OR_PARTITION' }
}

/** The new value, undefined for the default, or why not. */
function resolveChange(topic: Topic, { name, operation, value }: ConfigChange): string | undefined | ChangeResult {
  const definition = topicConfigs.get(name)
  if (definition === undefined) return { error: 'INVALID_CONFIG', message: `Unknown topic config name: ${name}` }
  if (operation === 'delete') return undefined
  if (operation === 'unknown') return { error: 'INVALID_REQUEST', message: `Unknown operation for config ${name}` }
  if (value === null) return { error: 'INVALID_CONFIG', message: `Null value not supported for : ${name}` }
  if (operation === 'set') return value
  if (definition.type !== 'list') {
    return { error: 'INVALID_CONFIG', message: `Config value append is not allowed for config key: ${name}` }
  }
  const current = splitList(effectiveValue(topic.configs, name))
  const parts = splitList(value)
  const next =
    operation === 'append' ? [...new Set([...current, ...parts])] : current.filter(part => !parts.includes(part))
  return next.join(',')
}
