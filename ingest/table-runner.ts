/**
 * Keeps one table fed: waits for its topic, claims this worker's share of the source partitions, shares them out to lanes, watches the
 * topic for new partitions and for its being deleted or created again, and the other workers for their coming and going, and starts
 * over from the catalog's account after any trouble.
 *
 * One table's trouble is its own: it shows in the status, is logged once per change, and is retried with backoff.
 */
import type { CatalogClient, SourceCoverage, Table } from '../catalog/client.ts'
import type { Membership } from '../catalog/node/membership.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { RecordSource, SourceTopic } from '../kafka/record-source.ts'
import { assignPartitions } from './assignment.ts'
import { beginAtLatest } from './begin-at-latest.ts'
import type { FilePutter } from './file-putter.ts'
import type { TableIngestConfig } from './table-config.ts'
import { type LaneEnd, TableLane } from './table-lane.ts'
import { TableProgress } from './table-progress.ts'
import type { AsyncTableFileBuilder } from './worker/builder-pool.ts'

export interface TableRunnerParts {
  readonly table: Table
  readonly config: TableIngestConfig
  readonly catalog: CatalogClient
  /** Workers share the partitions of every table (assignment.ts). */
  readonly membership: Membership
  readonly source: RecordSource
  readonly putter: FilePutter
  readonly openBuilder: () => AsyncTableFileBuilder
  /** Lanes share the source partitions; each builds on a worker of its own. */
  readonly lanesMax: number
  readonly clock: Clock
  readonly log: Log
  readonly onCommitted: () => void
}

const topicCheckMs = 2_000
const workersCheckMs = 250
/** How long a share must have stayed the same before it is claimed from others, who commit what they have read meanwhile. */
const settleMs = 1_000
const retryDelayMsFirst = 200
const retryDelayMsMax = 10_000

export class TableRunner {
  readonly #parts: TableRunnerParts
  readonly progress = new TableProgress()
  readonly #closing = new AbortController()
  #done: Promise<void> = Promise.resolve()
  /** The topic was not there: all its records are younger than the table. */
  #wasThereFirst = false

  constructor(parts: TableRunnerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#done = this.#run()
  }

  /** Commits what was read and ends. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    let delayMs = retryDelayMsFirst
    const pause = async (): Promise<void> => {
      await clock.sleep(delayMs, this.#closing.signal)
      delayMs = Math.min(delayMs * 2, retryDelayMsMax)
    }
    while (!this.#closing.signal.aborted) {
      const startedMs = clock.monotonicMs()
      try {
        const end = await this.#runOnce()
        // Another start costs a command; one that ends at once would be made again and again.
        if (end.kind !== 'restart' || clock.monotonicMs() - startedMs > retryDelayMsMax) delayMs = retryDelayMsFirst
        if (end.kind === 'stop') await this.#stop(end.reason)
        if (end.kind === 'restart') {
          this.#note('restarting', end.reason)
          await pause()
        }
      } catch (error) {
        this.#note('failing', errorMessage(error))
        await pause()
      }
    }
    log.debug('table closed', { table: this.#parts.config.definition.name })
  }

  async #runOnce(): Promise<LaneEnd> {
    const { config, source, catalog, table } = this.#parts
    const { topic } = config.definition.source
    const described = await source.describeTopic(topic)
    if (described === undefined) {
      this.#wasThereFirst = true
      const { clusterName } = config.definition.source
      this.#note('waiting', `topic ${topic} does not exist in cluster ${clusterName}; waiting for it`)
      await this.#parts.clock.sleep(topicCheckMs, this.#closing.signal)
      return { kind: 'drained' }
    }
    const partitions = await this.#settledShare(described.partitionCount)
    if (partitions === undefined) return { kind: 'drained' }
    if (partitions.length === 0) {
      this.#note('waiting', 'other workers read its source partitions')
      return this.#watch(described, partitions, this.#closing.signal)
    }
    const accounts = await catalog.claimSourcePartitions(table.tableId, partitions)
    if (accounts === 'unknown-table') return { kind: 'stop', reason: 'the table was dropped' }
    const begun =
      config.startOffset === 'latest' && !this.#wasThereFirst
        ? await beginAtLatest(catalog, source, table.tableId, topic, described, accounts)
        : accounts
    if (begun === undefined) return { kind: 'restart', reason: 'another worker claimed its partitions' }
    this.progress.begin(begun)
    this.#note('running', undefined)
    return this.#runLanes(described, partitions, begun)
  }

  /** This worker's source partitions. */
  async #share(partitionCount: number): Promise<number[]> {
    const { table, membership } = this.#parts
    const workers = (await membership.withRole('ingest')).map(({ nodeId }) => nodeId)
    const own = membership.own.nodeId
    return workers.includes(own) ? assignPartitions(table.tableUuid, partitionCount, workers, own) : []
  }

  /** The share once it has stayed the same for a while; at once for who is alone. Undefined: the table is being closed. */
  async #settledShare(partitionCount: number): Promise<number[] | undefined> {
    const { clock, membership } = this.#parts
    let share = await this.#share(partitionCount)
    if (share.length === partitionCount && (await membership.withRole('ingest')).length === 1) return share
    for (let sinceMs = clock.monotonicMs(); clock.monotonicMs() - sinceMs < settleMs; ) {
      await clock.sleep(workersCheckMs, this.#closing.signal)
      if (this.#closing.signal.aborted) return undefined
      const now = await this.#share(partitionCount)
      if (!isSameShare(now, share)) sinceMs = clock.monotonicMs()
      share = now
    }
    return share
  }

  async #runLanes(
    described: SourceTopic,
    partitions: readonly number[],
    accounts: readonly SourceCoverage[],
  ): Promise<LaneEnd> {
    const ending = new AbortController()
    const signal = AbortSignal.any([ending.signal, this.#closing.signal])
    const runs = shareOut(accounts, this.#parts.lanesMax).map(share =>
      this.#openLane(described, share)
        .run(signal)
        .finally(() => ending.abort()),
    )
    const watch = this.#watch(described, partitions, signal).finally(() => ending.abort())
    const results = await Promise.allSettled([...runs, watch])
    const ends: LaneEnd[] = []
    for (const result of results) {
      if (result.status === 'fulfilled') ends.push(result.value)
    }
    const stop = ends.find(end => end.kind === 'stop')
    if (stop !== undefined) return stop
    const failure = results.find(result => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
    return ends.find(end => end.kind === 'restart') ?? { kind: 'drained' }
  }

  #openLane(described: SourceTopic, accounts: readonly SourceCoverage[]): TableLane {
    const { table, config, catalog, source, putter, openBuilder, clock, log, onCommitted } = this.#parts
    return new TableLane({
      tableId: table.tableId,
      config,
      topicId: described.topicId,
      accounts,
      catalog,
      source,
      putter,
      builder: openBuilder(),
      clock,
      log,
      progress: this.progress,
      onCommitted,
    })
  }

  /** Ends when the topic, or this worker's share of it, is not what the lanes began with. */
  async #watch(described: SourceTopic, partitions: readonly number[], signal: AbortSignal): Promise<LaneEnd> {
    const { clock, source, config } = this.#parts
    const { topic } = config.definition.source
    let topicDueMs = clock.monotonicMs() + topicCheckMs
    for (;;) {
      await clock.sleep(workersCheckMs, signal)
      if (signal.aborted) return { kind: 'drained' }
      if (!isSameShare(await this.#share(described.partitionCount), partitions)) {
        return { kind: 'restart', reason: 'its source partitions are shared out anew' }
      }
      if (clock.monotonicMs() < topicDueMs) continue
      topicDueMs = clock.monotonicMs() + topicCheckMs
      const now = await source.describeTopic(topic)
      if (now?.topicId !== described.topicId) return { kind: 'restart', reason: `topic ${topic} was deleted` }
      if (now?.partitionCount !== described.partitionCount) {
        return { kind: 'restart', reason: `topic ${topic} now has ${now?.partitionCount} partitions` }
      }
    }
  }

  /** Marks the table stopped and waits until somebody sets it running again. */
  async #stop(reason: string): Promise<void> {
    const { catalog, table, clock } = this.#parts
    this.#note('stopped', reason)
    await catalog.setTableState(table.tableId, 'stopped', reason)
    while (!this.#closing.signal.aborted) {
      await clock.sleep(topicCheckMs, this.#closing.signal)
      const now = await catalog.tableById(table.tableId)
      if (now?.state === 'running') return
    }
  }

  /** Logs a change of state once, not every time it is tried. */
  #note(state: TableProgress['state'], reason: string | undefined): void {
    const { log, config } = this.#parts
    const fields = { table: config.definition.name, reason }
    if (this.progress.enter(state, reason)) {
      if (state === 'stopped') log.error('table stopped', fields)
      else if (state === 'failing') log.warn('table ingestion failed; trying again', fields)
      else log.info(`table ${state}`, fields)
    }
  }
}

/** Both in ascending order. */
function isSameShare(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((partition, index) => partition === right[index])
}

/** Splits into at most `sharesMax` shares of nearly the same size, round robin. */
function shareOut<T>(items: readonly T[], sharesMax: number): T[][] {
  const shares: T[][] = Array.from({ length: Math.min(sharesMax, items.length) }, () => [])
  for (const [index, item] of items.entries()) shares[index % shares.length]!.push(item)
  return shares
}
