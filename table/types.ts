/**
 * What a table is: types, fields, schemas, partition specs, data files. The neutral model that Iceberg and Delta are both
 * rendered from. One id space: Iceberg field id = Parquet field_id = (later) Delta column mapping id, starting at 1.
 *
 * source  Iceberg specification, "Schemas and Data Types", "Partitioning"; the portable profile of docs/types.md
 */
export type PrimitiveTypeName =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'binary'

export type PrimitiveType =
  | { readonly kind: 'primitive'; readonly name: PrimitiveTypeName }
  /** Precision 1 to 38, scale 0 to precision. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }

export interface StructType {
  readonly kind: 'struct'
  readonly fields: readonly Field[]
}
export interface ListType {
  readonly kind: 'list'
  readonly elementId: number
  readonly elementRequired: boolean
  readonly element: FieldType
}
export interface MapType {
  readonly kind: 'map'
  readonly keyId: number
  /** Always a string in the portable profile. */
  readonly key: PrimitiveType
  readonly valueId: number
  readonly valueRequired: boolean
  readonly value: FieldType
}
export type FieldType = PrimitiveType | StructType | ListType | MapType

export interface Field {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: FieldType
  readonly doc?: string
}

export interface Schema {
  readonly schemaId: number
  /** User columns in order, then the provenance column `floe` (provenance.ts). */
  readonly fields: readonly Field[]
}

/** Iceberg transforms that the spine serves; the others join in later. */
export type Transform = 'identity' | 'day' | 'hour'

export interface PartitionField {
  readonly sourceId: number
  /** From 1000 up. */
  readonly fieldId: number
  readonly name: string
  readonly transform: Transform
}

export interface PartitionSpec {
  readonly specId: number
  readonly fields: readonly PartitionField[]
}

/**
 * One value of a partition tuple or one column bound in Iceberg's single-value serialization (specification, appendix D),
 * or null.
 */
export type SingleValue = Uint8Array | null

/**
 * Statistics of one leaf column of one data file. Bounds are exact single values, or for string and binary possibly a prefix
 * of at most `boundBytesMax` bytes, rounded outward (lower <= every value <= upper). NaN is never a bound. Bounds are left
 * out for leaves under a list or map, for all-null columns, and where rounding up is impossible.
 */
export interface ColumnStatistics {
  readonly fieldId: number
  /** Compressed bytes in the file. */
  readonly columnBytes: number
  /** Values including nulls and NaNs. */
  readonly valueCount: number
  readonly nullCount: number
  /** Only for float and double. */
  readonly nanCount: number | undefined
  readonly lower: Uint8Array | undefined
  readonly upper: Uint8Array | undefined
  /** Whether the bound is a real value of the column, not a rounded prefix. */
  readonly lowerExact: boolean
  readonly upperExact: boolean
}

export const boundBytesMax = 256

/** One immutable Parquet file of a table. */
export interface DataFile {
  /** Relative to the table's root, for example `data/3f/00000000a1-7.parquet`. */
  readonly path: string
  /** In spec order; empty for an unpartitioned table. */
  readonly partition: readonly SingleValue[]
  readonly recordCount: number
  readonly fileBytes: number
  /** Byte offsets of the row groups, ascending. */
  readonly splitOffsets: readonly number[]
  readonly columns: readonly ColumnStatistics[]
}

export const primitive = (name: PrimitiveTypeName): PrimitiveType => ({ kind: 'primitive', name })
