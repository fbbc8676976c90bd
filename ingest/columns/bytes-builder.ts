/** Strings and binary values as a column that grows: Parquet's plain form (table/parquet/column-data.ts). */
import { type BytesColumn, bytesPrefix } from '../../table/parquet/column-data.ts'
import {
  columnBytesMax,
  createValidity,
  growBytes,
  growInt32,
  growSlots,
  growValidity,
  slotsAtStart,
  tooLarge,
} from './growth.ts'

const bytesAtStart = 1024

export class BytesBuilder implements BytesColumn {
  readonly kind = 'bytes'
  length = 0
  nullCount = 0
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)
  bytes = new Uint8Array(bytesAtStart)
  /** Length of `bytes`: a field is read faster than the length of an array. */
  byteCapacity = bytesAtStart
  /** Of `bytes`. */
  view = new DataView(this.bytes.buffer)
  /** Equals offsets[length]. */
  used = 0

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.offsets = new Int32Array(slotsAtStart + 1)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.offsets = growInt32(this.offsets, this.length + 1, capacity + 1)
  }
  /** Makes room for a value of `count` bytes, to be written from `used + bytesPrefix` on. */
  reserve(count: number): void {
    const needed = this.used + bytesPrefix + count
    if (needed > this.byteCapacity) this.growTo(needed)
  }
  growTo(needed: number): void {
    if (needed > columnBytesMax) throw tooLarge('bytes', needed)
    this.setBytes(growBytes(this.bytes, this.used, Math.min(Math.max(this.byteCapacity * 2, needed), columnBytesMax)))
  }
  setBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.byteCapacity = bytes.length
    this.view = new DataView(bytes.buffer)
  }
  /** Ends a value whose bytes were written from `used + bytesPrefix` to `end`. */
  pushEnd(end: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.view.setInt32(this.used, end - this.used - bytesPrefix, true)
    this.used = end
    this.offsets[at + 1] = end
    this.length = at + 1
  }
  /** Copies source[start, end). */
  push(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start)
    const to = this.used + bytesPrefix
    copyBytes(source, start, end, this.bytes, to)
    this.pushEnd(to + end - start)
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.validity[at] = 0
    this.offsets[at + 1] = this.used
    this.nullCount++
    this.length = at + 1
  }
}

/** A call into native code costs about as much as copying 48 bytes here. */
const nativeCopyBytesMin = 48

export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, to: number): void {
  if (end - start >= nativeCopyBytesMin) {
    target.set(source.subarray(start, end), to)
    return
  }
  let at = to
  for (let from = start; from < end; from++) target[at++] = source[from]!
}
