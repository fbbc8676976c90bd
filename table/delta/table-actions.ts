/**
 * Delta actions and what they say about a table: protocol, metaData, add, remove, txn.
 *
 * Partition columns   Delta knows identity partitions only, and reads an empty partition value as null. So a table is partitioned
 *                     in Delta when every field of its spec is the identity of a top-level column of type int, long, date or
 *                     boolean; otherwise Delta sees it unpartitioned and skips files by statistics.
 * Protocol            reader 1, writer 2; with a timestamp without zone reader 3, writer 7 and named features.
 *
 * source  Delta protocol, "Actions"
 */
import { type JsonObject, printJson } from '../exact-json.ts'
import { bindSpec } from '../partition.ts'
import type { TableIdentity } from '../rendering.ts'
import { decodeSingleValue } from '../single-value.ts'
import type { DataFile, PrimitiveType, Schema, SingleValue } from '../types.ts'
import { formatValue } from '../value-text.ts'
import { buildSchemaString, hasTimestampWithoutZone } from './schema-string.ts'
import { buildStatsText } from './statistics.ts'

export interface ProtocolAction {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  /** Absent below 3 and 7: empty lists make Spark refuse the table. */
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

export interface MetaDataAction {
  readonly id: string
  readonly name: string
  readonly format: { readonly provider: 'parquet'; readonly options: Readonly<Record<string, string>> }
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime: number
}

export interface AddAction {
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  readonly stats: string
}

export interface RemoveAction {
  readonly path: string
  readonly deletionTimestamp: number
  readonly dataChange: boolean
  readonly extendedFileMetadata: true
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
}

export interface TxnAction {
  readonly appId: string
  readonly version: number
  readonly lastUpdated: number
}

/** What rendering the files of one table needs to know of it. */
export interface DeltaTable {
  readonly protocol: ProtocolAction
  readonly metaData: MetaDataAction
  readonly schema: Schema
  readonly partitionColumns: readonly { readonly name: string; readonly type: PrimitiveType }[]
  readonly partitionNames: ReadonlySet<string>
}

/**
 * Delta's VACUUM removes every file below the root that no version names once it is older than this retention, and the Iceberg
 * metadata is among them: a hundred years keep an accidental VACUUM harmless. Floe removes files itself.
 */
const vacuumRetention = 'interval 36500 days'

export function buildDeltaTable(table: TableIdentity, schema: Schema): DeltaTable {
  const partitionColumns = choosePartitionColumns(table, schema)
  return {
    protocol: buildProtocol(schema),
    metaData: {
      id: table.uuid,
      name: table.name,
      format: { provider: 'parquet', options: {} },
      schemaString: buildSchemaString(schema),
      partitionColumns: partitionColumns.map(({ name }) => name),
      configuration: { ...table.properties, 'delta.deletedFileRetentionDuration': vacuumRetention },
      createdTime: table.createdMs,
    },
    schema,
    partitionColumns,
    partitionNames: new Set(partitionColumns.map(({ name }) => name)),
  }
}

function choosePartitionColumns(table: TableIdentity, schema: Schema): DeltaTable['partitionColumns'] {
  const bound = bindSpec(table.spec, schema)
  const allFit = bound.every(
    ({ field, source, sourceType }) =>
      field.transform === 'identity' &&
      source.depth === 1 &&
      sourceType.kind === 'primitive' &&
      ['int', 'long', 'date', 'boolean'].includes(sourceType.name),
  )
  return allFit ? bound.map(({ source, sourceType }) => ({ name: source.name, type: sourceType })) : []
}

function buildProtocol(schema: Schema): ProtocolAction {
  if (!hasTimestampWithoutZone(schema)) return { minReaderVersion: 1, minWriterVersion: 2 }
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    // A table that uses features lists those that writer version 2 implied, too.
    writerFeatures: ['appendOnly', 'invariants', 'timestampNtz'],
  }
}

export function buildPartitionValues(delta: DeltaTable, tuple: readonly SingleValue[]): Record<string, string | null> {
  return Object.fromEntries(
    delta.partitionColumns.map(({ name, type }, index) => {
      const value = tuple[index] ?? null
      return [name, value === null ? null : formatValue(type, decodeSingleValue(type, value))]
    }),
  )
}

export function buildAdd(delta: DeltaTable, file: DataFile, addedMs: number, dataChange: boolean): AddAction {
  return {
    path: encodePath(file.path),
    partitionValues: buildPartitionValues(delta, file.partition),
    size: file.fileBytes,
    modificationTime: addedMs,
    dataChange,
    stats: buildStatsText(delta.schema, delta.partitionNames, file),
  }
}

export function buildRemove(delta: DeltaTable, file: DataFile, removedMs: number): RemoveAction {
  return {
    path: encodePath(file.path),
    deletionTimestamp: removedMs,
    dataChange: false,
    extendedFileMetadata: true,
    partitionValues: buildPartitionValues(delta, file.partition),
    size: file.fileBytes,
  }
}

export const buildTxn = (table: TableIdentity, version: number, timestampMs: number): TxnAction => ({
  appId: `floe-${table.uuid}`,
  version,
  lastUpdated: timestampMs,
})

/** Paths in Delta are URIs. Ours hold no character that needs an escape, and stay as they are. */
export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/')

export const toJsonObject = (
  delta: Pick<DeltaTable, 'protocol' | 'metaData'>,
): { protocol: JsonObject; metaData: JsonObject } => ({
  protocol: { ...delta.protocol },
  metaData: { ...delta.metaData },
})

/** One line of a commit. */
export const printAction = (name: string, action: JsonObject): string => `${printJson({ [name]: action })}\n`
