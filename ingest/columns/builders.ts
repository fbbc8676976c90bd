/**
 * Column builders: columns (table/parquet/column-data.ts) that grow. Decoders push into them, or write into their arrays after
 * `reserve` and then push; encoders read them; `resetColumn` empties them and keeps the memory.
 *
 * Rows are all or nothing: a decoder that gives up half-way truncates every column to the row it began with.
 */
import { FloeError } from '../../core/errors.ts'
import {
  type BooleanColumn,
  type BytesColumn,
  bytesPrefix,
  type DecimalColumn,
  type Float32Column,
  type Float64Column,
  type Int32Column,
  type Int64Column,
  type ListColumn,
  type MapColumn,
  type StructColumn,
} from '../../table/parquet/column-data.ts'

const slotsAtStart = 64
const bytesAtStart = 1024
/** Offsets are int32. One batch is far smaller (rows are flushed at a few MiB), so only one monstrous record gets here. */
export const columnBytesMax = 0x7fff_ffff
export const columnSlotsMax = 0x0fff_ffff

/** Twice the slots, or `needed` if that is more. */
function growSlots(capacity: number, needed: number): number {
  if (needed > columnSlotsMax) throw tooLarge('slots', needed)
  return Math.min(Math.max(capacity * 2, needed), columnSlotsMax)
}

function tooLarge(what: string, needed: number): FloeError {
  return new FloeError('exhausted', 'column-too-large', `a column batch cannot hold ${needed} ${what}`, { needed })
}

function growBytes(old: Uint8Array, used: number, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity)
  grown.set(old.subarray(0, used))
  return grown
}

function growInt32(old: Int32Array, used: number, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity)
  grown.set(old.subarray(0, used))
  return grown
}

export class BooleanBuilder implements BooleanColumn {
  readonly kind = 'boolean'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  values = new Uint8Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.values = new Uint8Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.values = growBytes(this.values, this.length, capacity)
  }
  push(value: 0 | 1): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = value
    this.validity[at] = 1
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = 0
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class Int32Builder implements Int32Column {
  readonly kind = 'int32'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  values = new Int32Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.values = new Int32Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.values = growInt32(this.values, this.length, capacity)
  }
  push(value: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = value
    this.validity[at] = 1
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = 0
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class Int64Builder implements Int64Column {
  readonly kind = 'int64'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  words = new Int32Array(slotsAtStart * 2)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.words = new Int32Array(slotsAtStart * 2)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.words = growInt32(this.words, this.length * 2, capacity * 2)
  }
  pushWords(low: number, high: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.words[at * 2] = low
    this.words[at * 2 + 1] = high
    this.validity[at] = 1
    this.length = at + 1
  }
  /** A whole number within ±2^53. */
  pushNumber(value: number): void {
    // Storing into an Int32Array keeps the low 32 bits, exactly, of any whole number below 2^53.
    this.pushWords(value, Math.floor(value / 0x1_0000_0000))
  }
  pushBigint(value: bigint): void {
    this.pushWords(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.words[at * 2] = 0
    this.words[at * 2 + 1] = 0
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class Float32Builder implements Float32Column {
  readonly kind = 'float32'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  values = new Float32Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.values = new Float32Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    const values = new Float32Array(capacity)
    values.set(this.values.subarray(0, this.length))
    this.validity = growBytes(this.validity, this.length, capacity)
    this.values = values
  }
  push(value: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = value
    this.validity[at] = 1
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = 0
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class Float64Builder implements Float64Column {
  readonly kind = 'float64'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  values = new Float64Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.values = new Float64Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    const values = new Float64Array(capacity)
    values.set(this.values.subarray(0, this.length))
    this.validity = growBytes(this.validity, this.length, capacity)
    this.values = values
  }
  push(value: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = value
    this.validity[at] = 1
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.values[at] = 0
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class DecimalBuilder implements DecimalColumn {
  readonly kind = 'decimal'
  readonly precision: number
  readonly scale: number
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  words = new Int32Array(slotsAtStart * 4)

  constructor(precision: number, scale: number) {
    this.precision = precision
    this.scale = scale
  }

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.words = new Int32Array(slotsAtStart * 4)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.words = growInt32(this.words, this.length * 4, capacity * 4)
  }
  pushWords(word0: number, word1: number, word2: number, word3: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    const word = at * 4
    this.words[word] = word0
    this.words[word + 1] = word1
    this.words[word + 2] = word2
    this.words[word + 3] = word3
    this.validity[at] = 1
    this.length = at + 1
  }
  /** An unscaled whole number within ±2^53. */
  pushNumber(value: number): void {
    const sign = value < 0 ? -1 : 0
    this.pushWords(value, Math.floor(value / 0x1_0000_0000), sign, sign)
  }
  pushBigint(value: bigint): void {
    this.pushWords(
      Number(BigInt.asIntN(32, value)),
      Number(BigInt.asIntN(32, value >> 32n)),
      Number(BigInt.asIntN(32, value >> 64n)),
      Number(BigInt.asIntN(32, value >> 96n)),
    )
  }
  pushNull(): void {
    this.pushWords(0, 0, 0, 0)
    this.validity[this.length - 1] = 0
    this.nullCount++
  }
}

export class BytesBuilder implements BytesColumn {
  readonly kind = 'bytes'
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)
  bytes = new Uint8Array(bytesAtStart)
  /** Of `bytes`. */
  view = new DataView(this.bytes.buffer)
  /** Equals offsets[length]. */
  used = 0

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.offsets = new Int32Array(slotsAtStart + 1)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.offsets = growInt32(this.offsets, this.length + 1, capacity + 1)
  }
  /** Makes room for a value of `count` bytes, to be written from `used + bytesPrefix` on. */
  reserve(count: number): void {
    const needed = this.used + bytesPrefix + count
    if (needed > this.bytes.length) this.growTo(needed)
  }
  growTo(needed: number): void {
    if (needed > columnBytesMax) throw tooLarge('bytes', needed)
    this.setBytes(growBytes(this.bytes, this.used, Math.min(Math.max(this.bytes.length * 2, needed), columnBytesMax)))
  }
  setBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }
  /** Ends a value whose bytes were written from `used + bytesPrefix` to `end`. */
  pushEnd(end: number): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.view.setInt32(this.used, end - this.used - bytesPrefix, true)
    this.used = end
    this.validity[at] = 1
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
    if (at === this.validity.length) this.grow(at + 1)
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

export class StructBuilder implements StructColumn {
  readonly kind = 'struct'
  readonly children: readonly ColumnBuilder[]
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)

  constructor(children: readonly ColumnBuilder[]) {
    this.children = children
  }
  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
  }
  grow(needed: number): void {
    this.validity = growBytes(this.validity, this.length, growSlots(this.validity.length, needed))
  }
  /** Ends a present value whose children were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.validity[at] = 1
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    for (const child of this.children) child.pushNull()
    this.validity[at] = 0
    this.nullCount++
    this.length = at + 1
  }
}

export class ListBuilder implements ListColumn {
  readonly kind = 'list'
  readonly element: ColumnBuilder
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)

  constructor(element: ColumnBuilder) {
    this.element = element
  }
  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.offsets = new Int32Array(slotsAtStart + 1)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.offsets = growInt32(this.offsets, this.length + 1, capacity + 1)
  }
  /** Ends a present list whose elements were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.validity[at] = 1
    this.offsets[at + 1] = this.element.length
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.validity[at] = 0
    this.offsets[at + 1] = this.element.length
    this.nullCount++
    this.length = at + 1
  }
}

export class MapBuilder implements MapColumn {
  readonly kind = 'map'
  readonly key: BytesBuilder
  readonly value: ColumnBuilder
  length = 0
  nullCount = 0
  validity = new Uint8Array(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)

  constructor(key: BytesBuilder, value: ColumnBuilder) {
    this.key = key
    this.value = value
  }
  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.validity = new Uint8Array(slotsAtStart)
    this.offsets = new Int32Array(slotsAtStart + 1)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.validity.length, needed)
    this.validity = growBytes(this.validity, this.length, capacity)
    this.offsets = growInt32(this.offsets, this.length + 1, capacity + 1)
  }
  /** Ends a present map whose keys and values were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.validity[at] = 1
    this.offsets[at + 1] = this.key.length
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.validity.length) this.grow(at + 1)
    this.validity[at] = 0
    this.offsets[at + 1] = this.key.length
    this.nullCount++
    this.length = at + 1
  }
}

export type PrimitiveBuilder =
  | BooleanBuilder
  | Int32Builder
  | Int64Builder
  | Float32Builder
  | Float64Builder
  | DecimalBuilder
  | BytesBuilder
export type ColumnBuilder = PrimitiveBuilder | StructBuilder | ListBuilder | MapBuilder
