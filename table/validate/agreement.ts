/**
 * What a published version holds according to each format, read back from the store: the live files with their record counts, and
 * the source progress. The Iceberg snapshot and the Delta version published together must say the same.
 */
import { FloeError } from '../../core/errors.ts'
import { buildCommitPath } from '../delta/render.ts'
import { JsonReader, parseJson } from '../exact-json.ts'
import { buildManifestFormat, entryStatus, readManifest } from '../iceberg/manifest.ts'
import { relativePath } from '../iceberg/names.ts'
import { type ReadObject, readIcebergRendering } from '../iceberg/rewrite.ts'
import { parseProgress, progressKey } from '../progress-text.ts'
import type { SourceProgress } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import { readCommit } from './delta.ts'

export interface VersionContents {
  readonly version: number
  /** Path relative to the table's root to record count. */
  readonly files: ReadonlyMap<string, number>
  readonly progress: readonly SourceProgress[]
}

/** Follows metadata.json to the manifests. `metadataPath` is relative to the table's root. */
export async function readIcebergContents(readObject: ReadObject, metadataPath: string): Promise<VersionContents> {
  const { version, metadata, manifests } = await readIcebergRendering(readObject, metadataPath)
  const format = buildManifestFormat(requireSchema(metadata.schemas, metadata.currentSchemaId), metadata.spec)
  const files = new Map<string, number>()
  for (const { manifestPath } of manifests) {
    const path = relativePath(metadata.location, manifestPath)
    const bytes = await readObject(path)
    if (bytes === undefined)
      throw new FloeError('corrupt', 'metadata-object-missing', `${path} does not exist`, { path })
    for (const entry of readManifest(format, bytes, path)) {
      if (entry.status === entryStatus.deleted) continue
      const file = relativePath(metadata.location, entry.filePath)
      if (files.has(file))
        throw new FloeError('corrupt', 'file-live-twice', `${file} is live twice in Iceberg`, { file })
      files.set(file, entry.recordCount)
    }
  }
  const summary = metadata.snapshots.at(-1)?.summary
  return { version, files, progress: parseProgress(summary?.[progressKey] ?? '', metadataPath) }
}

/** Replays the commits from 0 to `version`. */
export async function readDeltaContents(readObject: ReadObject, version: number): Promise<VersionContents> {
  const files = new Map<string, number>()
  let progress: SourceProgress[] = []
  for (let at = 0; at <= version; at++) {
    const path = buildCommitPath(at)
    const bytes = await readObject(path)
    if (bytes === undefined)
      throw new FloeError('corrupt', 'metadata-object-missing', `${path} does not exist`, { path })
    const actions = readCommit(bytes, path)
    for (const remove of actions.removes) {
      const file = decodeURIComponent(remove.string('path'))
      if (!files.delete(file))
        throw new FloeError('corrupt', 'file-not-live', `${path} removes ${file}, which is not live`, { file })
    }
    for (const add of actions.adds) {
      const file = decodeURIComponent(add.string('path'))
      if (files.has(file)) throw new FloeError('corrupt', 'file-live-twice', `${file} is live twice in Delta`, { file })
      const stats = new JsonReader(parseJson(add.string('stats'), add.path('stats')), add.path('stats'))
      files.set(file, stats.integer('numRecords'))
    }
    progress = parseProgress(actions.commitInfo.string(progressKey), path)
  }
  return { version, files, progress }
}

/** One line per difference; empty when the two agree. */
export function compareContents(iceberg: VersionContents, delta: VersionContents): string[] {
  const differences: string[] = []
  if (iceberg.version !== delta.version)
    differences.push(`Iceberg is at version ${iceberg.version}, Delta at ${delta.version}`)
  for (const [path, records] of iceberg.files) {
    const other = delta.files.get(path)
    if (other === undefined) differences.push(`${path} is live in Iceberg only`)
    else if (other !== records) differences.push(`${path} has ${records} records in Iceberg and ${other} in Delta`)
  }
  for (const path of delta.files.keys()) if (!iceberg.files.has(path)) differences.push(`${path} is live in Delta only`)
  const describe = ({ progress }: VersionContents): string =>
    progress.map(({ partition, start, end }) => `${partition}:${start}-${end}`).join()
  if (describe(iceberg) !== describe(delta)) {
    differences.push(`Iceberg holds the offsets ${describe(iceberg)}, Delta ${describe(delta)}`)
  }
  return differences
}
