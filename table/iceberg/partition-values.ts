/**
 * Partition values between single-value serialization and Avro, and their ranges per manifest.
 *
 *   date, int -> int   long, timestamps -> long   decimal -> fixed of the least bytes   others as they are
 */
import { FloeError } from '../../core/errors.ts'
import type { AvroValue } from '../avro/codec.ts'
import type { BoundPartitionField } from '../partition.ts'
import {
  compareSingleValues,
  countDecimalBytes,
  decodeDecimal,
  decodeSingleValue,
  encodeDecimalFixed,
  encodeSingleValue,
  type PrimitiveValue,
} from '../single-value.ts'
import type { PrimitiveType, SingleValue } from '../types.ts'

export function toAvroPartitionValue(type: PrimitiveType, value: SingleValue): AvroValue {
  if (value === null) return null
  if (type.kind === 'decimal') {
    return encodeDecimalFixed(decodeDecimal(value), countDecimalBytes(type.precision))
  }
  return decodeSingleValue(type, value)
}

/** errors  corrupt: not a value of the type; `what` names the manifest */
export function fromAvroPartitionValue(type: PrimitiveType, value: AvroValue | undefined, what: string): SingleValue {
  if (value === null) return null
  if (type.kind === 'decimal' && value instanceof Uint8Array) return encodeSingleValue(type, decodeDecimal(value))
  // An int column that was widened to long leaves int values in older manifests.
  const wide = type.kind === 'primitive' && type.name === 'long' && typeof value === 'number' ? BigInt(value) : value
  if (!isPartitionValue(type, wide)) {
    throw new FloeError('corrupt', 'malformed-manifest', `${what}: a partition value has the wrong type`)
  }
  return encodeSingleValue(type, wide)
}

function isPartitionValue(type: PrimitiveType, value: AvroValue | undefined): value is PrimitiveValue {
  if (type.kind === 'decimal') return false
  switch (type.name) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
    case 'date':
      return typeof value === 'number' && (value | 0) === value
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return typeof value === 'bigint'
    case 'string':
      return typeof value === 'string'
    case 'binary':
      return value instanceof Uint8Array
  }
}

/** What a manifest list says about one partition field of a manifest. */
export interface PartitionSummary {
  readonly containsNull: boolean
  readonly lower: Uint8Array | null
  readonly upper: Uint8Array | null
}

/** Whole values, never cut: a rounded-in summary silently loses rows. One summary per field of the spec, in its order. */
export function summarizePartitions(
  fields: readonly BoundPartitionField[],
  entries: readonly { readonly partition: readonly SingleValue[] }[],
): PartitionSummary[] {
  return fields.map(({ resultType }, index) => {
    let containsNull = false
    let lower: Uint8Array | null = null
    let upper: Uint8Array | null = null
    for (const entry of entries) {
      const value = entry.partition[index]!
      if (value === null) {
        containsNull = true
        continue
      }
      if (lower === null || compareSingleValues(resultType, value, lower) < 0) lower = value
      if (upper === null || compareSingleValues(resultType, value, upper) > 0) upper = value
    }
    return { containsNull, lower, upper }
  })
}
