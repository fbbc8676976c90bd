/**
 * Which manifests of the previous version a new version replaces, and reading them. The decision is pure, so a version rendered
 * again after a crash makes the same one.
 *
 * Merging   Every append adds a manifest. From manifestMergeCountMin small ones on, the oldest are folded into one of about
 *           manifestBytesTarget, so a table keeps (large ones + manifestMergeCountMin) manifests and each entry is
 *           copied few times.
 * Removing  A replace must mark the removed files in the manifests that hold them. Those are looked for newest first, because
 *           compaction takes recent files, skipping manifests whose partition ranges cannot hold them, until all are found.
 */
import { FloeError } from '../../core/errors.ts'
import type { PublishPlan, TableIdentity } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import { compareSingleValues } from '../single-value.ts'
import type { DataFile } from '../types.ts'
import { buildManifestFormat, type ManifestEntry, type ManifestFormat, readManifest } from './manifest.ts'
import { type ManifestListEntry, readManifestList } from './manifest-list.ts'
import { parseMetadata } from './metadata.ts'
import { relativePath } from './names.ts'
import { type IcebergRendering, type LoadedManifest, manifestBytesTarget } from './render.ts'

/** Small manifests of a table from which on they are merged, as in Java. */
export const manifestMergeCountMin = 100

/** The bytes of an object at a path below the table's root; undefined when there is none. */
export type ReadObject = (path: string) => Promise<Uint8Array | undefined>

/** The oldest small manifests, together at most manifestBytesTarget; none below manifestMergeCountMin. */
export function chooseManifestsToMerge(previous: IcebergRendering): ManifestListEntry[] {
  const small = previous.manifests.filter(
    entry => entry.manifestBytes <= manifestBytesTarget / 2 && entry.addedFilesCount + entry.existingFilesCount > 0,
  )
  if (small.length < manifestMergeCountMin) return []
  const chosen: ManifestListEntry[] = []
  let bytes = 0
  for (const entry of small) {
    bytes += entry.manifestBytes
    if (bytes > manifestBytesTarget) break
    chosen.push(entry)
  }
  return chosen
}

/**
 * The manifests that rendering `plan` on `previous` replaces, in list order: pass them to renderIceberg.
 *
 * errors  corrupt: a manifest is missing or damaged; internal: a removed file is in none of them
 */
export async function loadManifestsToRewrite(
  table: TableIdentity,
  plan: PublishPlan,
  previous: IcebergRendering | undefined,
  readObject: ReadObject,
): Promise<LoadedManifest[]> {
  if (previous === undefined) return []
  const format = buildManifestFormat(requireSchema(table.schemas, table.currentSchemaId), table.spec)
  const loaded = new Map<string, LoadedManifest>()
  const missing = new Map(plan.removed.map(file => [`${table.location}/${file.path}`, file]))
  for (const listEntry of chooseManifestsToMerge(previous)) {
    const entries = await readManifestAt(table, format, listEntry, readObject)
    loaded.set(listEntry.manifestPath, { listEntry, entries })
    for (const entry of entries) missing.delete(entry.filePath)
  }
  for (const listEntry of previous.manifests.toReversed()) {
    if (missing.size === 0) break
    if (loaded.has(listEntry.manifestPath)) continue
    if (!canHoldAny(format, listEntry, missing.values())) continue
    const entries = await readManifestAt(table, format, listEntry, readObject)
    let found = false
    for (const entry of entries) found = missing.delete(entry.filePath) || found
    if (found) loaded.set(listEntry.manifestPath, { listEntry, entries })
  }
  for (const path of missing.keys()) {
    throw new FloeError('internal', 'removed-file-unknown', `${path} is to be removed but is in no manifest`, { path })
  }
  return previous.manifests.flatMap(listEntry => loaded.get(listEntry.manifestPath) ?? [])
}

async function readManifestAt(
  table: TableIdentity,
  format: ManifestFormat,
  listEntry: ManifestListEntry,
  readObject: ReadObject,
): Promise<ManifestEntry[]> {
  const path = relativePath(table.location, listEntry.manifestPath)
  return readManifest(format, await readExisting(readObject, path), path)
}

function canHoldAny(format: ManifestFormat, listEntry: ManifestListEntry, files: Iterable<DataFile>): boolean {
  for (const file of files) if (canHold(format, listEntry, file)) return true
  return false
}

function canHold(format: ManifestFormat, listEntry: ManifestListEntry, file: DataFile): boolean {
  return format.partitionFields.every(({ resultType }, index) => {
    const summary = listEntry.partitions[index]
    const value = file.partition[index]
    if (summary === undefined || value === undefined) return true
    if (value === null) return summary.containsNull
    if (summary.lower === null || summary.upper === null) return false
    return (
      compareSingleValues(resultType, summary.lower, value) <= 0 &&
      compareSingleValues(resultType, value, summary.upper) <= 0
    )
  })
}

async function readExisting(readObject: ReadObject, path: string): Promise<Uint8Array> {
  const bytes = await readObject(path)
  if (bytes === undefined) throw new FloeError('corrupt', 'metadata-object-missing', `${path} does not exist`, { path })
  return bytes
}

/**
 * Rebuilds a rendering from the store, so that nothing about renderings needs to be kept elsewhere.
 *
 * metadataPath  relative to the table's root, as renderIceberg returned it
 * errors        corrupt: an object is missing or damaged
 */
export async function readIcebergRendering(readObject: ReadObject, metadataPath: string): Promise<IcebergRendering> {
  const metadata = parseMetadata(await readExisting(readObject, metadataPath), metadataPath)
  const version = metadata.lastSequenceNumber
  if (metadata.currentSnapshotId === undefined) return { version, metadataPath, metadata, manifests: [] }
  const snapshot = metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)
  if (snapshot === undefined) {
    throw new FloeError(
      'corrupt',
      'malformed-metadata',
      `${metadataPath}: the current snapshot is not among the snapshots`,
    )
  }
  const listPath = relativePath(metadata.location, snapshot.manifestList)
  return {
    version,
    metadataPath,
    metadata,
    manifests: readManifestList(await readExisting(readObject, listPath), listPath),
  }
}
