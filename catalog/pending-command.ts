/**
 * A command on its way: what a leader, here or behind a connection, needs to journal it and to answer it. It is identified by its
 * idempotency key (client id, request number), so it may be submitted again, also to another leader.
 *
 * Exactly one of `answer`, `lost` and `fail` follows each submission.
 */
import type { ByteReader } from '../core/byte-reader.ts'
import type { ByteWriter } from '../core/byte-writer.ts'
import type { FloeError } from '../core/errors.ts'

export interface PendingCommand {
  /** 16 bytes, not changed afterwards. */
  readonly clientId: Uint8Array
  /** Counts from 1 (state/client-sessions.ts). */
  readonly requestNumber: number
  readonly commandId: number
  readonly commandName: string
  /**
   * Appends the payload. Called once for each submission; whoever calls it keeps the bytes until the command is answered.
   *
   * errors  invalid: the arguments cannot be a command
   */
  encode(body: ByteWriter): void
  /**
   * The answer (commands/command.ts) is what `reader` holds from its offset to its end. The command is durable, in an entry up to
   * `sequence`; or it may not be written, which is a refusal, and can be asked again under the same number.
   */
  answer(reader: ByteReader, sequence: number): void
  /**
   * The leadership or the connection ended: it may or may not have been applied, and may be submitted again.
   *
   * payload  what `encode` wrote, owned by the command from now on; undefined when it was not called
   */
  lost(error: FloeError, payload: Uint8Array | undefined): void
  /** It was not taken and never will be: it cannot be encoded, or there is no room (`exhausted`). */
  fail(error: unknown): void
}
