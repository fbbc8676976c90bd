/**
 * One client connection: bytes in, frames cut, requests started in order, answers written in request order.
 *
 *   socket ─> FrameSplitter ─> start handler ─> slot ─┐
 *                                            slot ─┐  │   slots are a queue in request order; the head is written as soon as it
 *                              write <─ head slot ─┴──┘   is answered, so a slow upload delays its successors and nothing else
 *
 * Invariants
 *   - Handlers are called in the order of their frames and take what order needs (a produce buffer, a group) before their first
 *     await. Before authentication is complete requests are handled one at a time.
 *   - At most `connectionRequestsMax` requests and `connectionBytesMax` request bytes are unanswered; beyond that, or when the
 *     budget of all connections is used up, or when the client does not read its answers, the socket is not read.
 *   - An answer of `undefined` (acks 0) takes no bytes. A handler that throws closes the connection: the client cannot know what
 *     became of its request, so no answer may pass for one.
 *   - When the connection ends, `signal` aborts: parked fetches and waits end and nothing is written any more.
 *   - The leases of an answer end exactly once, whatever becomes of it: given back when it was written or never will be, abandoned
 *     when writing it failed or the stream closed without a word about it.
 */
import type { Duplex } from 'node:stream'
import type { Clock, TimerHandle } from '../core/clock.ts'
import { errorMessage, isFloeError } from '../core/errors.ts'
import type { Lease } from '../core/lease.ts'
import type { Log } from '../core/log.ts'
import { decodeRequestHeader } from '../kafka/protocol/codec.ts'
import { FrameSplitter } from '../kafka/protocol/framing.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { BrokerMetrics } from './metrics.ts'
import { type BrokerOptions, brokerLimits } from './options.ts'
import type { Session } from './session.ts'

/** Buffers to write; undefined: no answer is due. `close`: write what there is, then end the connection. */
export interface Answer {
  readonly parts: readonly Uint8Array[]
  readonly close?: boolean
  /** What the parts are views of, to be given back once they are written. */
  readonly leases?: Lease
}

/** Reads, handles and encodes one request. Called in frame order. */
export type Dispatch = (frame: Uint8Array, session: Session) => Promise<Answer>

export interface ConnectionParts {
  readonly stream: Duplex
  readonly session: Session
  readonly dispatch: Dispatch
  readonly budget: ByteBudget
  readonly clock: Clock
  readonly log: Log
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
  /** Ends the session's signal: called once, when the connection is over. */
  readonly abort: () => void
}

interface Slot {
  answer: Answer | undefined
  readonly frameBytes: number
}

export class Connection {
  readonly #stream: Duplex
  readonly #parts: ConnectionParts
  readonly #splitter: FrameSplitter
  readonly #slots: Slot[] = []
  /** Of answers handed to the stream, which has not said yet what became of them. */
  readonly #leasesInWrites = new Set<Lease>()
  #bytesUnanswered = 0
  #isClosed = false
  /** No further request is taken; what was taken is answered. */
  #isDraining = false
  /** The stream is paused by us. */
  #isPaused = false
  #isWaitingForDrain = false
  #isTaking = false
  #idleTimer: TimerHandle | undefined
  #lastActiveMs: number
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers()

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#stream = parts.stream
    this.#splitter = new FrameSplitter({ frameBytesMax: parts.options.frameBytesMax })
    this.#lastActiveMs = parts.clock.monotonicMs()
  }

  /** Serves until the connection is over. Never rejects. */
  serve(): Promise<void> {
    const stream = this.#stream
    stream.on('data', (chunk: Uint8Array) => this.#onData(chunk))
    stream.on('drain', () => this.#onDrain())
    stream.on('end', () => this.#onEnd())
    stream.on('error', error => this.#onStreamError(error))
    stream.on('close', () => {
      this.#finish()
      this.#abandonWrites()
    })
    this.#watchIdle(this.#parts.options.connectionIdleMsMax)
    return this.#ended.promise
  }

  /** Takes no further requests, answers those taken (parked ones at once), then ends. */
  drain(): void {
    this.#isDraining = true
    this.#pause()
    this.#parts.abort()
    this.#endIfDrained()
  }

  /** Writes what is answered and ends, whatever else was taken. */
  end(): void {
    this.#end()
  }

  /** Ends at once. */
  destroy(): void {
    this.#stream.destroy()
    this.#finish()
  }

  // ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onData(chunk: Uint8Array): void {
    this.#parts.metrics.bytesIn += chunk.length
    this.#lastActiveMs = this.#parts.clock.monotonicMs()
    if (this.#isDraining) return
    this.#splitter.push(chunk)
    if (!this.#parts.session.isAuthenticated && this.#splitter.bufferedBytes > brokerLimits.unauthenticatedBytesMax) {
      this.#closeMalformed(new Error(`more than ${brokerLimits.unauthenticatedBytesMax} bytes before authentication`))
      return
    }
    this.#take()
  }

  /** Takes frames while there is room; otherwise the stream is paused and somebody calls again when there is. */
  #take(): void {
    if (this.#isTaking) return
    this.#isTaking = true
    try {
      while (!this.#isClosed && !this.#isDraining) {
        if (!this.#hasRoom()) {
          this.#pause()
          return
        }
        const frame = this.#splitter.next()
        if (frame === undefined) {
          this.#resume()
          return
        }
        this.#start(frame)
      }
    } catch (error) {
      this.#closeMalformed(error)
    } finally {
      this.#isTaking = false
    }
  }

  #hasRoom(): boolean {
    const { options, budget, session } = this.#parts
    if (this.#isWaitingForDrain) return false
    if (this.#slots.length === 0) return budget.hasRoom(this.#onBudget)
    if (!session.isAuthenticated) return false
    if (this.#slots.length >= options.connectionRequestsMax) return false
    if (this.#bytesUnanswered >= options.connectionBytesMax) return false
    return budget.hasRoom(this.#onBudget)
  }

  readonly #onBudget = (): void => this.#take()

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#stream.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#stream.resume()
  }

  #start(frame: Uint8Array): void {
    const slot: Slot = { answer: undefined, frameBytes: frame.length }
    this.#slots.push(slot)
    this.#bytesUnanswered += frame.length
    this.#parts.budget.take(frame.length)
    this.#parts.dispatch(frame, this.#parts.session).then(
      answer => this.#onAnswer(slot, answer),
      error => this.#onHandlerError(frame, error),
    )
  }

  // ── Answering ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #onAnswer(slot: Slot, answer: Answer): void {
    if (this.#isClosed) {
      answer.leases?.giveBack()
      return
    }
    slot.answer = answer
    if (this.#slots[0] === slot) this.#writeAnswered()
  }

  #writeAnswered(): void {
    const { metrics, budget } = this.#parts
    const stream = this.#stream
    let freed = 0
    let shouldClose = false
    stream.cork()
    while (this.#slots.length > 0 && !shouldClose) {
      const { answer, frameBytes } = this.#slots[0]!
      if (answer === undefined) break
      this.#slots.shift()
      this.#bytesUnanswered -= frameBytes
      freed += frameBytes
      const { parts, leases } = answer
      const last = parts.length - 1
      if (last < 0) leases?.giveBack()
      for (const [index, part] of parts.entries()) {
        metrics.bytesOut += part.length
        const whenWritten = index === last && leases !== undefined ? this.#giveBackLater(leases) : undefined
        if (!stream.write(part, whenWritten)) this.#isWaitingForDrain = true
      }
      shouldClose = answer.close === true
    }
    stream.uncork()
    this.#lastActiveMs = this.#parts.clock.monotonicMs()
    budget.release(freed)
    if (shouldClose) {
      this.#end()
      return
    }
    this.#endIfDrained()
    this.#take()
  }

  /** A write that failed may still be looking at the memory. */
  #giveBackLater(leases: Lease): (error?: Error | null) => void {
    this.#leasesInWrites.add(leases)
    return error => {
      if (!this.#leasesInWrites.delete(leases)) return
      if (error) leases.abandon()
      else leases.giveBack()
    }
  }

  #abandonWrites(): void {
    for (const leases of this.#leasesInWrites) leases.abandon()
    this.#leasesInWrites.clear()
  }

  #onDrain(): void {
    this.#isWaitingForDrain = false
    this.#take()
  }

  #endIfDrained(): void {
    if (this.#isDraining && this.#slots.length === 0) this.#end()
  }

  /** Closes once what was written is out; a client that does not read it is not waited for. */
  #end(): void {
    if (this.#isClosed) return
    const stream = this.#stream
    stream.end()
    stream.resume()
    const timer = this.#parts.clock.startTimer(brokerLimits.lingerMsMax, () => stream.destroy())
    stream.once('close', () => timer.cancel())
    this.#finish()
  }

  // ── Trouble and the end ────────────────────────────────────────────────────────────────────────────────────────────

  #onEnd(): void {
    // The client has stopped writing; it may still read answers to what it sent.
    this.drain()
  }

  #onStreamError(error: unknown): void {
    this.#parts.log.debug('connection lost', { peer: this.#parts.session.clientHost, reason: errorMessage(error) })
    this.#finish()
  }

  #onHandlerError(frame: Uint8Array, error: unknown): void {
    if (this.#isClosed) return
    if (isFloeError(error, 'invalid') || isFloeError(error, 'unsupported')) {
      this.#closeMalformed(error)
      return
    }
    this.#parts.log.error('request failed; the connection is closed so that the client asks again', {
      ...describeFrame(frame),
      peer: this.#parts.session.clientHost,
      reason: errorMessage(error),
    })
    this.destroy()
  }

  #closeMalformed(error: unknown): void {
    this.#parts.metrics.malformedFrames++
    this.#parts.log.warn('connection closed: the client sent what cannot be read', {
      peer: this.#parts.session.clientHost,
      reason: errorMessage(error),
    })
    this.destroy()
  }

  #watchIdle(delayMs: number): void {
    this.#idleTimer = this.#parts.clock.startTimer(delayMs, () => {
      const idleMs = this.#parts.clock.monotonicMs() - this.#lastActiveMs
      const leftMs = this.#parts.options.connectionIdleMsMax - idleMs
      if (leftMs > 0) return this.#watchIdle(leftMs)
      if (this.#slots.length > 0) return this.#watchIdle(this.#parts.options.connectionIdleMsMax)
      this.#parts.log.debug('idle connection closed', { peer: this.#parts.session.clientHost })
      this.destroy()
    })
  }

  #finish(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#idleTimer?.cancel()
    this.#parts.budget.forget(this.#onBudget)
    this.#parts.budget.release(this.#bytesUnanswered)
    this.#bytesUnanswered = 0
    for (const { answer } of this.#slots) answer?.leases?.giveBack()
    this.#slots.length = 0
    this.#parts.abort()
    this.#ended.resolve()
  }
}

function describeFrame(frame: Uint8Array): { api: string; version: number } {
  try {
    const { api, apiKey, apiVersion } = decodeRequestHeader(frame)
    return { api: api ?? String(apiKey), version: apiVersion }
  } catch {
    return { api: 'unreadable', version: -1 }
  }
}
