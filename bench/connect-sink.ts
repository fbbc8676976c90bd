/**
 * The same topic of Apache Kafka into an Iceberg table, by Floe (a whole `floe serve` that reads it as a source cluster) and by
 * the Apache Iceberg sink in a Kafka Connect worker, one after the other. Processor time is that of the whole process, its start
 * included; both write zstd Parquet to local files. Floe also writes the Delta log, checks timestamps and accounts for offsets;
 * the sink leaves timestamps as text.
 *
 *   node bench/connect-sink.ts [--records N]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { buildBatch } from '../kafka/records/build.ts'
import { freePorts, startKafka } from '../test/peers/index.ts'
import { logFields, makeLogRecords } from './log-records.ts'
import { RawProducer } from './support/raw-producer.ts'

const { values: args } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } })
const recordCount = Number(args.records)
const partitionCount = 4
const recordsPerBatch = 500
/** Kafka lets go of records older than a week, by their own timestamps. */
const nowMs = Date.now()
const directory = mkdtempSync(join(tmpdir(), 'floe-connect-'))
const [connectPort, floeKafkaPort, floeHttpPort] = await freePorts(3)

const kafka = await startKafka({})

async function fillTopic(): Promise<number> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [kafka.bootstrap] })
  await admin.createTopics({ topics: ['logs'], partitions: partitionCount, replicas: 1 })
  await admin.createTopics({ topics: ['control-iceberg'], partitions: 1, replicas: 1 })
  await admin.close()
  const values = makeLogRecords(Math.min(recordCount, 200_000)).map(text => Buffer.from(text))
  const producer = await RawProducer.open('127.0.0.1', kafka.port)
  let bytes = 0
  for (let at = 0; at < recordCount; at += recordsPerBatch) {
    const records = Array.from({ length: Math.min(recordsPerBatch, recordCount - at) }, (_, index) => ({
      key: null,
      value: values[(at + index) % values.length]!,
      timestampMs: BigInt(nowMs + at + index),
    }))
    for (const { value } of records) bytes += value.length
    const batch = buildBatch(records, { codec: 'zstd' })
    await producer.send([{ topic: 'logs', partition: (at / recordsPerBatch) % partitionCount, batch }])
  }
  await producer.flush()
  producer.close()
  return bytes
}

/** User and system seconds of a process and its threads (proc(5), stat). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

interface Run {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

/** Runs a program until `countRows` says that all are there. */
async function runUntilAll(child: ChildProcess, countRows: () => Promise<number>): Promise<Run> {
  const started = performance.now()
  try {
    while ((await countRows()) < recordCount) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      await sleep(100)
    }
    return { wallSeconds: (performance.now() - started) / 1000, cpuSeconds: cpuSeconds(child.pid!) }
  } finally {
    child.kill('SIGTERM')
    await new Promise(resolve => child.once('exit', resolve))
  }
}

function newestRecordCount(metadataDirectory: string): number {
  let files: string[]
  try {
    files = readdirSync(metadataDirectory).filter(name => name.endsWith('.metadata.json'))
  } catch {
    return 0
  }
  const versionOf = (name: string): number => Number(/^v?(\d+)/.exec(name)?.[1] ?? 0)
  const newest = files.toSorted((a, b) => versionOf(a) - versionOf(b)).at(-1)
  if (newest === undefined) return 0
  const text = readFileSync(join(metadataDirectory, newest), 'utf8')
  return Math.max(0, ...[...text.matchAll(/"total-records"\s*:\s*"(\d+)"/g)].map(match => Number(match[1])))
}

async function runConnect(): Promise<Run> {
  const data = join(directory, 'connect')
  mkdirSync(data)
  const sink = join(data, 'sink.properties')
  const settings = {
    name: 'iceberg-sink',
    'connector.class': 'org.apache.iceberg.connect.IcebergSinkConnector',
    'tasks.max': '1',
    topics: 'logs',
    'iceberg.tables': 'ns.logs',
    'iceberg.tables.auto-create-enabled': 'true',
    'iceberg.tables.auto-create-props.write.parquet.compression-codec': 'zstd',
    'iceberg.catalog.type': 'hadoop',
    'iceberg.catalog.warehouse': `file://${directory}/warehouse`,
    'iceberg.control.commit.interval-ms': '5000',
  }
  writeFileSync(
    sink,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const options = ['--bootstrap', kafka.bootstrap, '--port', String(connectPort), '--data', data, '--sink', sink]
  const log = openSync(join(data, 'log'), 'w')
  const child = spawn('scripts/peers/connect.sh', options, { stdio: ['ignore', log, log] })
  return runUntilAll(child, async () => newestRecordCount(join(directory, 'warehouse/ns/logs/metadata')))
}

async function runFloe(): Promise<Run> {
  const config = join(directory, 'floe.yaml')
  const columns = logFields.map(
    ({ id, name, type }) => `{ id: ${id}, name: ${name}, type: ${'name' in type ? type.name : ''} }`,
  )
  writeFileSync(
    config,
    `data_dir: ${directory}/floe
kafka: { port: ${floeKafkaPort} }
http: { port: ${floeHttpPort} }
source_clusters:
  - name: apache
    bootstrap_brokers: [{ hostname: 127.0.0.1, port: ${kafka.port} }]
tables:
  - source_cluster_name: apache
    source_topic: logs
    source_format: json
    table_name: logs
    freshness: 5s
    schema: { fields: [${columns.join(', ')}] }
`,
  )
  const child = spawn(process.execPath, ['bin/floe.js', 'serve', '-c', config], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${floeHttpPort}/catalog/iceberg/v1/namespaces/default/tables/logs`
  return runUntilAll(child, async () => {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.status !== 200) return 0
    return Math.max(
      0,
      ...[...(await answer.text()).matchAll(/"total-records"\s*:\s*"(\d+)"/g)].map(match => Number(match[1])),
    )
  })
}

const jsonBytes = await fillTopic()
const connect = await runConnect()
const floe = await runFloe()
const rates = ({ wallSeconds, cpuSeconds: cpu }: Run) => ({
  wallSeconds: Math.round(wallSeconds * 10) / 10,
  cpuSeconds: Math.round(cpu * 10) / 10,
  megabytesPerSecond: Math.round(jsonBytes / 1e5 / wallSeconds) / 10,
  megabytesPerCoreSecond: Math.round(jsonBytes / 1e5 / cpu) / 10,
})
const result = {
  program: 'bench/connect-sink.ts',
  machine: { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version },
  data: { records: recordCount, jsonBytes, partitions: partitionCount, codec: 'zstd' },
  floe: rates(floe),
  connectIcebergSink: rates(connect),
  ratioPerCore: Math.round((connect.cpuSeconds / floe.cpuSeconds) * 100) / 100,
}
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
writeFileSync('bench/results/connect-sink.json', `${JSON.stringify(result, undefined, 2)}\n`)
await kafka.stop()
rmSync(directory, { recursive: true, force: true })
