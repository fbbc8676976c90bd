/**
 * The periodic job that lets go of old records and of objects nobody refers to any more.
 *
 *   topics with `delete` in cleanup.policy   log start moves over runs older than retention.ms or beyond retention.bytes
 *   objects without a reference              deleted after `garbageDelayMs`, longer than any read
 *   offsets of groups without members        deleted after `offsetsRetentionMs` (groups/expiry.ts)
 *
 * Invariants
 *   - One agent of the cluster does it for topics and objects. Should two believe that they are the one, both only do what may be
 *     done twice.
 *   - Only whole runs are let go, so the log start never cuts a batch.
 *   - An object is deleted only when the catalog says that nothing refers to it, and forgotten only after it was deleted.
 *   - A cluster where nothing is old writes nothing. Trouble with one topic does not keep the others waiting.
 */
import type { CatalogClient, SegmentRun, Topic } from '../catalog/client.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { ClusterView } from './cluster-view.ts'
import type { GroupExpiry } from './groups/expiry.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { BrokerOptions } from './options.ts'
import { measurePartition } from './partition-size.ts'
import { readTopicSettings, type TopicSettings } from './topic-configs.ts'

export interface RetentionParts {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
  readonly cluster: ClusterView
  readonly groupExpiry: GroupExpiry
}

export class Retention {
  readonly #parts: RetentionParts
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, options } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(options.retentionCheckIntervalMs, signal)
      if (!signal.aborted) await this.runOnce()
    }
  }

  /** One round over everything. Never rejects. */
  async runOnce(): Promise<void> {
    await this.#attempt('expiry of group offsets', () => this.#parts.groupExpiry.run())
    await this.#attempt('retention', () => this.#ifDesignated(() => this.#retainTopics()))
    await this.#attempt('removal of unused segments', () => this.#ifDesignated(() => this.#collectGarbage()))
  }

  async #ifDesignated(step: () => Promise<void>): Promise<void> {
    if (await this.#parts.cluster.isDesignated('maintain')) await step()
  }

  async #attempt(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.#parts.log.warn(`${what} failed and is tried again next time`, { reason: errorMessage(error) })
    }
  }

  // ── Records ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #retainTopics(): Promise<void> {
    for (const topic of await this.#parts.catalog.topics()) {
      const settings = readTopicSettings(topic.configs)
      if (!settings.deletesByAge || (settings.retentionMs < 0 && settings.retentionBytes < 0)) continue
      for (let partition = 0; partition < topic.partitionCount; partition++) {
        if (this.#stopping.signal.aborted) return
        await this.#attempt(`retention of ${topic.name}-${partition}`, () =>
          this.#retainPartition(topic, partition, settings),
        )
      }
    }
  }

  async #retainPartition(topic: Topic, partition: number, settings: TopicSettings): Promise<void> {
    const { catalog, clock, log, metrics } = this.#parts
    const { topicId } = topic
    const [state] = await catalog.partitionStates([{ topicId, partition }])
    if (state === undefined || state.logStartOffset === state.highWatermark) return
    const { retentionBytes, retentionMs } = settings
    const bytes = retentionBytes < 0 ? 0 : await measurePartition(catalog, topicId, partition)
    let bytesTooMany = retentionBytes < 0 ? 0 : bytes - retentionBytes
    const oldestMs = retentionMs < 0 ? Number.NEGATIVE_INFINITY : clock.nowMs() - retentionMs
    let logStart = state.logStartOffset
    const isOld = (run: SegmentRun): boolean => run.maxTimestampMs < oldestMs || bytesTooMany >= run.byteLength
    search: while (logStart < state.highWatermark) {
      const runs = await catalog.findRuns(topicId, partition, logStart, Number.MAX_SAFE_INTEGER)
      if (runs.length === 0) break
      for (const run of runs) {
        if (!isOld(run)) break search
        bytesTooMany -= run.byteLength
        logStart = run.endOffset
      }
    }
    if (logStart === state.logStartOffset) return
    const result = await catalog.advanceLogStart(topicId, partition, logStart)
    if (result.outcome !== 'advanced') return
    metrics.logStartsAdvanced++
    log.info('old records deleted', {
      topic: topic.name,
      partition,
      logStartOffset: result.logStartOffset,
      recordCount: result.logStartOffset - state.logStartOffset,
    })
  }

  // ── Objects ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whatever its kind: the catalog names only what nobody refers to and nobody may refer to any more. */
  async #collectGarbage(): Promise<void> {
    const { catalog, store, clock, options, log, metrics } = this.#parts
    const becameBeforeMs = clock.nowMs() - options.garbageDelayMs
    let deletedCount = 0
    while (!this.#stopping.signal.aborted) {
      const garbage = await catalog.garbageObjects(becameBeforeMs, garbagePerStep)
      if (garbage.length === 0) break
      const keys = garbage.flatMap(object => object.keys)
      for (let at = 0; at < keys.length; at += keysPerDelete) await store.delete(keys.slice(at, at + keysPerDelete))
      await catalog.forgetGarbage(garbage.map(object => object.garbageId))
      deletedCount += garbage.length
    }
    if (deletedCount === 0) return
    metrics.objectsDeleted += deletedCount
    log.info('unused objects deleted', { objectCount: deletedCount })
  }
}

/** Garbage forgotten with one command, and keys deleted with one call. */
const garbagePerStep = 1_000
const keysPerDelete = 1_000
