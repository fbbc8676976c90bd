/**
 * Topic to published Iceberg, end to end: JSON log records lie in Floe's own broker (zstd batches on the local directory store);
 * ingestion fetches, decompresses, decodes, writes Parquet, commits and publishes in both formats. Beside it, in turns, DuckDB
 * reads the same records as newline-delimited JSON and writes Parquet (zstd) with one thread.
 *
 * MB are 10^6 bytes of JSON values. "Per core" divides by the processor time of the whole process, all threads.
 *
 *   node bench/ingest.ts [--records N] [--rounds N] [--threads N]
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../core/clock.ts'
import { silentLog } from '../core/log.ts'
import { nodeThreads } from '../core/threads.ts'
import { IngestService } from '../ingest/service.ts'
import type { TableIngestConfig } from '../ingest/table-config.ts'
import { verifyTable } from '../ingest/verify/verify-table.ts'
import { createWorkerPool } from '../ingest/worker/worker-pool.ts'
import { buildBatch } from '../kafka/records/build.ts'
import { provenanceField } from '../table/provenance.ts'
import { type StartedBroker, startBroker } from '../test/support/start-broker.ts'
import { logFields, makeLogRecords } from './log-records.ts'
import { RawProducer } from './support/raw-producer.ts'

const { values: args } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '4' },
  },
})
const recordCount = Number(args.records)
const threadCount = Number(args.threads)
const partitionCount = Number(args.partitions)
const recordsPerBatch = 500
const distinctRecords = Math.min(recordCount, 200_000)

const directory = mkdtempSync(join(tmpdir(), 'floe-bench-'))
const jsonPath = join(directory, 'records.ndjson')
interface Round {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

async function measure(work: () => Promise<void>): Promise<Round> {
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wallSeconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 }
}

/** Writes the records as JSON lines and into the topic; nothing of them stays in memory. Returns the bytes of all values. */
async function makeData(broker: StartedBroker): Promise<number> {
  const texts = makeLogRecords(distinctRecords)
  const file = openSync(jsonPath, 'w')
  for (let index = 0; index < recordCount; index += distinctRecords) {
    writeSync(file, `${texts.slice(0, Math.min(distinctRecords, recordCount - index)).join('\n')}\n`)
  }
  closeSync(file)
  const values = texts.map(text => Buffer.from(text))
  let jsonBytes = 0
  for (let index = 0; index < recordCount; index++) jsonBytes += values[index % distinctRecords]!.length
  await fillTopic(broker, values)
  return jsonBytes
}

async function fillTopic(broker: StartedBroker, values: readonly Uint8Array[]): Promise<void> {
  const { topic } = await broker.catalog.createTopic('logs', partitionCount, {})
  const producer = await RawProducer.open(broker.host, broker.port)
  for (let at = 0; at < recordCount; at += recordsPerBatch) {
    const records = Array.from({ length: Math.min(recordsPerBatch, recordCount - at) }, (_, index) => ({
      key: null,
      value: values[(at + index) % distinctRecords]!,
      timestampMs: BigInt(1_760_000_000_000 + (at + index) * 7),
    }))
    const batch = buildBatch(records, { codec: 'zstd' })
    await producer.send([{ topic: topic.name, partition: (at / recordsPerBatch) % partitionCount, batch }])
  }
  await producer.flush()
  producer.close()
}

let tableNumber = 0

async function ingestOnce(broker: StartedBroker, service: IngestService): Promise<void> {
  const name = `logs_${tableNumber++}`
  const config: TableIngestConfig = {
    definition: {
      name,
      source: { clusterName: 'floe', topic: 'logs' },
      schema: { schemaId: 0, fields: [...logFields, provenanceField] },
      spec: { specId: 0, fields: [] },
      properties: {},
      settings: '{}',
    },
    format: { kind: 'json' },
    codec: 'zstd',
    deadLetterMode: 'capture',
    onGap: 'stop',
    startOffset: 'earliest',
    freshnessMs: 1_000,
    fileBytesTarget: 32 * 1024 * 1024,
  }
  await service.applyTables([config])
  for (;;) {
    const table = await broker.catalog.tableByName(name)
    if (table?.published?.rowCount === BigInt(recordCount)) return
    await systemClock.sleep(5)
  }
}

async function duckdbOnce(): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const types: Record<string, string> = {
    timestamptz: 'TIMESTAMPTZ',
    string: 'VARCHAR',
    long: 'BIGINT',
    int: 'INTEGER',
    double: 'DOUBLE',
  }
  const columns = logFields.map(field => `${field.name}: '${types['name' in field.type ? field.type.name : 'string']}'`)
  await connection.run(
    `COPY (SELECT * FROM read_json('${jsonPath}', format = 'newline_delimited', columns = {${columns.join(', ')}}))
     TO '${join(directory, 'duckdb.parquet')}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
  )
  connection.closeSync()
  instance.closeSync()
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

const broker = await startBroker({ directory: join(directory, 'store'), flushIntervalMs: 20 })
const jsonBytes = await makeData(broker)
const source = broker.broker.localSource()
const pool = createWorkerPool(nodeThreads, threadCount)
const service = new IngestService({
  catalog: broker.catalog,
  membership: broker.membership,
  store: broker.store,
  sources: () => source,
  pool,
  clock: systemClock,
  log: silentLog,
})

const floe: Round[] = []
const duckdb: Round[] = []
await ingestOnce(broker, service)
await duckdbOnce()
for (let round = 0; round < Number(args.rounds); round++) {
  floe.push(await measure(() => ingestOnce(broker, service)))
  duckdb.push(await measure(duckdbOnce))
}
const report = await verifyTable({ catalog: broker.catalog, store: broker.store }, `logs_${tableNumber - 1}`)
if (!report.proved) throw new Error(`verify failed: ${report.problems.join('; ')}`)
const lastTable = await broker.catalog.tableByName(`logs_${tableNumber - 1}`)

const rate = (seconds: number): number => Math.round(jsonBytes / 1e5 / seconds) / 10
const result = {
  program: 'bench/ingest.ts',
  machine: { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version },
  data: { records: recordCount, jsonBytes, partitions: partitionCount, codec: 'zstd', builderThreads: threadCount },
  floe: {
    megabytesPerSecond: floe.map(round => rate(round.wallSeconds)),
    megabytesPerCoreSecond: floe.map(round => rate(round.cpuSeconds)),
    parquetBytes: Number(lastTable?.fileBytes),
  },
  duckdb: {
    megabytesPerSecond: duckdb.map(round => rate(round.wallSeconds)),
    megabytesPerCoreSecond: duckdb.map(round => rate(round.cpuSeconds)),
    parquetBytes: statSync(join(directory, 'duckdb.parquet')).size,
  },
  median: {
    floeMegabytesPerCoreSecond: median(floe.map(round => rate(round.cpuSeconds))),
    duckdbMegabytesPerCoreSecond: median(duckdb.map(round => rate(round.cpuSeconds))),
    ratioPerCore: median(floe.map((round, index) => duckdb[index]!.cpuSeconds / round.cpuSeconds)),
    floeMegabytesPerSecond: median(floe.map(round => rate(round.wallSeconds))),
  },
}
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
mkdirSync('bench/results', { recursive: true })
const suffix = threadCount === 1 ? '' : `-${threadCount}-threads`
writeFileSync(`bench/results/ingest${suffix}.json`, `${JSON.stringify(result, undefined, 2)}\n`)
await service.close()
await pool.close()
await broker.stop()
rmSync(directory, { recursive: true, force: true })
