import { FloeError } from '../../core/errors.ts'
import { messageElementsMax, stringBytesMax, taggedFieldsMax } from './limits.ts'

/**
 * Reads the primitive types of the Kafka protocol (protocol guide, "Protocol Primitive Types") from one frame.
 *
 *   string           int16 length, UTF-8            -1 is null
 *   compact string   uvarint length + 1, UTF-8       0 is null
 *   bytes            int32 length, bytes             -1 is null
 *   compact bytes    uvarint length + 1, bytes        0 is null
 *   array            int32 count, elements           -1 is null
 *   compact array    uvarint count + 1, elements      0 is null
 *   tagged fields    uvarint count, then (uvarint tag, uvarint size, bytes)*
 *
 * Invariants: bytes are hostile. Every length is checked against what is left before anything is allocated, array elements
 * are counted over the whole message, and whatever is wrong becomes a FloeError of kind `invalid`, code
 * `malformed-kafka-message`, that names message and offset. Bytes returned are views of the frame.
 */
export class ProtocolReader {
  readonly bytes: Uint8Array
  readonly #buffer: Buffer
  readonly #view: DataView
  readonly #what: string
  readonly #end: number
  offset: number
  #elementsLeft = messageElementsMax

  /** `what` names the message in errors, for example `Produce v9 request`. */
  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.bytes = bytes
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.offset = offset
    this.#end = bytes.length
  }

  get remaining(): number {
    return this.#end - this.offset
  }

  malformed(problem: string): FloeError {
    return new FloeError('invalid', 'malformed-kafka-message', `${this.#what}: ${problem} at offset ${this.offset}`, {
      offset: this.offset,
    })
  }

  #advance(count: number): number {
    const at = this.offset
    if (count > this.#end - at) throw this.malformed(`needs ${count} bytes, ${this.#end - at} are left`)
    this.offset = at + count
    return at
  }

  bool(): boolean {
    return this.#view.getInt8(this.#advance(1)) !== 0
  }
  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }
  int16(): number {
    return this.#view.getInt16(this.#advance(2))
  }
  int32(): number {
    return this.#view.getInt32(this.#advance(4))
  }
  int64(): bigint {
    return this.#view.getBigInt64(this.#advance(8))
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#advance(1))
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return (value | (byte << shift)) >>> 0
      }
      value |= (byte & 0x7f) << shift
    }
    throw this.malformed('varint longer than 32 bits')
  }

  /** Canonical lower-case text; the all-zero UUID stands for "none" in Kafka. */
  uuid(): string {
    const at = this.#advance(16)
    const hex = this.#buffer.toString('hex', at, at + 16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /** A view of the next `count` bytes. */
  view(count: number): Uint8Array {
    const at = this.#advance(count)
    return this.bytes.subarray(at, at + count)
  }

  #text(count: number): string {
    if (count > stringBytesMax) throw this.malformed(`string of ${count} bytes, at most ${stringBytesMax} are allowed`)
    const at = this.#advance(count)
    return this.#buffer.toString('utf8', at, at + count)
  }

  /** The length before a string, -1 for null. */
  #length(length: number): number {
    if (length < -1) throw this.malformed(`negative length ${length}`)
    return length
  }

  string(): string | null {
    const length = this.#length(this.int16())
    return length < 0 ? null : this.#text(length)
  }
  compactString(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.#text(length)
  }
  sizedBytes(): Uint8Array | null {
    const length = this.#length(this.int32())
    return length < 0 ? null : this.view(length)
  }
  compactBytes(): Uint8Array | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.view(length)
  }

  /** Element count, -1 for null; refused unless `elementBytesMin` per element can still follow. */
  arrayCount(elementBytesMin: number): number {
    return this.#boundCount(this.#length(this.int32()), elementBytesMin)
  }
  compactArrayCount(elementBytesMin: number): number {
    return this.#boundCount(this.uvarint() - 1, elementBytesMin)
  }

  #boundCount(count: number, elementBytesMin: number): number {
    if (count <= 0) return count
    if (count * elementBytesMin > this.remaining) {
      throw this.malformed(`array of ${count} elements cannot fit in ${this.remaining} bytes`)
    }
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) throw this.malformed(`more than ${messageElementsMax} array elements in one message`)
    return count
  }

  /** The number of tagged fields that follow. */
  taggedFieldCount(): number {
    const count = this.uvarint()
    if (count > taggedFieldsMax || count * 2 > this.remaining) throw this.malformed(`${count} tagged fields`)
    return count
  }

  /** Unknown tags are skipped, never refused: newer clients may send them (KIP-482). */
  skipTaggedFields(): void {
    for (let left = this.taggedFieldCount(); left > 0; left--) {
      this.uvarint()
      this.#advance(this.uvarint())
    }
  }
}
