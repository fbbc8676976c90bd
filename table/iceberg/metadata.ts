/**
 * metadata.json, format version 2: everything about a table that is not a list of files.
 *
 * Written with all optional members, since readers differ in which ones they miss. 64-bit ids are exact (exact-json.ts).
 *
 * source  Iceberg specification, "Table Metadata Fields" and appendix C
 */
import { FloeError } from '../../core/errors.ts'
import { type JsonObject, JsonReader, parseJson, printJson } from '../exact-json.ts'
import type { PartitionSpec, Schema } from '../types.ts'
import { parseSchemaJson, parseSpecJson, toSchemaJson, toSpecJson } from './schema-json.ts'

export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete'

export interface Snapshot {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | undefined
  readonly sequenceNumber: number
  readonly timestampMs: number
  /** Absolute URI. */
  readonly manifestList: string
  /** `operation` and the counts, all text. */
  readonly summary: Readonly<Record<string, string>>
  readonly schemaId: number
}

export interface SnapshotLogEntry {
  readonly timestampMs: number
  readonly snapshotId: bigint
}

export interface MetadataLogEntry {
  readonly timestampMs: number
  /** Absolute URI. */
  readonly metadataFile: string
}

export interface TableMetadata {
  readonly tableUuid: string
  readonly location: string
  readonly lastSequenceNumber: number
  readonly lastUpdatedMs: number
  readonly lastColumnId: number
  readonly schemas: readonly Schema[]
  readonly currentSchemaId: number
  readonly spec: PartitionSpec
  readonly lastPartitionId: number
  readonly properties: Readonly<Record<string, string>>
  readonly currentSnapshotId: bigint | undefined
  readonly snapshots: readonly Snapshot[]
  readonly snapshotLog: readonly SnapshotLogEntry[]
  readonly metadataLog: readonly MetadataLogEntry[]
}

export function printMetadata(metadata: TableMetadata): string {
  const current = metadata.currentSnapshotId
  return printJson({
    'format-version': 2,
    'table-uuid': metadata.tableUuid,
    location: metadata.location,
    'last-sequence-number': metadata.lastSequenceNumber,
    'last-updated-ms': metadata.lastUpdatedMs,
    'last-column-id': metadata.lastColumnId,
    'current-schema-id': metadata.currentSchemaId,
    schemas: metadata.schemas.map(toSchemaJson),
    'default-spec-id': metadata.spec.specId,
    'partition-specs': [toSpecJson(metadata.spec)],
    'last-partition-id': metadata.lastPartitionId,
    'default-sort-order-id': 0,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    properties: { ...metadata.properties },
    // Java writes -1 on version 2 for a table without a snapshot; some readers fail when the member is missing.
    'current-snapshot-id': current ?? -1,
    refs: current === undefined ? {} : { main: { 'snapshot-id': current, type: 'branch' } },
    snapshots: metadata.snapshots.map(toSnapshotJson),
    statistics: [],
    'partition-statistics': [],
    'snapshot-log': metadata.snapshotLog.map(entry => ({
      'timestamp-ms': entry.timestampMs,
      'snapshot-id': entry.snapshotId,
    })),
    'metadata-log': metadata.metadataLog.map(entry => ({
      'timestamp-ms': entry.timestampMs,
      'metadata-file': entry.metadataFile,
    })),
  })
}

function toSnapshotJson(snapshot: Snapshot): JsonObject {
  return {
    'sequence-number': snapshot.sequenceNumber,
    'snapshot-id': snapshot.snapshotId,
    'parent-snapshot-id': snapshot.parentSnapshotId,
    'timestamp-ms': snapshot.timestampMs,
    summary: { ...snapshot.summary },
    'manifest-list': snapshot.manifestList,
    'schema-id': snapshot.schemaId,
  }
}

/** errors  corrupt: not metadata of format version 2 with one partition spec, naming the member */
export function parseMetadata(bytes: Uint8Array | string, what: string): TableMetadata {
  return readMetadata(new JsonReader(parseJson(bytes, what), what))
}

/** The same of metadata whose JSON was parsed. */
export function readMetadata(reader: JsonReader): TableMetadata {
  if (reader.integer('format-version') !== 2) {
    throw new FloeError('corrupt', 'malformed-metadata', `${reader.path('format-version')} is not 2`)
  }
  const specs = reader.objects('partition-specs').map(parseSpecJson)
  const spec = specs.find(candidate => candidate.specId === reader.integer('default-spec-id'))
  if (spec === undefined || specs.length !== 1) {
    throw new FloeError(
      'corrupt',
      'malformed-metadata',
      `${reader.path('partition-specs')} is not the one default spec`,
    )
  }
  const current = reader.has('current-snapshot-id') ? reader.int64('current-snapshot-id') : -1n
  return {
    tableUuid: reader.string('table-uuid'),
    location: reader.string('location'),
    lastSequenceNumber: reader.integer('last-sequence-number'),
    lastUpdatedMs: reader.integer('last-updated-ms'),
    lastColumnId: reader.integer('last-column-id'),
    schemas: reader.objects('schemas').map(parseSchemaJson),
    currentSchemaId: reader.integer('current-schema-id'),
    spec,
    lastPartitionId: reader.integer('last-partition-id'),
    properties: reader.strings('properties'),
    currentSnapshotId: current === -1n ? undefined : current,
    snapshots: reader.objects('snapshots').map(parseSnapshot),
    snapshotLog: reader.objects('snapshot-log').map(entry => ({
      timestampMs: entry.integer('timestamp-ms'),
      snapshotId: entry.int64('snapshot-id'),
    })),
    metadataLog: reader.objects('metadata-log').map(entry => ({
      timestampMs: entry.integer('timestamp-ms'),
      metadataFile: entry.string('metadata-file'),
    })),
  }
}

function parseSnapshot(reader: JsonReader): Snapshot {
  return {
    snapshotId: reader.int64('snapshot-id'),
    parentSnapshotId: reader.has('parent-snapshot-id') ? reader.int64('parent-snapshot-id') : undefined,
    sequenceNumber: reader.integer('sequence-number'),
    timestampMs: reader.integer('timestamp-ms'),
    manifestList: reader.string('manifest-list'),
    summary: reader.strings('summary'),
    schemaId: reader.integer('schema-id'),
  }
}
