/**
 * Gathers batches of all producers and makes segments of them.
 *
 *   add ─> open buffer ──due or full──> sealed ──upload slot free──> put (in parallel) ──in flush order──> commit ─> answer
 *
 * A buffer is due when the interval has passed since the last one was sealed. The first batch after a pause therefore goes at once,
 * and a steady stream makes one object per interval: the interval bounds requests, not latency. It also keeps a client that waits
 * for answers from falling into step with the flushes, all its requests on their way or none. While all upload slots are taken,
 * a buffer that is due waits for the next one: a slow store gets larger segments, not a queue of small ones.
 *
 * Invariants
 *   - Segments are committed in the order they were sealed, whatever order their puts end in: what one producer sent later is
 *     never sequenced earlier. The commit of one need not be answered before the next is handed to the catalog, which keeps order.
 *   - A put that failed or whose outcome is unknown is never reused or deleted: the same bytes go under a new name. What was
 *     granted and never committed is collected by the catalog's books.
 *   - When a segment fails for good, its batches are answered `unavailable` and later segments go on: idempotent producers get
 *     OUT_OF_ORDER_SEQUENCE_NUMBER for what followed, at sequencing.
 *   - Batch bytes are views of request frames, which are given back as soon as the segment is built: the batches of one request are
 *     always in one segment. Connections count frames until they are answered, and stop reading.
 */
import type { CatalogClient, CommitSegmentResult, SegmentBatchResult } from '../../catalog/client.ts'
import { type GrantedName, NamePool, type NamePoolOptions } from '../../catalog/name-pool.ts'
import { segmentKey } from '../../catalog/object-names.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { releaseMemory } from '../../core/release-memory.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { RangeCache } from '../../storage/range-cache.ts'
import type { BrokerMetrics } from '../metrics.ts'
import { type BrokerOptions, brokerLimits } from '../options.ts'
import { buildSegment, orderEntries, type SegmentEntry } from './segment.ts'

/** One batch on its way. */
export interface PendingBatch extends SegmentEntry {
  /** Of `bytes`, which are gone once they are in a segment. */
  readonly byteLength: number
  readonly offsetCount: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Called exactly once. */
  readonly settle: (result: BatchResult) => void
}

export type BatchResult =
  | {
      readonly outcome: 'appended' | 'duplicate'
      readonly baseOffset: bigint
      readonly logStartOffset: bigint
      /** -1 unless the topic stamps records at append. */
      readonly appendTimeMs: number
    }
  | { readonly outcome: Exclude<SegmentBatchResult['outcome'], 'appended' | 'duplicate'> }
  /** The store or the catalog did not do it, or did not say: retrying is right. */
  | { readonly outcome: 'unavailable'; readonly message: string }

export interface FlushBufferParts {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  readonly cache: RangeCache
  readonly clock: Clock
  readonly log: Log
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
}

const segmentNames: NamePoolOptions = {
  purpose: 'segment',
  namesPerGrant: brokerLimits.segmentNamesPerGrant,
  refillAt: brokerLimits.segmentNamesRefillAt,
  grantTtlMs: brokerLimits.segmentNameTtlMs,
  remainingMsMin: 60_000,
}

interface OpenSegment {
  readonly batches: PendingBatch[]
  readonly frames: Uint8Array[]
}

interface Segment {
  readonly entries: readonly PendingBatch[]
  readonly bytes: Buffer
  /** A put that failed may still be looking at the bytes. */
  hasFailedPuts: boolean
  readonly appendTimeMs: number
}

export class FlushBuffer {
  readonly #parts: FlushBufferParts
  readonly #names: NamePool
  #open: OpenSegment = { batches: [], frames: [] }
  #openBytes = 0
  #timer: TimerHandle | undefined
  #lastSealedMs = Number.NEGATIVE_INFINITY
  readonly #sealed: OpenSegment[] = []
  #uploadsInFlight = 0
  /** Ends when the last segment begun was handed to the catalog. */
  #commitTail: Promise<void> = Promise.resolve()
  readonly #running: Set<Promise<void>> = new Set()

  constructor(parts: FlushBufferParts) {
    this.#parts = parts
    this.#names = new NamePool(parts.catalog, parts.clock, segmentNames)
  }

  /**
   * Takes the batches of one request, in order. Returns at once; each is settled when durable or refused.
   *
   * frame  what the bytes of the batches are views of; not to be looked at afterwards
   */
  add(batches: readonly PendingBatch[], frame: Uint8Array): void {
    if (batches.length === 0) return
    this.#open.frames.push(frame)
    for (const batch of batches) {
      this.#open.batches.push(batch)
      this.#openBytes += batch.byteLength
    }
    if (this.#openBytes >= this.#parts.options.segmentBytesTarget) this.#seal()
    else this.#sealWhenDue()
  }

  #sealWhenDue(): void {
    if (this.#timer !== undefined || this.#open.batches.length === 0) return
    const { options, clock } = this.#parts
    const dueMs = this.#lastSealedMs + options.flushIntervalMs - clock.monotonicMs()
    if (dueMs > 0) {
      // Whole milliseconds: a timer that fired a fraction early would be set again.
      this.#timer = clock.startTimer(Math.ceil(dueMs), () => {
        this.#timer = undefined
        this.#sealWhenDue()
      })
    } else if (this.#sealed.length === 0 && this.#uploadsInFlight < options.uploadsInFlightMax) this.#seal()
    // Otherwise the upload that ends next comes back here.
  }

  /** Flushes what is buffered and resolves when everything under way is settled. */
  async drain(): Promise<void> {
    this.#seal()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #seal(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#lastSealedMs = this.#parts.clock.monotonicMs()
    if (this.#open.batches.length > 0) this.#sealed.push(this.#open)
    this.#open = { batches: [], frames: [] }
    this.#openBytes = 0
    this.#startUploads()
  }

  #startUploads(): void {
    while (this.#sealed.length > 0 && this.#uploadsInFlight < this.#parts.options.uploadsInFlightMax) {
      const run = this.#flush(this.#sealed.shift()!)
      this.#running.add(run)
      run.finally(() => this.#running.delete(run))
    }
  }

  /** Never rejects. */
  async #flush({ batches, frames }: OpenSegment): Promise<void> {
    const { clock, log, metrics } = this.#parts
    const startMs = clock.monotonicMs()
    this.#uploadsInFlight++
    const turn = this.#commitTail
    const handedOver = Promise.withResolvers<void>()
    this.#commitTail = handedOver.promise
    const entries = orderEntries(batches)
    try {
      const appendTimeMs = clock.nowMs()
      const segment: Segment = {
        entries,
        bytes: buildSegment(entries, appendTimeMs),
        appendTimeMs,
        hasFailedPuts: false,
      }
      for (const frame of frames) giveBack(frame)
      const name = await this.#put(segment).finally(() => {
        this.#uploadsInFlight--
        this.#startUploads()
        this.#sealWhenDue()
      })
      await turn
      await this.#commit(segment, name, handedOver.resolve)
      metrics.flushes++
      metrics.segmentBytes += segment.bytes.length
      if (!segment.hasFailedPuts) releaseMemory(segment.bytes)
      const tookMs = clock.monotonicMs() - startMs
      metrics.flushMsSum += tookMs
      metrics.flushMsLargest = Math.max(metrics.flushMsLargest, tookMs)
    } catch (error) {
      metrics.flushFailures++
      const message = errorMessage(error)
      log.error('flush failed; producers are told to retry', { reason: message, batches: entries.length })
      await turn
      for (const entry of entries) entry.settle({ outcome: 'unavailable', message })
    } finally {
      handedOver.resolve()
    }
  }

  /** Puts the segment under a granted name, a new one for every attempt. */
  async #put(segment: Segment): Promise<GrantedName> {
    const { bytes } = segment
    const { store, cache, clock, log, metrics } = this.#parts
    const { segmentPutAttemptsMax, segmentPutRetryMs } = brokerLimits
    for (let attempt = 1; ; attempt++) {
      const name = await this.#names.take()
      const key = segmentKey(name.grantId, name.nameIndex)
      try {
        await store.putOwned(key, bytes)
        // Before the commit: whoever is woken by it finds the segment here.
        cache.insert(key, bytes)
        return name
      } catch (error) {
        segment.hasFailedPuts = true
        if (attempt >= segmentPutAttemptsMax) throw error
        metrics.segmentPutRetries++
        log.warn('putting a segment failed; it is put again under a new name', {
          objectKey: key,
          attempt,
          reason: errorMessage(error),
        })
        await clock.sleep(segmentPutRetryMs * 2 ** (attempt - 1))
      }
    }
  }

  /** `handedOver` is called once the catalog has the command, in order; its answer may take longer. */
  async #commit(segment: Segment, firstName: GrantedName, handedOver: () => void): Promise<void> {
    const { catalog, log } = this.#parts
    let name = firstName
    for (let attempt = 1; ; attempt++) {
      const answer = catalog.commitSegment({
        ...name,
        segmentBytes: segment.bytes.length,
        batches: segment.entries,
      })
      handedOver()
      const result = await answer
      if (result.outcome === 'committed') {
        settleCommitted(segment, result)
        return
      }
      if (attempt >= brokerLimits.segmentPutAttemptsMax) throw new Error('the catalog refuses the names it granted')
      log.warn('a granted name ran out before its commit; the segment is put again', { grantId: name.grantId })
      name = await this.#put(segment)
    }
  }
}

/** A small frame shares the chunk it came in with others: that is left to the collector. */
function giveBack(frame: Uint8Array): void {
  if (frame.byteLength === frame.buffer.byteLength) releaseMemory(frame)
}

function settleCommitted(segment: Segment, { batches }: CommitSegmentResult & { outcome: 'committed' }): void {
  for (const [index, entry] of segment.entries.entries()) {
    const result = batches[index]!
    const appendTimeMs = entry.usesLogAppendTime ? segment.appendTimeMs : -1
    entry.settle('baseOffset' in result ? { ...result, appendTimeMs } : result)
  }
}
