/**
 * Column builders: columns (table/parquet/column-data.ts) that grow. Decoders push into them, or write into their arrays after
 * `reserve` and then push; encoders read them; `resetColumn` empties them and keeps the memory.
 *
 * `validity` is 1 from `length` on, so that only nulls write it: arrays of all columns start alike in their pages and contend for
 * the same few cache lines, and most values are there. Whoever takes slots back sets it to 1 again.
 *
 * Rows are all or nothing: a decoder that gives up half-way truncates every column to the row it began with.
 */
import type {
  BooleanColumn,
  DecimalColumn,
  Float32Column,
  Float64Column,
  Int32Column,
  Int64Column,
  ListColumn,
  MapColumn,
  StructColumn,
} from '../../table/parquet/column-data.ts'
import { BytesBuilder } from './bytes-builder.ts'
import { createValidity, growBytes, growInt32, growSlots, growValidity, slotsAtStart } from './growth.ts'

export { BytesBuilder }

export class BooleanBuilder implements BooleanColumn {
  readonly kind = 'boolean'
  length = 0
  nullCount = 0
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  values = new Uint8Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.values = new Uint8Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.values = growBytes(this.values, this.length, capacity)
  }
  push(value: 0 | 1): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.values[at] = value
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  values = new Int32Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.values = new Int32Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.values = growInt32(this.values, this.length, capacity)
  }
  push(value: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.values[at] = value
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  words = new Int32Array(slotsAtStart * 2)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.words = new Int32Array(slotsAtStart * 2)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.words = growInt32(this.words, this.length * 2, capacity * 2)
  }
  pushWords(low: number, high: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.words[at * 2] = low
    this.words[at * 2 + 1] = high
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
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  values = new Float32Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.values = new Float32Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    const values = new Float32Array(capacity)
    values.set(this.values.subarray(0, this.length))
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.values = values
  }
  push(value: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.values[at] = value
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  values = new Float64Array(slotsAtStart)

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.values = new Float64Array(slotsAtStart)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    const values = new Float64Array(capacity)
    values.set(this.values.subarray(0, this.length))
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.values = values
  }
  push(value: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.values[at] = value
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  words = new Int32Array(slotsAtStart * 4)

  constructor(precision: number, scale: number) {
    this.precision = precision
    this.scale = scale
  }

  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
    this.words = new Int32Array(slotsAtStart * 4)
  }
  grow(needed: number): void {
    const capacity = growSlots(this.capacity, needed)
    this.capacity = capacity
    this.validity = growValidity(this.validity, this.length, capacity)
    this.words = growInt32(this.words, this.length * 4, capacity * 4)
  }
  pushWords(word0: number, word1: number, word2: number, word3: number): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    const word = at * 4
    this.words[word] = word0
    this.words[word + 1] = word1
    this.words[word + 2] = word2
    this.words[word + 3] = word3
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

export class StructBuilder implements StructColumn {
  readonly kind = 'struct'
  readonly children: readonly ColumnBuilder[]
  length = 0
  nullCount = 0
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)

  constructor(children: readonly ColumnBuilder[]) {
    this.children = children
  }
  /** Gives the memory of the slots back; the column must be empty. */
  shrink(): void {
    this.capacity = slotsAtStart
    this.validity = createValidity(slotsAtStart)
  }
  grow(needed: number): void {
    this.capacity = growSlots(this.capacity, needed)
    this.validity = growValidity(this.validity, this.length, this.capacity)
  }
  /** Ends a present value whose children were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)

  constructor(element: ColumnBuilder) {
    this.element = element
  }
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
  /** Ends a present list whose elements were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.offsets[at + 1] = this.element.length
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
  capacity = slotsAtStart
  validity = createValidity(slotsAtStart)
  offsets = new Int32Array(slotsAtStart + 1)

  constructor(key: BytesBuilder, value: ColumnBuilder) {
    this.key = key
    this.value = value
  }
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
  /** Ends a present map whose keys and values were pushed. */
  pushValid(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
    this.offsets[at + 1] = this.key.length
    this.length = at + 1
  }
  pushNull(): void {
    const at = this.length
    if (at === this.capacity) this.grow(at + 1)
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
