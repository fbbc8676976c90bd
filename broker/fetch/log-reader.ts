/**
 * Reads partitions by offset: what Fetch and the local record source share.
 *
 *   states of all partitions ─> plan (runs of each, within the budgets) ─> enough? ─> read the runs, in parallel
 *            ^                                                              │ no
 *            └──────────────── wait for appends, until the deadline <───────┘
 *
 * Invariants
 *   - Partitions are planned in request order and take from one budget; the first with records returns at least one batch.
 *   - Answers at once when any partition has an error, when the wait is 0 or over, or when `bytesMin` are there.
 *   - An object that is gone was merged or deleted meanwhile: the catalog is asked again, once.
 *   - Trouble with one object is trouble of that partition only.
 *   - A read that ends below the high watermark has what follows loaded ahead: the same reader is likely to come for it.
 */
import type { CatalogClient, PartitionState, SegmentRun } from '../../catalog/client.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage, isFloeError } from '../../core/errors.ts'
import type { Leases } from '../../core/lease.ts'
import type { Log } from '../../core/log.ts'
import type { RangeCache } from '../../storage/range-cache.ts'
import type { BrokerMetrics } from '../metrics.ts'
import { brokerLimits } from '../options.ts'
import { RunReader } from './read-run.ts'

export interface ReadPart {
  /** Undefined: the topic is not known. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly offset: bigint
  readonly bytesMax: number
}

export interface ReadOptions {
  readonly waitMsMax: number
  readonly bytesMin: number
  readonly bytesMax: number
  readonly readCommitted: boolean
  readonly signal: AbortSignal | undefined
}

export type ReadOutcome = 'none' | 'unknown-topic-or-partition' | 'offset-out-of-range' | 'storage-error'

export interface PartRead {
  readonly outcome: ReadOutcome
  /** Undefined with unknown-topic-or-partition. */
  readonly state: PartitionState | undefined
  /** Whole batches with absolute base offsets, in order; good until the leases end that the read was given. */
  readonly batches: readonly Uint8Array[]
  readonly message?: string
}

interface Plan {
  readonly outcome: ReadOutcome
  readonly state: PartitionState | undefined
  readonly runs: readonly SegmentRun[]
  readonly bytesMax: number
  readonly atLeastOne: boolean
}

const noBatches: readonly Uint8Array[] = []
/** Runs of one partition read at the same time. */
const parallelRunReads = 16

export interface LogReaderParts {
  readonly catalog: CatalogClient
  readonly cache: RangeCache
  readonly clock: Clock
  readonly log: Log
  readonly metrics: BrokerMetrics
}

export class LogReader {
  readonly #catalog: CatalogClient
  readonly #cache: RangeCache
  readonly #clock: Clock
  readonly #log: Log
  readonly #metrics: BrokerMetrics
  readonly #runs: RunReader

  constructor({ catalog, cache, clock, log, metrics }: LogReaderParts) {
    this.#catalog = catalog
    this.#cache = cache
    this.#clock = clock
    this.#log = log
    this.#metrics = metrics
    this.#runs = new RunReader(cache)
  }

  /**
   * One answer per part, in order.
   *
   * leases  gets what the batches are views of, also when the read fails
   * errors  unavailable: the catalog did not answer
   */
  async read(parts: readonly ReadPart[], options: ReadOptions, leases: Leases): Promise<readonly PartRead[]> {
    this.#metrics.fetches++
    const deadlineMs = this.#clock.monotonicMs() + options.waitMsMax
    let hasParked = false
    let isFresh = false
    for (;;) {
      // Read before looking, so that what is appended while we look ends the wait.
      const position = this.#catalog.appendPosition()
      const plans = await this.#plan(parts, options)
      if (!isFresh && plans.some((plan, index) => mayBeNews(plan, parts[index]!))) {
        // Another agent may have told the client of what has not arrived here yet.
        await this.#catalog.readBarrier()
        isFresh = true
        continue
      }
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (leftMs <= 0 || options.signal?.aborted || isEnough(plans, options.bytesMin)) {
        return this.#readPlans(parts, plans, options, leases)
      }
      if (!hasParked) this.#metrics.fetchesParked++
      hasParked = true
      await this.#catalog.waitForAppends(position, leftMs, options.signal)
    }
  }

  async #plan(parts: readonly ReadPart[], options: ReadOptions): Promise<readonly Plan[]> {
    const known = parts.filter(part => part.topicId !== undefined)
    const states = await this.#catalog.partitionStates(
      known.map(({ topicId, partition }) => ({ topicId: topicId!, partition })),
    )
    let stateIndex = 0
    let bytesLeft = options.bytesMax
    let isFirst = true
    const plans: Plan[] = []
    for (const part of parts) {
      const state = part.topicId === undefined ? undefined : states[stateIndex++]
      const outcome = checkOffset(state, part.offset)
      const bytesMax = Math.max(0, Math.min(part.bytesMax, bytesLeft))
      const hasRecords = outcome === 'none' && part.offset < readableEnd(state!, options)
      if (!hasRecords || (bytesMax === 0 && !isFirst)) {
        plans.push({ outcome, state, runs: [], bytesMax: 0, atLeastOne: false })
        continue
      }
      const runs = await this.#catalog.findRuns(part.topicId!, part.partition, part.offset, bytesMax)
      plans.push({ outcome, state, runs, bytesMax, atLeastOne: isFirst })
      if (runs.length > 0) isFirst = false
      bytesLeft -= Math.min(bytesMax, sumBytes(runs))
    }
    return plans
  }

  #readPlans(
    parts: readonly ReadPart[],
    plans: readonly Plan[],
    options: ReadOptions,
    leases: Leases,
  ): Promise<readonly PartRead[]> {
    return Promise.all(
      plans.map(async (plan, index): Promise<PartRead> => {
        if (plan.runs.length === 0) return { outcome: plan.outcome, state: plan.state, batches: noBatches }
        return this.#readPart(parts[index]!, plan, options, leases)
      }),
    )
  }

  async #readPart(part: ReadPart, plan: Plan, options: ReadOptions, leases: Leases): Promise<PartRead> {
    const state = plan.state!
    try {
      let { runs } = plan
      for (let attempt = 0; ; attempt++) {
        const read = await this.#readRuns(runs, part.offset, readableEnd(state, options), plan, leases)
        if (read !== undefined) {
          if (read.nextOffset < state.highWatermark && read.nextOffset > part.offset)
            this.#readAhead(part, read.nextOffset)
          return { outcome: 'none', state, batches: read.batches }
        }
        this.#metrics.fetchObjectsMissing++
        if (attempt >= brokerLimits.fetchMissingObjectRetriesMax) break
        runs = await this.#catalog.findRuns(part.topicId!, part.partition, part.offset, plan.bytesMax)
        // Retention may have passed the offset meanwhile.
        if (runs.length === 0 || runs[0]!.baseOffset > part.offset) return await this.#reviewState(part, state)
      }
      const message = `a segment of partition ${part.partition} that holds offset ${part.offset} is missing in the store`
      this.#log.error(message, { objectKey: runs[0]?.objectKey, partition: part.partition, offset: part.offset })
      return { outcome: 'storage-error', state, batches: noBatches, message }
    } catch (error) {
      if (isFloeError(error, 'corrupt')) this.#metrics.fetchCorruptBatches++
      const message = errorMessage(error)
      this.#log.error(`fetch failed: ${message}`, {
        topicId: part.topicId,
        partition: part.partition,
        offset: part.offset,
      })
      return { outcome: 'storage-error', state, batches: noBatches, message }
    }
  }

  /** As much as the next read of the partition would take, should it ask for as much. Returns at once; never fails. */
  #readAhead({ topicId, partition, bytesMax }: ReadPart, offset: bigint): void {
    const bytesAhead = Math.min(bytesMax, brokerLimits.readAheadBytesMax)
    this.#catalog.findRuns(topicId!, partition, offset, bytesAhead).then(
      runs => {
        for (const { objectKey, byteOffset, byteLength, objectBytes } of runs) {
          this.#cache.readAhead(objectKey, byteOffset, byteOffset + Math.min(byteLength, bytesAhead), objectBytes)
        }
      },
      // The read that needs it will meet the trouble itself.
      () => {},
    )
  }

  async #reviewState({ topicId, partition, offset }: ReadPart, before: PartitionState): Promise<PartRead> {
    const [state] = await this.#catalog.partitionStates([{ topicId: topicId!, partition }])
    return { outcome: checkOffset(state, offset), state: state ?? before, batches: noBatches }
  }

  /** Undefined: an object is missing. */
  async #readRuns(
    runs: readonly SegmentRun[],
    offset: bigint,
    limitOffset: bigint,
    plan: Plan,
    leases: Leases,
  ): Promise<{ readonly batches: readonly Uint8Array[]; readonly nextOffset: bigint } | undefined> {
    const [first, ...rest] = runs
    const batches: Uint8Array[] = []
    const { bytesMax, atLeastOne } = plan
    // Only the first run may have to be entered in the middle, and only after it is it known how much of the budget is left.
    const head = await this.#runs.lend(first!, { offset, limitOffset, bytesMax, atLeastOne }, leases)
    if (head === undefined) return undefined
    let bytesLeft = bytesMax - head.bytes
    batches.push(...head.pieces)
    let { nextOffset } = head
    if (nextOffset !== first!.endOffset) return { batches, nextOffset }
    for (let at = 0; at < rest.length && bytesLeft > 0; at += parallelRunReads) {
      const wanted = takeWhileFits(rest.slice(at, at + parallelRunReads), bytesLeft, limitOffset)
      const reads = await Promise.all(
        wanted.map(async run => {
          const whole = { offset: run.baseOffset, limitOffset, bytesMax: run.byteLength, atLeastOne: false }
          try {
            return await this.#runs.lend(run, whole, leases)
          } catch (error) {
            // A run that cannot be read ends the answer; asked for first, it says why.
            if (batches.length === 0) throw error
            return undefined
          }
        }),
      )
      for (const [index, read] of reads.entries()) {
        // What came before is still good: the client comes back for the rest.
        if (read === undefined) return { batches, nextOffset }
        batches.push(...read.pieces)
        bytesLeft -= read.bytes
        nextOffset = read.nextOffset
        if (nextOffset !== wanted[index]!.endOffset) return { batches, nextOffset }
      }
      if (wanted.length < parallelRunReads) break
    }
    return { batches, nextOffset }
  }
}

function takeWhileFits(runs: readonly SegmentRun[], bytesMax: number, limitOffset: bigint): readonly SegmentRun[] {
  let bytes = 0
  const end = runs.findIndex(run => {
    bytes += run.byteLength
    return bytes > bytesMax || run.baseOffset >= limitOffset
  })
  return end < 0 ? runs : runs.slice(0, end)
}

function readableEnd(state: PartitionState, { readCommitted }: ReadOptions): bigint {
  return readCommitted ? state.lastStableOffset : state.highWatermark
}

/** Whether what this agent knows is too little to refuse the part: a topic that is not there, or an offset beyond the end. */
function mayBeNews({ outcome, state }: Plan, { topicId, offset }: ReadPart): boolean {
  if (outcome === 'unknown-topic-or-partition') return topicId !== undefined
  return outcome === 'offset-out-of-range' && offset > state!.highWatermark
}

function checkOffset(state: PartitionState | undefined, offset: bigint): ReadOutcome {
  if (state === undefined) return 'unknown-topic-or-partition'
  return offset < state.logStartOffset || offset > state.highWatermark ? 'offset-out-of-range' : 'none'
}

function isEnough(plans: readonly Plan[], bytesMin: number): boolean {
  let bytes = 0
  for (const plan of plans) {
    if (plan.outcome !== 'none') return true
    bytes += Math.min(sumBytes(plan.runs), Math.max(plan.bytesMax, 1))
  }
  return plans.length === 0 || bytes >= bytesMin
}

function sumBytes(runs: readonly SegmentRun[]): number {
  let bytes = 0
  for (const run of runs) bytes += run.byteLength
  return bytes
}
