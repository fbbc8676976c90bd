/**
 * Applies one batch of commands to the state: the only way the state changes. The same function runs live and on recovery,
 * over the same bytes, so both give the same state.
 *
 * A batch body is a sequence of commands, clients are named by their index in the batch's client list:
 *
 *   command := client index, request number (uvarints), command id (uint8), payload length (uint32), payload
 */
import { assert } from '../core/assert.ts'
import { ByteReader } from '../core/byte-reader.ts'
import type { ByteWriter } from '../core/byte-writer.ts'
import { FloeError, isFloeError } from '../core/errors.ts'
import { commandIds } from './command-ids.ts'
import { type CommandTable, commandTable } from './commands/all-commands.ts'
import { writeRefusal } from './commands/command.ts'
import { checkFormatLevel } from './format-level.ts'
import { resultBytesMax } from './limits.ts'
import type { CatalogState } from './state/catalog-state.ts'
import type { ClientSession } from './state/client-sessions.ts'

export interface BatchBody {
  readonly nowMs: number
  /** 16 bytes each. */
  readonly clientIds: readonly Uint8Array[]
  readonly commandCount: number
  /** Exactly the commands. */
  readonly bytes: Uint8Array
}

/** Where the answers of a batch lie in `out`: answer i is [ends[i - 1] or 0, ends[i]). */
export class BatchAnswers {
  ends = new Float64Array(1024)

  reserve(count: number): void {
    if (count > this.ends.length) this.ends = new Float64Array(count * 2)
  }
}

/**
 * out       answers are appended here, from its start on
 * commands  what this process can apply
 * errors    corrupt: the body is not a list of commands; unsupported: a newer Floe's command, or the catalog was raised to a format
 *           level that is not known here. The state is then not to be used any more. A single command that is malformed or impossible
 *           is refused and leaves the state as it was.
 */
export function applyBatch(
  state: CatalogState,
  batch: BatchBody,
  out: ByteWriter,
  answers: BatchAnswers,
  commands: CommandTable = commandTable,
): void {
  state.advanceTime(batch.nowMs)
  const reader = new ByteReader(batch.bytes, 'journal batch')
  const sessions: (ClientSession | undefined)[] = []
  for (const clientId of batch.clientIds) {
    const session = state.sessions.find(clientId)
    if (session !== undefined) session.lastCommandMs = state.nowMs
    sessions.push(session)
  }
  const bodyEnd = reader.end
  answers.reserve(batch.commandCount)
  for (let index = 0; index < batch.commandCount; index++) {
    const clientIndex = reader.uvarint()
    const requestNumber = reader.uvarint()
    const commandId = reader.uint8()
    const payloadBytes = reader.uint32()
    const payloadEnd = reader.offset + payloadBytes
    if (clientIndex >= sessions.length || requestNumber === 0 || payloadEnd > bodyEnd) {
      throw reader.corrupt(`command ${index} is malformed`)
    }
    if (commandId === commandIds.openSession) {
      sessions[clientIndex] = state.sessions.open(batch.clientIds[clientIndex]!, state.nowMs)
    }
    reader.end = payloadEnd
    applyCommand(commands, state, sessions[clientIndex], requestNumber, commandId, reader, out)
    reader.offset = payloadEnd
    reader.end = bodyEnd
    answers.ends[index] = out.length
  }
  if (reader.remaining !== 0) throw reader.corrupt(`${reader.remaining} bytes follow the last command`)
  // Who knows less than the catalog holds from here on stops at the first batch that could, and not in the midst of a later one.
  checkFormatLevel(state.formatLevel, commands.formatLevelMax)
}

function applyCommand(
  commands: CommandTable,
  state: CatalogState,
  session: ClientSession | undefined,
  requestNumber: number,
  commandId: number,
  reader: ByteReader,
  out: ByteWriter,
): void {
  const known = session === undefined ? 'expired' : session.look(requestNumber)
  if (session === undefined || known === 'expired') {
    writeRefusal(out, receiptExpired())
    return
  }
  if (known === 'known') {
    session.writeReceipt(requestNumber, out)
    return
  }
  const command = commands.find(commandId)
  if (command === undefined) {
    throw new FloeError(
      'unsupported',
      'catalog-command-unknown',
      `the journal holds command ${commandId}, which this Floe, of format level ${commands.formatLevelMax}, does not know: use the ` +
        'Floe that wrote it or newer',
      { commandId },
    )
  }
  const start = out.length
  try {
    out.uint8(0)
    command.apply(state, reader, out)
  } catch (error) {
    if (!isFloeError(error)) throw error
    out.length = start
    writeRefusal(out, error)
  }
  assert(out.length - start <= resultBytesMax, `the answer to ${command.name} is larger than any may be`)
  session.record(requestNumber, out, start, out.length)
}

function receiptExpired(): FloeError {
  return new FloeError(
    'conflict',
    'receipt-expired',
    'the request is too old to know whether it was applied, or its client has no session: it was not applied now',
  )
}
