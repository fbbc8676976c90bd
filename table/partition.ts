/**
 * Partition transforms: from a column value to the value in a file's partition tuple.
 *
 *   identity  the value itself                       same type
 *   day       floor(value / 1 day) since 1970-01-01  date
 *   hour      floor(value / 1 hour) since 1970       int
 *
 * null stays null. Times before 1970 round down, not toward zero. All values are in Iceberg's single-value serialization
 * (single-value.ts), tuples in spec order.
 *
 * source  Iceberg specification, "Partitioning" and "Partition Transforms"
 */
import { FloeError } from '../core/errors.ts'
import { findNodeById, formatType, isPrimitive, type SchemaNode } from './schema.ts'
import { decodeSingleValue, encodeSingleValue } from './single-value.ts'
import {
  type PartitionField,
  type PartitionSpec,
  type PrimitiveType,
  primitive,
  type Schema,
  type SingleValue,
  type Transform,
} from './types.ts'
import { floorDivide, formatSingleValue, microsPerDay, microsPerHour } from './value-text.ts'

export const partitionFieldIdBase = 1_000
export const partitionFieldCountMax = 16
/** A partition value is part of every file's entry and of memory; longer ones are surely not meant as partitions. */
export const partitionValueBytesMax = 1_024

const isPrimitiveNamed = (type: PrimitiveType, ...names: string[]): boolean =>
  type.kind === 'primitive' && names.includes(type.name)

/** The type of the tuple value; undefined when the transform does not take the source type. */
export function resultType(transform: Transform, source: PrimitiveType): PrimitiveType | undefined {
  switch (transform) {
    case 'identity':
      // Floating point tuples would need rules for NaN and the two zeros; binary ones have no readable form.
      return isPrimitiveNamed(source, 'float', 'double', 'binary') ? undefined : source
    case 'day':
      return isPrimitiveNamed(source, 'date', 'timestamp', 'timestamptz') ? primitive('date') : undefined
    case 'hour':
      return isPrimitiveNamed(source, 'timestamp', 'timestamptz') ? primitive('int') : undefined
  }
}

/** Days since 1970-01-01, rounded down. */
export const dayOfMicros = (micros: bigint): number => Number(floorDivide(micros, microsPerDay))
/** Hours since 1970-01-01T00, rounded down. */
export const hourOfMicros = (micros: bigint): number => Number(floorDivide(micros, microsPerHour))

/**
 * errors  invalid: an hour that does not fit 32 bits (about the year 246,000), or a value longer than partitionValueBytesMax
 */
export function applyTransform(transform: Transform, source: PrimitiveType, value: SingleValue): SingleValue {
  if (value === null) return null
  if (transform === 'identity' || isPrimitiveNamed(source, 'date')) {
    if (value.length > partitionValueBytesMax) {
      throw new FloeError(
        'invalid',
        'partition-value-long',
        `a partition value of ${value.length} bytes is longer than ${partitionValueBytesMax}; partition by another column`,
        { bytes: value.length },
      )
    }
    return value
  }
  const micros = decodeSingleValue(source, value)
  const result = typeof micros === 'bigint' ? (transform === 'day' ? dayOfMicros(micros) : hourOfMicros(micros)) : NaN
  if ((result | 0) !== result) {
    throw new FloeError('invalid', 'partition-value-range', `${transform} of a ${formatType(source)} is out of range`, {
      value: String(micros),
    })
  }
  return encodeSingleValue(primitive('int'), result)
}

export interface BoundPartitionField {
  readonly field: PartitionField
  readonly source: SchemaNode
  readonly sourceType: PrimitiveType
  readonly resultType: PrimitiveType
}

/**
 * The spec's fields with their types in the schema.
 *
 * errors  invalid: an unknown, nested-in-list or non-primitive source, a transform that does not take it
 */
export function bindSpec(spec: PartitionSpec, schema: Schema): BoundPartitionField[] {
  return spec.fields.map(field => {
    const source = findNodeById(schema, field.sourceId)
    if (source === undefined) {
      throw invalid('partition-source-unknown', field, `source column id ${field.sourceId} is not in the schema`)
    }
    if (source.insideRepeated || !isPrimitive(source.type)) {
      throw invalid(
        'partition-source-type',
        field,
        `source ${JSON.stringify(source.path)} is ${source.insideRepeated ? 'inside a list or map' : 'not a primitive column'}`,
      )
    }
    const result = resultType(field.transform, source.type)
    if (result === undefined) {
      throw invalid(
        'partition-transform-type',
        field,
        `${field.transform} cannot be applied to ${JSON.stringify(source.path)} of type ${formatType(source.type)}`,
      )
    }
    return { field, source, sourceType: source.type, resultType: result }
  })
}

/**
 * errors  invalid, naming the partition field: what bindSpec refuses; ids below 1000 or repeated; names empty, repeated, or equal
 *         to a column that is not the identity source (Iceberg refuses those); too many fields
 */
export function validateSpec(spec: PartitionSpec, schema: Schema): void {
  if (spec.fields.length > partitionFieldCountMax) {
    throw new FloeError(
      'exhausted',
      'partition-fields-many',
      `a table can be partitioned by at most ${partitionFieldCountMax} fields`,
      { count: spec.fields.length },
    )
  }
  const ids = new Set<number>()
  const names = new Set<string>()
  const uses = new Set<string>()
  for (const { field, source } of bindSpec(spec, schema)) {
    if (!Number.isInteger(field.fieldId) || field.fieldId < partitionFieldIdBase) {
      throw invalid(
        'partition-field-id',
        field,
        `field id ${field.fieldId} is not a whole number from ${partitionFieldIdBase} up`,
      )
    }
    if (ids.has(field.fieldId)) throw invalid('partition-field-id', field, `field id ${field.fieldId} is used twice`)
    ids.add(field.fieldId)
    const folded = field.name.toLowerCase()
    if (folded === '') throw invalid('partition-field-name', field, 'the name is empty')
    if (names.has(folded)) throw invalid('partition-field-name', field, 'the name is used twice')
    names.add(folded)
    const column = schema.fields.find(candidate => candidate.name.toLowerCase() === folded)
    if (column !== undefined && !(field.transform === 'identity' && column.id === source.id)) {
      throw invalid('partition-field-name', field, 'the name is that of another column')
    }
    const use = `${field.transform}:${field.sourceId}`
    if (uses.has(use))
      throw invalid('partition-field-repeated', field, `${field.transform} of the column stands there twice`)
    uses.add(use)
  }
}

function invalid(code: string, field: PartitionField, problem: string): FloeError {
  return new FloeError('invalid', code, `partition field ${JSON.stringify(field.name)}: ${problem}`, {
    field: field.name,
  })
}

/** Equal keys mean equal tuples: hex values between commas, `-` for null. Usable as a Map key. */
export function formatPartitionKey(tuple: readonly SingleValue[]): string {
  return tuple.map(value => (value === null ? '-' : Buffer.from(value).toString('hex'))).join(',')
}

/** For people: `ts_day=2024-01-01/region=eu`, hours as `2024-01-01-13`; empty for an unpartitioned table. */
export function formatPartition(spec: PartitionSpec, schema: Schema, tuple: readonly SingleValue[]): string {
  return bindSpec(spec, schema)
    .map((bound, index) => `${bound.field.name}=${formatPartitionValue(bound, tuple[index] ?? null)}`)
    .join('/')
}

function formatPartitionValue(bound: BoundPartitionField, value: SingleValue): string {
  if (value === null || bound.field.transform !== 'hour') return formatSingleValue(bound.resultType, value)
  const hours = Number(decodeSingleValue(bound.resultType, value))
  const days = encodeSingleValue(primitive('date'), Math.floor(hours / 24))
  return `${formatSingleValue(primitive('date'), days)}-${String(hours - Math.floor(hours / 24) * 24).padStart(2, '0')}`
}
