import { FloeError } from '../../core/errors.ts'
import { stringBytesMax } from './limits.ts'

/**
 * Writes the primitive types of the Kafka protocol (layouts in reader.ts) into a list of buffers ready for one gathered write.
 *
 * Invariants: everything small goes into one growing buffer; record bytes above `spliceBytesMin` are not copied but spliced in
 * by reference, so the caller must leave them unchanged until the parts are written. `length` counts spliced bytes too.
 */
export class ProtocolWriter {
  #buffer: Buffer
  #view: DataView
  /** Bytes used in the buffer. */
  #used = 0
  #splices: Splice[] | undefined
  #splicedBytes = 0

  constructor(capacityBytes = 512) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes)
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length)
  }

  /** Bytes written so far, spliced ones included. */
  get length(): number {
    return this.#used + this.#splicedBytes
  }

  #reserve(count: number): number {
    const at = this.#used
    const needed = at + count
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, at)
      this.#buffer = grown
      this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length)
    }
    this.#used = needed
    return at
  }

  bool(value: boolean): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value ? 1 : 0)
  }
  int8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }
  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }
  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }
  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.int8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.int8(rest)
  }

  /** From canonical text. */
  uuid(value: string): void {
    const at = this.#reserve(16)
    this.#buffer.write(value.replaceAll('-', ''), at, 16, 'hex')
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  string(value: string | null): void {
    if (value === null) {
      this.int16(-1)
      return
    }
    const count = countTextBytes(value)
    this.int16(count)
    this.#text(value, count)
  }
  compactString(value: string | null): void {
    if (value === null) {
      this.uvarint(0)
      return
    }
    const count = countTextBytes(value)
    this.uvarint(count + 1)
    this.#text(value, count)
  }
  #text(value: string, count: number): void {
    const at = this.#reserve(count)
    this.#buffer.write(value, at, count, 'utf8')
  }

  sizedBytes(value: Uint8Array | null): void {
    if (value === null) {
      this.int32(-1)
      return
    }
    this.int32(value.length)
    this.raw(value)
  }
  compactBytes(value: Uint8Array | null): void {
    if (value === null) {
      this.uvarint(0)
      return
    }
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  /** Appends without copying, unless the bytes are so few that copying is cheaper than one more buffer. */
  splice(bytes: Uint8Array): void {
    if (bytes.length < spliceBytesMin) {
      this.raw(bytes)
      return
    }
    this.#splices ??= []
    this.#splices.push({ at: this.#used, bytes })
    this.#splicedBytes += bytes.length
  }

  /** Overwrites four bytes written earlier at `at`, before anything was spliced in. */
  setInt32At(at: number, value: number): void {
    this.#view.setInt32(at, value)
  }

  /** What was written, in order. The writer must not be used afterwards: the parts are views of its memory. */
  finish(): Uint8Array[] {
    const parts: Uint8Array[] = []
    let from = 0
    for (const { at, bytes } of this.#splices ?? []) {
      if (at > from) parts.push(this.#buffer.subarray(from, at))
      parts.push(bytes)
      from = at
    }
    if (this.#used > from || parts.length === 0) parts.push(this.#buffer.subarray(from, this.#used))
    return parts
  }
}

/** Readers refuse longer strings in every version, so writing one is our mistake. */
function countTextBytes(value: string): number {
  const count = Buffer.byteLength(value)
  if (count <= stringBytesMax) return count
  throw new FloeError(
    'internal',
    'kafka-string-too-long',
    `string of ${count} bytes, the Kafka protocol allows ${stringBytesMax}`,
  )
}

/** Record bytes below this size are copied into the writer's own buffer. */
const spliceBytesMin = 1_024

interface Splice {
  /** Position in the writer's own buffer that these bytes come before. */
  readonly at: number
  readonly bytes: Uint8Array
}
