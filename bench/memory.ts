/**
 * Memory of the server while it takes in much more than fits: a whole `floe serve` in its own process on the local directory
 * store, JSON log records of about 300 bytes produced as prebuilt zstd batches over one socket, one table fed from 16 source
 * partitions and, in a second run, from 1,000. Peak memory is the kernel's own high-water mark (VmHWM), resident memory is
 * sampled besides. `verify` proves each table afterwards.
 *
 * Producing waits while the table is further behind than --behind gigabytes, so that disk is the only thing that grows.
 *
 *   node bench/memory.ts [--gigabytes N] [--partitions 16,1000] [--behind N] [--directory DIR]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { buildBatch } from '../kafka/records/build.ts'
import { logFields, makeLogRecords } from './log-records.ts'
import { RawProducer } from './support/raw-producer.ts'

const { values: args } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '10' },
    partitions: { type: 'string', default: '16,1000' },
    behind: { type: 'string', default: '1' },
    directory: { type: 'string', default: tmpdir() },
  },
})
const wantedBytes = Number(args.gigabytes) * 1e9
const behindBytesMax = Number(args.behind) * 1e9
const recordsPerBatch = 200
const distinctBatches = 500
const kafkaPort = 19_692
const httpPort = 19_680
const sampleMs = 500
/** Enough that the flush interval is not what limits the rate. */
const requestsInFlight = 48

interface Batch {
  readonly bytes: Uint8Array
  readonly valueBytes: number
}

/** The broker lets go of records older than a week, by their own timestamps. */
const nowMs = Date.now()
const texts = makeLogRecords(recordsPerBatch * distinctBatches)
const batches: Batch[] = Array.from({ length: distinctBatches }, (_, index) => {
  const values = texts.slice(index * recordsPerBatch, (index + 1) * recordsPerBatch).map(text => Buffer.from(text))
  const records = values.map((value, at) => ({ key: null, value, timestampMs: BigInt(nowMs + at) }))
  return {
    bytes: buildBatch(records, { codec: 'zstd' }),
    valueBytes: values.reduce((sum, value) => sum + value.length, 0),
  }
})

interface TableView {
  readonly rows: string
  readonly state: string
  readonly reason: string | null
  readonly published: { readonly rows: string } | null
}

async function readTable(): Promise<TableView> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/tables/logs`)
  return (await answer.json()) as TableView
}

/** In bytes, from /proc. */
function readMemory(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024
  return { resident: field('VmRSS'), peak: field('VmHWM') }
}

async function untilReady(): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error('floe serve did not become ready')
}

function floe(...commands: string[]): ChildProcess {
  return spawn(process.execPath, ['bin/floe.js', ...commands], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function measure(partitionCount: number) {
  const directory = mkdtempSync(join(args.directory, 'floe-memory-'))
  const config = join(directory, 'floe.yaml')
  const columns = logFields.map(
    ({ name, id, type }) => `{ name: ${name}, id: ${id}, type: ${'name' in type ? type.name : type.kind} }`,
  )
  writeFileSync(
    config,
    `data_dir: ${directory}/data
kafka: { port: ${kafkaPort} }
http: { port: ${httpPort} }
log: { level: warn }
tables:
  - source_cluster_name: floe
    source_topic: logs
    source_format: json
    table_name: logs
    schema:
      fields:
${columns.map(column => `        - ${column}`).join('\n')}
`,
  )
  const server = floe('serve', '-c', config)
  try {
    await untilReady()
    const pid = server.pid!
    const idle = readMemory(pid).resident
    const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [`127.0.0.1:${kafkaPort}`] })
    await admin.createTopics({ topics: ['logs'], partitions: partitionCount, replicas: 1 })
    await admin.close()

    const samples: number[] = []
    const sampling = setInterval(() => samples.push(readMemory(pid).resident), sampleMs)
    const started = performance.now()
    const producer = await RawProducer.open('127.0.0.1', kafkaPort, requestsInFlight)
    let valueBytes = 0
    let recordCount = 0
    const partsPerRequest = Math.min(partitionCount, 16)
    let partition = 0
    let batchIndex = 0
    for (let request = 0; valueBytes < wantedBytes; request++) {
      const parts = []
      for (let part = 0; part < partsPerRequest; part++) {
        const batch = batches[batchIndex++ % distinctBatches]!
        parts.push({ topic: 'logs', partition: partition++ % partitionCount, batch: batch.bytes })
        valueBytes += batch.valueBytes
        recordCount += recordsPerBatch
      }
      await producer.send(parts)
      if (request % 100 !== 0) continue
      const bytesPerRecord = valueBytes / recordCount
      const isFarBehind = async (): Promise<boolean> => {
        const { rows, state, reason } = await readTable()
        if (state === 'stopped') throw new Error(`the table stopped: ${reason}`)
        return (recordCount - Number(rows)) * bytesPerRecord > behindBytesMax
      }
      while (await isFarBehind()) await sleep(200)
    }
    await producer.flush()
    producer.close()
    for (;;) {
      const table = await readTable()
      if (table.state === 'stopped') throw new Error(`the table stopped: ${table.reason}`)
      if (Number(table.published?.rows ?? 0) >= recordCount) break
      await sleep(200)
    }
    const seconds = (performance.now() - started) / 1000
    clearInterval(sampling)
    const { peak } = readMemory(pid)
    server.kill('SIGTERM')
    const [code] = await once(server, 'exit')
    if (code !== 0) throw new Error(`floe serve ended with ${code}`)
    const proof = await verify(config)
    return {
      partitions: partitionCount,
      jsonBytes: valueBytes,
      records: recordCount,
      seconds: Math.round(seconds * 10) / 10,
      megabytesPerSecond: Math.round(valueBytes / 1e5 / seconds) / 10,
      idleResidentMb: toMb(idle),
      medianResidentMb: toMb(samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0),
      peakResidentMb: toMb(peak),
      proved: proof.proved,
      verifySeconds: proof.seconds,
    }
  } finally {
    server.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

async function verify(config: string): Promise<{ readonly proved: boolean; readonly seconds: number }> {
  const started = performance.now()
  const child = floe('verify', '-c', config, '--json', 'logs')
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  await once(child, 'close')
  return { ...JSON.parse(output), seconds: Math.round((performance.now() - started) / 100) / 10 }
}

const toMb = (bytes: number): number => Math.round(bytes / 1e6)

const runs = []
for (const count of args.partitions.split(',').map(Number)) {
  const { ...run } = await measure(count)
  process.stdout.write(`${JSON.stringify(run)}\n`)
  runs.push(run)
}
const result = {
  program: 'bench/memory.ts',
  machine: { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version },
  peakResidentMbMax: 600,
  runs,
}
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/memory.json', `${JSON.stringify(result, undefined, 2)}\n`)
