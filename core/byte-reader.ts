import { FloeError } from './errors.ts'

/**
 * Reads what ByteWriter writes. Bytes are hostile: every read is bounded, and running out is a `corrupt` error that names the
 * offset. Views returned share the input's memory.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  offset: number
  /** Exclusive. The owner may move it inside `bytes` to read one part after another with the same reader. */
  end: number

  /** `what` names the thing being read in errors, for example `journal batch`. */
  constructor(bytes: Uint8Array, what: string, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.offset = offset
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  #advance(count: number): number {
    const at = this.offset
    if (count < 0 || count > this.end - at) throw this.corrupt(`needs ${count} bytes, ${this.end - at} are left`)
    this.offset = at + count
    return at
  }

  corrupt(problem: string): FloeError {
    return new FloeError('corrupt', 'malformed-bytes', `${this.#what}: ${problem} at offset ${this.offset}`, {
      offset: this.offset,
    })
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1))
  }
  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }
  bool(): boolean {
    return this.uint8() !== 0
  }
  int16(): number {
    return this.#view.getInt16(this.#advance(2))
  }
  uint16(): number {
    return this.#view.getUint16(this.#advance(2))
  }
  int32(): number {
    return this.#view.getInt32(this.#advance(4))
  }
  uint32(): number {
    return this.#view.getUint32(this.#advance(4))
  }
  int64(): bigint {
    return this.#view.getBigInt64(this.#advance(8))
  }
  /** An int64 that must lie within ±2^53. */
  int53(): number {
    const at = this.#advance(8)
    const value = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) throw this.corrupt('integer beyond 2^53')
    return value
  }
  float64(): number {
    return this.#view.getFloat64(this.#advance(8))
  }
  uvarint(): number {
    // Most are short: up to three bytes are read with integer arithmetic and one bounds check.
    const at = this.offset
    if (this.end - at >= 3) {
      const { bytes } = this
      const first = bytes[at]!
      if (first < 0x80) {
        this.offset = at + 1
        return first
      }
      const second = bytes[at + 1]!
      if (second < 0x80) {
        this.offset = at + 2
        return (first & 0x7f) | (second << 7)
      }
      const third = bytes[at + 2]!
      if (third < 0x80) {
        this.offset = at + 3
        return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)
      }
    }
    return this.#longUvarint()
  }
  #longUvarint(): number {
    const { bytes, end } = this
    let at = this.offset
    // Integer arithmetic as long as 32 bits hold it, which is four bytes.
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw this.corrupt(`needs ${at - this.offset + 1} bytes, ${end - this.offset} are left`)
      const byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.offset = at
        return low
      }
    }
    let high = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw this.corrupt(`needs ${at - this.offset + 1} bytes, ${end - this.offset} are left`)
      const byte = bytes[at++]!
      high |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.offset = at
        const value = high * 0x1000_0000 + low
        if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt('integer beyond 2^53')
        return value
      }
    }
    throw this.corrupt('varint too long')
  }
  /** Zigzag. Its first byte holds the sign and six bits, so that no step exceeds what a number holds exactly. */
  varint(): number {
    const first = this.uint8()
    const sign = first & 1
    let magnitude = (first & 0x7f) >>> 1
    if (first >= 0x80) magnitude += this.uvarint() * 64
    if (magnitude > Number.MAX_SAFE_INTEGER - sign) throw this.corrupt('integer beyond 2^53')
    return sign === 0 ? magnitude : -magnitude - 1
  }
  /** A view of the next `count` bytes. */
  raw(count: number): Uint8Array {
    const at = this.#advance(count)
    return this.bytes.subarray(at, at + count)
  }
  sizedBytes(): Uint8Array {
    return this.raw(this.uvarint())
  }
  sizedString(): string {
    return utf8.decode(this.sizedBytes())
  }
  /** A count of things that take at least `bytesEach`: refuses what cannot fit in the bytes that are left. */
  boundedCount(bytesEach = 1): number {
    const count = this.uvarint()
    if (count * bytesEach > this.remaining) throw this.corrupt(`count ${count} cannot fit in ${this.remaining} bytes`)
    return count
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: false })
