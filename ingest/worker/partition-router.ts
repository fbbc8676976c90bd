/**
 * Which partition tuple a row belongs to, by the transforms of the spec (table/partition.ts). Rows are compared by cheap keys;
 * the tuple itself is computed once per distinct key. An unpartitioned table has one partition with the empty tuple.
 */
import { isFloeError } from '../../core/errors.ts'
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import { readDecimal } from '../../table/parquet/statistics.ts'
import { applyTransform, type BoundPartitionField, bindSpec } from '../../table/partition.ts'
import { encodeSingleValue } from '../../table/single-value.ts'
import type { Field, PartitionSpec, PrimitiveType, Schema, SingleValue } from '../../table/types.ts'
import type { ColumnBuilder, PrimitiveBuilder } from '../columns/builders.ts'

export const routeRefused = { tooMany: -1, outOfRange: -2 } as const

interface RoutedField {
  readonly bound: BoundPartitionField
  readonly column: PrimitiveBuilder
  /** Microseconds per bucket for day and hour of timestamps; 0 for the value itself. */
  readonly bucketMicros: number
}

export class PartitionRouter {
  readonly #fields: readonly RoutedField[]
  readonly #partitionsMax: number
  readonly #indexByKey = new Map<string, number>()
  #lastKey: string | number | undefined
  #lastIndex = 0
  /** Tuples by partition index. */
  readonly tuples: (readonly SingleValue[])[] = []

  /** `columns` belong to the schema's fields, one each. */
  constructor(schema: Schema, spec: PartitionSpec, columns: readonly ColumnBuilder[], partitionsMax: number) {
    this.#partitionsMax = partitionsMax
    this.#fields = bindSpec(spec, schema).map(bound => ({
      bound,
      column: findColumn(schema.fields, columns, bound.field.sourceId)!,
      bucketMicros: bucketMicrosOf(bound),
    }))
  }

  /** Partitions met since the last reset. */
  get partitionCount(): number {
    return this.tuples.length
  }

  reset(): void {
    this.#indexByKey.clear()
    this.#lastKey = undefined
    this.tuples.length = 0
  }

  /** Partition index of the row, or one of routeRefused. */
  route(row: number): number {
    const fields = this.#fields
    let key: string | number = 0
    if (fields.length === 1) key = keyOf(fields[0]!, row)
    else if (fields.length > 1) key = fields.map(field => sizedKeyOf(field, row)).join('')
    if (key === this.#lastKey) return this.#lastIndex
    // A number and a string never meet: one field gives one kind of key, apart from null.
    const text = String(key)
    let index = this.#indexByKey.get(text)
    if (index === undefined) {
      if (this.tuples.length >= this.#partitionsMax) return routeRefused.tooMany
      const tuple = this.#createTuple(row)
      if (tuple === undefined) return routeRefused.outOfRange
      index = this.tuples.push(tuple) - 1
      this.#indexByKey.set(text, index)
    }
    this.#lastKey = key
    this.#lastIndex = index
    return index
  }

  #createTuple(row: number): SingleValue[] | undefined {
    try {
      return this.#fields.map(({ bound, column }) =>
        applyTransform(bound.field.transform, bound.sourceType, readSingleValue(bound.sourceType, column, row)),
      )
    } catch (error) {
      if (isFloeError(error, 'invalid')) return undefined
      throw error
    }
  }
}

function bucketMicrosOf({ field, sourceType }: BoundPartitionField): number {
  if (field.transform === 'identity') return 0
  if (sourceType.kind === 'primitive' && sourceType.name === 'date') return 0
  return field.transform === 'day' ? 86_400_000_000 : 3_600_000_000
}

function findColumn(
  fields: readonly Field[],
  columns: readonly ColumnBuilder[],
  id: number,
): PrimitiveBuilder | undefined {
  for (const [index, field] of fields.entries()) {
    const column = columns[index]!
    if (field.id === id) return asPrimitive(column)
    if (field.type.kind === 'struct' && column.kind === 'struct') {
      const found = findColumn(field.type.fields, column.children, id)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function asPrimitive(column: ColumnBuilder): PrimitiveBuilder {
  if (column.kind === 'struct' || column.kind === 'list' || column.kind === 'map') {
    throw new TypeError(`a ${column.kind} column cannot be a partition source`)
  }
  return column
}

/** With its length in front: keys of several fields are put together, and text may hold whatever would stand between them. */
function sizedKeyOf(field: RoutedField, row: number): string {
  const key = String(keyOf(field, row))
  return `${key.length}:${key}`
}

/** Equal keys mean equal tuple values; different keys of one bucket would only cost a second lookup, and do not occur. */
function keyOf({ column, bucketMicros }: RoutedField, row: number): string | number {
  if (column.validity[row] === 0) return 'null'
  switch (column.kind) {
    case 'int64': {
      const low = column.words[row * 2]! >>> 0
      const high = column.words[row * 2 + 1]!
      if (bucketMicros === 0) return high === 0 || high === -1 ? high * 0x1_0000_0000 + low : `${high},${low}`
      // Exact within the years 1684 to 2255; beyond, the quotient is computed with BigInt.
      if (high >= -0x20_0000 && high < 0x20_0000) return Math.floor((high * 0x1_0000_0000 + low) / bucketMicros)
      const micros = (BigInt(high) << 32n) | BigInt(low)
      const bucket = BigInt(bucketMicros)
      const quotient = micros / bucket
      return Number(micros % bucket < 0n ? quotient - 1n : quotient)
    }
    case 'bytes': {
      const start = column.offsets[row]! + bytesPrefix
      // Quoted, so that the text "null" is not null.
      return `"${Buffer.from(column.bytes.buffer, start, column.offsets[row + 1]! - start).toString('latin1')}`
    }
    case 'decimal':
      return String(readDecimal(column.words, row))
    default:
      return column.values[row]!
  }
}

function readSingleValue(type: PrimitiveType, column: PrimitiveBuilder, row: number): SingleValue {
  if (column.validity[row] === 0) return null
  switch (column.kind) {
    case 'boolean':
      return encodeSingleValue(type, column.values[row] !== 0)
    case 'int64':
      return new Uint8Array(column.words.slice(row * 2, row * 2 + 2).buffer)
    case 'bytes':
      return column.bytes.slice(column.offsets[row]! + bytesPrefix, column.offsets[row + 1]!)
    case 'decimal':
      return encodeSingleValue(type, readDecimal(column.words, row))
    default:
      return encodeSingleValue(type, column.values[row]!)
  }
}
