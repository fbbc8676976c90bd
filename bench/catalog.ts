/**
 * The catalog's speed: file commits per second through the state machine alone and through the journal on a local directory,
 * bytes of state per file, and how long snapshots and recovery take at one million files.
 *
 *   node --expose-gc bench/catalog.ts [--files 1000000] [--dir DIR]
 *   node --expose-gc bench/catalog.ts --journals [--files 1000000] [--dir DIR]     the journal in a directory, on S3, in PostgreSQL
 *
 * Prints one JSON object and writes it to bench/results/catalog.json, or catalog-journals.json. PostgreSQL and the S3
 * server (scripts/peers) keep their data beside the directory store's, with their own defaults: directory and PostgreSQL make every entry
 * durable with fsync, the S3 server does not. Every commit carries files with statistics of eight
 * columns (8-byte bounds). Commits go round 50 tables with 256 source partitions each.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openJournal } from '../bin/journal/open-journal.ts'
import { applyBatch, BatchAnswers } from '../catalog/apply-batch.ts'
import type { CatalogClient, CommitTableFiles, NewDataFile, TableDefinition } from '../catalog/client.ts'
import type { Command } from '../catalog/commands/command.ts'
import { commitTableFiles } from '../catalog/commands/commit-table-files.ts'
import { grantNames, openSession } from '../catalog/commands/name-commands.ts'
import { claimSourcePartitions, createTable } from '../catalog/commands/table-commands.ts'
import { type Journal, journalInStore } from '../catalog/journal/journal.ts'
import { OpenBatch } from '../catalog/journal/open-batch.ts'
import { namesPerGrantMax } from '../catalog/limits.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { captureSnapshot, listSnapshots, readSnapshot } from '../catalog/snapshot/snapshot-store.ts'
import { CatalogState } from '../catalog/state/catalog-state.ts'
import { ByteWriter } from '../core/byte-writer.ts'
import { systemClock } from '../core/clock.ts'
import { nodeFileSystem } from '../core/file-system.ts'
import { silentLog } from '../core/log.ts'
import { systemRandom } from '../core/random.ts'
import { openDirectoryStore } from '../storage/directory-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import { primitive } from '../table/types.ts'
import { startPostgres } from '../test/peers/postgres.ts'
import { startS3 } from '../test/peers/s3.ts'
import { pendingCommand } from '../test/support/pending-command.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    dir: { type: 'string' },
    journals: { type: 'boolean', default: false },
  },
})
const fileCount = Number(values.files)
const tableCount = 50
const partitionsPerTable = 256
const rowsPerFile = 1000
const commitsPerBatch = 4096

const columns: NewDataFile['columns'] = Array.from({ length: 8 }, (_, index) => ({
  fieldId: index + 1,
  columnBytes: 12_345 + index,
  valueCount: rowsPerFile,
  nullCount: index,
  nanCount: undefined,
  lower: new Uint8Array(8).fill(index),
  upper: new Uint8Array(8).fill(200 + index),
  lowerExact: true,
  upperExact: true,
}))

function newFile(grantId: number, nameIndex: number): NewDataFile {
  const splitOffsets = [4]
  return { grantId, nameIndex, partition: [], recordCount: rowsPerFile, fileBytes: 98_765, splitOffsets, columns }
}

/** Makes commit after commit: which table, partition and offsets come next. */
class CommitSequence {
  readonly #ends = new Float64Array(tableCount * partitionsPerTable)
  #next = 0
  readonly #names: () => { grantId: number; nameIndex: number }
  readonly #filesPerCommit: number

  constructor(filesPerCommit: number, names: () => { grantId: number; nameIndex: number }) {
    this.#filesPerCommit = filesPerCommit
    this.#names = names
  }

  /** `account` fixes the partition; otherwise all take turns. */
  make(account = this.#next++ % (tableCount * partitionsPerTable)): CommitTableFiles {
    const written = rowsPerFile * this.#filesPerCommit
    const start = this.#ends[account]!
    this.#ends[account] = start + written
    const files: NewDataFile[] = []
    for (let index = 0; index < this.#filesPerCommit; index++) {
      const { grantId, nameIndex } = this.#names()
      files.push(newFile(grantId, nameIndex))
    }
    return {
      tableId: 1 + Math.floor(account / partitionsPerTable),
      files,
      deadLetterFiles: [],
      coverage: [
        {
          partition: account % partitionsPerTable,
          topicId: '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11',
          start: BigInt(start),
          end: BigInt(start + written),
          written,
          filtered: 0,
          rejected: 0,
          control: 0,
          gap: 0n,
          maxTimestampMs: 1_800_000_000_000,
          ownerEpoch: 1,
        },
      ],
    }
  }
}

function definition(index: number): TableDefinition {
  return {
    name: `table_${index}`,
    source: { clusterName: 'bench', topic: `topic-${index}` },
    schema: { schemaId: 0, fields: [{ id: 1, name: 'id', required: true, type: primitive('long') }] },
    spec: { specId: 0, fields: [] },
    properties: {},
    settings: '{}',
  }
}

const allPartitions = Array.from({ length: partitionsPerTable }, (_, partition) => partition)

// ── (a) the state machine alone ──────────────────────────────────────────────────────────────────────────────────────

const clientId = new Uint8Array(16).fill(7)
const nowMs = 1_800_000_000_000

/** Encoded batches, and the state they are to be applied to. */
function prepare(commits: number, filesPerCommit: number): { state: CatalogState; batches: OpenBatch[] } {
  const state = new CatalogState(new Uint8Array(16), nowMs)
  let requestNumber = 0
  const setup = new OpenBatch(new ByteWriter())
  const add = <A, R>(batch: OpenBatch, command: Command<A, R>, args: A): void => {
    batch.add(pendingCommand(clientId, ++requestNumber, command, args))
  }
  add(setup, openSession, undefined)
  for (let index = 0; index < tableCount; index++) {
    add(setup, createTable, { tableUuid: systemRandom.bytes(16), definition: definition(index) })
    add(setup, claimSourcePartitions, { tableId: index + 1, partitions: allPartitions })
  }
  const grants = Math.ceil((commits * filesPerCommit) / namesPerGrantMax)
  for (let index = 0; index < grants; index++) {
    add(setup, grantNames, { purpose: 'data-file', count: namesPerGrantMax, ttlMs: 3600_000, tableId: undefined })
  }
  apply(state, setup)
  let name = 0
  const sequence = new CommitSequence(filesPerCommit, () => {
    const at = name++
    return { grantId: 1 + Math.floor(at / namesPerGrantMax), nameIndex: at % namesPerGrantMax }
  })
  const batches: OpenBatch[] = []
  for (let done = 0; done < commits; ) {
    const batch = new OpenBatch(new ByteWriter(commitsPerBatch * 300))
    for (let index = 0; index < commitsPerBatch && done < commits; index++, done++) {
      add(batch, commitTableFiles, sequence.make())
    }
    batches.push(batch)
  }
  return { state, batches }
}

const out = new ByteWriter(1 << 20)
const answers = new BatchAnswers()

function apply(state: CatalogState, { clientIds, commandCount, body }: OpenBatch): void {
  out.reset()
  applyBatch(state, { nowMs, clientIds, commandCount, bytes: body.view() }, out, answers)
}

function countFiles(state: CatalogState): number {
  let files = 0
  for (const table of state.tables.all()) files += table.files.length
  return files
}

/** Per second of wall clock, and per second that this process had a processor: the same on a machine that is otherwise idle. */
interface Rate {
  readonly perSecond: number
  readonly perCpuSecond: number
}

function startRate(): (count: number) => Rate {
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  return count => {
    const { user, system } = process.cpuUsage(startedCpu)
    return {
      perSecond: Math.round((count * 1000) / (performance.now() - startedMs)),
      perCpuSecond: Math.round((count * 1_000_000) / (user + system)),
    }
  }
}

function measureStateMachine(commits: number, filesPerCommit: number): { rate: Rate; state: CatalogState } {
  const { state, batches } = prepare(commits, filesPerCommit)
  collectGarbage()
  const stop = startRate()
  for (const batch of batches) apply(state, batch)
  const rate = stop(commits)
  if (countFiles(state) !== commits * filesPerCommit) throw new Error('some commits were refused')
  return { rate, state }
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  globalThis.gc()
}

function memoryBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

// ── (b) through the journal ──────────────────────────────────────────────────────────────────────────────────────────

async function openBench(store: ObjectStore, journal?: Journal): Promise<Catalog> {
  const parts = { store, clock: systemClock, random: systemRandom, log: silentLog }
  return openCatalog(journal === undefined ? parts : { ...parts, journal })
}

async function createTables({ client }: Catalog): Promise<void> {
  for (let index = 0; index < tableCount; index++) {
    await client.createTable(definition(index))
    await client.claimSourcePartitions(index + 1, allPartitions)
  }
}

/** One command after the other: each is an entry of its own. */
async function measureAppends({ client }: Catalog): Promise<{ appendMsP50: number; appendMsP99: number }> {
  const latencies: number[] = []
  for (let index = 0; index < 1_100; index++) {
    const started = performance.now()
    await client.allocateProducerIds(1)
    if (index >= 100) latencies.push(performance.now() - started)
  }
  return { appendMsP50: quantile(latencies, 0.5), appendMsP99: quantile(latencies, 0.99) }
}

/** Sorts. */
function quantile(latencies: number[], part: number): number {
  latencies.sort((left, right) => left - right)
  return Number(latencies[Math.floor((latencies.length - 1) * part)]!.toFixed(1))
}

async function measureJournal(
  client: CatalogClient,
  commits: number,
  callers: number,
): Promise<{ commits: Rate; latencyMsP50: number; latencyMsP99: number }> {
  const grantIds: number[] = []
  for (let granted = 0; granted < commits; granted += namesPerGrantMax) {
    grantIds.push((await client.grantNames('data-file', namesPerGrantMax, 3600_000)).grantId)
  }
  let name = 0
  const sequence = new CommitSequence(1, () => {
    const at = name++
    return { grantId: grantIds[Math.floor(at / namesPerGrantMax)]!, nameIndex: at % namesPerGrantMax }
  })
  const latencies: number[] = []
  let left = commits
  const call = async (account: number): Promise<void> => {
    for (;;) {
      if (left-- <= 0) return
      const sample = left % 64 === 0
      const started = sample ? performance.now() : 0
      const { outcome } = await client.commitTableFiles(sequence.make(account))
      if (outcome !== 'committed') throw new Error(`a commit was refused: ${outcome}`)
      if (sample) latencies.push(performance.now() - started)
    }
  }
  const stop = startRate()
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
  const rate = stop(commits)
  return { commits: rate, latencyMsP50: quantile(latencies, 0.5), latencyMsP99: quantile(latencies, 0.99) }
}

async function main(): Promise<void> {
  // One round to warm up, then measured ones; all are shown, so that a slow period of the machine can be told.
  measureStateMachine(50_000, 1)
  const single = [1, 2, 3].map(() => measureStateMachine(300_000, 1).rate)
  const eight = [1, 2, 3].map(() => measureStateMachine(40_000, 8).rate)

  collectGarbage()
  const memoryBefore = memoryBytes()
  const { state } = measureStateMachine(fileCount, 1)
  collectGarbage()
  const bytesPerFile = Math.round((memoryBytes() - memoryBefore) / fileCount)
  const pauses: number[] = []
  let snapshotBytes = 0
  for (let round = 0; round < 3; round++) {
    const started = performance.now()
    const position = { epoch: 1, sequence: 1, crc: 0, writerId: clientId, leaderAddress: '', journal: journalInStore }
    snapshotBytes = captureSnapshot(state, position).bytes
    pauses.push(Number((performance.now() - started).toFixed(1)))
  }

  const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-catalog-'))
  try {
    const store = await openDirectoryStore(directory, {
      clock: systemClock,
      fileSystem: nodeFileSystem,
      random: systemRandom,
    })
    const catalog = await openBench(store)
    await createTables(catalog)
    const callers = tableCount * partitionsPerTable
    const journal = await measureJournal(catalog.client, fileCount, callers)
    const { sequence } = catalog.status()

    let started = performance.now()
    const replayed = await openBench(store)
    const replaySeconds = (performance.now() - started) / 1000
    started = performance.now()
    await replayed.takeSnapshot()
    const snapshotSeconds = (performance.now() - started) / 1000
    await replayed.close()
    started = performance.now()
    const read = await readSnapshot(store, (await listSnapshots(store)).at(-1)!)
    const snapshotReadSeconds = (performance.now() - started) / 1000
    if (read === undefined || countFiles(read.state) !== fileCount) throw new Error('recovery lost files')

    const result = {
      ...describeMachine(),
      files: fileCount,
      stateMachine: { commitsOfOneFile: single, commitsOfEightFiles: eight },
      journalOnDirectory: { callers, entries: sequence, ...journal },
      state: { memoryBytesPerFile: bytesPerFile, snapshotBytesPerFile: Math.round(snapshotBytes / fileCount) },
      snapshot: {
        capturePauseMs: pauses,
        writeSeconds: round(snapshotSeconds),
        readSeconds: round(snapshotReadSeconds),
      },
      recoverySecondsFromSnapshotAndJournal: round(replaySeconds),
    }
    await report('catalog.json', result)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function describeMachine() {
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version },
    // More than the cores: others were at work, and only the rates per processor second can be compared.
    loadAverageOneMinute: round(loadavg()[0]!),
  }
}

async function report(file: string, result: unknown): Promise<void> {
  const text = `${JSON.stringify(result, null, 2)}\n`
  process.stdout.write(text)
  const results = join(import.meta.dirname, 'results')
  await mkdir(results, { recursive: true })
  await writeFile(join(results, file), text)
}

// ── (c) journals beside each other ───────────────────────────────────────────────────────────────────────────────────

const journalPlaces = ['directory', 's3', 'postgres'] as const

/** Each journal twice, in turns, so that a slow period of the machine can be told. */
async function compareJournals(): Promise<void> {
  const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-journals-'))
  const s3 = await startS3({ dataDir: join(directory, 's3') })
  const postgres = await startPostgres(values.dir === undefined ? {} : { dataDir: join(directory, 'postgres') })
  const callers = tableCount * partitionsPerTable
  const deps = { clock: systemClock, fileSystem: nodeFileSystem, random: systemRandom }
  const openPlace = (place: string, name: string): Promise<ObjectStore> => {
    if (place !== 's3') return openDirectoryStore(join(directory, name), deps)
    const { endpoint, bucket, accessKeyId, secretAccessKey } = s3
    const credentials = { accessKeyId, secretAccessKey }
    return openStore(`s3://${bucket}/${name}?endpoint=${endpoint}&path_style=true`, deps, { credentials })
  }
  const measure = async (place: (typeof journalPlaces)[number], name: string) => {
    const store = await openPlace(place, name)
    const { url, password } = postgres
    const journalUrl = place === 'postgres' ? `${url}?table=${name}` : undefined
    const { journal, close } = await openJournal({ store, url: journalUrl, password, log: silentLog, mayCreate: true })
    const catalog = await openBench(store, journal)
    await createTables(catalog)
    const appends = await measureAppends(catalog)
    const grouped = await measureJournal(catalog.client, fileCount, callers)
    const started = performance.now()
    const replayed = await openBench(store, journal)
    const recoverySeconds = round((performance.now() - started) / 1000)
    if (replayed.state.hash() !== catalog.state.hash()) throw new Error('recovery lost something')
    await replayed.close()
    await close()
    return { ...appends, ...grouped, recoverySeconds }
  }
  try {
    const runs = []
    for (const turn of [1, 2]) {
      const run: Record<string, Awaited<ReturnType<typeof measure>>> = {}
      for (const place of journalPlaces) run[place] = await measure(place, `${place}_${turn}`)
      runs.push(run)
    }
    await report('catalog-journals.json', { ...describeMachine(), files: fileCount, callers, runs })
  } finally {
    await postgres.stop()
    await s3.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function round(seconds: number): number {
  return Number(seconds.toFixed(2))
}

if (values.journals) await compareJournals()
else await main()
