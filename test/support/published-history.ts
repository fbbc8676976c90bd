/** Whether a version of a table says of those before it what they said of themselves: it is rendered on what was read of the last one. */
import { isDeepStrictEqual } from 'node:util'
import type { CatalogClient } from '../../catalog/client.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type ManifestListEntry, readManifestList } from '../../table/iceberg/manifest-list.ts'
import { parseMetadata, type Snapshot } from '../../table/iceberg/metadata.ts'
import { buildMetadataPath, relativePath } from '../../table/iceberg/names.ts'
import { requirePublished } from './published-rows.ts'

/** Of the published version: its snapshots against those that earlier versions ended with, its manifests against the lists that added them. */
export async function findHistoryBreaks(catalog: CatalogClient, store: ObjectStore, name: string): Promise<string[]> {
  const { table, published, folder } = await requirePublished(catalog, name)
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = await store.get(`${folder}/${path}`)
    if (bytes === undefined) throw new Error(`${path} is missing`)
    return bytes
  }
  const metadata = parseMetadata(await read(published.icebergMetadataPath), published.icebergMetadataPath)
  const readList = async ({ manifestList }: Snapshot): Promise<ManifestListEntry[]> => {
    const path = relativePath(metadata.location, manifestList)
    return readManifestList(await read(path), path)
  }
  const problems: string[] = []
  for (const snapshot of metadata.snapshots) {
    const path = buildMetadataPath(table.tableUuid, snapshot.sequenceNumber)
    const then = parseMetadata(await read(path), path).snapshots.at(-1)
    if (!isDeepStrictEqual(snapshot, then))
      problems.push(`snapshot ${snapshot.snapshotId} is not what ${path} ended with`)
  }
  const last = metadata.snapshots.at(-1)
  for (const entry of last === undefined ? [] : await readList(last)) {
    const adding = metadata.snapshots.find(({ snapshotId }) => snapshotId === entry.addedSnapshotId)
    // Only the last hundred snapshots stay in the metadata.
    if (adding === undefined && metadata.snapshots[0]!.sequenceNumber > 1) continue
    const listed = adding === undefined ? [] : await readList(adding)
    if (!listed.some(each => isDeepStrictEqual(each, entry))) {
      problems.push(`${entry.manifestPath} is not listed as it was when snapshot ${entry.addedSnapshotId} added it`)
    }
  }
  return problems
}
