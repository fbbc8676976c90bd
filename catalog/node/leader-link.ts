/**
 * A follower's side of its leader: applies the entries that it is sent to the replica, carries this process's commands there, and
 * notices when the leader is silent.
 *
 * A command's answer comes after the entry that the command is in, so that whoever was answered finds its own change in the next
 * query. A link on which it comes before is ended.
 */
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage, FloeError, isFloeError } from '../../core/errors.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { decodeEntry } from '../journal/journal-entry.ts'
import type { PendingCommand } from '../pending-command.ts'
import { type ReadOnParts, readOn } from '../replica/read-on.ts'
import type { Replica } from '../replica/replica.ts'
import { isBehindTrim } from '../snapshot/snapshot-store.ts'
import type { CommandSink } from './command-session.ts'
import {
  decodePeerMessage,
  encodeBarrier,
  encodeFollow,
  hereMessage,
  MessageBatch,
  type PeerMessage,
  type SentAnswer,
} from './peer-messages.ts'

export interface LeaderLinkParts {
  /** Recognised by both sides (handshake.ts). */
  readonly connection: PeerConnection
  readonly replica: Replica
  /** Reads of it are persistent. */
  readonly reading: ReadOnParts
  readonly clock: Clock
  /** A leader that says nothing for so long is given up. */
  readonly leaderTimeoutMs: number
  /** Called once, when the replica follows: commands are welcome from then on. */
  readonly onFollowing: () => void
}

/**
 * resigned: the leader leads no more, or is gone; silent: it was not heard of for `leaderTimeoutMs`; behind: the replica must
 * start from a snapshot again; failed: the replica is not to be used any more, or the store failed.
 */
export interface LinkEnd {
  readonly why: 'resigned' | 'silent' | 'behind' | 'failed'
  readonly reason: string
  readonly error?: FloeError
  readonly lastHeardMs: number
}

interface SentTo {
  readonly command: PendingCommand
  readonly payload: Uint8Array
}

const busyRetryMs = 50

export class LeaderLink implements CommandSink {
  readonly #parts: LeaderLinkParts
  readonly #ended = Promise.withResolvers<LinkEnd>()
  #isEnded = false
  #isFollowing = false
  #isReading = false
  #lastHeardMs: number
  #watch: TimerHandle | undefined
  #nextCorrelation = 1
  /** In the order in which they were handed over. */
  readonly #commands = new Map<number, SentTo>()
  readonly #barriers = new Map<number, { resolve: (sequence: number) => void; reject: (error: FloeError) => void }>()
  readonly #outgoing: MessageBatch
  readonly #scratch = new ByteWriter(1024)

  constructor(parts: LeaderLinkParts) {
    this.#parts = parts
    this.#outgoing = new MessageBatch('commands', parts.connection)
    this.#lastHeardMs = parts.clock.monotonicMs()
  }

  /** Runs until the link ends. Never rejects. */
  run(): Promise<LinkEnd> {
    const { connection } = this.#parts
    connection.onClose(reason => this.#end({ why: 'resigned', reason }))
    connection.onMessage(message => this.#onMessage(message))
    this.#askToFollow()
    this.#watchSilence()
    return this.#ended.promise
  }

  #askToFollow(): void {
    const { epoch, sequence } = this.#parts.replica.position
    this.#parts.connection.send([encodeFollow(epoch, sequence)])
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#isEnded) return
    this.#lastHeardMs = this.#parts.clock.monotonicMs()
    try {
      this.#take(decodePeerMessage(bytes))
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(message: PeerMessage): void {
    switch (message.kind) {
      case 'entry':
        this.#applyEntry(message.bytes)
        break
      case 'answers':
        this.#settleAll(message.answers)
        break
      case 'passed': {
        const barrier = this.#barriers.get(message.correlation)
        this.#barriers.delete(message.correlation)
        barrier?.resolve(message.sequence)
        break
      }
      case 'behind':
        void this.#readJournal()
        break
      case 'alive':
        this.#parts.connection.send([hereMessage])
        this.#noteFollowing(message.sequence)
        break
      case 'resigned':
        this.#end({ why: 'resigned', reason: 'it does not lead any more' })
        break
      case 'busy':
        for (const correlation of message.correlations) this.#retryLater(correlation)
        break
      default:
        this.#end({ why: 'resigned', reason: `it sent ${message.kind}, which no leader sends` })
    }
  }

  #applyEntry(bytes: Uint8Array): void {
    const { replica, connection } = this.#parts
    const entry = decodeEntry(bytes, `from ${connection.remote}`)
    // The journal may have told of it first.
    if (entry.sequence > replica.position.sequence) replica.apply(entry, bytes.length, `from ${connection.remote}`)
    this.#noteFollowing(replica.position.sequence)
  }

  /** The replica is where the leader said it was. */
  #noteFollowing(leaderSequence: number): void {
    if (this.#isFollowing || this.#isReading || this.#parts.replica.position.sequence < leaderSequence) return
    this.#isFollowing = true
    this.#parts.onFollowing()
  }

  /** The leader does not have at hand what came since: the journal has. */
  async #readJournal(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      const { replica, reading } = this.#parts
      const before = replica.position.sequence
      const isCut = (await readOn(replica, reading)) === 'behind'
      // Nothing further lies there, and the leader is further: what is in between was trimmed.
      const isAtEnd = replica.position.sequence === before
      if (isCut || (isAtEnd && (await isBehindTrim(reading.store, before)))) {
        this.#end({ why: 'behind', reason: 'the journal was trimmed beyond the replica' })
        return
      }
      this.#isReading = false
      if (!this.#isEnded) this.#askToFollow()
    } catch (error) {
      this.#fail(error)
    }
  }

  #watchSilence(): void {
    const { clock, leaderTimeoutMs } = this.#parts
    const tickMs = leaderTimeoutMs / 4
    const startedMs = clock.monotonicMs()
    this.#watch = clock.startTimer(tickMs, () => {
      const nowMs = clock.monotonicMs()
      // This process itself was paused: what the leader said meanwhile is still to be read.
      if (nowMs - startedMs > tickMs * 2) this.#lastHeardMs = nowMs
      if (nowMs - this.#lastHeardMs < leaderTimeoutMs) this.#watchSilence()
      else this.#end({ why: 'silent', reason: `it said nothing for ${Math.round(nowMs - this.#lastHeardMs)} ms` })
    })
  }

  // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  enqueue(command: PendingCommand): void {
    if (this.#isEnded) {
      command.lost(linkLost('it is closed'), undefined)
      return
    }
    const correlation = this.#nextCorrelation
    this.#nextCorrelation = (correlation + 1) % 0x1_0000_0000
    let payload: Uint8Array
    try {
      payload = this.#encode(command)
    } catch (error) {
      command.fail(error)
      return
    }
    this.#commands.set(correlation, { command, payload })
    this.#outgoing.addCommand(correlation, command, payload)
  }

  /** errors  what `encode` throws */
  #encode(command: PendingCommand): Uint8Array {
    this.#scratch.reset()
    command.encode(this.#scratch)
    return this.#scratch.take()
  }

  #settleAll(answers: readonly SentAnswer[]): void {
    const { sequence } = this.#parts.replica.position
    for (const answer of answers) {
      if (answer.sequence > sequence) {
        const reason = `it answered a command of entry ${answer.sequence} before it sent the entry, with the replica at ${sequence}`
        this.#end({ why: 'resigned', reason })
        return
      }
      this.#settle(answer)
    }
  }

  #settle({ correlation, sequence, answer }: SentAnswer): void {
    const sent = this.#commands.get(correlation)
    this.#commands.delete(correlation)
    sent?.command.answer(new ByteReader(answer, 'answer of the catalog leader'), sequence)
  }

  /** The leader's queue is full: the command was not taken. Its key stays, and so does its place among those under way. */
  #retryLater(correlation: number): void {
    this.#parts.clock.startTimer(busyRetryMs, () => {
      const sent = this.#commands.get(correlation)
      if (sent === undefined || this.#isEnded) return
      this.#outgoing.addCommand(correlation, sent.command, sent.payload)
    })
  }

  // ── Barriers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** errors  unavailable: the link ended before the leader answered */
  readBarrier(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) return reject(linkLost('it is closed'))
      const correlation = this.#nextCorrelation
      this.#nextCorrelation = (correlation + 1) % 0x1_0000_0000
      this.#barriers.set(correlation, { resolve, reject })
      this.#parts.connection.send([encodeBarrier(correlation)])
    })
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #fail(error: unknown): void {
    const failure = isFloeError(error)
      ? error
      : new FloeError('internal', 'catalog-defect', errorMessage(error), {}, error)
    this.#end({ why: 'failed', reason: failure.message, error: failure })
  }

  /** Ends the link from this side. */
  close(reason: string): void {
    this.#end({ why: 'resigned', reason })
  }

  #end(end: Omit<LinkEnd, 'lastHeardMs'>): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#watch?.cancel()
    this.#parts.connection.close(end.reason)
    const error = linkLost(end.reason)
    const commands = [...this.#commands.values()]
    this.#commands.clear()
    for (const { command, payload } of commands) command.lost(error, payload)
    for (const { reject } of this.#barriers.values()) reject(error)
    this.#barriers.clear()
    this.#ended.resolve({ ...end, lastHeardMs: this.#lastHeardMs })
  }
}

function linkLost(reason: string): FloeError {
  return new FloeError('unavailable', 'catalog-leader-lost', `the leader of the catalog was lost: ${reason}`)
}
