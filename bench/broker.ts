/**
 * Produce and consume rates of Floe's broker beside Apache Kafka's, with Kafka's own perf tools, on this machine.
 *
 *   node bench/broker.ts [--rounds 3] [--records 1000000] [--partitions 6] [--flush-ms 5]
 *
 * Both brokers run as processes of their own on the same disk (Floe: local directory store), one after the other in every round
 * and in alternating order, so that slow periods of the machine hit both. The other broker is idle meanwhile. Floe acknowledges what
 * is on disk; Kafka by default what is in the page cache, so it is measured a second time with topics that are flushed for every
 * append (flush.messages=1). Records of 1 KB of
 * random bytes, acks=all, batches of 64 KB. Then one broker at a time takes a fixed, low rate, for latency that is not queueing.
 *
 * Processor time of each broker is taken too (Linux). Figures of single rounds and medians go to bench/results/broker.json. Needs scripts/peers/install.sh kafka.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaTool, startKafka } from '../test/peers/index.ts'
import { type FloeProcess, serveFloe } from '../test/support/floe-process.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '6' },
    'flush-ms': { type: 'string', default: '5' },
  },
})
const recordBytes = 1024
const latencyRecordsPerSecond = 2_000

interface ProduceFigures {
  readonly megabytesPerSecond: number
  readonly averageMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Round {
  readonly produce: ProduceFigures
  readonly consumeMegabytesPerSecond: number
  /** Processor seconds of the broker per gigabyte: what stays comparable when the machine is busy with other things. */
  readonly produceCpuSecondsPerGigabyte: number
  readonly consumeCpuSecondsPerGigabyte: number
  readonly lowRate: ProduceFigures
  /** Runnable processes over the last minute, when the round ended: what else the machine was doing. */
  readonly load: number
}

interface Target {
  readonly name: 'floe' | 'kafka' | 'kafkaFlushed'
  readonly address: string
  readonly pid: number
  /** For `kafka-topics --create`. */
  readonly topicConfigs: readonly string[]
}

await compare()

/** The whole product, as users start it, in a directory of its own. */
async function startFloe(directory: string): Promise<FloeProcess> {
  const configFile = join(directory, 'floe.yaml')
  const dataDir = join(directory, 'data')
  writeFileSync(
    configFile,
    `data_dir: ${dataDir}\nkafka: { port: 0 }\nhttp: { port: 0 }\nbroker: { flush_interval: ${values['flush-ms']}ms }\n`,
  )
  const floe = await serveFloe({ configFile })
  if (floe === undefined) throw new Error('floe did not start')
  return floe
}

async function compare(): Promise<void> {
  const ownDirectory = mkdtempSync(join(tmpdir(), 'floe-bench-broker-'))
  const kafka = await startKafka()
  const server = await startFloe(ownDirectory)
  const ofKafka = { address: kafka.bootstrap, pid: kafka.pid }
  const targets: readonly Target[] = [
    { name: 'floe', address: server.kafka, pid: server.pid, topicConfigs: [] },
    { name: 'kafka', ...ofKafka, topicConfigs: [] },
    { name: 'kafkaFlushed', ...ofKafka, topicConfigs: ['--config', 'flush.messages=1'] },
  ]
  const rounds: Record<Target['name'], Round[]> = { floe: [], kafka: [], kafkaFlushed: [] }
  try {
    // The first run of each is thrown away: neither has compiled its hot paths yet.
    for (const target of targets.slice(0, 2)) await measure(target, 'warm-up')
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
        const figures = await measure(target, `round-${round}-${target.name}`)
        rounds[target.name].push(figures)
        process.stdout.write(`${target.name} ${JSON.stringify(figures)}\n`)
      }
    }
  } finally {
    await server.end('SIGTERM')
    await kafka.stop()
    rmSync(ownDirectory, { recursive: true, force: true })
  }
  const medians = {
    floe: medianRound(rounds.floe),
    kafka: medianRound(rounds.kafka),
    kafkaFlushed: medianRound(rounds.kafkaFlushed),
  }
  const results = {
    what: 'kafka-producer-perf-test and kafka-consumer-perf-test against Floe (local directory store) and Apache Kafka (KRaft, one node)',
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
    settings: {
      records: Number(values.records),
      recordBytes,
      partitions: Number(values.partitions),
      batchBytes: 65_536,
      acks: 'all',
      floeFlushIntervalMs: Number(values['flush-ms']),
      lowRateRecordsPerSecond: latencyRecordsPerSecond,
    },
    medians,
    ratios: {
      produce: round2(medians.floe.produce.megabytesPerSecond / medians.kafka.produce.megabytesPerSecond),
      produceFlushed: round2(medians.floe.produce.megabytesPerSecond / medians.kafkaFlushed.produce.megabytesPerSecond),
      consume: round2(medians.floe.consumeMegabytesPerSecond / medians.kafka.consumeMegabytesPerSecond),
    },
    rounds,
  }
  const directory = join(import.meta.dirname, 'results')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'broker.json'), `${JSON.stringify(results, null, 2)}\n`)
  process.stdout.write(`${JSON.stringify(results.medians)}\n${JSON.stringify(results.ratios)}\n`)
}

async function measure({ address, pid, topicConfigs }: Target, topic: string): Promise<Round> {
  const bootstrap = ['--bootstrap-server', address]
  const partitions = ['--partitions', values.partitions]
  await kafkaTool('kafka-topics', [...bootstrap, '--create', '--topic', topic, ...partitions, ...topicConfigs])
  const gigabytes = (Number(values.records) * recordBytes) / 1e9
  const startCpu = readCpuSeconds(pid)
  const produce = await producePerf(address, topic, values.records, '-1')
  const producedCpu = readCpuSeconds(pid)
  const consumed = await kafkaTool('kafka-consumer-perf-test', [
    ...bootstrap,
    ...['--topic', topic, '--num-records', values.records],
  ])
  const consumedCpu = readCpuSeconds(pid)
  const low = `${topic}-low`
  await kafkaTool('kafka-topics', [...bootstrap, '--create', '--topic', low, ...partitions, ...topicConfigs])
  const lowRate = await producePerf(address, low, String(latencyRecordsPerSecond * 5), String(latencyRecordsPerSecond))
  // Columns: start, end, MB, MB/s, records, records/s, ms of joining the group, ms of fetching, MB/s of fetching, records/s of it.
  // How long a group waits for more members before its first rebalance is a setting, so joining is left out.
  const columns = consumed.stdout.trim().split('\n').at(-1)!.split(', ')
  return {
    produce,
    consumeMegabytesPerSecond: Number(columns[8]),
    produceCpuSecondsPerGigabyte: round2((producedCpu - startCpu) / gigabytes),
    consumeCpuSecondsPerGigabyte: round2((consumedCpu - producedCpu) / gigabytes),
    lowRate,
    load: round2(loadavg()[0] ?? 0),
  }
}

/** User and system time of a process so far (Linux, proc(5): fields 14 and 15 in ticks of 10 ms). */
function readCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function producePerf(address: string, topic: string, records: string, rate: string): Promise<ProduceFigures> {
  const { stdout } = await kafkaTool('kafka-producer-perf-test', [
    ...['--bootstrap-server', address, '--topic', topic, '--num-records', records, '--throughput', rate],
    ...['--record-size', String(recordBytes), '--producer-props', 'acks=all', 'batch.size=65536'],
  ])
  const line = stdout.trim().split('\n').at(-1)!
  const found = /\(([\d.]+) MB\/sec\), ([\d.]+) ms avg latency, .* (\d+) ms 50th, .* (\d+) ms 99th/.exec(line)
  if (found === null) throw new Error(`kafka-producer-perf-test said: ${line}`)
  const [megabytesPerSecond, averageMs, p50Ms, p99Ms] = found.slice(1).map(Number)
  return { megabytesPerSecond: megabytesPerSecond!, averageMs: averageMs!, p50Ms: p50Ms!, p99Ms: p99Ms! }
}

function medianRound(rounds: readonly Round[]): Round {
  const median = (pick: (round: Round) => number): number => {
    const sorted = rounds.map(pick).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  const figures = (pick: (round: Round) => ProduceFigures): ProduceFigures => ({
    megabytesPerSecond: median(round => pick(round).megabytesPerSecond),
    averageMs: median(round => pick(round).averageMs),
    p50Ms: median(round => pick(round).p50Ms),
    p99Ms: median(round => pick(round).p99Ms),
  })
  return {
    produce: figures(round => round.produce),
    consumeMegabytesPerSecond: median(round => round.consumeMegabytesPerSecond),
    produceCpuSecondsPerGigabyte: median(round => round.produceCpuSecondsPerGigabyte),
    consumeCpuSecondsPerGigabyte: median(round => round.consumeCpuSecondsPerGigabyte),
    lowRate: figures(round => round.lowRate),
    load: median(round => round.load),
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}
