/**
 * Commands that wait to be written together. They are encoded straight into the bytes of the batch, so a waiting command costs
 * its bytes, a client index and the two ends of a promise.
 */
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import type { Command } from '../commands/command.ts'
import { commandBytesMax } from '../limits.ts'
import { equalBytes } from './journal-entry.ts'

/** Settles one caller with the answer that `reader` stands at. */
export interface Waiter {
  readonly command: Pick<Command<never, unknown>, 'decodeResult'>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class OpenBatch {
  readonly body: ByteWriter
  readonly waiters: Waiter[] = []
  readonly clientIds: Uint8Array[] = []

  /** Takes the writer over, emptied. */
  constructor(body: ByteWriter) {
    this.body = body
    body.reset()
  }

  get bytes(): number {
    return this.body.length
  }
  get commandCount(): number {
    return this.waiters.length
  }

  #clientIndex(clientId: Uint8Array): number {
    const ids = this.clientIds
    for (let index = 0; index < ids.length; index++) {
      if (ids[index] === clientId || equalBytes(ids[index]!, clientId)) return index
    }
    ids.push(clientId)
    return ids.length - 1
  }

  /**
   * The waiter is to be pushed by the caller when this returns.
   *
   * errors  what `command.encode` throws, or invalid: too large; the batch is then as it was
   */
  add<Arguments>(
    clientId: Uint8Array,
    requestNumber: number,
    command: Pick<Command<Arguments, unknown>, 'id' | 'name' | 'encode'>,
    args: Arguments,
  ): void {
    const { body } = this
    const start = body.length
    try {
      body.uvarint(this.#clientIndex(clientId))
      body.uvarint(requestNumber)
      body.uint8(command.id)
      const lengthAt = body.length
      body.uint32(0)
      command.encode(body, args)
      const payloadBytes = body.length - lengthAt - 4
      if (payloadBytes > commandBytesMax) {
        throw new FloeError(
          'invalid',
          'catalog-command-too-large',
          `a ${command.name} of ${payloadBytes} bytes is larger than ${commandBytesMax}: split it`,
        )
      }
      body.setUint32At(lengthAt, payloadBytes)
    } catch (error) {
      body.length = start
      throw error
    }
  }
}
