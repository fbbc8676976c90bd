/**
 * The Avro schemas of manifests and manifest lists, format version 2. Record names, field names, order, ids and bare primitive
 * types are as the Java library writes them, because readers match on each of these; test/unit/table/iceberg holds golden texts.
 *
 * source  Iceberg specification, "Manifests", "Manifest Lists" and appendix A
 */
import type { AvroField, AvroRecord, AvroSchema } from '../avro/schema.ts'
import { bindSpec } from '../partition.ts'
import { countDecimalBytes } from '../single-value.ts'
import type { PartitionSpec, PrimitiveType, Schema } from '../types.ts'

const required = (name: string, type: AvroSchema, id: number): AvroField => ({ name, type, 'field-id': id })
const optional = (name: string, type: AvroSchema, id: number): AvroField => ({
  name,
  type: ['null', type],
  default: null,
  'field-id': id,
})

/** Iceberg's form of a map with int keys: an array of key-value records. */
function intMap(name: string, id: number, keyId: number, valueId: number, value: AvroSchema): AvroField {
  const item: AvroRecord = {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required('key', 'int', keyId), required('value', value, valueId)],
  }
  return optional(name, { type: 'array', items: item, logicalType: 'map' }, id)
}

const fieldSummary: AvroRecord = {
  type: 'record',
  name: 'r508',
  fields: [
    required('contains_null', 'boolean', 509),
    optional('contains_nan', 'boolean', 518),
    optional('lower_bound', 'bytes', 510),
    optional('upper_bound', 'bytes', 511),
  ],
}

export const manifestListSchema: AvroRecord = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    required('manifest_path', 'string', 500),
    required('manifest_length', 'long', 501),
    required('partition_spec_id', 'int', 502),
    required('content', 'int', 517),
    required('sequence_number', 'long', 515),
    required('min_sequence_number', 'long', 516),
    required('added_snapshot_id', 'long', 503),
    required('added_files_count', 'int', 504),
    required('existing_files_count', 'int', 505),
    required('deleted_files_count', 'int', 506),
    required('added_rows_count', 'long', 512),
    required('existing_rows_count', 'long', 513),
    required('deleted_rows_count', 'long', 514),
    optional('partitions', { type: 'array', items: fieldSummary, 'element-id': 508 }, 507),
    optional('key_metadata', 'bytes', 519),
  ],
}

/** The `data_file` record for a spec: its partition struct depends on the types that the transforms give. */
export function buildDataFileSchema(spec: PartitionSpec, schema: Schema): AvroRecord {
  const partition: AvroRecord = {
    type: 'record',
    name: 'r102',
    fields: bindSpec(spec, schema).map(({ field, resultType }) => {
      const type = toPartitionAvroType(resultType, field.fieldId)
      const name = sanitizeAvroName(field.name)
      const base: AvroField = { name, type: ['null', type], default: null }
      return name === field.name
        ? { ...base, 'field-id': field.fieldId }
        : { ...base, 'iceberg-field-name': field.name, 'field-id': field.fieldId }
    }),
  }
  return {
    type: 'record',
    name: 'r2',
    fields: [
      required('content', 'int', 134),
      required('file_path', 'string', 100),
      required('file_format', 'string', 101),
      required('partition', partition, 102),
      required('record_count', 'long', 103),
      required('file_size_in_bytes', 'long', 104),
      intMap('column_sizes', 108, 117, 118, 'long'),
      intMap('value_counts', 109, 119, 120, 'long'),
      intMap('null_value_counts', 110, 121, 122, 'long'),
      intMap('nan_value_counts', 137, 138, 139, 'long'),
      intMap('lower_bounds', 125, 126, 127, 'bytes'),
      intMap('upper_bounds', 128, 129, 130, 'bytes'),
      optional('key_metadata', 'bytes', 131),
      optional('split_offsets', { type: 'array', items: 'long', 'element-id': 133 }, 132),
      optional('equality_ids', { type: 'array', items: 'int', 'element-id': 136 }, 135),
      optional('sort_order_id', 'int', 140),
    ],
  }
}

export function buildManifestSchema(dataFile: AvroRecord): AvroRecord {
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required('status', 'int', 0),
      optional('snapshot_id', 'long', 1),
      optional('sequence_number', 'long', 3),
      optional('file_sequence_number', 'long', 4),
      required('data_file', dataFile, 2),
    ],
  }
}

function toPartitionAvroType(type: PrimitiveType, fieldId: number): AvroSchema {
  if (type.kind === 'decimal') {
    return {
      type: 'fixed',
      name: `decimal_${type.precision}_${type.scale}_${fieldId}`,
      size: countDecimalBytes(type.precision),
      logicalType: 'decimal',
      precision: type.precision,
      scale: type.scale,
    }
  }
  switch (type.name) {
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': false }
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }
    case 'binary':
      return 'bytes'
    default:
      return type.name
  }
}

/** Avro names are `[A-Za-z_][A-Za-z0-9_]*`; other characters become `_x` and their code in hex, a leading digit gets `_`. */
export function sanitizeAvroName(name: string): string {
  let out = ''
  for (let at = 0; at < name.length; at++) {
    const character = name[at]!
    if (/[A-Za-z_]/.test(character) || (at > 0 && /[0-9]/.test(character))) out += character
    else if (/[0-9]/.test(character)) out += `_${character}`
    else out += `_x${character.charCodeAt(0).toString(16).toUpperCase()}`
  }
  return out
}
