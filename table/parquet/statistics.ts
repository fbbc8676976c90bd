/**
 * Counts and bounds of leaf columns, computed from the values themselves while they are in memory: exact, unlike statistics
 * read back from a file. One LeafStatistics covers one leaf of one row group; merging gives the file's.
 *
 *   - NaN is counted and is no bound; a zero bound is widened to -0.0 below and +0.0 above.
 *   - Bounds are single values (single-value.ts). Those of text and binary are whole values here; they are shortened outward
 *     when they leave (`toColumnStatistics`).
 *   - Leaves under a list or map have counts and no bounds.
 */
import { shortenLower, shortenUpper } from '../bounds.ts'
import type { SchemaLeaf } from '../schema.ts'
import { compareSingleValues, encodeSingleValue, widenZeroBound } from '../single-value.ts'
import type { ColumnStatistics } from '../types.ts'
import {
  type BooleanColumn,
  type BytesColumn,
  bytesPrefix,
  type ColumnData,
  type DecimalColumn,
  type Float32Column,
  type Float64Column,
  type Int32Column,
  type Int64Column,
  type PrimitiveColumn,
} from './column-data.ts'

/** The leaves of columns in the order of listLeaves. */
export function listLeafColumns(columns: readonly ColumnData[]): PrimitiveColumn[] {
  const leaves: PrimitiveColumn[] = []
  for (const column of columns) collectLeaves(column, leaves)
  return leaves
}

function collectLeaves(column: ColumnData, leaves: PrimitiveColumn[]): void {
  switch (column.kind) {
    case 'struct':
      for (const child of column.children) collectLeaves(child, leaves)
      return
    case 'list':
      collectLeaves(column.element, leaves)
      return
    case 'map':
      collectLeaves(column.key, leaves)
      collectLeaves(column.value, leaves)
      return
    default:
      leaves.push(column)
  }
}

export class LeafStatistics {
  readonly leaf: SchemaLeaf
  valueCount = 0
  nullCount = 0
  nanCount = 0
  /** Single values, or undefined while no value can bound. */
  lower: Uint8Array | undefined
  upper: Uint8Array | undefined

  constructor(leaf: SchemaLeaf) {
    this.leaf = leaf
  }

  add(column: PrimitiveColumn): void {
    this.count(column)
    this.bound(column)
  }

  count(column: PrimitiveColumn): void {
    this.valueCount += column.length
    this.nullCount += column.nullCount
  }

  /** NaNs and bounds; the same values may be bounded more than once unless they are floating point. */
  bound(column: PrimitiveColumn): void {
    const hasBounds = !this.leaf.insideRepeated && column.nullCount < column.length
    switch (column.kind) {
      case 'float32':
      case 'float64':
        this.#addFloats(column, hasBounds)
        return
      case 'boolean':
        if (hasBounds) this.#addBooleans(column)
        return
      case 'int32':
        if (hasBounds) this.#addInt32(column)
        return
      case 'int64':
        if (hasBounds) this.#addInt64(column)
        return
      case 'decimal':
        if (hasBounds) this.#addDecimals(column)
        return
      case 'bytes':
        if (hasBounds) this.#addBytes(column)
        return
    }
  }

  merge(other: LeafStatistics): void {
    this.valueCount += other.valueCount
    this.nullCount += other.nullCount
    this.nanCount += other.nanCount
    if (other.lower !== undefined) this.#lower(other.lower)
    if (other.upper !== undefined) this.#upper(other.upper)
  }

  toColumnStatistics(columnBytes: number): ColumnStatistics {
    const { type, id } = this.leaf
    // A copy, so that a short bound does not keep a long value in memory.
    const lower = this.lower === undefined ? undefined : shortenLower(type, this.lower).slice()
    const upper = this.upper === undefined ? undefined : shortenUpper(type, this.upper)
    const isFloat = type.kind === 'primitive' && (type.name === 'float' || type.name === 'double')
    return {
      fieldId: id,
      columnBytes,
      valueCount: this.valueCount,
      nullCount: this.nullCount,
      nanCount: isFloat ? this.nanCount : undefined,
      lower,
      upper,
      lowerExact: lower !== undefined && lower.length === this.lower?.length,
      upperExact: upper !== undefined && upper === this.upper,
    }
  }

  #lower(value: Uint8Array): void {
    if (this.lower === undefined || compareSingleValues(this.leaf.type, value, this.lower) < 0) this.lower = value
  }
  #upper(value: Uint8Array): void {
    if (this.upper === undefined || compareSingleValues(this.leaf.type, value, this.upper) > 0) this.upper = value
  }

  #addBooleans({ values, validity, length }: BooleanColumn): void {
    let hasFalse = false
    let hasTrue = false
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      if (values[at] === 0) hasFalse = true
      else hasTrue = true
    }
    this.#lower(Uint8Array.of(hasFalse ? 0 : 1))
    this.#upper(Uint8Array.of(hasTrue ? 1 : 0))
  }

  #addInt32({ values, validity, length }: Int32Column): void {
    let lower = 0x7fff_ffff
    let upper = -0x8000_0000
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      const value = values[at]!
      if (value < lower) lower = value
      if (value > upper) upper = value
    }
    this.#lower(encodeSingleValue(this.leaf.type, lower))
    this.#upper(encodeSingleValue(this.leaf.type, upper))
  }

  #addInt64({ words, validity, length }: Int64Column): void {
    // Low words are compared as int32 with the sign bit turned over: that orders them as unsigned ones, without doubles.
    let lowerHigh = 0x7fff_ffff
    let lowerLow = 0x7fff_ffff
    let upperHigh = -0x8000_0000
    let upperLow = -0x8000_0000
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      const high = words[at * 2 + 1]!
      const low = words[at * 2]! ^ signBit
      if (high < lowerHigh || (high === lowerHigh && low < lowerLow)) {
        lowerHigh = high
        lowerLow = low
      }
      if (high > upperHigh || (high === upperHigh && low > upperLow)) {
        upperHigh = high
        upperLow = low
      }
    }
    this.#lower(encodeWords(lowerLow ^ signBit, lowerHigh))
    this.#upper(encodeWords(upperLow ^ signBit, upperHigh))
  }

  #addFloats({ values, validity, length }: Float32Column | Float64Column, hasBounds: boolean): void {
    let lower = Infinity
    let upper = -Infinity
    let nanCount = 0
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      const value = values[at]!
      if (Number.isNaN(value)) nanCount++
      else {
        if (value < lower) lower = value
        if (value > upper) upper = value
      }
    }
    this.nanCount += nanCount
    // Only NaNs and nulls: nothing bounds.
    if (!hasBounds || lower > upper) return
    const { type } = this.leaf
    this.#lower(widenZeroBound(type, encodeSingleValue(type, lower), 'lower'))
    this.#upper(widenZeroBound(type, encodeSingleValue(type, upper), 'upper'))
  }

  #addDecimals({ words, validity, length }: DecimalColumn): void {
    let lower = -1
    let upper = -1
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      if (lower === -1 || compareDecimals(words, at, lower) < 0) lower = at
      if (upper === -1 || compareDecimals(words, at, upper) > 0) upper = at
    }
    this.#lower(encodeSingleValue(this.leaf.type, readDecimal(words, lower)))
    this.#upper(encodeSingleValue(this.leaf.type, readDecimal(words, upper)))
  }

  #addBytes(column: BytesColumn): void {
    const { offsets, bytes, validity, length } = column
    let lower = -1
    let upper = -1
    // Most values are settled by their first four bytes.
    let lowerPrefix = 0
    let upperPrefix = 0
    for (let at = 0; at < length; at++) {
      if (validity[at] === 0) continue
      const prefix = readPrefix(bytes, offsets[at]! + bytesPrefix, offsets[at + 1]!)
      if (lower === -1) {
        lower = at
        upper = at
        lowerPrefix = prefix
        upperPrefix = prefix
        continue
      }
      if (prefix < lowerPrefix || (prefix === lowerPrefix && compareSlots(column, at, lower) < 0)) {
        lower = at
        lowerPrefix = prefix
      }
      if (prefix > upperPrefix || (prefix === upperPrefix && compareSlots(column, at, upper) > 0)) {
        upper = at
        upperPrefix = prefix
      }
    }
    this.#lower(bytes.slice(offsets[lower]! + bytesPrefix, offsets[lower + 1]!))
    this.#upper(bytes.slice(offsets[upper]! + bytesPrefix, offsets[upper + 1]!))
  }
}

const signBit = -0x8000_0000

function encodeWords(low: number, high: number): Uint8Array {
  return new Uint8Array(Int32Array.of(low, high).buffer)
}

function compareDecimals(words: Int32Array, left: number, right: number): number {
  const top = words[left * 4 + 3]! - words[right * 4 + 3]!
  if (top !== 0) return top
  for (let word = 2; word >= 0; word--) {
    const difference = (words[left * 4 + word]! >>> 0) - (words[right * 4 + word]! >>> 0)
    if (difference !== 0) return difference
  }
  return 0
}

export function readDecimal(words: Int32Array, slot: number): bigint {
  const at = slot * 4
  return (
    (BigInt(words[at + 3]!) << 96n) |
    (BigInt(words[at + 2]! >>> 0) << 64n) |
    (BigInt(words[at + 1]! >>> 0) << 32n) |
    BigInt(words[at]! >>> 0)
  )
}

/** The first four bytes as a number in their order; what is missing counts as zero. */
function readPrefix(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= 4) {
    return ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0
  }
  let prefix = 0
  for (let at = start; at < start + 4; at++) prefix = prefix * 256 + (at < end ? bytes[at]! : 0)
  return prefix
}

function compareSlots({ bytes, offsets }: BytesColumn, left: number, right: number): number {
  const leftStart = offsets[left]! + bytesPrefix
  const rightStart = offsets[right]! + bytesPrefix
  const leftLength = offsets[left + 1]! - leftStart
  const rightLength = offsets[right + 1]! - rightStart
  const shared = Math.min(leftLength, rightLength)
  for (let at = 0; at < shared; at++) {
    const difference = bytes[leftStart + at]! - bytes[rightStart + at]!
    if (difference !== 0) return difference
  }
  return leftLength - rightLength
}
