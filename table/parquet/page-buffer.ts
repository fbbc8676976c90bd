/** A growing byte buffer for the body of one page; reused for page after page. Integers are little-endian, as Parquet's are. */
export class PageBuffer {
  bytes: Uint8Array<ArrayBuffer>
  view: DataView
  length = 0

  constructor(capacityBytes = capacityBytesDefault) {
    this.bytes = new Uint8Array(capacityBytes)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
  uint8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }
  int32(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.length, value, true)
    this.length += 4
  }
  /** Whole numbers from 0 to 2^31. */
  uvarint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }
  /** What was written; valid until the next write. */
  content(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
  reset(): void {
    this.length = 0
    if (this.bytes.length > keptBytesMax) {
      this.bytes = new Uint8Array(capacityBytesDefault)
      this.view = new DataView(this.bytes.buffer)
    }
  }
}

/** A buffer that had grown beyond this gives its memory back. */
const keptBytesMax = 16 * 1024 * 1024
const capacityBytesDefault = 64 * 1024
