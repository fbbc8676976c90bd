/**
 * Sparse rows to Arrow columns. In a checkpoint most columns of a page are null in every row: those are made without looking at
 * rows, structs are taken apart into their fields, and only the rest goes through Arrow's builders.
 */
import {
  Bool,
  type Data,
  DataType,
  type Field,
  Int32,
  Int64,
  makeData,
  type Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { assertNever } from '../../core/assert.ts'

export type StructRow = { readonly [field: string]: unknown }

/** `values` hold what the type's builder takes (bigint for Int64, Map for maps), objects for structs, null or undefined. */
export function buildColumn(type: DataType, values: readonly unknown[]): Data {
  const length = values.length
  if (values.every(isAbsent)) return buildNullColumn(type, length)
  if (!DataType.isStruct(type))
    return vectorFromArray(
      values.map(value => value ?? null),
      type,
    ).data[0]!
  const nullBitmap = new Uint8Array(Math.ceil(length / 8))
  let nullCount = 0
  for (const [index, value] of values.entries()) {
    if (isAbsent(value)) nullCount++
    else nullBitmap[index >> 3] = nullBitmap[index >> 3]! | (1 << (index & 7))
  }
  const children = fieldsOf(type).map(field =>
    buildColumn(
      field.type,
      values.map(value => memberOf(value, field.name)),
    ),
  )
  return makeData({ type, length, nullCount, nullBitmap, children })
}

function buildNullColumn(type: DataType, length: number): Data {
  const nullBitmap = new Uint8Array(Math.ceil(length / 8))
  const base = { length, nullCount: length, nullBitmap }
  if (DataType.isStruct(type)) {
    const children = fieldsOf(type).map(field => buildNullColumn(field.type, length))
    return makeData({ type, ...base, children })
  }
  const valueOffsets = new Int32Array(length + 1)
  if (DataType.isList(type)) {
    const child = buildNullColumn(type.valueType, 0)
    return makeData({ type, ...base, valueOffsets, child })
  }
  if (DataType.isMap(type)) {
    const child = buildNullColumn(type.childType, 0)
    return makeData({ type, ...base, valueOffsets, child })
  }
  if (type instanceof Utf8) return makeData({ type, ...base, valueOffsets, data: new Uint8Array(0) })
  if (type instanceof Int64) return makeData({ type, ...base, data: new BigInt64Array(length) })
  if (type instanceof Int32) return makeData({ type, ...base, data: new Int32Array(length) })
  if (type instanceof Bool) return makeData({ type, ...base, data: new Uint8Array(Math.ceil(length / 8)) })
  return assertNever(type as never, 'Arrow type of a checkpoint column')
}

const isAbsent = (value: unknown): boolean => value === null || value === undefined
const fieldsOf = (type: Struct): readonly Field[] => type.children
const memberOf = (value: unknown, name: string): unknown => (isAbsent(value) ? null : (value as StructRow)[name])
