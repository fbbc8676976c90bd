/**
 * Renders one version of a table as Iceberg metadata: manifests for what changed, one manifest list, one metadata.json, and the
 * version hint. Pure: the same plan on the same previous rendering gives the same bytes under the same names.
 *
 *   append   kept manifests + [merged] + new manifest          replace   kept + rewritten without the removed files + new
 *
 * Invariants
 *   version n has sequence number n and follows the rendering of version n - 1
 *   existing entries keep their snapshot id and sequence numbers; only added entries inherit
 *   manifests that hold only deleted entries leave the list one version later
 *   nothing but the table, the plan, the previous rendering and the loaded manifests goes in: whoever publishes must keep all of
 *   them as they were when the plan was made, or a second try would put other bytes under names that exist
 *
 * source  Iceberg specification, "Snapshots", "Sequence Numbers", "Commit Conflict Resolution"
 */
import { assert } from '../../core/assert.ts'
import { FloeError } from '../../core/errors.ts'
import { partitionFieldIdBase } from '../partition.ts'
import { progressKey } from '../progress-text.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../rendering.ts'
import { findLastColumnId, requireSchema } from '../schema.ts'
import type { DataFile } from '../types.ts'
import {
  buildAddedEntry,
  buildManifestFormat,
  entryStatus,
  type ManifestEntry,
  type ManifestFormat,
  writeManifest,
} from './manifest.ts'
import { type ManifestListEntry, writeManifestList } from './manifest-list.ts'
import { printMetadata, type Snapshot, type TableMetadata } from './metadata.ts'
import {
  buildManifestListPath,
  buildManifestPath,
  buildMetadataPath,
  buildVersionHint,
  versionHintPath,
} from './names.ts'
import { summarizePartitions } from './partition-values.ts'
import { buildSummary } from './summary.ts'

/** Manifests are filled to about this size; smaller ones are merged (rewrite.ts). */
export const manifestBytesTarget = 8 * 1024 * 1024
export const metadataLogCountMax = 100
export const snapshotsRetainedCountDefault = 100
/** Older snapshots keep their progress text in metadata.json only up to this length; the newest always has it whole. */
export const olderProgressCharsMax = 1_024

/** What the next version is rendered on: parsed metadata and the current manifest list. Rebuilt by readIcebergRendering. */
export interface IcebergRendering {
  readonly version: number
  /** Relative to the table's root. */
  readonly metadataPath: string
  readonly metadata: TableMetadata
  readonly manifests: readonly ManifestListEntry[]
}

/** A manifest of the previous version with its entries, to be merged or rewritten. */
export interface LoadedManifest {
  readonly listEntry: ManifestListEntry
  readonly entries: readonly ManifestEntry[]
}

export interface IcebergOptions {
  /** Snapshots that stay in metadata.json, the newest included. */
  readonly snapshotsRetainedCount?: number
}

export interface IcebergResult {
  /** In the order in which they must become durable. */
  readonly objects: readonly RenderedObject[]
  readonly rendering: IcebergRendering
  /** Relative to the table's root. */
  readonly metadataPath: string
}

/**
 * loaded  manifests of `previous` that this version replaces: those chosen for merging and all that hold removed files
 * errors  internal: the plan does not follow `previous`, or a removed file is in none of the loaded manifests
 */
export function renderIceberg(
  table: TableIdentity,
  plan: PublishPlan,
  previous: IcebergRendering | undefined,
  loaded: readonly LoadedManifest[] = [],
  options: IcebergOptions = {},
): IcebergResult {
  checkSequence(plan, previous)
  if (previous === undefined) return finish(table, plan, buildFirstMetadata(table, plan), [], [])
  assert(plan.snapshotId !== undefined, 'a version above 0 has a snapshot id')
  const format = buildManifestFormat(requireSchema(table.schemas, table.currentSchemaId), table.spec)
  const manifests = renderManifests(table, plan, plan.snapshotId, previous, format, loaded)
  const listPath = buildManifestListPath(table.uuid, plan.version, plan.snapshotId)
  const parentSnapshotId = previous.metadata.currentSnapshotId
  const list: RenderedObject = {
    path: listPath,
    bytes: writeManifestList(
      listPath,
      { snapshotId: plan.snapshotId, parentSnapshotId, sequenceNumber: plan.version },
      manifests.list,
    ),
    mode: 'create',
  }
  const snapshot: Snapshot = {
    snapshotId: plan.snapshotId,
    parentSnapshotId,
    sequenceNumber: plan.version,
    timestampMs: plan.timestampMs,
    manifestList: `${table.location}/${listPath}`,
    summary: buildSummary(plan, previous.metadata, manifests.list, {
      created: manifests.objects.length,
      kept: manifests.list.length - manifests.objects.length,
      replaced: loaded.length,
    }),
    schemaId: table.currentSchemaId,
  }
  const metadata = buildNextMetadata(table, plan, previous, snapshot, options)
  return finish(table, plan, metadata, manifests.list, [...manifests.objects, list])
}

function checkSequence(plan: PublishPlan, previous: IcebergRendering | undefined): void {
  const expected = previous === undefined ? 0 : previous.version + 1
  const first = plan.version === 0
  if (plan.version !== expected || first !== (plan.operation === 'none') || first !== (plan.snapshotId === undefined)) {
    throw new FloeError(
      'internal',
      'plan-out-of-sequence',
      `a plan for version ${plan.version} (${plan.operation}) cannot follow version ${previous?.version ?? 'none'}`,
      { version: plan.version },
    )
  }
  if (first && (plan.added.length > 0 || plan.removed.length > 0)) {
    throw new FloeError('internal', 'plan-out-of-sequence', 'version 0 is the empty table and holds no files')
  }
  if (plan.operation !== 'replace' && plan.removed.length > 0) {
    throw new FloeError('internal', 'plan-removes-files', 'only a replace removes files', { version: plan.version })
  }
  if (previous !== undefined && plan.timestampMs < previous.metadata.lastUpdatedMs) {
    throw new FloeError('internal', 'plan-before-previous', 'a version cannot be older than the one before it', {
      version: plan.version,
    })
  }
}

interface RenderedManifests {
  readonly list: readonly ManifestListEntry[]
  readonly objects: readonly RenderedObject[]
}

function renderManifests(
  table: TableIdentity,
  plan: PublishPlan,
  snapshotId: bigint,
  previous: IcebergRendering,
  format: ManifestFormat,
  loaded: readonly LoadedManifest[],
): RenderedManifests {
  const replaced = new Set(loaded.map(({ listEntry }) => listEntry.manifestPath))
  const kept = previous.manifests.filter(
    entry => !replaced.has(entry.manifestPath) && entry.addedFilesCount + entry.existingFilesCount > 0,
  )
  const rewritten = rewriteEntries(table, snapshotId, loaded, plan.removed)
  const added = plan.added.map(file => buildAddedEntry(format, table.location, file, snapshotId))
  const objects: RenderedObject[] = []
  const fresh: ManifestListEntry[] = []
  for (const entries of [...packEntries(rewritten), ...packEntries(added)]) {
    const path = buildManifestPath(table.uuid, plan.version, objects.length)
    const bytes = writeManifest(format, path, entries)
    objects.push({ path, bytes, mode: 'create' })
    const uri = `${table.location}/${path}`
    fresh.push(buildListEntry(format, uri, bytes.length, plan.version, snapshotId, entries))
  }
  return { list: [...kept, ...fresh], objects }
}

/** Live entries become EXISTING, removed files DELETED, and what earlier versions deleted is dropped. */
function rewriteEntries(
  table: TableIdentity,
  snapshotId: bigint,
  loaded: readonly LoadedManifest[],
  removed: readonly DataFile[],
): ManifestEntry[] {
  const removedPaths = new Set(removed.map(file => `${table.location}/${file.path}`))
  const rewritten: ManifestEntry[] = []
  for (const { listEntry, entries } of loaded) {
    for (const entry of entries) {
      if (entry.status === entryStatus.deleted) continue
      const sequenceNumber = entry.sequenceNumber ?? listEntry.sequenceNumber
      const fileSequenceNumber = entry.fileSequenceNumber ?? listEntry.sequenceNumber
      const isRemoved = removedPaths.delete(entry.filePath)
      rewritten.push({
        ...entry,
        sequenceNumber,
        fileSequenceNumber,
        status: isRemoved ? entryStatus.deleted : entryStatus.existing,
        snapshotId: isRemoved ? snapshotId : entry.snapshotId,
      })
    }
  }
  for (const path of removedPaths) {
    throw new FloeError('internal', 'removed-file-unknown', `${path} is to be removed but is in no loaded manifest`, {
      path,
    })
  }
  return rewritten
}

/** In order, each group about manifestBytesTarget at most. */
function packEntries(entries: readonly ManifestEntry[]): ManifestEntry[][] {
  const entryOverheadBytes = 32
  const groups: ManifestEntry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const entryBytes = entry.dataFile.length + entryOverheadBytes
    const group = groups.at(-1)
    if (group === undefined || bytes + entryBytes > manifestBytesTarget) {
      groups.push([entry])
      bytes = entryBytes
    } else {
      group.push(entry)
      bytes += entryBytes
    }
  }
  return groups
}

function buildListEntry(
  format: ManifestFormat,
  manifestPath: string,
  manifestBytes: number,
  sequenceNumber: number,
  snapshotId: bigint,
  entries: readonly ManifestEntry[],
): ManifestListEntry {
  const files = [0, 0, 0]
  const rows = [0, 0, 0]
  let minSequenceNumber = sequenceNumber
  for (const { status, recordCount, sequenceNumber: own } of entries) {
    files[status] = files[status]! + 1
    rows[status] = rows[status]! + recordCount
    if (status !== entryStatus.deleted && own !== null) minSequenceNumber = Math.min(minSequenceNumber, own)
  }
  return {
    manifestPath,
    manifestBytes,
    partitionSpecId: format.spec.specId,
    sequenceNumber,
    minSequenceNumber,
    addedSnapshotId: snapshotId,
    addedFilesCount: files[entryStatus.added]!,
    existingFilesCount: files[entryStatus.existing]!,
    deletedFilesCount: files[entryStatus.deleted]!,
    addedRowsCount: rows[entryStatus.added]!,
    existingRowsCount: rows[entryStatus.existing]!,
    deletedRowsCount: rows[entryStatus.deleted]!,
    partitions: summarizePartitions(format.partitionFields, entries),
  }
}

function buildFirstMetadata(table: TableIdentity, plan: PublishPlan): TableMetadata {
  return {
    ...buildTableMembers(table),
    lastSequenceNumber: 0,
    lastUpdatedMs: plan.timestampMs,
    currentSnapshotId: undefined,
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
  }
}

function buildNextMetadata(
  table: TableIdentity,
  plan: PublishPlan,
  previous: IcebergRendering,
  snapshot: Snapshot,
  options: IcebergOptions,
): TableMetadata {
  const before = previous.metadata
  const retainedCount = options.snapshotsRetainedCount ?? snapshotsRetainedCountDefault
  assert(Number.isInteger(retainedCount) && retainedCount >= 1, 'at least one snapshot is retained')
  const snapshots = [...before.snapshots.map(shortenProgress), snapshot].slice(-retainedCount)
  const retainedIds = new Set(snapshots.map(({ snapshotId }) => snapshotId))
  const members = buildTableMembers(table)
  return {
    ...members,
    lastColumnId: Math.max(members.lastColumnId, before.lastColumnId),
    lastPartitionId: Math.max(members.lastPartitionId, before.lastPartitionId),
    lastSequenceNumber: plan.version,
    lastUpdatedMs: plan.timestampMs,
    currentSnapshotId: snapshot.snapshotId,
    snapshots,
    snapshotLog: [
      ...before.snapshotLog.filter(({ snapshotId }) => retainedIds.has(snapshotId)),
      { timestampMs: plan.timestampMs, snapshotId: snapshot.snapshotId },
    ],
    metadataLog: [
      ...before.metadataLog,
      { timestampMs: before.lastUpdatedMs, metadataFile: `${table.location}/${previous.metadataPath}` },
    ].slice(-metadataLogCountMax),
  }
}

/** With 1,000 source partitions the text takes 25 KB; a hundred of them would make metadata.json too large for some catalogs. */
function shortenProgress(snapshot: Snapshot): Snapshot {
  const text = snapshot.summary[progressKey]
  if (text === undefined || text.length <= olderProgressCharsMax) return snapshot
  const { [progressKey]: _, ...summary } = snapshot.summary
  return { ...snapshot, summary }
}

type TableMembers = Pick<
  TableMetadata,
  'tableUuid' | 'location' | 'lastColumnId' | 'schemas' | 'currentSchemaId' | 'spec' | 'lastPartitionId' | 'properties'
>

function buildTableMembers(table: TableIdentity): TableMembers {
  return {
    tableUuid: table.uuid,
    location: table.location,
    lastColumnId: findLastColumnId(table.schemas),
    schemas: table.schemas,
    currentSchemaId: table.currentSchemaId,
    spec: table.spec,
    lastPartitionId: Math.max(partitionFieldIdBase - 1, ...table.spec.fields.map(field => field.fieldId)),
    properties: {
      'write.format.default': 'parquet',
      'write.parquet.compression-codec': 'zstd',
      ...table.properties,
      // Files belong to the catalog: jobs of other engines must neither expire nor collect them.
      'gc.enabled': 'false',
    },
  }
}

function finish(
  table: TableIdentity,
  plan: PublishPlan,
  metadata: TableMetadata,
  manifests: readonly ManifestListEntry[],
  before: readonly RenderedObject[],
): IcebergResult {
  const metadataPath = buildMetadataPath(table.uuid, plan.version)
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  return {
    objects: [
      ...before,
      { path: metadataPath, bytes: encode(printMetadata(metadata)), mode: 'create' },
      { path: versionHintPath, bytes: encode(buildVersionHint(table.uuid, plan.version)), mode: 'replace' },
    ],
    rendering: { version: plan.version, metadataPath, metadata, manifests },
    metadataPath,
  }
}
