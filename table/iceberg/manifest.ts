/**
 * Manifests: which files a table version holds, with their statistics. One Avro file, one partition spec, data files only.
 *
 *   entry   status | snapshot id | data sequence number | file sequence number | data_file (r2)
 *
 * An entry's data_file is encoded once, when the file is added, and carried as bytes from then on: merging and rewriting
 * manifests copies it, so statistics cannot change on the way and no column map is ever decoded.
 *
 * source  Iceberg specification, "Manifests", "Sequence Number Inheritance"
 */
import { createHash } from 'node:crypto'
import type { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import {
  type AvroEncoder,
  type AvroRecordValue,
  type AvroValue,
  compileDecoder,
  compileEncoder,
  compileRecordDecoder,
  readInt,
  readLong,
  writeLong,
} from '../avro/codec.ts'
import { readContainer, writeContainer } from '../avro/container.ts'
import {
  type AvroOptional,
  type AvroRecord,
  type AvroSchema,
  parseAvroSchema,
  printAvroSchema,
} from '../avro/schema.ts'
import { roundIcebergLower, roundIcebergUpper } from '../bounds.ts'
import { printJson } from '../exact-json.ts'
import { type BoundPartitionField, bindSpec } from '../partition.ts'
import { listLeaves, type SchemaLeaf } from '../schema.ts'
import { isNaNValue, widenZeroBound } from '../single-value.ts'
import type { DataFile, PartitionSpec, PrimitiveType, Schema, SingleValue } from '../types.ts'
import { buildDataFileSchema, buildManifestSchema, sanitizeAvroName } from './manifest-schema.ts'
import { fromAvroPartitionValue, toAvroPartitionValue } from './partition-values.ts'
import { toSchemaJson, toSpecFieldsJson } from './schema-json.ts'

/** Statistics go into manifests for the first leaf columns only, as many as Java collects by default. */
export const statisticsColumnCountMax = 100

export const entryStatus = { existing: 0, added: 1, deleted: 2 } as const
export type EntryStatus = (typeof entryStatus)[keyof typeof entryStatus]

export interface ManifestEntry {
  readonly status: EntryStatus
  readonly snapshotId: bigint
  /** Null while inherited from the manifest list, which only added entries do. */
  readonly sequenceNumber: number | null
  readonly fileSequenceNumber: number | null
  /** Absolute URI. */
  readonly filePath: string
  readonly partition: readonly SingleValue[]
  readonly recordCount: number
  readonly fileBytes: number
  /** The encoded `data_file` record. */
  readonly dataFile: Uint8Array
}

/** Everything that encoding and decoding manifests of one spec and schema needs. */
export interface ManifestFormat {
  readonly schema: Schema
  readonly spec: PartitionSpec
  readonly partitionFields: readonly BoundPartitionField[]
  /** Names of the partition fields as Avro allows them, in spec order. */
  readonly partitionNames: readonly string[]
  readonly schemaText: string
  readonly dataFileSchema: AvroRecord
  readonly encodeDataFile: AvroEncoder
  readonly decodeFacts: (reader: ByteReader) => AvroRecordValue
  readonly skipStatistics: (reader: ByteReader) => void
  readonly statisticsLeaves: ReadonlyMap<number, SchemaLeaf>
}

/** Content, path, format, partition, record count and size: what rewriting needs to know of a file. */
const factFieldCount = 6

export function buildManifestFormat(schema: Schema, spec: PartitionSpec): ManifestFormat {
  const dataFileSchema = buildDataFileSchema(spec, schema)
  const statistics = dataFileSchema.fields.slice(factFieldCount).map(field => compileDecoder(field.type))
  const leaves = listLeaves(schema).slice(0, statisticsColumnCountMax)
  return {
    schema,
    spec,
    partitionFields: bindSpec(spec, schema),
    partitionNames: spec.fields.map(field => sanitizeAvroName(field.name)),
    schemaText: printAvroSchema(buildManifestSchema(dataFileSchema)),
    dataFileSchema,
    encodeDataFile: compileEncoder(dataFileSchema),
    decodeFacts: compileRecordDecoder({ ...dataFileSchema, fields: dataFileSchema.fields.slice(0, factFieldCount) }),
    skipStatistics: reader => {
      for (const decode of statistics) decode(reader)
    },
    statisticsLeaves: new Map(leaves.map(leaf => [leaf.id, leaf])),
  }
}

/** An ADDED entry for a file of the catalog. */
export function buildAddedEntry(
  format: ManifestFormat,
  location: string,
  file: DataFile,
  snapshotId: bigint,
): ManifestEntry {
  const filePath = `${location}/${file.path}`
  const writer = new ByteWriter(1024)
  format.encodeDataFile(writer, toDataFileValue(format, filePath, file))
  return {
    status: entryStatus.added,
    snapshotId,
    sequenceNumber: null,
    fileSequenceNumber: null,
    filePath,
    partition: file.partition,
    recordCount: file.recordCount,
    fileBytes: file.fileBytes,
    dataFile: writer.take(),
  }
}

function toDataFileValue(format: ManifestFormat, filePath: string, file: DataFile): AvroRecordValue {
  if (file.partition.length !== format.partitionFields.length) {
    throw new FloeError(
      'internal',
      'partition-tuple-length',
      `${file.path}: ${file.partition.length} partition values for ${format.partitionFields.length} partition fields`,
    )
  }
  const columnSizes: AvroValue[] = []
  const valueCounts: AvroValue[] = []
  const nullCounts: AvroValue[] = []
  const nanCounts: AvroValue[] = []
  const lowerBounds: AvroValue[] = []
  const upperBounds: AvroValue[] = []
  for (const column of file.columns) {
    const leaf = format.statisticsLeaves.get(column.fieldId)
    if (leaf === undefined) continue
    const key = column.fieldId
    columnSizes.push({ key, value: column.columnBytes })
    valueCounts.push({ key, value: column.valueCount })
    nullCounts.push({ key, value: column.nullCount })
    if (column.nanCount !== undefined) nanCounts.push({ key, value: column.nanCount })
    if (leaf.insideRepeated || column.nullCount === column.valueCount) continue
    const lower = toLowerBound(leaf.type, column.lower)
    const upper = toUpperBound(leaf.type, column.upper)
    if (lower !== undefined) lowerBounds.push({ key, value: lower })
    if (upper !== undefined) upperBounds.push({ key, value: upper })
  }
  return {
    content: 0,
    file_path: filePath,
    file_format: 'PARQUET',
    partition: toPartitionRecord(format, file.partition),
    record_count: file.recordCount,
    file_size_in_bytes: file.fileBytes,
    column_sizes: orNull(columnSizes),
    value_counts: orNull(valueCounts),
    null_value_counts: orNull(nullCounts),
    nan_value_counts: orNull(nanCounts),
    lower_bounds: orNull(lowerBounds),
    upper_bounds: orNull(upperBounds),
    key_metadata: null,
    split_offsets: orNull([...file.splitOffsets]),
    equality_ids: null,
    sort_order_id: 0,
  }
}

function toLowerBound(type: PrimitiveType, lower: Uint8Array | undefined): Uint8Array | undefined {
  if (lower === undefined || isNaNValue(type, lower)) return undefined
  return widenZeroBound(type, roundIcebergLower(type, lower), 'lower')
}

function toUpperBound(type: PrimitiveType, upper: Uint8Array | undefined): Uint8Array | undefined {
  if (upper === undefined || isNaNValue(type, upper)) return undefined
  const rounded = roundIcebergUpper(type, upper)
  return rounded === undefined ? undefined : widenZeroBound(type, rounded, 'upper')
}

const orNull = (items: AvroValue[]): AvroValue => (items.length > 0 ? items : null)

function toPartitionRecord(format: ManifestFormat, tuple: readonly SingleValue[]): AvroRecordValue {
  const record: AvroRecordValue = {}
  for (const [index, field] of format.partitionFields.entries()) {
    record[format.partitionNames[index]!] = toAvroPartitionValue(field.resultType, tuple[index]!)
  }
  return record
}

/** The header entries of a manifest; all are strings and all are needed by some reader. */
export function buildManifestHeader(format: ManifestFormat): Record<string, string> {
  return {
    'avro.schema': format.schemaText,
    'avro.codec': 'null',
    schema: printJson(toSchemaJson(format.schema)),
    'schema-id': String(format.schema.schemaId),
    'partition-spec': printJson(toSpecFieldsJson(format.spec)),
    'partition-spec-id': String(format.spec.specId),
    'format-version': '2',
    content: 'data',
  }
}

/** 16 bytes that depend on the object's name only. */
export const buildSyncMarker = (path: string): Uint8Array => createHash('sha256').update(path).digest().subarray(0, 16)

export function writeManifest(format: ManifestFormat, path: string, entries: readonly ManifestEntry[]): Uint8Array {
  return writeContainer(buildManifestHeader(format), buildSyncMarker(path), entries.length, (writer, index) => {
    const entry = entries[index]!
    writeLong(writer, entry.status)
    writeOptionalLong(writer, entry.snapshotId)
    writeOptionalLong(writer, entry.sequenceNumber)
    writeOptionalLong(writer, entry.fileSequenceNumber)
    writer.raw(entry.dataFile)
  })
}

function writeOptionalLong(writer: ByteWriter, value: number | bigint | null): void {
  if (value === null) {
    writer.uint8(0)
  } else {
    writer.uint8(2)
    writeLong(writer, value)
  }
}

function readOptionalLong(reader: ByteReader): bigint | null {
  const branch = reader.uint8()
  if (branch !== 0 && branch !== 2) throw reader.corrupt('Avro union branch that does not exist')
  return branch === 0 ? null : readLong(reader)
}

/**
 * Reads a manifest that Floe wrote. Entries share the memory of `bytes`. A manifest from before a schema change whose partition
 * type differs is encoded anew; all others keep their bytes.
 *
 * errors  corrupt: damaged, or not a manifest of this spec
 */
export function readManifest(format: ManifestFormat, bytes: Uint8Array, what: string): ManifestEntry[] {
  const container = readContainer(bytes, what)
  const corrupt = (problem: string): FloeError => new FloeError('corrupt', 'malformed-manifest', `${what}: ${problem}`)
  if (container.metadata.get('content') !== 'data') throw corrupt('not a manifest of data files')
  if (container.metadata.get('format-version') !== '2') throw corrupt('not of format version 2')
  if (container.metadata.get('partition-spec-id') !== String(format.spec.specId)) {
    throw corrupt(`partition spec ${container.metadata.get('partition-spec-id')} is not ${format.spec.specId}`)
  }
  const readDataFile =
    container.schemaText === format.schemaText
      ? readSameDataFile
      : prepareConversion(parseAvroSchema(container.schemaText, what), format.dataFileSchema, corrupt)
  const entries: ManifestEntry[] = []
  for (const { count, reader } of container.blocks) {
    for (let rest = count; rest > 0; rest--) {
      const status = readInt(reader)
      if (!isStatus(status)) throw corrupt(`unknown entry status ${status}`)
      const snapshotId = readOptionalLong(reader)
      if (snapshotId === null) throw corrupt('an entry has no snapshot id')
      const sequenceNumber = toNumber(readOptionalLong(reader), reader)
      const fileSequenceNumber = toNumber(readOptionalLong(reader), reader)
      if (status !== entryStatus.added && (sequenceNumber === null || fileSequenceNumber === null)) {
        throw corrupt('an entry that was not added has no sequence number')
      }
      entries.push({ status, snapshotId, sequenceNumber, fileSequenceNumber, ...readDataFile(format, reader, what) })
    }
    if (reader.remaining > 0) throw reader.corrupt('bytes are left at the end of a block')
  }
  return entries
}

type FileFacts = Pick<ManifestEntry, 'filePath' | 'partition' | 'recordCount' | 'fileBytes' | 'dataFile'>

/** Reads the leading fields, steps over the statistics and keeps the bytes. */
function readSameDataFile(format: ManifestFormat, reader: ByteReader, what: string): FileFacts {
  const start = reader.offset
  const facts = readFacts(format, format.decodeFacts(reader), what)
  format.skipStatistics(reader)
  return { ...facts, dataFile: reader.bytes.subarray(start, reader.offset) }
}

/** For manifests with another partition type: decodes whole files with the schema in the header and encodes them anew. */
function prepareConversion(
  written: AvroSchema,
  own: AvroRecord,
  corrupt: (problem: string) => FloeError,
): (format: ManifestFormat, reader: ByteReader, what: string) => FileFacts {
  const dataFile = isRecord(written) ? written.fields.at(-1) : undefined
  if (
    !isRecord(written) ||
    written.name !== 'manifest_entry' ||
    dataFile?.name !== 'data_file' ||
    !isRecord(dataFile.type)
  ) {
    throw corrupt('the Avro schema is not that of a manifest')
  }
  if (describeFields(dataFile.type) !== describeFields(own))
    throw corrupt('the Avro schema is not one that Floe writes')
  const decode = compileRecordDecoder(dataFile.type)
  return (format, reader, what) => {
    const value = decode(reader)
    const facts = readFacts(format, value, what)
    const writer = new ByteWriter(1024)
    format.encodeDataFile(writer, { ...value, partition: toPartitionRecord(format, facts.partition) })
    return { ...facts, dataFile: writer.take() }
  }
}

/** The fields of a data_file but for the partition, by name and type. */
const describeFields = (dataFile: AvroRecord): string =>
  JSON.stringify(
    dataFile.fields.filter(field => field.name !== 'partition').map(({ name, type }) => [name, describeType(type)]),
  )

/** Without ids and defaults, which parsing drops in part. */
function describeType(type: AvroSchema): unknown {
  if (typeof type === 'string') return type
  if (isOptional(type)) return ['null', describeType(type[1])]
  switch (type.type) {
    case 'record':
      return [type.name, type.fields.map(field => [field.name, describeType(field.type)])]
    case 'array':
      return ['array', describeType(type.items)]
    case 'fixed':
      return ['fixed', type.size]
    default:
      return type.type
  }
}

const isOptional = (type: AvroSchema): type is AvroOptional => Array.isArray(type)

function isRecord(schema: AvroSchema): schema is AvroRecord {
  return typeof schema === 'object' && 'type' in schema && schema.type === 'record'
}

function readFacts(format: ManifestFormat, value: AvroRecordValue, what: string): Omit<FileFacts, 'dataFile'> {
  const { file_path: filePath, partition: tuple, record_count: records, file_size_in_bytes: size } = value
  const wrong = (field: string): FloeError =>
    new FloeError('corrupt', 'malformed-manifest', `${what}: ${field} of an entry has the wrong type`)
  if (value.content !== 0) throw wrong('content')
  if (typeof filePath !== 'string') throw wrong('file_path')
  if (typeof records !== 'bigint') throw wrong('record_count')
  if (typeof size !== 'bigint') throw wrong('file_size_in_bytes')
  if (typeof tuple !== 'object' || tuple === null || Array.isArray(tuple) || tuple instanceof Uint8Array) {
    throw wrong('partition')
  }
  const partition = format.partitionFields.map((field, index) =>
    fromAvroPartitionValue(field.resultType, tuple[format.partitionNames[index]!], what),
  )
  return { filePath, partition, recordCount: Number(records), fileBytes: Number(size) }
}

const isStatus = (value: number): value is EntryStatus => value === 0 || value === 1 || value === 2

function toNumber(value: bigint | null, reader: ByteReader): number | null {
  if (value === null) return null
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0) throw reader.corrupt('sequence number out of range')
  return number
}
