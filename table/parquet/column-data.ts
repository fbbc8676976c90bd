/**
 * Columns in memory, as builders fill them and Parquet encoders read them: struct of arrays, no object per value.
 *
 *   validity   one byte per slot, 1 present, 0 null (a byte, so that a half-decoded row is undone by forgetting it)
 *   int64      two 32-bit words per slot, low word first: the memory layout of a little-endian int64 without BigInt per value
 *   decimal    four 32-bit words per slot, low word first: 128-bit two's complement of the unscaled value
 *   bytes      Parquet's plain form: at offsets[i] a 4-byte little-endian length, then the value up to offsets[i + 1]; a null
 *              takes nothing; offsets[0] = 0. Strings are UTF-8
 *   list, map  offsets[i] to offsets[i + 1] in the child columns
 *
 * Invariants  a null slot of a struct has null slots in all children, required ones too; a null list or map has no elements;
 *             `nullCount` counts zeros in validity[0, length). Arrays may be longer than `length` needs.
 */
import type { FieldType } from '../types.ts'

interface ColumnBase {
  readonly length: number
  readonly nullCount: number
  readonly validity: Uint8Array
}

export interface BooleanColumn extends ColumnBase {
  readonly kind: 'boolean'
  readonly values: Uint8Array
}
/** int and date (days since 1970-01-01). */
export interface Int32Column extends ColumnBase {
  readonly kind: 'int32'
  readonly values: Int32Array
}
/** long and timestamps (microseconds since 1970-01-01). */
export interface Int64Column extends ColumnBase {
  readonly kind: 'int64'
  readonly words: Int32Array
}
export interface Float32Column extends ColumnBase {
  readonly kind: 'float32'
  readonly values: Float32Array
}
export interface Float64Column extends ColumnBase {
  readonly kind: 'float64'
  readonly values: Float64Array
}
export interface DecimalColumn extends ColumnBase {
  readonly kind: 'decimal'
  readonly words: Int32Array
}
export interface BytesColumn extends ColumnBase {
  readonly kind: 'bytes'
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
  /** Of `bytes`. */
  readonly view: DataView
}
/** Where the bytes of a value start, behind their length. */
export const bytesPrefix = 4

export interface StructColumn extends ColumnBase {
  readonly kind: 'struct'
  readonly children: readonly ColumnData[]
}
export interface ListColumn extends ColumnBase {
  readonly kind: 'list'
  readonly offsets: Int32Array
  readonly element: ColumnData
}
export interface MapColumn extends ColumnBase {
  readonly kind: 'map'
  readonly offsets: Int32Array
  readonly key: ColumnData
  readonly value: ColumnData
}

export type PrimitiveColumn =
  | BooleanColumn
  | Int32Column
  | Int64Column
  | Float32Column
  | Float64Column
  | DecimalColumn
  | BytesColumn
export type ColumnData = PrimitiveColumn | StructColumn | ListColumn | MapColumn
export type ColumnKind = ColumnData['kind']

export interface ColumnBatch {
  readonly rowCount: number
  /** One per field, each `rowCount` long. */
  readonly columns: readonly ColumnData[]
}

/** How values of a type lie in memory. */
export function columnKindOf(type: FieldType): ColumnKind {
  if (type.kind !== 'primitive') return type.kind
  switch (type.name) {
    case 'boolean':
      return 'boolean'
    case 'int':
    case 'date':
      return 'int32'
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return 'int64'
    case 'float':
      return 'float32'
    case 'double':
      return 'float64'
    case 'string':
    case 'binary':
      return 'bytes'
  }
}
