/**
 * The summary of a snapshot. Every count and every total is written on every snapshot: readers fail without some of them, and
 * other writers carry totals forward, so a missing one would be missing for ever.
 *
 * source  Iceberg specification, appendix F "Optional Snapshot Summary Fields"
 */
import { formatPartitionKey } from '../partition.ts'
import { formatProgress, progressKey } from '../progress-text.ts'
import type { PublishPlan } from '../rendering.ts'
import type { DataFile } from '../types.ts'
import type { ManifestListEntry } from './manifest-list.ts'
import type { TableMetadata } from './metadata.ts'

export interface ManifestCounts {
  readonly created: number
  readonly kept: number
  readonly replaced: number
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const sumRecords = (files: readonly DataFile[]): number => sum(files.map(file => file.recordCount))
const sumBytes = (files: readonly DataFile[]): number => sum(files.map(file => file.fileBytes))

/** Files and records are counted over the new manifest list; their bytes, which no list has, go on from the snapshot before. */
export function buildSummary(
  plan: PublishPlan,
  previous: TableMetadata,
  manifests: readonly ManifestListEntry[],
  counts: ManifestCounts,
): Record<string, string> {
  const parent = previous.snapshots.find(({ snapshotId }) => snapshotId === previous.currentSnapshotId)
  const parentBytes = Number(parent?.summary['total-files-size'] ?? 0)
  const changed = new Set([...plan.added, ...plan.removed].map(file => formatPartitionKey(file.partition)))
  const values: Record<string, number> = {
    'added-data-files': plan.added.length,
    'deleted-data-files': plan.removed.length,
    'added-records': sumRecords(plan.added),
    'deleted-records': sumRecords(plan.removed),
    'added-files-size': sumBytes(plan.added),
    'removed-files-size': sumBytes(plan.removed),
    'changed-partition-count': changed.size,
    'manifests-created': counts.created,
    'manifests-kept': counts.kept,
    'manifests-replaced': counts.replaced,
    'total-data-files': sum(manifests.map(entry => entry.addedFilesCount + entry.existingFilesCount)),
    'total-records': sum(manifests.map(entry => entry.addedRowsCount + entry.existingRowsCount)),
    'total-files-size': parentBytes + sumBytes(plan.added) - sumBytes(plan.removed),
    'total-delete-files': 0,
    'total-position-deletes': 0,
    'total-equality-deletes': 0,
  }
  return {
    operation: plan.operation === 'replace' ? 'replace' : 'append',
    ...Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)])),
    'engine-name': 'floe',
    [progressKey]: formatProgress(plan.progress),
  }
}
