/**
 * Commands that wait to be written together. They are encoded straight into the bytes of the batch.
 */
import { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import { commandBytesMax } from '../limits.ts'
import type { PendingCommand } from '../pending-command.ts'

export class OpenBatch {
  readonly body: ByteWriter
  readonly commands: PendingCommand[] = []
  readonly clientIds: Uint8Array[] = []
  /** By identity: a client that comes with other bytes that are equal has two places, which does no harm. */
  readonly #indexes = new Map<Uint8Array, number>()

  /** Takes the writer over, emptied. */
  constructor(body: ByteWriter) {
    this.body = body
    body.reset()
  }

  get bytes(): number {
    return this.body.length
  }
  get commandCount(): number {
    return this.commands.length
  }

  #clientIndex(clientId: Uint8Array): number {
    let index = this.#indexes.get(clientId)
    if (index === undefined) {
      index = this.clientIds.push(clientId) - 1
      this.#indexes.set(clientId, index)
    }
    return index
  }

  /** errors  what `encode` throws, or invalid: too large; the batch is then as it was */
  add(pending: PendingCommand): void {
    const { body } = this
    const start = body.length
    try {
      body.uvarint(this.#clientIndex(pending.clientId))
      body.uvarint(pending.requestNumber)
      body.uint8(pending.commandId)
      const lengthAt = body.length
      body.uint32(0)
      pending.encode(body)
      const payloadBytes = body.length - lengthAt - 4
      if (payloadBytes > commandBytesMax) {
        throw new FloeError(
          'invalid',
          'catalog-command-too-large',
          `a ${pending.commandName} of ${payloadBytes} bytes is larger than ${commandBytesMax}: split it`,
        )
      }
      body.setUint32At(lengthAt, payloadBytes)
    } catch (error) {
      body.length = start
      throw error
    }
    this.commands.push(pending)
  }

  /** Tells each command that it was lost, and gives it its payload back. */
  lose(error: FloeError): void {
    const reader = new ByteReader(this.body.view(), 'open batch')
    for (const pending of this.commands) {
      reader.uvarint()
      reader.uvarint()
      reader.uint8()
      pending.lost(error, reader.raw(reader.uint32()).slice())
    }
  }
}
