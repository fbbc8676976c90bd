/** Kafka's own command line tools (Java client): topics, console producer and consumer, groups, offsets, configs, deletion. */
import { kafkaTool } from '../../peers/index.ts'
import { codecs, readStoredCodecs, type Scenario, sortLines, type Transcript } from './scenario.ts'

export async function runJava({ address, prefix }: Scenario): Promise<Transcript> {
  const transcript: Transcript = {}
  const topic = `${prefix}-main`
  const tool = async (name: string, args: readonly string[], input?: string) => {
    const options = { check: false, timeoutMs: 90_000, ...(input !== undefined && { input }) }
    return kafkaTool(name, ['--bootstrap-server', address, ...args], options)
  }
  const show = async (step: string, name: string, ...args: string[]) => {
    const { code, stdout } = await tool(name, args)
    transcript[step] = [code, sortLines(stdout).map(normalise)]
  }
  await show(
    'create',
    'kafka-topics',
    '--create',
    '--topic',
    topic,
    '--partitions',
    '3',
    '--config',
    'retention.ms=86400000',
  )
  await show('create again', 'kafka-topics', '--create', '--topic', topic, '--if-not-exists')
  const twice = await tool('kafka-topics', ['--create', '--topic', topic])
  transcript['create twice'] = [twice.code, /TopicExistsException/.test(twice.stdout + twice.stderr)]
  const invalid = await tool('kafka-topics', ['--create', '--topic', `${prefix}-bad`, '--config', 'retention.ms=soon'])
  transcript['create invalid'] = [
    invalid.code,
    /InvalidConfigurationException|ConfigException/.test(invalid.stdout + invalid.stderr),
  ]
  await show('describe', 'kafka-topics', '--describe', '--topic', topic)
  const keyed = Array.from({ length: 60 }, (_, index) => `k${index % 5}\tv${index}`).join('\n')
  const keys = ['--reader-property', 'parse.key=true']
  transcript.produce = (await tool('kafka-console-producer', ['--topic', topic, ...keys], keyed)).code
  await show('end offsets', 'kafka-get-offsets', '--topic', topic)
  await show('start offsets', 'kafka-get-offsets', '--topic', topic, '--time', '-2')
  const format = [
    '--formatter-property',
    'print.key=true',
    '--formatter-property',
    'print.partition=true',
    '--formatter-property',
    'print.offset=true',
  ]
  const consume = ['--topic', topic, '--from-beginning', '--timeout-ms', '4000', ...format]
  await show('consume', 'kafka-console-consumer', ...consume, '--max-messages', '60')
  await show(
    'consume in a group',
    'kafka-console-consumer',
    ...consume,
    '--group',
    `${prefix}-g`,
    '--max-messages',
    '60',
  )
  await show('describe group', 'kafka-consumer-groups', '--describe', '--group', `${prefix}-g`)
  await show('group state', 'kafka-consumer-groups', '--describe', '--group', `${prefix}-g`, '--state')
  await show(
    'reset offsets',
    'kafka-consumer-groups',
    '--reset-offsets',
    '--group',
    `${prefix}-g`,
    '--topic',
    topic,
    '--to-earliest',
    '--execute',
  )
  await show(
    'delete group offsets',
    'kafka-consumer-groups',
    '--delete-offsets',
    '--group',
    `${prefix}-g`,
    '--topic',
    `${topic}:0`,
  )
  await show('describe group again', 'kafka-consumer-groups', '--describe', '--group', `${prefix}-g`)
  await show('delete group', 'kafka-consumer-groups', '--delete', '--group', `${prefix}-g`)
  for (const codec of codecs) {
    const compressed = `${prefix}-${codec}`
    const args = ['--topic', compressed, '--compression-codec', codec]
    transcript[`produce ${codec}`] = (await tool('kafka-console-producer', args, keyed)).code
    transcript[`stored ${codec}`] = await readStoredCodecs(address, compressed)
  }
  await show(
    'alter configs',
    'kafka-configs',
    '--alter',
    '--topic',
    topic,
    '--add-config',
    'max.message.bytes=2000000,cleanup.policy=compact',
  )
  await show('describe configs', 'kafka-configs', '--describe', '--topic', topic)
  await show('delete config', 'kafka-configs', '--alter', '--topic', topic, '--delete-config', 'cleanup.policy')
  await show('describe configs again', 'kafka-configs', '--describe', '--topic', topic)
  await show('add partitions', 'kafka-topics', '--alter', '--topic', topic, '--partitions', '4')
  await show('describe grown', 'kafka-topics', '--describe', '--topic', topic)
  await show('list', 'kafka-topics', '--list', '--exclude-internal')
  await show('delete', 'kafka-topics', '--delete', '--topic', topic)
  const gone = await tool('kafka-topics', ['--describe', '--topic', topic])
  transcript['describe deleted'] = [gone.code, /does not exist/.test(gone.stdout + gone.stderr)]
  return transcript
}

/** Node and topic ids must differ, and Floe has no replicas to be eligible for anything. */
function normalise(line: string): string {
  return line
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/TopicId: \S+/g, 'TopicId: ID')
    .replaceAll(/(Leader|Replicas|Isr): \d+/g, '$1: N')
    .replaceAll(/\d+\.\d+\.\d+\.\d+:\d+ \(\d+\)/g, 'COORDINATOR')
    .replaceAll('min.insync.replicas=1', '')
    .replaceAll(/segment\.bytes=\d+/g, '')
    .replaceAll('Configs: ,', 'Configs: ')
    .replaceAll(/[, ]+$/g, '')
}
