/**
 * Names of Iceberg metadata objects. They follow from the table's uuid, the version and this renderer's version alone, so a
 * version rendered twice lands on the same names, and two tables, versions or renderers never do.
 *
 *   metadata/00007-<uuid>.metadata.json    metadata/snap-<snapshot id>-1-<uuid>.avro    metadata/<uuid>-m0.avro
 */
import { createHash } from 'node:crypto'
import { FloeError } from '../../core/errors.ts'

/** Raised whenever the bytes of an unchanged version would change. */
export const icebergRendererVersion = 1

export const versionHintPath = 'metadata/version-hint.text'

/** A version 8 (custom) UUID from a hash. */
export function buildVersionUuid(tableUuid: string, version: number): string {
  const hash = createHash('sha256')
    .update(`floe-iceberg/${icebergRendererVersion}/${tableUuid}/${version}`)
    .digest('hex')
  const variant = ((Number.parseInt(hash[16]!, 16) & 0x3) | 0x8).toString(16)
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}

const metadataStem = (tableUuid: string, version: number): string =>
  `${String(version).padStart(5, '0')}-${buildVersionUuid(tableUuid, version)}`

export const buildMetadataPath = (tableUuid: string, version: number): string =>
  `metadata/${metadataStem(tableUuid, version)}.metadata.json`

export const buildManifestListPath = (tableUuid: string, version: number, snapshotId: bigint): string =>
  `metadata/snap-${snapshotId}-1-${buildVersionUuid(tableUuid, version)}.avro`

export const buildManifestPath = (tableUuid: string, version: number, index: number): string =>
  `metadata/${buildVersionUuid(tableUuid, version)}-m${index}.avro`

/** The text of version-hint.text: the metadata file's name up to `.metadata.json`, the form DuckDB resolves. */
export const buildVersionHint = (tableUuid: string, version: number): string => metadataStem(tableUuid, version)

/** From an absolute URI to the path relative to the table's root. */
export function relativePath(location: string, uri: string): string {
  if (!uri.startsWith(`${location}/`)) {
    throw new FloeError('corrupt', 'path-outside-table', `${uri} is not below the table's location ${location}`)
  }
  return uri.slice(location.length + 1)
}
