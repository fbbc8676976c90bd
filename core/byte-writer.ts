/**
 * A growing byte buffer. Integers are big-endian unless the name says otherwise; varints are unsigned LEB128, zigzag where
 * signed (Kafka protocol guide, "Protocol Primitive Types").
 */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  length = 0

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Call it before touching `#view` or `#bytes` in the same statement: growing replaces both. */
  #reserve(count: number): number {
    const at = this.length
    const needed = at + count
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.length = needed
    return at
  }

  uint8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }
  int8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }
  bool(value: boolean): void {
    this.uint8(value ? 1 : 0)
  }
  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }
  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }
  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }
  uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }
  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }
  /** A whole number within ±2^53 as an int64. */
  int53(value: number): void {
    const at = this.#reserve(8)
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(at + 4, value >>> 0)
  }
  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }
  /** Whole numbers from 0 to 2^53. */
  uvarint(value: number): void {
    let at = this.#reserve(8)
    const bytes = this.#bytes
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    // What is left fits into 32 bits, where shifting is much faster than dividing.
    let low = rest | 0
    while (low >= 0x80) {
      bytes[at++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    bytes[at++] = low
    this.length = at
  }
  /** Zigzag, whole numbers within ±(2^53 - 1): the first byte holds the sign and six bits of the magnitude. */
  varint(value: number): void {
    const sign = value < 0 ? 1 : 0
    const magnitude = value < 0 ? -value - 1 : value
    if (magnitude < 64) {
      this.uint8((magnitude << 1) | sign)
      return
    }
    this.uint8(0x80 | ((magnitude % 64) << 1) | sign)
    this.uvarint(Math.floor(magnitude / 64))
  }
  raw(bytes: Uint8Array): void {
    const { length } = bytes
    const at = this.#reserve(length)
    const target = this.#bytes
    if (length > 32) target.set(bytes, at)
    else for (let index = 0; index < length; index++) target[at + index] = bytes[index]!
  }
  /** uvarint length, then the bytes. */
  sizedBytes(bytes: Uint8Array): void {
    this.uvarint(bytes.length)
    this.raw(bytes)
  }
  /** uvarint length in bytes, then UTF-8. */
  sizedString(text: string): void {
    const bytes = utf8.encode(text)
    this.uvarint(bytes.length)
    this.raw(bytes)
  }
  /**
   * The buffer with room for `count` more bytes from `length` on, for hot loops that write them themselves and then move
   * `length`. Valid only until the next write.
   */
  room(count: number): Uint8Array {
    this.length = this.#reserve(count)
    return this.#bytes
  }
  /** Overwrites four bytes written earlier. */
  setInt32At(at: number, value: number): void {
    this.#view.setInt32(at, value)
  }
  setUint32At(at: number, value: number): void {
    this.#view.setUint32(at, value)
  }
  /** Copies what was written in [start, end) to `target`, which must have room. */
  copyTo(target: Uint8Array, targetOffset: number, start: number, end: number): void {
    const bytes = this.#bytes
    if (end - start > 64) target.set(bytes.subarray(start, end), targetOffset)
    else for (let at = start, to = targetOffset; at < end; at++, to++) target[to] = bytes[at]!
  }
  /** What was written; a view that stays valid only until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }
  /** What was written, copied: owned by the caller. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }
  reset(): void {
    this.length = 0
  }
}

const utf8 = new TextEncoder()
