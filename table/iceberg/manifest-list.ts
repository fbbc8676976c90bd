/**
 * Manifest lists: the manifests of one snapshot, with the counts and partition ranges that let readers skip them.
 *
 * source  Iceberg specification, "Manifest Lists"
 */
import { FloeError } from '../../core/errors.ts'
import { type AvroRecordValue, type AvroValue, compileEncoder, compileRecordDecoder } from '../avro/codec.ts'
import { readContainer, writeContainer } from '../avro/container.ts'
import { printAvroSchema } from '../avro/schema.ts'
import { buildSyncMarker } from './manifest.ts'
import { manifestListSchema } from './manifest-schema.ts'
import type { PartitionSummary } from './partition-values.ts'

export interface ManifestListEntry {
  /** Absolute URI. */
  readonly manifestPath: string
  readonly manifestBytes: number
  readonly partitionSpecId: number
  /** Of the snapshot that added the manifest. */
  readonly sequenceNumber: number
  /** The lowest data sequence number of live entries. */
  readonly minSequenceNumber: number
  readonly addedSnapshotId: bigint
  readonly addedFilesCount: number
  readonly existingFilesCount: number
  readonly deletedFilesCount: number
  readonly addedRowsCount: number
  readonly existingRowsCount: number
  readonly deletedRowsCount: number
  /** One per spec field; empty for an unpartitioned table and never null. */
  readonly partitions: readonly PartitionSummary[]
}

export const manifestListSchemaText = printAvroSchema(manifestListSchema)
const decodeEntry = compileRecordDecoder(manifestListSchema)
const encodeEntry = compileEncoder(manifestListSchema)

export interface ManifestListHeader {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | undefined
  readonly sequenceNumber: number
}

export function writeManifestList(
  path: string,
  header: ManifestListHeader,
  entries: readonly ManifestListEntry[],
): Uint8Array {
  const metadata = {
    'avro.schema': manifestListSchemaText,
    'avro.codec': 'null',
    'snapshot-id': String(header.snapshotId),
    'parent-snapshot-id': header.parentSnapshotId === undefined ? 'null' : String(header.parentSnapshotId),
    'sequence-number': String(header.sequenceNumber),
    'format-version': '2',
  }
  return writeContainer(metadata, buildSyncMarker(path), entries.length, (writer, index) =>
    encodeEntry(writer, toAvro(entries[index]!)),
  )
}

function toAvro(entry: ManifestListEntry): AvroRecordValue {
  return {
    manifest_path: entry.manifestPath,
    manifest_length: entry.manifestBytes,
    partition_spec_id: entry.partitionSpecId,
    content: 0,
    sequence_number: entry.sequenceNumber,
    min_sequence_number: entry.minSequenceNumber,
    added_snapshot_id: entry.addedSnapshotId,
    added_files_count: entry.addedFilesCount,
    existing_files_count: entry.existingFilesCount,
    deleted_files_count: entry.deletedFilesCount,
    added_rows_count: entry.addedRowsCount,
    existing_rows_count: entry.existingRowsCount,
    deleted_rows_count: entry.deletedRowsCount,
    partitions: entry.partitions.map(summary => ({
      contains_null: summary.containsNull,
      // No partition field of the profile is floating point.
      contains_nan: false,
      lower_bound: summary.lower,
      upper_bound: summary.upper,
    })),
    key_metadata: null,
  }
}

/** errors  corrupt: damaged, not a list of format version 2, or with entries Floe does not write */
export function readManifestList(bytes: Uint8Array, what: string): ManifestListEntry[] {
  const container = readContainer(bytes, what)
  if (container.schemaText !== manifestListSchemaText) {
    throw new FloeError('corrupt', 'malformed-manifest-list', `${what}: the Avro schema is not the one Floe writes`)
  }
  const entries: ManifestListEntry[] = []
  for (const { count, reader } of container.blocks) {
    for (let rest = count; rest > 0; rest--) entries.push(fromAvro(decodeEntry(reader), what))
    if (reader.remaining > 0) throw reader.corrupt('bytes are left at the end of a block')
  }
  return entries
}

function fromAvro(value: AvroRecordValue, what: string): ManifestListEntry {
  const wrong = (name: string): FloeError =>
    new FloeError('corrupt', 'malformed-manifest-list', `${what}: ${name} of an entry is out of range`)
  const count = (name: string): number => {
    const number = Number(value[name])
    if (!Number.isSafeInteger(number) || number < 0) throw wrong(name)
    return number
  }
  const { manifest_path: path, added_snapshot_id: snapshotId, partitions, content } = value
  if (content !== 0) throw wrong('content')
  if (typeof path !== 'string') throw wrong('manifest_path')
  if (typeof snapshotId !== 'bigint') throw wrong('added_snapshot_id')
  if (!Array.isArray(partitions)) throw wrong('partitions')
  return {
    manifestPath: path,
    manifestBytes: count('manifest_length'),
    partitionSpecId: count('partition_spec_id'),
    sequenceNumber: count('sequence_number'),
    minSequenceNumber: count('min_sequence_number'),
    addedSnapshotId: snapshotId,
    addedFilesCount: count('added_files_count'),
    existingFilesCount: count('existing_files_count'),
    deletedFilesCount: count('deleted_files_count'),
    addedRowsCount: count('added_rows_count'),
    existingRowsCount: count('existing_rows_count'),
    deletedRowsCount: count('deleted_rows_count'),
    partitions: partitions.map(summary => fromSummary(summary, wrong)),
  }
}

function fromSummary(value: AvroValue, wrong: (name: string) => FloeError): PartitionSummary {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw wrong('partitions')
  }
  const bound = (name: string): Uint8Array | null => {
    const bytes = value[name]
    if (bytes !== null && !(bytes instanceof Uint8Array)) throw wrong(`partitions.${name}`)
    // The list is kept in memory between versions; a view would keep the whole file alive.
    return bytes === null ? null : bytes.slice()
  }
  return { containsNull: value.contains_null === true, lower: bound('lower_bound'), upper: bound('upper_bound') }
}
