/**
 * A command: its bytes, its effect and its answer, kept together.
 *
 *   answer := 0, result of the command | 1, kind index, code, message
 *
 * `apply` reads everything and checks everything before it changes anything: it either changes the state and writes a result,
 * or throws a FloeError with the state as it was, which becomes a refusal. It sees no clock and no randomness: time is
 * `state.nowMs`, ids and UUIDs come in the command or from counters of the state.
 */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { type ErrorKind, FloeError } from '../../core/errors.ts'
import type { CatalogState } from '../state/catalog-state.ts'

export interface Command<Arguments, Result> {
  /** Persisted; from command-ids.ts. */
  readonly id: number
  readonly name: string
  /**
   * The level that the command came with (format-level.ts); left out, the first. A leader refuses it while the catalog's level is below,
   * since a process that does not know it could not read on. Whoever submits it (replica-client.ts) and can do the same with an older
   * command looks at `formatLevel` of the state first: it never goes back, so a replica that is behind is never wrong about what is
   * allowed.
   */
  readonly formatLevel?: number
  /** errors  invalid: the arguments cannot be a command */
  encode(writer: ByteWriter, args: Arguments): void
  /** Reads up to `reader.end`. */
  apply(state: CatalogState, reader: ByteReader, out: ByteWriter): void
  decodeResult(reader: ByteReader): Result
}

/** What applying needs to know of a command. */
export type AppliedCommand = Pick<Command<never, unknown>, 'id' | 'name' | 'formatLevel' | 'apply'>

/** To be called by `apply` when it has read its payload. */
export function expectEnd(reader: ByteReader): void {
  if (reader.offset !== reader.end) throw reader.corrupt(`${reader.remaining} bytes too many`)
}

/** Persisted: kinds by position. */
const refusalKinds: readonly ErrorKind[] = [
  'invalid',
  'conflict',
  'fenced',
  'unavailable',
  'exhausted',
  'corrupt',
  'unsupported',
  'internal',
]

export function writeRefusal(out: ByteWriter, error: FloeError): void {
  out.uint8(1)
  out.uint8(refusalKinds.indexOf(error.kind))
  out.sizedString(error.code)
  out.sizedString(error.message)
}

export function readRefusal(reader: ByteReader): FloeError {
  const kind = refusalKinds[reader.uint8()] ?? 'internal'
  const code = reader.sizedString()
  return new FloeError(kind, code, reader.sizedString())
}

export function readAnswer<Result>(
  reader: ByteReader,
  command: Pick<Command<never, Result>, 'decodeResult'>,
): Result | FloeError {
  return reader.uint8() === 0 ? command.decodeResult(reader) : readRefusal(reader)
}

/** A bigint offset as the whole number the catalog keeps. */
export function offsetNumber(value: bigint, what: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number))
    throw new FloeError('invalid', 'offset-out-of-range', `${what} ${value} is beyond 2^53`)
  return number
}

export function checkCount(value: number, max: number, what: string, min = 0): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  throw new FloeError('invalid', 'count-out-of-range', `${what} is ${value}: ${min} to ${max} are allowed`)
}

/** 16 bytes, not to be changed, or undefined when the text is no UUID. The same few ids come again and again: kept. */
export function uuidBytes(text: string): Uint8Array | undefined {
  const known = knownUuids.get(text)
  if (known !== undefined) return known
  if (!uuidPattern.test(text)) return undefined
  const bytes = new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'))
  if (knownUuids.size >= knownUuidsMax) knownUuids.clear()
  knownUuids.set(text, bytes)
  return bytes
}

const knownUuidsMax = 4096
const knownUuids = new Map<string, Uint8Array>()

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
