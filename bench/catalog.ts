/**
 * The catalog's speed: file commits per second through the state machine alone and through the journal on a local directory, and how
 * long snapshots and recovery take at one million files. What the state of many files takes: bench/catalog-size.ts.
 *
 *   node --expose-gc bench/catalog.ts [--files 1000000] [--dir DIR]
 *   node --expose-gc bench/catalog.ts --journals [--files 1000000] [--dir DIR]     the journal in a directory, on S3, in PostgreSQL
 *
 * Prints one JSON object and writes it to bench/results/catalog.json, or catalog-journals.json. PostgreSQL and the S3
 * server (scripts/peers) keep their data beside the directory store's, with their own defaults: directory and PostgreSQL make every entry
 * durable with fsync, the S3 server does not. Every commit carries files with statistics of eight
 * columns (8-byte bounds). Commits go round 50 tables with 256 source partitions each.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openJournal } from '../bin/journal/open-journal.ts'
import type { CatalogClient } from '../catalog/client.ts'
import type { Journal } from '../catalog/journal/journal.ts'
import { namesPerGrantMax } from '../catalog/limits.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { listSnapshots, readSnapshot } from '../catalog/snapshot/snapshot-store.ts'
import { systemClock } from '../core/clock.ts'
import { nodeFileSystem } from '../core/file-system.ts'
import { silentLog } from '../core/log.ts'
import { systemRandom } from '../core/random.ts'
import { openDirectoryStore } from '../storage/directory-store.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import { startPostgres } from '../test/peers/postgres.ts'
import { startS3 } from '../test/peers/s3.ts'
import {
  allPartitions,
  CommitSequence,
  countFiles,
  liveMemoryBytes,
  partitionsPerTable,
  StateMachineLoad,
  tableCount,
  tableDefinition,
} from './catalog-load.ts'
import { describeMachine, report, round } from './report.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    dir: { type: 'string' },
    journals: { type: 'boolean', default: false },
  },
})
const fileCount = Number(values.files)

// ── (a) the state machine alone ──────────────────────────────────────────────────────────────────────────────────────

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

function measureStateMachine(commits: number, filesPerCommit: number): Rate {
  const load = new StateMachineLoad()
  const batches = [...load.fileCommits(commits, filesPerCommit)]
  liveMemoryBytes()
  const stop = startRate()
  for (const batch of batches) load.apply(batch)
  const rate = stop(commits)
  if (countFiles(load.state) !== commits * filesPerCommit) throw new Error('some commits were refused')
  return rate
}

// ── (b) through the journal ──────────────────────────────────────────────────────────────────────────────────────────

const deps = { clock: systemClock, fileSystem: nodeFileSystem, random: systemRandom }
const callers = tableCount * partitionsPerTable

async function openBench(store: ObjectStore, journal?: Journal): Promise<Catalog> {
  const parts = { store, clock: systemClock, random: systemRandom, log: silentLog }
  return openCatalog(journal === undefined ? parts : { ...parts, journal })
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
function quantile(latencies: number[] | Float64Array, part: number): number {
  latencies.sort((left, right) => left - right)
  return Number(latencies[Math.floor((latencies.length - 1) * part)]!.toFixed(1))
}

/** Commits of one client, to all source partitions. */
class Committer {
  readonly #client: CatalogClient
  readonly #sequence: CommitSequence
  readonly #grantIds: number[] = []
  #next = 0

  private constructor(client: CatalogClient, filesPerCommit: number) {
    this.#client = client
    this.#sequence = new CommitSequence(filesPerCommit, () => {
      const at = this.#next++
      return { grantId: this.#grantIds[Math.floor(at / namesPerGrantMax)]!, nameIndex: at % namesPerGrantMax }
    })
  }

  static async open({ client }: Catalog, filesPerCommit = 1): Promise<Committer> {
    for (let index = 0; index < tableCount; index++) {
      await client.createTable(tableDefinition(index))
      await client.claimSourcePartitions(index + 1, allPartitions)
    }
    return new Committer(client, filesPerCommit)
  }

  async reserveNames(count: number): Promise<void> {
    while (this.#grantIds.length * namesPerGrantMax < this.#next + count) {
      this.#grantIds.push((await this.#client.grantNames('data-file', namesPerGrantMax, 3600_000)).grantId)
    }
  }

  /** `account` fixes the source partition. */
  async commit(account?: number): Promise<void> {
    const { outcome } = await this.#client.commitTableFiles(this.#sequence.make(account))
    if (outcome !== 'committed') throw new Error(`a commit was refused: ${outcome}`)
  }
}

interface JournalFigures {
  readonly commits: Rate
  readonly latencyMsP50: number
  readonly latencyMsP99: number
}

/** As fast as it goes: each caller makes its next commit when the last one was answered. */
async function measureJournal(committer: Committer, commits: number, filesPerCommit = 1): Promise<JournalFigures> {
  await committer.reserveNames(commits * filesPerCommit)
  const latencies: number[] = []
  let left = commits
  const call = async (account: number): Promise<void> => {
    for (;;) {
      if (left-- <= 0) return
      const sample = left % 64 === 0
      const started = sample ? performance.now() : 0
      await committer.commit(account)
      if (sample) latencies.push(performance.now() - started)
    }
  }
  const stop = startRate()
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
  const rate = stop(commits)
  return { commits: rate, latencyMsP50: quantile(latencies, 0.5), latencyMsP99: quantile(latencies, 0.99) }
}

/** The journal, and how long each of its appends took. */
class TimedJournal implements Journal {
  readonly identity: Journal['identity']
  readonly #journal: Journal
  #latenciesMs: number[] = []

  constructor(journal: Journal) {
    this.identity = journal.identity
    this.#journal = journal
  }

  async append(...entry: Parameters<Journal['append']>): ReturnType<Journal['append']> {
    const started = performance.now()
    const outcome = await this.#journal.append(...entry)
    this.#latenciesMs.push(performance.now() - started)
    return outcome
  }

  read(epoch: number, sequence: number): ReturnType<Journal['read']> {
    return this.#journal.read(epoch, sequence)
  }

  trim(sequence: number): Promise<void> {
    return this.#journal.trim(sequence)
  }

  /** Of the appends since the last call. */
  takeLatenciesMs(): number[] {
    const latencies = this.#latenciesMs
    this.#latenciesMs = []
    return latencies
  }
}

/**
 * Commits come at a given rate, whatever waits for an answer; latency counts from when a commit was due. Beside it what the journal's
 * appends took meanwhile, and what the store takes for a put of an entry's size when nothing else is asked of it.
 */
async function measureAtRate(
  catalog: Catalog,
  committer: Committer,
  journal: TimedJournal,
  store: ObjectStore | undefined,
  commitsPerSecond: number,
) {
  const warmUpCommits = Math.round(commitsPerSecond * warmUpSeconds)
  const commits = Math.round(commitsPerSecond * secondsAtRate) + warmUpCommits
  await committer.reserveNames(commits)
  const latencies = new Float64Array(commits)
  let answered = 0
  const allAnswered = Promise.withResolvers<void>()
  const sequenceBefore = catalog.status().sequence
  const startedMs = performance.now()
  const commitAt = async (dueMs: number): Promise<void> => {
    await committer.commit()
    latencies[answered++] = performance.now() - startedMs - dueMs
    if (answered === commits) allAnswered.resolve()
  }
  for (let submitted = 0; submitted < commits; ) {
    if (submitted < warmUpCommits) journal.takeLatenciesMs()
    const due = Math.min(commits, Math.floor(((performance.now() - startedMs) * commitsPerSecond) / 1000))
    while (submitted < due) commitAt((submitted++ * 1000) / commitsPerSecond).catch(allAnswered.reject)
    await systemClock.sleep(1)
  }
  await allAnswered.promise
  const entries = catalog.status().sequence - sequenceBefore
  const entryBytes = Math.round((commits * commandBytes) / entries)
  // In order of answers, which is that of commits.
  const measured = latencies.subarray(warmUpCommits)
  const appends = journal.takeLatenciesMs()
  return {
    commitsPerSecond,
    latencyMsP50: quantile(measured, 0.5),
    latencyMsP99: quantile(measured, 0.99),
    appendMsP50: quantile(appends, 0.5),
    appendMsP99: quantile(appends, 0.99),
    entryBytes,
    ...(store === undefined ? {} : await measurePuts(store, entryBytes)),
  }
}

/** About: with statistics of eight columns. */
const commandBytes = 280
const secondsAtRate = 10
const warmUpSeconds = 3
const putCount = 500

async function measurePuts(store: ObjectStore, bytes: number): Promise<{ putMsP50: number; putMsP99: number }> {
  const body = systemRandom.bytes(bytes)
  const latencies: number[] = []
  for (let index = 0; index < putCount; index++) {
    const started = performance.now()
    if ((await store.putIfAbsent(`puts/${index}`, body)) !== 'applied') throw new Error('a put was refused')
    latencies.push(performance.now() - started)
  }
  return { putMsP50: quantile(latencies, 0.5), putMsP99: quantile(latencies, 0.99) }
}

async function main(): Promise<void> {
  // One round to warm up, then measured ones; all are shown, so that a slow period of the machine can be told.
  measureStateMachine(50_000, 1)
  const single = [1, 2, 3].map(() => measureStateMachine(300_000, 1))
  const eight = [1, 2, 3].map(() => measureStateMachine(40_000, 8))

  const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-catalog-'))
  try {
    const store = await openDirectoryStore(join(directory, 'one'), deps)
    const catalog = await openBench(store)
    const journal = await measureJournal(await Committer.open(catalog), fileCount)
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

    const other = await openDirectoryStore(join(directory, 'eight'), deps)
    const committer = await Committer.open(await openBench(other), 8)
    const journalEight = await measureJournal(committer, Math.ceil(fileCount / 8), 8)

    const result = {
      ...describeMachine(),
      files: fileCount,
      stateMachine: { commitsOfOneFile: single, commitsOfEightFiles: eight },
      journalOnDirectory: { callers, entries: sequence, commitsOfOneFile: journal, commitsOfEightFiles: journalEight },
      snapshot: {
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

// ── (c) journals beside each other ───────────────────────────────────────────────────────────────────────────────────

const journalPlaces = ['directory', 's3', 'postgres'] as const

/** Each journal twice, in turns, so that a slow period of the machine can be told. */
async function compareJournals(): Promise<void> {
  const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-journals-'))
  const s3 = await startS3({ dataDir: join(directory, 's3') })
  const postgres = await startPostgres(values.dir === undefined ? {} : { dataDir: join(directory, 'postgres') })
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
    const opened = await openJournal({ store, url: journalUrl, password, log: silentLog, mayCreate: true })
    const journal = new TimedJournal(opened.journal)
    const catalog = await openBench(store, journal)
    const committer = await Committer.open(catalog)
    const appends = await measureAppends(catalog)
    const grouped = await measureJournal(committer, fileCount)
    // A put is what the journal in a store waits for.
    const putStore = place === 'postgres' ? undefined : store
    const rate = Math.round(grouped.commits.perSecond / 2)
    const halfLoad = await measureAtRate(catalog, committer, journal, putStore, rate)
    const started = performance.now()
    const replayed = await openBench(store, journal)
    const recoverySeconds = round((performance.now() - started) / 1000)
    if (replayed.state.hash() !== catalog.state.hash()) throw new Error('recovery lost something')
    await replayed.close()
    await opened.close()
    return { ...appends, ...grouped, halfLoad, recoverySeconds }
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

if (values.journals) await compareJournals()
else await main()
