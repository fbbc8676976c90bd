/**
 * The leader's side of its followers: sends every journal entry once it is durable, takes commands, answers barriers, and says
 * that it is alive.
 *
 * Entries of the near past are kept, so that a follower that has just read the store to its end finds what came since. Who fell
 * further behind, or does not take what is sent, reads the store: the leader never waits for a follower.
 */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { equalBytes } from '../journal/journal-entry.ts'
import type { Leader } from '../leader.ts'
import type { PendingCommand } from '../pending-command.ts'
import {
  behindMessage,
  decodePeerMessage,
  encodeAlive,
  encodePassed,
  entryHeader,
  MessageBatch,
  type PeerMessage,
  resignedMessage,
  type SentCommand,
} from './peer-messages.ts'

export interface FollowerFeedOptions {
  /** Entries kept for followers that come. */
  readonly recentBytesMax: number
  readonly recentCountMax: number
  /** A follower that leaves so much untaken is dropped. */
  readonly unsentBytesMax: number
  /** How often followers hear of the leader at least. */
  readonly aliveIntervalMs: number
  readonly followersMax: number
}

export const followerFeedDefaults: FollowerFeedOptions = {
  recentBytesMax: 32 * 1024 * 1024,
  recentCountMax: 16_384,
  unsentBytesMax: 64 * 1024 * 1024,
  aliveIntervalMs: 500,
  followersMax: 1_000,
}

const clientIdsKept = 1_024
/** No replica is so far. */
const unreachedSequence = Number.MAX_SAFE_INTEGER

interface RecentEntry {
  readonly sequence: number
  readonly bytes: Uint8Array
}

export class FollowerFeed {
  readonly #leader: Leader
  readonly #clock: Clock
  readonly #log: Log
  readonly #options: FollowerFeedOptions
  readonly #followers = new Set<Follower>()
  /** Oldest first, from `#recentFrom` on; kept from the moment on that anybody asked to follow. */
  #recent: RecentEntry[] = []
  #recentFrom = 0
  #recentBytes = 0
  #isRecording = false
  #timer: TimerHandle | undefined
  #ended = false

  constructor(leader: Leader, clock: Clock, log: Log, options: FollowerFeedOptions) {
    this.#leader = leader
    this.#clock = clock
    this.#log = log
    this.#options = options
  }

  get followerCount(): number {
    return this.#followers.size
  }

  /** When a process was heard of last, by the monotonic clock; undefined when it is not connected. */
  lastHeardMs(instanceId: Uint8Array): number | undefined {
    let lastMs: number | undefined
    for (const follower of this.#followers) {
      if (equalBytes(follower.instanceId, instanceId)) lastMs = Math.max(lastMs ?? 0, follower.lastHeardMs)
    }
    return lastMs
  }

  /** Serves one follower that was recognised, until either side ends it. */
  serve(connection: PeerConnection, instanceId: Uint8Array): void {
    if (this.#ended || this.#followers.size >= this.#options.followersMax) {
      connection.send([resignedMessage])
      connection.close(this.#ended ? 'not leading' : 'too many followers')
      return
    }
    const follower = new Follower(connection, instanceId, this.#leader, this.#clock.monotonicMs())
    this.#followers.add(follower)
    connection.onClose(() => this.#followers.delete(follower))
    connection.onMessage(message => this.#onMessage(follower, message))
    this.#beat()
  }

  #onMessage(follower: Follower, bytes: Uint8Array): void {
    follower.lastHeardMs = this.#clock.monotonicMs()
    try {
      this.#take(follower, decodePeerMessage(bytes))
    } catch (error) {
      if (!isFloeError(error, 'corrupt')) throw error
      this.#log.warn('a message of a catalog peer cannot be read', {
        peer: follower.connection.remote,
        problem: errorMessage(error),
      })
      follower.connection.close('malformed message')
    }
  }

  #take(follower: Follower, message: PeerMessage): void {
    switch (message.kind) {
      case 'follow':
        this.#follow(follower, message.epoch, message.sequence)
        break
      case 'commands':
        for (const command of message.commands) follower.enqueue(command)
        break
      case 'here':
        break
      case 'barrier':
        this.#leader.readBarrier().then(
          sequence => follower.connection.send([encodePassed(message.correlation, sequence)]),
          // A follower that hears nothing asks whoever leads next.
          () => {},
        )
        break
      default:
        follower.connection.close(`unexpected message ${message.kind}`)
    }
  }

  /** Sends what came after (epoch, sequence), if it is at hand, and whatever comes from now on. */
  #follow(follower: Follower, epoch: number, sequence: number): void {
    this.#isRecording = true
    const { position } = this.#leader.replica
    const first = this.#recent[this.#recentFrom]?.sequence ?? position.sequence + 1
    if (epoch !== position.epoch || sequence < first - 1) {
      follower.connection.send([behindMessage])
      return
    }
    for (let index = this.#recentFrom; index < this.#recent.length; index++) {
      const entry = this.#recent[index]!
      if (entry.sequence > sequence) follower.connection.send([entryHeader, entry.bytes])
    }
    follower.isFollowing = true
    follower.connection.send([encodeAlive(position.sequence)])
  }

  /** After an entry was made durable and applied, before its commands are answered. */
  onEntry(parts: readonly Uint8Array[]): void {
    if (!this.#isRecording) return
    const bytes = Buffer.concat(parts)
    this.#remember({ sequence: this.#leader.replica.position.sequence, bytes })
    const { unsentBytesMax } = this.#options
    for (const follower of this.#followers) {
      if (!follower.isFollowing) continue
      if (follower.connection.bufferedBytes > unsentBytesMax) {
        this.#log.warn('a follower of the catalog does not keep up and is dropped', {
          peer: follower.connection.remote,
        })
        follower.connection.close('it does not keep up')
      } else follower.connection.send([entryHeader, bytes])
    }
  }

  #remember(entry: RecentEntry): void {
    const { recentBytesMax, recentCountMax } = this.#options
    this.#recent.push(entry)
    this.#recentBytes += entry.bytes.length
    while (this.#recentBytes > recentBytesMax || this.#recent.length - this.#recentFrom > recentCountMax) {
      this.#recentBytes -= this.#recent[this.#recentFrom++]!.bytes.length
    }
    // In bulk, so that what stays is not moved with every entry.
    if (this.#recentFrom <= recentCountMax / 2) return
    this.#recent = this.#recent.slice(this.#recentFrom)
    this.#recentFrom = 0
  }

  /** Says that this process leads, unless it cannot know: its own entry has been on its way for too long. */
  #beat(): void {
    if (this.#timer !== undefined || this.#ended) return
    this.#timer = this.#clock.startTimer(this.#options.aliveIntervalMs, () => {
      this.#timer = undefined
      if (this.#ended || this.#followers.size === 0) return
      if (this.#leader.writingForMs() < this.#options.aliveIntervalMs * 4) {
        const message = [encodeAlive(this.#leader.replica.position.sequence)]
        // Who gets no entries yet must not take it for the answer to its wish to follow.
        const otherMessage = [encodeAlive(unreachedSequence)]
        for (const { connection, isFollowing } of this.#followers) connection.send(isFollowing ? message : otherMessage)
      }
      this.#beat()
    })
  }

  /** This process leads no more. Followers look for the next leader at once. */
  end(reason: string): void {
    this.#ended = true
    this.#timer?.cancel()
    for (const { connection } of [...this.#followers]) {
      connection.send([resignedMessage])
      connection.close(reason)
    }
    this.#recent = []
  }
}

/** One follower: its commands on their way to the leader's queue and back. */
class Follower {
  readonly connection: PeerConnection
  readonly instanceId: Uint8Array
  readonly #leader: Leader
  lastHeardMs: number
  readonly #answers: MessageBatch
  readonly #busy: MessageBatch
  /** Whether it gets entries. */
  isFollowing = false
  /** The same bytes for the same client, whichever message named it. */
  readonly #clientIds = new Map<string, Uint8Array>()

  constructor(connection: PeerConnection, instanceId: Uint8Array, leader: Leader, nowMs: number) {
    this.connection = connection
    this.#answers = new MessageBatch('answers', connection)
    this.#busy = new MessageBatch('busy', connection)
    this.instanceId = instanceId
    this.#leader = leader
    this.lastHeardMs = nowMs
  }

  enqueue(sent: SentCommand): void {
    // It may not get into the journal: nobody could apply it.
    if (sent.requestNumber === 0) {
      this.connection.close('a command without a request number')
      return
    }
    const name = this.#leader.replica.commands.find(sent.commandId)?.name ?? `command ${sent.commandId}`
    const known = { ...sent, clientId: this.#knownClientId(sent.clientId) }
    this.#leader.enqueue(new ForwardedCommand(this, known, name))
  }

  #knownClientId(clientId: Uint8Array): Uint8Array {
    const text = Buffer.from(clientId.buffer, clientId.byteOffset, clientId.length).toString('latin1')
    let known = this.#clientIds.get(text)
    if (known === undefined) {
      if (this.#clientIds.size >= clientIdsKept) this.#clientIds.clear()
      known = clientId.slice()
      this.#clientIds.set(text, known)
    }
    return known
  }

  answer(correlation: number, sequence: number, reader: ByteReader): void {
    this.#answers.addAnswer(correlation, sequence, reader.bytes.subarray(reader.offset, reader.end))
  }

  /** It was not taken: its sender tries again. */
  refuse(correlation: number): void {
    this.#busy.addCorrelation(correlation)
  }
}

class ForwardedCommand implements PendingCommand {
  readonly #follower: Follower
  readonly #sent: SentCommand
  readonly commandName: string

  constructor(follower: Follower, sent: SentCommand, commandName: string) {
    this.#follower = follower
    this.#sent = sent
    this.commandName = commandName
  }

  get clientId(): Uint8Array {
    return this.#sent.clientId
  }
  get requestNumber(): number {
    return this.#sent.requestNumber
  }
  get commandId(): number {
    return this.#sent.commandId
  }
  encode(body: ByteWriter): void {
    body.raw(this.#sent.payload)
  }
  answer(reader: ByteReader, sequence: number): void {
    this.#follower.answer(this.#sent.correlation, sequence, reader)
  }
  /** The connection ends with the leadership; its sender submits it again elsewhere. */
  lost(): void {}
  fail(): void {
    this.#follower.refuse(this.#sent.correlation)
  }
}
