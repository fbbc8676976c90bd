/**
 * Per-file statistics of Delta: JSON text, nested like the schema and keyed by column names.
 *
 *   {"numRecords":2,"minValues":{"id":1,"at":{"ts":"2024-01-01T00:00:00.000Z"}},"maxValues":{...},"nullCount":{...}}
 *
 * Rounding is outward, for Delta's own precision and not Iceberg's: 32 code points of text, milliseconds (minimum down, maximum
 * up). Left out are bounds of binary, of columns that hold a NaN, infinities, and years that ISO 8601's four digits cannot say.
 * By the protocol a bound left out only costs skipping; but delta-rs (1.6), when it filters through a PyArrow dataset, skips
 * files whose bounds are missing on either side. So bounds come in pairs, and booleans, for which Spark writes none, have them.
 *
 * source  Delta protocol, "Per-file Statistics"
 */
import { cutCodePoints, deltaBoundCodePointsMax, roundTextUpper } from '../bounds.ts'
import { JsonNumberText, type PrintableJson, printJson } from '../exact-json.ts'
import { isPrimitive } from '../schema.ts'
import { decodeSingleValue, isNaNValue, widenZeroBound } from '../single-value.ts'
import type { ColumnStatistics, DataFile, Field, PrimitiveType, Schema } from '../types.ts'
import {
  dateOfDays,
  floorDivide,
  formatDate,
  formatDecimal,
  formatTimestamp,
  microsPerDay,
  microsPerMilli,
} from '../value-text.ts'

/** Leaf columns with statistics, in schema order: Spark's default for delta.dataSkippingNumIndexedCols. */
export const statisticsLeafCountMax = 32

type MutableJson = { [key: string]: PrintableJson }

interface StatsObjects {
  readonly min: MutableJson
  readonly max: MutableJson
  readonly nullCount: MutableJson
}

/** partitionColumns  names of top-level columns whose values stand in partitionValues and therefore not here */
export function buildStatsText(schema: Schema, partitionColumns: ReadonlySet<string>, file: DataFile): string {
  const columns = new Map(file.columns.map(column => [column.fieldId, column]))
  const stats: StatsObjects = { min: {}, max: {}, nullCount: {} }
  const fields = schema.fields.filter(field => !partitionColumns.has(field.name))
  fillStats(fields, columns, stats, { leaves: statisticsLeafCountMax })
  return printJson({
    numRecords: file.recordCount,
    minValues: stats.min,
    maxValues: stats.max,
    nullCount: stats.nullCount,
  })
}

function fillStats(
  fields: readonly Field[],
  columns: ReadonlyMap<number, ColumnStatistics>,
  stats: StatsObjects,
  budget: { leaves: number },
): void {
  for (const field of fields) {
    if (budget.leaves <= 0) return
    const { type, name } = field
    if (type.kind === 'struct') {
      const nested: StatsObjects = { min: {}, max: {}, nullCount: {} }
      fillStats(type.fields, columns, nested, budget)
      if (Object.keys(nested.min).length > 0) stats.min[name] = nested.min
      if (Object.keys(nested.max).length > 0) stats.max[name] = nested.max
      if (Object.keys(nested.nullCount).length > 0) stats.nullCount[name] = nested.nullCount
      continue
    }
    // A list or map counts as one leaf and has no statistics: those of its elements say nothing about rows.
    budget.leaves--
    const column = columns.get(field.id)
    if (column === undefined || !isPrimitive(type)) continue
    stats.nullCount[name] = column.nullCount
    if ((column.nanCount ?? 0) > 0 || column.nullCount === column.valueCount) continue
    const min = column.lower && toMinimum(type, column.lower)
    const max = column.upper && toMaximum(type, column.upper)
    if (min === undefined || max === undefined) continue
    stats.min[name] = min
    stats.max[name] = max
  }
}

function toMinimum(type: PrimitiveType, lower: Uint8Array): PrintableJson | undefined {
  if (isNaNValue(type, lower)) return undefined
  if (type.kind === 'primitive') {
    if (type.name === 'string') return text(cutCodePoints(lower, deltaBoundCodePointsMax))
    if (type.name === 'timestamp' || type.name === 'timestamptz') {
      return timestamp(type.name, microsOf(type, lower), 'down')
    }
  }
  return toExact(type, widenZeroBound(type, lower, 'lower'))
}

function toMaximum(type: PrimitiveType, upper: Uint8Array): PrintableJson | undefined {
  if (isNaNValue(type, upper)) return undefined
  if (type.kind === 'primitive') {
    if (type.name === 'string') {
      // The length is a custom, so where rounding up is impossible the longer bound serves.
      return text(roundTextUpper(upper, deltaBoundCodePointsMax) ?? upper)
    }
    if (type.name === 'timestamp' || type.name === 'timestamptz') {
      return timestamp(type.name, microsOf(type, upper), 'up')
    }
  }
  return toExact(type, widenZeroBound(type, upper, 'upper'))
}

function toExact(type: PrimitiveType, bytes: Uint8Array): PrintableJson | undefined {
  const value = decodeSingleValue(type, bytes)
  if (type.kind === 'decimal') {
    return typeof value === 'bigint' ? new JsonNumberText(formatDecimal(value, type.scale)) : undefined
  }
  switch (type.name) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'int':
    case 'long':
      return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
    case 'float':
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'date':
      return typeof value === 'number' && hasPlainYear(value) ? formatDate(value) : undefined
  }
  return undefined
}

const stringType: PrimitiveType = { kind: 'primitive', name: 'string' }
const text = (utf8: Uint8Array): string => String(decodeSingleValue(stringType, utf8))

function microsOf(type: PrimitiveType, bytes: Uint8Array): bigint {
  const value = decodeSingleValue(type, bytes)
  return typeof value === 'bigint' ? value : BigInt(Number(value))
}

/** 9999-12-31T23:59:59.999Z: this millisecond, a customary "for ever", cannot be rounded up and is told to the microsecond. */
const lastPlainMilliMicros = 253_402_300_799_999_000n

function timestamp(name: 'timestamp' | 'timestamptz', micros: bigint, rounding: 'down' | 'up'): string | undefined {
  if (!hasPlainYear(Number(floorDivide(micros, microsPerDay)))) return undefined
  const suffix = name === 'timestamptz' ? 'Z' : ''
  if (micros >= lastPlainMilliMicros) return formatTimestamp(micros, 6, suffix)
  const millis = rounding === 'up' ? -floorDivide(-micros, microsPerMilli) : floorDivide(micros, microsPerMilli)
  return formatTimestamp(millis * microsPerMilli, 3, suffix)
}

function hasPlainYear(days: number): boolean {
  const { year } = dateOfDays(days)
  return year >= 1 && year <= 9999
}
