/**
 * The topic configs Floe knows: type, default, allowed values, documentation. CreateTopics and the alter calls validate against
 * this table, DescribeConfigs prints it, and `readTopicSettings` turns a topic's configs into what the broker acts on.
 *
 * Invariants
 *   - The catalog holds only what was set explicitly, already validated; everything else has its default here.
 *   - A config that Kafka has and that means nothing without local log files is accepted, kept and described, and says so in its
 *     documentation. A value that would have to change how Floe behaves, and does not, is refused.
 */
export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigType
  readonly defaultValue: string
  readonly documentation: string
  /** The broker config that holds the default in Kafka; a synonym in DescribeConfigs. */
  readonly brokerName?: string
  readonly min?: bigint
  readonly max?: bigint
  readonly allowed?: readonly string[]
  /** Why another value than `allowed` is refused, when Kafka would take it. */
  readonly refusal?: string
}

const int32Max = 2_147_483_647n
const int64Max = 9_223_372_036_854_775_807n
const noEffect = 'Kept for compatibility: Floe has no local log files.'

function define(
  name: string,
  type: ConfigType,
  defaultValue: string,
  documentation: string,
  rest: Omit<ConfigDefinition, 'name' | 'type' | 'defaultValue' | 'documentation'> = {},
): ConfigDefinition {
  return { name, type, defaultValue, documentation, ...rest }
}

export const topicConfigs: ReadonlyMap<string, ConfigDefinition> = new Map(
  [
    define(
      'cleanup.policy',
      'list',
      'delete',
      'What happens to old records: delete, compact, or both. Records of a compacted topic are kept; removing superseded ones is not done yet.',
      {
        allowed: ['delete', 'compact'],
        brokerName: 'log.cleanup.policy',
      },
    ),
    define(
      'compression.gzip.level',
      'int',
      '-1',
      'Kept for compatibility: batches are stored as the producer compressed them.',
      { min: -1n, max: 9n, brokerName: 'compression.gzip.level' },
    ),
    define(
      'compression.lz4.level',
      'int',
      '9',
      'Kept for compatibility: batches are stored as the producer compressed them.',
      { min: 1n, max: 17n, brokerName: 'compression.lz4.level' },
    ),
    define('compression.type', 'string', 'producer', 'Batches are stored as the producer compressed them.', {
      allowed: ['producer'],
      refusal: 'Floe stores batches as the producer compressed them: set compression.type on the producer',
      brokerName: 'compression.type',
    }),
    define(
      'compression.zstd.level',
      'int',
      '3',
      'Kept for compatibility: batches are stored as the producer compressed them.',
      { min: -131072n, max: 22n, brokerName: 'compression.zstd.level' },
    ),
    define('delete.retention.ms', 'long', '86400000', 'How long tombstones of a compacted topic are kept at least.', {
      min: 0n,
      brokerName: 'log.cleaner.delete.retention.ms',
    }),
    define('file.delete.delay.ms', 'long', '60000', noEffect, { min: 0n, brokerName: 'log.segment.delete.delay.ms' }),
    define('flush.messages', 'long', '9223372036854775807', `${noEffect} Every acknowledged record is durable.`, {
      min: 1n,
      brokerName: 'log.flush.interval.messages',
    }),
    define('flush.ms', 'long', '9223372036854775807', `${noEffect} Every acknowledged record is durable.`, {
      min: 0n,
      brokerName: 'log.flush.interval.ms',
    }),
    define(
      'follower.replication.throttled.replicas',
      'list',
      '',
      'Kept for compatibility: there are no replicas to throttle.',
    ),
    define('index.interval.bytes', 'int', '4096', noEffect, { min: 0n, brokerName: 'log.index.interval.bytes' }),
    define(
      'leader.replication.throttled.replicas',
      'list',
      '',
      'Kept for compatibility: there are no replicas to throttle.',
    ),
    define('local.retention.bytes', 'long', '-2', noEffect, { min: -2n, brokerName: 'log.local.retention.bytes' }),
    define('local.retention.ms', 'long', '-2', noEffect, { min: -2n, brokerName: 'log.local.retention.ms' }),
    define('max.compaction.lag.ms', 'long', '9223372036854775807', 'Longest time a record may stay uncompacted.', {
      min: 1n,
      brokerName: 'log.cleaner.max.compaction.lag.ms',
    }),
    define('max.message.bytes', 'int', '1048588', 'Largest record batch, as compressed by the producer.', {
      min: 0n,
      brokerName: 'message.max.bytes',
    }),
    define(
      'message.timestamp.after.max.ms',
      'long',
      '3600000',
      'How far ahead of the broker a record timestamp may be (CreateTime).',
      { min: 0n, brokerName: 'log.message.timestamp.after.max.ms' },
    ),
    define(
      'message.timestamp.before.max.ms',
      'long',
      '9223372036854775807',
      'How far behind the broker a record timestamp may be (CreateTime).',
      { min: 0n, brokerName: 'log.message.timestamp.before.max.ms' },
    ),
    define(
      'message.timestamp.type',
      'string',
      'CreateTime',
      'Whether records keep the timestamp of the producer or get that of their append.',
      {
        allowed: ['CreateTime', 'LogAppendTime'],
        brokerName: 'log.message.timestamp.type',
      },
    ),
    define(
      'min.cleanable.dirty.ratio',
      'double',
      '0.5',
      'How much of a compacted log may be superseded records before it is compacted.',
      { min: 0n, max: 1n, brokerName: 'log.cleaner.min.cleanable.ratio' },
    ),
    define('min.compaction.lag.ms', 'long', '0', 'Shortest time a record stays uncompacted.', {
      min: 0n,
      brokerName: 'log.cleaner.min.compaction.lag.ms',
    }),
    define('min.insync.replicas', 'int', '1', 'Kept for compatibility: the object store replicates.', {
      min: 1n,
      brokerName: 'min.insync.replicas',
    }),
    define('preallocate', 'boolean', 'false', noEffect, { brokerName: 'log.preallocate' }),
    define('remote.storage.enable', 'boolean', 'false', 'Kept for compatibility: every record is in the object store.'),
    define(
      'retention.bytes',
      'long',
      '-1',
      'Size above which the oldest records of a partition are deleted; -1: no limit.',
      { min: -1n, brokerName: 'log.retention.bytes' },
    ),
    define('retention.ms', 'long', '604800000', 'Age after which records are deleted; -1: never.', {
      // Kafka derives this default from log.retention.hours, so it names no synonym.
      min: -1n,
    }),
    define('segment.bytes', 'int', '1073741824', noEffect, { min: 14n, brokerName: 'log.segment.bytes' }),
    define('segment.index.bytes', 'int', '10485760', noEffect, { min: 4n, brokerName: 'log.index.size.max.bytes' }),
    define('segment.jitter.ms', 'long', '0', noEffect, { min: 0n, brokerName: 'log.roll.jitter.ms' }),
    define('segment.ms', 'long', '604800000', noEffect, { min: 1n, brokerName: 'log.roll.ms' }),
    define(
      'unclean.leader.election.enable',
      'boolean',
      'false',
      'Kept for compatibility: there are no leaders to elect.',
      { brokerName: 'unclean.leader.election.enable' },
    ),
  ].map(definition => [definition.name, definition]),
)

/** One sentence saying what is wrong with the value, or undefined when it is fine. */
export function findConfigProblem(name: string, value: string | null): string | undefined {
  const definition = topicConfigs.get(name)
  if (definition === undefined) return `Unknown topic config name: ${name}`
  if (value === null) return `Null value not supported for topic configs: ${name}`
  const problem = findValueProblem(definition, value)
  if (problem === undefined) return undefined
  return `Invalid value ${value} for configuration ${name}: ${problem}`
}

function findValueProblem(definition: ConfigDefinition, value: string): string | undefined {
  const { type, allowed, refusal, name } = definition
  switch (type) {
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'Expected value to be either true or false'
    case 'string':
      if (allowed === undefined || allowed.includes(value)) return undefined
      return refusal ?? `String must be one of: ${allowed.join(', ')}`
    case 'list': {
      if (allowed === undefined) return undefined
      const parts = splitList(value)
      if (parts.length > 0 && parts.every(part => allowed.includes(part))) return undefined
      return `String must be one of: ${allowed.join(', ')}`
    }
    case 'double': {
      const number = Number(value)
      if (value.trim() === '' || !Number.isFinite(number)) return 'Not a number of type DOUBLE'
      return isBelow(number, definition) ?? isAbove(number, definition)
    }
    case 'int':
    case 'long': {
      if (!/^[+-]?\d{1,20}$/.test(value.trim())) return `Not a number of type ${type.toUpperCase()}`
      const number = BigInt(value.trim().replace('+', ''))
      const largest = type === 'int' ? int32Max : int64Max
      if (number > largest || number < -largest - 1n) return `Not a number of type ${type.toUpperCase()}`
      return isBelow(number, definition) ?? isAbove(number, definition)
    }
    default:
      return `${name} has no type`
  }
}

function isBelow(value: bigint | number, { min }: ConfigDefinition): string | undefined {
  return min !== undefined && value < min ? `Value must be at least ${min}` : undefined
}
function isAbove(value: bigint | number, { max }: ConfigDefinition): string | undefined {
  return max !== undefined && value > max ? `Value must be no more than ${max}` : undefined
}

export function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}

// ── What the broker acts on ──────────────────────────────────────────────────────────────────────────────────────────

export interface TopicSettings {
  readonly maxMessageBytes: number
  readonly isCompacted: boolean
  readonly deletesByAge: boolean
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly timestampBeforeMsMax: number
  readonly timestampAfterMsMax: number
  /** -1: never. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
}

const settingsByConfigs = new WeakMap<object, TopicSettings>()

/** Settings of a topic from its explicit configs; remembered as long as the configs object lives. */
export function readTopicSettings(configs: Readonly<Record<string, string>>): TopicSettings {
  const known = settingsByConfigs.get(configs)
  if (known !== undefined) return known
  const policies = splitList(effectiveValue(configs, 'cleanup.policy'))
  const settings: TopicSettings = {
    maxMessageBytes: Number(effectiveValue(configs, 'max.message.bytes')),
    isCompacted: policies.includes('compact'),
    deletesByAge: policies.includes('delete'),
    timestampType:
      effectiveValue(configs, 'message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMsMax: Number(effectiveValue(configs, 'message.timestamp.before.max.ms')),
    timestampAfterMsMax: Number(effectiveValue(configs, 'message.timestamp.after.max.ms')),
    retentionMs: Number(effectiveValue(configs, 'retention.ms')),
    retentionBytes: Number(effectiveValue(configs, 'retention.bytes')),
  }
  settingsByConfigs.set(configs, settings)
  return settings
}

export function effectiveValue(configs: Readonly<Record<string, string>>, name: string): string {
  return configs[name] ?? topicConfigs.get(name)?.defaultValue ?? ''
}
