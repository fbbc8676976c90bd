/**
 * Position in a binary value, shared by the Avro and Protobuf decoders. Reads are not checked one by one: positions only grow,
 * bytes beyond the record read as whatever stands there (nothing at all as 0), and whoever reads compares `at` with the end
 * before it acts on a length and once at the end.
 */
export class ByteCursor {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  at = 0
  /** The last 64-bit number read, as two words. */
  low = 0
  high = 0

  enter(bytes: Uint8Array, at: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.at = at
  }

  /** Base-128 varint of up to 64 bits into low and high; bits beyond are dropped. False: more than ten bytes. */
  readVarint64(): boolean {
    const { bytes } = this
    let at = this.at
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if ((byte & 0x80) === 0) {
        this.at = at
        this.low = low
        this.high = high
        return true
      }
    }
    this.at = at
    return false
  }

  /** low and high from zigzag to two's complement. */
  unzigzag(): void {
    const sign = -(this.low & 1)
    const low = ((this.low >>> 1) | (this.high << 31)) ^ sign
    this.high = (this.high >>> 1) ^ sign
    this.low = low
  }

  /** A varint that counts or measures: up to 2^53, or -1 when it is larger or malformed. */
  readCount(): number {
    const { bytes } = this
    const first = bytes[this.at]!
    if ((first & 0x80) === 0) {
      this.at++
      // Past the end of the buffer there is no byte at all; masking makes that a 0.
      return first & 0x7f
    }
    if (!this.readVarint64()) return -1
    const value = (this.high >>> 0) * 0x1_0000_0000 + (this.low >>> 0)
    return value <= Number.MAX_SAFE_INTEGER ? value : -1
  }

  /** A zigzag varint as a number; exact within ±2^53, which counts and lengths never leave honestly. NaN: malformed. */
  readZigzag(): number {
    const first = this.bytes[this.at]!
    if ((first & 0x80) === 0) {
      this.at++
      return (first >>> 1) ^ -(first & 1)
    }
    if (!this.readVarint64()) return Number.NaN
    this.unzigzag()
    return this.high * 0x1_0000_0000 + (this.low >>> 0)
  }
}
