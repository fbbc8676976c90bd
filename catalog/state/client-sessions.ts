/**
 * Receipts: what each client was answered to its last requests, so that a retried one gets its first answer, across restarts.
 *
 * A client opens a session under 16 random bytes, then numbers its requests from 1 up. Request n uses slot n mod 128. A slot
 * that holds a larger number than the request means that the request is too old to know whether it was applied: it is refused
 * (`receipt-expired`), never applied again. A client without a session is refused likewise, so forgetting one is always safe.
 */
import type { ByteWriter } from '../../core/byte-writer.ts'
import {
  clientSessionExpiryMs,
  clientSessionsMax,
  inlineReceiptBytesMax,
  largeReceiptBytesPerClientMax,
  receiptsPerClientMax,
} from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'

const sectionId = 1
const sectionVersion = 1

/** The result was dropped, or was too large to keep. */
const droppedLength = 0xffff_ffff

export class ClientSession {
  readonly clientId: Uint8Array
  lastCommandMs: number
  /** Per slot the request number, 0 when empty. */
  readonly #numbers = new Float64Array(receiptsPerClientMax)
  readonly #lengths = new Uint32Array(receiptsPerClientMax)
  readonly #slab = new Uint8Array(receiptsPerClientMax * inlineReceiptBytesMax)
  /** Larger results by request number, oldest first. */
  readonly #large = new Map<number, Uint8Array>()
  #largeBytes = 0

  constructor(clientId: Uint8Array, lastCommandMs: number) {
    this.clientId = clientId
    this.lastCommandMs = lastCommandMs
  }

  /** `new`: apply it; a length: copyReceipt has the answer; `expired`: it is too old. */
  look(requestNumber: number): 'new' | 'known' | 'expired' {
    const slot = requestNumber % receiptsPerClientMax
    const held = this.#numbers[slot]!
    if (held < requestNumber) return 'new'
    return held === requestNumber && this.#lengths[slot] !== droppedLength ? 'known' : 'expired'
  }

  writeReceipt(requestNumber: number, out: ByteWriter): void {
    const slot = requestNumber % receiptsPerClientMax
    const length = this.#lengths[slot]!
    const large = this.#large.get(requestNumber)
    const at = slot * inlineReceiptBytesMax
    out.raw(large ?? this.#slab.subarray(at, at + length))
  }

  /** Keeps what was written to `out` in [start, end). */
  record(requestNumber: number, out: ByteWriter, start: number, end: number): void {
    const slot = requestNumber % receiptsPerClientMax
    if (this.#large.size > 0) this.#forgetLarge(this.#numbers[slot]!)
    const length = end - start
    this.#numbers[slot] = requestNumber
    this.#lengths[slot] = length
    if (length <= inlineReceiptBytesMax) out.copyTo(this.#slab, slot * inlineReceiptBytesMax, start, end)
    else if (length > largeReceiptBytesPerClientMax) this.#lengths[slot] = droppedLength
    else {
      const bytes = new Uint8Array(length)
      out.copyTo(bytes, 0, start, end)
      this.#keepLarge(requestNumber, bytes)
    }
  }

  #keepLarge(requestNumber: number, bytes: Uint8Array): void {
    this.#large.set(requestNumber, bytes)
    this.#largeBytes += bytes.length
    for (const [oldest, dropped] of this.#large) {
      if (this.#largeBytes <= largeReceiptBytesPerClientMax) break
      this.#large.delete(oldest)
      this.#largeBytes -= dropped.length
      this.#lengths[oldest % receiptsPerClientMax] = droppedLength
    }
  }

  #forgetLarge(requestNumber: number): void {
    const bytes = this.#large.get(requestNumber)
    if (bytes === undefined) return
    this.#large.delete(requestNumber)
    this.#largeBytes -= bytes.length
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.raw(this.clientId)
    scalars.uvarint(this.lastCommandMs)
    for (let slot = 0; slot < receiptsPerClientMax; slot++) {
      scalars.uvarint(this.#numbers[slot]!)
      if (this.#numbers[slot] === 0) continue
      const length = this.#lengths[slot]!
      scalars.uvarint(length)
      const at = slot * inlineReceiptBytesMax
      if (length <= inlineReceiptBytesMax) scalars.raw(this.#slab.subarray(at, at + length))
    }
    scalars.uvarint(this.#large.size)
    for (const [requestNumber, bytes] of this.#large) {
      scalars.uvarint(requestNumber)
      scalars.sizedBytes(bytes)
    }
  }

  static decode(reader: SnapshotReader): ClientSession {
    const session = new ClientSession(reader.bytes(16), reader.uvarint())
    for (let slot = 0; slot < receiptsPerClientMax; slot++) {
      const requestNumber = reader.uvarint()
      if (requestNumber === 0) continue
      if (requestNumber % receiptsPerClientMax !== slot) throw reader.corrupt('a receipt lies in the wrong slot')
      const length = reader.uvarint()
      session.#numbers[slot] = requestNumber
      session.#lengths[slot] = length
      if (length <= inlineReceiptBytesMax) session.#slab.set(reader.bytes(length), slot * inlineReceiptBytesMax)
    }
    const largeCount = reader.count(2)
    for (let index = 0; index < largeCount; index++) {
      const requestNumber = reader.uvarint()
      const bytes = reader.bytesColumn()
      session.#large.set(requestNumber, bytes)
      session.#largeBytes += bytes.length
    }
    return session
  }
}

export class ClientSessions {
  /** By client id as latin1 text, in order of opening. */
  readonly #byId = new Map<string, ClientSession>()

  find(clientId: Uint8Array): ClientSession | undefined {
    return this.#byId.get(idText(clientId))
  }

  /** Finds or makes it; may forget the client that was silent longest. */
  open(clientId: Uint8Array, nowMs: number): ClientSession {
    const id = idText(clientId)
    let session = this.#byId.get(id)
    if (session === undefined) {
      if (this.#byId.size >= clientSessionsMax) this.#forgetSilent()
      session = new ClientSession(new Uint8Array(clientId), nowMs)
      this.#byId.set(id, session)
    }
    session.lastCommandMs = nowMs
    return session
  }

  get count(): number {
    return this.#byId.size
  }

  #forgetSilent(): void {
    let silentId = ''
    let silentMs = Number.POSITIVE_INFINITY
    for (const [id, session] of this.#byId) {
      if (session.lastCommandMs < silentMs) {
        silentMs = session.lastCommandMs
        silentId = id
      }
    }
    this.#byId.delete(silentId)
  }

  sweep(nowMs: number): void {
    for (const [id, session] of this.#byId) {
      if (session.lastCommandMs + clientSessionExpiryMs <= nowMs) this.#byId.delete(id)
    }
  }

  encode(writer: SnapshotWriter): void {
    writer.scalars.uvarint(sectionId)
    writer.scalars.uvarint(sectionVersion)
    writer.scalars.uvarint(this.#byId.size)
    for (const session of this.#byId.values()) session.encode(writer)
  }

  static decode(reader: SnapshotReader): ClientSessions {
    reader.section(sectionId, sectionVersion)
    const sessions = new ClientSessions()
    const count = reader.count(17)
    for (let index = 0; index < count; index++) {
      const session = ClientSession.decode(reader)
      sessions.#byId.set(idText(session.clientId), session)
    }
    return sessions
  }
}

function idText(clientId: Uint8Array): string {
  return Buffer.from(clientId.buffer, clientId.byteOffset, clientId.length).toString('latin1')
}
