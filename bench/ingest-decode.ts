/**
 * JSON records in v2 record batches to Parquet bytes, in memory: walking, checksums, decompression, decoding, encoding (zstd).
 * No fetch, no store, no commit. Beside it, in turns, DuckDB reads the same records from a file of JSON lines and writes
 * Parquet (zstd) with one thread. Then one and two builder threads in turns.
 *
 * MB are 10^6 bytes of JSON values. "Per core" divides by processor time; on a machine that others use, ratios of it are the
 * figures to look at.
 *
 *   node bench/ingest-decode.ts [--records N] [--rounds N] [--seconds-max N]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { nodeThreads } from '../core/threads.ts'
import type { AsyncTableFileBuilder } from '../ingest/worker/builder-pool.ts'
import { type TableFileBuilderConfig, tableFileBuilderDefaults } from '../ingest/worker/builder-types.ts'
import { TableFileBuilder } from '../ingest/worker/table-file-builder.ts'
import { createWorkerPool } from '../ingest/worker/worker-pool.ts'
import { buildBatch } from '../kafka/records/build.ts'
import type { ParquetEncoder } from '../table/parquet/encoder.ts'
import { pageParquetEncoder } from '../table/parquet/page-encoder.ts'
import { wasmParquetEncoder } from '../table/parquet/wasm-encoder.ts'
import { provenanceField } from '../table/provenance.ts'
import { logFields, makeLogRecords } from './log-records.ts'

const { values: args } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '7' },
  },
})
const recordCount = Number(args.records)
const roundCount = Number(args.rounds)
const recordsPerBatch = 500
const batchesPerFetch = 10

const loadBefore = loadavg()[0]!
const values = makeLogRecords(recordCount).map(text => Buffer.from(text))
const jsonBytes = values.reduce((sum, value) => sum + value.length, 0)
const directory = mkdtempSync(join(tmpdir(), 'floe-bench-'))
const jsonPath = join(directory, 'records.ndjson')
writeFileSync(jsonPath, values.join('\n'))

interface Fetch {
  readonly batches: Uint8Array
  readonly start: bigint
  readonly end: bigint
}

function makeFetches(codec: 'none' | 'zstd'): Fetch[] {
  const fetches: Fetch[] = []
  const perFetch = recordsPerBatch * batchesPerFetch
  for (let start = 0; start < recordCount; start += perFetch) {
    const end = Math.min(start + perFetch, recordCount)
    const batches: Uint8Array[] = []
    for (let at = start; at < end; at += recordsPerBatch) {
      const records = values.slice(at, Math.min(at + recordsPerBatch, end)).map((value, index) => ({
        key: null,
        value,
        timestampMs: BigInt(1_760_000_000_000 + (at + index) * 7),
      }))
      batches.push(buildBatch(records, { codec, baseOffset: BigInt(at) }))
    }
    fetches.push({ batches: new Uint8Array(Buffer.concat(batches)), start: BigInt(start), end: BigInt(end) })
  }
  return fetches
}

const config: TableFileBuilderConfig = {
  schema: { schemaId: 0, fields: [...logFields, provenanceField] },
  spec: { specId: 0, fields: [] },
  format: { kind: 'json' },
  options: { ...tableFileBuilderDefaults, fileBytesTarget: Number.MAX_SAFE_INTEGER },
}

interface Round {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

async function measure(work: () => Promise<void> | void): Promise<Round> {
  const before = process.cpuUsage()
  const started = performance.now()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wallSeconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 }
}

let parquetBytes = 0
function buildInline(builder: TableFileBuilder, fetches: readonly Fetch[]): void {
  for (const { batches, start, end } of fetches) builder.append({ partition: 0, batches, start, end, aborted: [] })
  const { files } = builder.finish()
  parquetBytes = files[0]!.fileBytes
  if (files[0]!.recordCount !== recordCount) throw new Error('rows are missing')
}

async function buildRemotely(builder: AsyncTableFileBuilder, fetches: readonly Fetch[]): Promise<void> {
  for (const { batches, start, end } of fetches) {
    await builder.append({ partition: 0, batches: new Uint8Array(batches), start, end, aborted: [] })
  }
  const { files } = await builder.finish()
  if (files[0]!.recordCount !== recordCount) throw new Error('rows are missing')
}

const duckdb = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
const duckdbTypes: Record<string, string> = {
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  long: 'BIGINT',
  int: 'INTEGER',
  double: 'DOUBLE',
}
const duckdbColumns = logFields.map(({ name, type }) => {
  if (type.kind !== 'primitive') throw new Error('unexpected type')
  return `${name}: '${duckdbTypes[type.name]}'`
})
async function runDuckdb(): Promise<void> {
  await duckdb.run(
    `copy (select * from read_json('${jsonPath}', format = 'newline_delimited', columns = {${duckdbColumns.join(', ')}}))
     to '${join(directory, 'records.parquet')}' (format parquet, compression zstd)`,
  )
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
const round1 = (value: number): number => Math.round(value * 10) / 10
const round2 = (value: number): number => Math.round(value * 100) / 100

interface Series {
  readonly name: string
  readonly bytes: number
  readonly run: () => Promise<void> | void
  readonly rounds: Round[]
}

/** One warm-up each, then in turns. */
async function runInTurns(series: readonly Series[]): Promise<void> {
  for (const each of series) await each.run()
  for (let round = 0; round < roundCount; round++) {
    for (const each of series) each.rounds.push(await measure(each.run))
  }
}

function summarize({ rounds, bytes }: Series) {
  const perCore = rounds.map(({ cpuSeconds }) => bytes / 1e6 / cpuSeconds)
  const perSecond = rounds.map(({ wallSeconds }) => bytes / 1e6 / wallSeconds)
  return {
    megabytesPerCoreSecond: { median: round1(median(perCore)), all: perCore.map(round1) },
    megabytesPerSecond: { median: round1(median(perSecond)), all: perSecond.map(round1) },
  }
}

const plain = makeFetches('none')
const zstd = makeFetches('zstd')
const inline = (name: string, fetches: readonly Fetch[], encoder: ParquetEncoder): Series => {
  const builder = new TableFileBuilder(config, encoder)
  return { name, bytes: jsonBytes, run: () => buildInline(builder, fetches), rounds: [] }
}
const single: Series[] = [
  inline('floe, batches none', plain, pageParquetEncoder),
  inline('floe, batches zstd', zstd, pageParquetEncoder),
  inline('floe through parquet-wasm, batches none', plain, wasmParquetEncoder),
  { name: 'duckdb', bytes: jsonBytes, run: runDuckdb, rounds: [] },
]
await runInTurns(single)

const pool = createWorkerPool(nodeThreads, 2)
const builders = [pool.createBuilder(config), pool.createBuilder(config)]
const withWorkers = (count: number): Series => ({
  name: `${count} builder thread${count === 1 ? '' : 's'}, batches zstd`,
  bytes: jsonBytes * count,
  run: async () => {
    await Promise.all(builders.slice(0, count).map(builder => buildRemotely(builder, zstd)))
  },
  rounds: [],
})
const threaded = [withWorkers(1), withWorkers(2)]
await runInTurns(threaded)
await pool.close()
rmSync(directory, { recursive: true, force: true })

const all = [...single, ...threaded]
const find = (name: string): Series => all.find(each => each.name === name)!
/** Of the medians of processor time per byte. */
const perCoreRatio = (a: string, b: string): number => {
  const [left, right] = [a, b].map(name => summarize(find(name)).megabytesPerCoreSecond.median)
  return round2(left! / right!)
}
const wallRatio = threaded[0]!.rounds.map(
  (one, index) => (2 * one.wallSeconds) / threaded[1]!.rounds[index]!.wallSeconds,
)
const report = {
  program: 'bench/ingest-decode.ts',
  machine: { cores: cpus().length, model: cpus()[0]?.model, node: process.version },
  /** Of the last minute: above 1 somebody else was at work, and two threads had no two cores. */
  loadAverage: { before: round1(loadBefore), after: round1(loadavg()[0]!) },
  data: { recordCount, jsonBytes, bytesPerRecord: round1(jsonBytes / recordCount), parquetBytes },
  series: Object.fromEntries(all.map(each => [each.name, summarize(each)])),
  ratios: {
    perCoreAgainstDuckdbNone: perCoreRatio('floe, batches none', 'duckdb'),
    perCoreAgainstDuckdbZstd: perCoreRatio('floe, batches zstd', 'duckdb'),
    perCorePagesAgainstWasm: perCoreRatio('floe, batches none', 'floe through parquet-wasm, batches none'),
    twoThreadsAgainstOne: { median: round2(median(wallRatio)), all: wallRatio.map(round2) },
  },
}
mkdirSync(new URL('./results/', import.meta.url), { recursive: true })
writeFileSync(new URL('./results/ingest-decode.json', import.meta.url), `${JSON.stringify(report, undefined, 2)}\n`)
for (const each of all) {
  const { megabytesPerCoreSecond, megabytesPerSecond } = summarize(each)
  process.stdout.write(
    `${each.name.padEnd(42)} ${megabytesPerCoreSecond.median} MB/s per core, ${megabytesPerSecond.median} MB/s\n`,
  )
}
process.stdout.write(`${JSON.stringify(report.ratios)}\n`)
