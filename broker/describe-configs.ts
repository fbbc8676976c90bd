/** Topic and broker configs in the form DescribeConfigs and CreateTopics answer them (KIP-226, KIP-569). */
import type { RegisteredNode } from '../catalog/client.ts'
import type { ResponseBody } from '../kafka/protocol/codec.ts'
import type { BrokerOptions } from './options.ts'
import { type ConfigType, topicConfigs } from './topic-configs.ts'

export type DescribedConfig = ResponseBody<'DescribeConfigs'>['results'][number]['configs'][number]

/** Kafka's ConfigResource.Type. */
export const resourceType = { topic: 2, broker: 4 } as const
/** Kafka's ConfigEntry.ConfigSource. */
export const configSource = { topic: 1, staticBroker: 4, default: 5 } as const

const typeIds: Record<ConfigType, number> = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 }

/** `keys` undefined: all. */
export function describeTopicConfigs(
  configs: Readonly<Record<string, string>>,
  keys: readonly string[] | undefined,
): readonly DescribedConfig[] {
  const described: DescribedConfig[] = []
  for (const { name, type, defaultValue, documentation, brokerName } of topicConfigs.values()) {
    if (keys !== undefined && !keys.includes(name)) continue
    const own = configs[name]
    const fallback =
      brokerName === undefined ? [] : [{ name: brokerName, value: defaultValue, source: configSource.default }]
    described.push({
      name,
      value: own ?? defaultValue,
      readOnly: false,
      configSource: own === undefined ? configSource.default : configSource.topic,
      isSensitive: false,
      synonyms: own === undefined ? fallback : [{ name, value: own, source: configSource.topic }, ...fallback],
      configType: typeIds[type],
      documentation,
    })
  }
  return described
}

type BrokerConfig = readonly [name: string, type: ConfigType, value: string | number | boolean, documentation: string]

function listBrokerConfigs(options: BrokerOptions, own: RegisteredNode): readonly BrokerConfig[] {
  const listener = `PLAINTEXT://${own.kafkaHost}:${own.kafkaPort}`
  return [
    ['advertised.listeners', 'string', listener, 'Where clients are told to connect.'],
    ['auto.create.topics.enable', 'boolean', options.autoCreateTopics, 'Whether asking for a topic creates it.'],
    ['broker.id', 'int', own.nodeId, 'The id of this agent.'],
    ['compression.type', 'string', 'producer', 'Batches are stored as the producer compressed them.'],
    ['connections.max.idle.ms', 'long', options.connectionIdleMsMax, 'Idle connections are closed after this time.'],
    ['default.replication.factor', 'int', 1, 'The object store replicates.'],
    ['delete.topic.enable', 'boolean', true, 'Whether topics can be deleted.'],
    ['fetch.max.bytes', 'int', options.fetchBytesMax, 'The most one fetch returns.'],
    [
      'group.initial.rebalance.delay.ms',
      'int',
      options.groupInitialRebalanceDelayMs,
      'How long an empty group waits for more members before its first rebalance.',
    ],
    [
      'group.max.session.timeout.ms',
      'int',
      options.groupSessionTimeoutMsMax,
      'Longest session timeout of a group member.',
    ],
    ['group.max.size', 'int', options.groupSizeMax, 'Most members of a group.'],
    [
      'group.min.session.timeout.ms',
      'int',
      options.groupSessionTimeoutMsMin,
      'Shortest session timeout of a group member.',
    ],
    ['listeners', 'string', listener, 'Where the broker listens.'],
    ['log.cleanup.policy', 'list', 'delete', 'Default of cleanup.policy.'],
    ['log.message.timestamp.type', 'string', 'CreateTime', 'Default of message.timestamp.type.'],
    ['log.retention.bytes', 'long', -1, 'Default of retention.bytes.'],
    ['log.retention.ms', 'long', 604_800_000, 'Default of retention.ms.'],
    ['message.max.bytes', 'int', 1_048_588, 'Default of max.message.bytes.'],
    ['min.insync.replicas', 'int', 1, 'The object store replicates.'],
    ['node.id', 'int', own.nodeId, 'The id of this agent.'],
    ['num.partitions', 'int', options.partitionCountDefault, 'Partitions of a topic that does not say how many.'],
    ['offset.metadata.max.bytes', 'int', 4096, 'Most bytes of metadata of a committed offset.'],
    [
      'offsets.retention.minutes',
      'int',
      Math.round(options.offsetsRetentionMs / 60_000),
      'How long offsets of an empty group are kept.',
    ],
    ['socket.request.max.bytes', 'int', options.frameBytesMax, 'Largest request.'],
    ['transaction.state.log.replication.factor', 'int', 1, 'The object store replicates.'],
  ]
}

/** Read-only: they come from the options the broker was started with. */
export function describeBrokerConfigs(
  options: BrokerOptions,
  own: RegisteredNode,
  keys: readonly string[] | undefined,
): readonly DescribedConfig[] {
  return listBrokerConfigs(options, own)
    .filter(([name]) => keys === undefined || keys.includes(name))
    .map(([name, type, value, documentation]) => ({
      name,
      value: String(value),
      readOnly: true,
      configSource: configSource.staticBroker,
      isSensitive: false,
      synonyms: [{ name, value: String(value), source: configSource.staticBroker }],
      configType: typeIds[type],
      documentation,
    }))
}
