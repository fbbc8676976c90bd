/**
 * What the processes of one cluster say to each other about the catalog. One message is one frame of the connection; its first
 * byte is its kind. Numbers are big-endian; sized means a uvarint length before the bytes.
 *
 *   follower to leader
 *     10 follow    epoch (int53), sequence (int53): send me what comes after
 *     11 commands  several of: correlation (uint32), client id (16), request number (uvarint), command id (uint8), payload (sized)
 *     12 barrier   correlation (uint32)
 *     13 here      the answer to `alive`
 *   leader to follower
 *     20 entry     one journal entry as it lies in the store (journal/journal-entry.ts)
 *     21 answers   several of: correlation (uint32), sequence (int53), answer (sized; commands/command.ts)
 *     22 passed    correlation of a barrier (uint32), sequence (int53)
 *     23 behind    what was asked for is not at hand any more: read the store, then follow again
 *     24 alive     sequence (int53): where the leader is; 2^53 - 1 to whoever gets no entries yet
 *     25 resigned  this process does not lead, or not any longer
 *     26 busy      several of: correlation of a command that was not taken (uint32)
 *
 * Messages before these authenticate both sides (handshake.ts).
 */
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import type { PendingCommand } from '../pending-command.ts'

export const peerMessageKinds = {
  follow: 10,
  commands: 11,
  barrier: 12,
  here: 13,
  entry: 20,
  answers: 21,
  passed: 22,
  behind: 23,
  alive: 24,
  resigned: 25,
  busy: 26,
} as const

/** A message may hold a command (8 MiB), an answer (16 MiB) or an entry (4 MiB and a command), and some more. */
export const peerMessageBytesMax = 32 * 1024 * 1024

/** Commands and answers that are collected are sent at this size. */
const messageBytesTarget = 1024 * 1024

export interface SentCommand {
  readonly correlation: number
  readonly clientId: Uint8Array
  readonly requestNumber: number
  readonly commandId: number
  readonly payload: Uint8Array
}

export interface SentAnswer {
  readonly correlation: number
  readonly sequence: number
  readonly answer: Uint8Array
}

export type PeerMessage =
  | { readonly kind: 'follow'; readonly epoch: number; readonly sequence: number }
  | { readonly kind: 'commands'; readonly commands: readonly SentCommand[] }
  | { readonly kind: 'barrier'; readonly correlation: number }
  | { readonly kind: 'here' }
  | { readonly kind: 'entry'; readonly bytes: Uint8Array }
  | { readonly kind: 'answers'; readonly answers: readonly SentAnswer[] }
  | { readonly kind: 'passed'; readonly correlation: number; readonly sequence: number }
  | { readonly kind: 'behind' }
  | { readonly kind: 'alive'; readonly sequence: number }
  | { readonly kind: 'resigned' }
  | { readonly kind: 'busy'; readonly correlations: readonly number[] }

/** Views of the message. errors  corrupt: it is none of these */
export function decodePeerMessage(message: Uint8Array): PeerMessage {
  const reader = new ByteReader(message, 'message of a catalog peer')
  const decoded = decodeBody(reader)
  if (reader.remaining !== 0) throw reader.corrupt(`${reader.remaining} bytes too many`)
  return decoded
}

function decodeBody(reader: ByteReader): PeerMessage {
  const kind = reader.uint8()
  switch (kind) {
    case peerMessageKinds.follow:
      return { kind: 'follow', epoch: reader.int53(), sequence: reader.int53() }
    case peerMessageKinds.commands:
      return { kind: 'commands', commands: readAll(reader, readCommand) }
    case peerMessageKinds.barrier:
      return { kind: 'barrier', correlation: reader.uint32() }
    case peerMessageKinds.here:
      return { kind: 'here' }
    case peerMessageKinds.entry:
      return { kind: 'entry', bytes: reader.raw(reader.remaining) }
    case peerMessageKinds.answers:
      return { kind: 'answers', answers: readAll(reader, readSentAnswer) }
    case peerMessageKinds.passed:
      return { kind: 'passed', correlation: reader.uint32(), sequence: reader.int53() }
    case peerMessageKinds.behind:
      return { kind: 'behind' }
    case peerMessageKinds.alive:
      return { kind: 'alive', sequence: reader.int53() }
    case peerMessageKinds.resigned:
      return { kind: 'resigned' }
    case peerMessageKinds.busy:
      return { kind: 'busy', correlations: readAll(reader, each => each.uint32()) }
    default:
      throw reader.corrupt(`kind ${kind} is not known`)
  }
}

function readAll<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const all: T[] = []
  while (reader.remaining > 0) all.push(read(reader))
  return all
}

function readCommand(reader: ByteReader): SentCommand {
  const correlation = reader.uint32()
  const clientId = reader.raw(16)
  return {
    correlation,
    clientId,
    requestNumber: reader.uvarint(),
    commandId: reader.uint8(),
    payload: reader.sizedBytes(),
  }
}

function readSentAnswer(reader: ByteReader): SentAnswer {
  return { correlation: reader.uint32(), sequence: reader.int53(), answer: reader.sizedBytes() }
}

export function encodeFollow(epoch: number, sequence: number): Uint8Array {
  const writer = new ByteWriter(17)
  writer.uint8(peerMessageKinds.follow)
  writer.int53(epoch)
  writer.int53(sequence)
  return writer.take()
}

export function encodeBarrier(correlation: number): Uint8Array {
  const writer = new ByteWriter(5)
  writer.uint8(peerMessageKinds.barrier)
  writer.uint32(correlation)
  return writer.take()
}

export function encodePassed(correlation: number, sequence: number): Uint8Array {
  const writer = new ByteWriter(13)
  writer.uint8(peerMessageKinds.passed)
  writer.uint32(correlation)
  writer.int53(sequence)
  return writer.take()
}

export function encodeAlive(sequence: number): Uint8Array {
  const writer = new ByteWriter(9)
  writer.uint8(peerMessageKinds.alive)
  writer.int53(sequence)
  return writer.take()
}

export const hereMessage = Uint8Array.of(peerMessageKinds.here)
export const behindMessage = Uint8Array.of(peerMessageKinds.behind)
export const resignedMessage = Uint8Array.of(peerMessageKinds.resigned)
export const entryHeader = Uint8Array.of(peerMessageKinds.entry)

/** Collects commands, answers or busy correlations of one turn into messages of one kind, and sends them. */
export class MessageBatch {
  readonly #kind: number
  readonly #connection: Pick<PeerConnection, 'send'>
  #writer: ByteWriter | undefined

  constructor(kind: 'commands' | 'answers' | 'busy', connection: Pick<PeerConnection, 'send'>) {
    this.#kind = peerMessageKinds[kind]
    this.#connection = connection
  }

  /** A message that is open is sent at the end of the turn. */
  #open(): ByteWriter {
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(4096)
      this.#writer.uint8(this.#kind)
      Promise.resolve().then(() => this.#send())
    }
    return this.#writer
  }

  #sendIfLarge(): void {
    if (this.#writer !== undefined && this.#writer.length > messageBytesTarget) this.#send()
  }

  #send(): void {
    const message = this.#writer?.take()
    this.#writer = undefined
    if (message !== undefined) this.#connection.send([message])
  }

  addCommand(
    correlation: number,
    pending: Pick<PendingCommand, 'clientId' | 'requestNumber' | 'commandId'>,
    payload: Uint8Array,
  ): void {
    const writer = this.#open()
    writer.uint32(correlation)
    writer.raw(pending.clientId)
    writer.uvarint(pending.requestNumber)
    writer.uint8(pending.commandId)
    writer.sizedBytes(payload)
    this.#sendIfLarge()
  }

  addAnswer(correlation: number, sequence: number, answer: Uint8Array): void {
    const writer = this.#open()
    writer.uint32(correlation)
    writer.int53(sequence)
    writer.sizedBytes(answer)
    this.#sendIfLarge()
  }

  addCorrelation(correlation: number): void {
    this.#open().uint32(correlation)
  }
}
