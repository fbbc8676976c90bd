/** kcat (librdkafka 2.0): produce with every codec, acks and idempotence, consume, offsets by time, groups. */
import { kcat } from '../../peers/index.ts'
import { codecs, readStoredCodecs, type Scenario, sortLines, type Transcript } from './scenario.ts'

const lines = Array.from({ length: 50 }, (_, index) => `key-${index % 7}:value ${index} ${'x'.repeat(index)}`)

export async function runKcat({ address, prefix }: Scenario): Promise<Transcript> {
  const transcript: Transcript = {}
  const run = async (...args: string[]) => (await kcat(['-b', address, ...args], { timeoutMs: 60_000 })).stdout
  const produce = async (topic: string, ...args: string[]) => {
    const result = await kcat(['-b', address, '-P', '-t', topic, '-K:', ...args], { input: lines.join('\n') })
    return sortLines(result.stderr).filter(line => !/Auto-selecting|Coordinator load in progress/.test(line))
  }
  const consume = (topic: string) => run('-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%p|%o|%k|%s|%h\n')
  for (const codec of codecs) {
    const topic = `${prefix}-${codec}`
    transcript[`produce ${codec}`] = await produce(topic, '-z', codec, '-H', 'trace=a', '-X', 'linger.ms=2000')
    transcript[`consume ${codec}`] = await consume(topic)
    transcript[`stored ${codec}`] = await readStoredCodecs(address, topic)
  }
  for (const acks of ['0', '1', 'all']) {
    const topic = `${prefix}-acks-${acks}`
    transcript[`produce acks ${acks}`] = await produce(topic, '-X', `acks=${acks}`)
    transcript[`consume acks ${acks}`] = await consume(topic)
  }
  const topic = `${prefix}-idempotent`
  transcript['produce idempotent'] = await produce(topic, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=5')
  transcript['consume idempotent'] = await consume(topic)
  transcript['from the end'] = await run('-C', '-t', topic, '-o', '-3', '-e', '-q', '-f', '%o %s\n')
  transcript['offset by time'] = await run('-Q', '-t', `${topic}:0:0`)
  transcript['offset by future time'] = await run('-Q', '-t', `${topic}:0:99999999999999`)
  transcript['beyond the end'] = await run(
    '-C',
    '-t',
    topic,
    '-o',
    '1000',
    '-e',
    '-q',
    '-X',
    'auto.offset.reset=earliest',
    '-f',
    '%o\n',
  )
  const group = ['-G', `${prefix}-group`, '-e', '-q', '-X', 'auto.offset.reset=earliest', '-f', '%o %s\n', topic]
  transcript['group first time'] = await run(...group)
  transcript['group second time'] = await run(...group)
  const metadata = JSON.parse(await run('-L', '-J', '-t', topic))
  transcript.metadata = metadata.topics.map((each: { topic: string; partitions: unknown[] }) => [
    each.topic,
    each.partitions.length,
  ])
  return transcript
}
