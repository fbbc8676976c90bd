/**
 * Catalog snapshots in the object store: chunks first, the manifest last. See docs/design/0001-catalog-journal.md for the order
 * in which snapshots and journal entries may be removed.
 */
import type { Clock } from '../../core/clock.ts'
import { crc32c } from '../../core/crc32c.ts'
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { createIdenticalObject } from '../../storage/put-if-absent.ts'
import type { JournalPosition } from '../journal/journal-entry.ts'
import { chunkKey, manifestKey, parseSnapshotKey, snapshotPrefix, snapshotsPrefix } from '../journal/journal-keys.ts'
import { CatalogState } from '../state/catalog-state.ts'
import { decodeManifest, encodeManifest, type SnapshotChunk, type SnapshotManifest } from './snapshot-manifest.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { cutChunks, SnapshotWriter } from './snapshot-writer.ts'

export const chunkBytesMax = 8 * 1024 * 1024
const chunkReadsInFlight = 4
/** Journal entries up to the older of so many complete snapshots may be gone. */
export const snapshotsKept = 2

export interface CapturedSnapshot {
  readonly position: JournalPosition
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
}

/** Synchronous; see snapshot-writer.ts for why the state may go on changing afterwards. */
export function captureSnapshot(state: CatalogState, position: JournalPosition): CapturedSnapshot {
  const writer = SnapshotWriter.forSnapshot()
  state.encode(writer)
  return { position, ...writer.finish() }
}

/** Writes a captured snapshot. Called again with the same one it finishes what it began. */
export async function writeSnapshot(store: ObjectStore, clock: Clock, captured: CapturedSnapshot): Promise<void> {
  const prefix = snapshotPrefix(captured.position)
  const chunks: SnapshotChunk[] = []
  for (const parts of cutChunks(captured.pieces, chunkBytesMax)) {
    let bytes = 0
    let crc = 0
    for (const part of parts) {
      bytes += part.length
      crc = crc32c(part, crc)
    }
    await createIdenticalObject(store, chunkKey(prefix, chunks.length), parts, { clock })
    chunks.push({ bytes, crc })
    await clock.yield()
  }
  const manifest = encodeManifest({ position: captured.position, chunks })
  await createIdenticalObject(store, manifestKey(prefix), manifest, { clock })
}

export interface SnapshotFolder {
  readonly prefix: string
  readonly sequence: number
  readonly epoch: number
  readonly hasManifest: boolean
  readonly keys: readonly string[]
}

/** Every folder under the snapshots' prefix, oldest first, also unfinished ones. */
export async function listSnapshots(store: ObjectStore): Promise<SnapshotFolder[]> {
  const folders = new Map<string, { sequence: number; epoch: number; hasManifest: boolean; keys: string[] }>()
  let after: string | undefined
  do {
    const page = await store.list(snapshotsPrefix, after)
    for (const { key } of page.objects) {
      const parsed = parseSnapshotKey(key)
      if (parsed === undefined) continue
      const { prefix, sequence, epoch, name } = parsed
      let folder = folders.get(prefix)
      if (folder === undefined) {
        folder = { sequence, epoch, hasManifest: false, keys: [] }
        folders.set(prefix, folder)
      }
      folder.keys.push(key)
      if (name === 'manifest') folder.hasManifest = true
    }
    after = page.next
  } while (after !== undefined)
  return [...folders].map(([prefix, folder]) => ({ prefix, ...folder }))
}

/**
 * Whether the journal entry after `sequence` may have been trimmed. To be asked after it was found missing: an entry is deleted
 * only while so many complete snapshots beyond it exist, so without them there never was one.
 */
export async function isBehindTrim(store: ObjectStore, sequence: number): Promise<boolean> {
  const beyond = (await listSnapshots(store)).filter(folder => folder.hasManifest && folder.sequence > sequence)
  return beyond.length >= snapshotsKept
}

/**
 * levelMax  the newest format level that this process knows; left out, that of this Floe
 * returns   the state and its position; undefined when the manifest or a chunk is not there (any more)
 * errors    corrupt: what is there is damaged; unsupported: a newer Floe wrote it
 */
export async function readSnapshot(
  store: ObjectStore,
  folder: Pick<SnapshotFolder, 'prefix' | 'sequence' | 'epoch'>,
  levelMax?: number,
): Promise<{ readonly state: CatalogState; readonly position: JournalPosition } | undefined> {
  const key = manifestKey(folder.prefix)
  const manifestBytes = await store.get(key)
  if (manifestBytes === undefined) return undefined
  const manifest = decodeManifest(manifestBytes, key)
  const { position } = manifest
  if (position.sequence !== folder.sequence || position.epoch !== folder.epoch) {
    throw new FloeError('corrupt', 'catalog-snapshot-corrupt', `${key} belongs to another snapshot`, { key })
  }
  const chunks = await readChunks(store, folder.prefix, manifest)
  if (chunks === undefined) return undefined
  const reader = new SnapshotReader(chunks, `catalog snapshot ${folder.prefix}`)
  return { state: CatalogState.decode(reader, levelMax), position }
}

async function readChunks(
  store: ObjectStore,
  prefix: string,
  { chunks }: SnapshotManifest,
): Promise<Uint8Array[] | undefined> {
  const read: Uint8Array[] = []
  for (let from = 0; from < chunks.length; from += chunkReadsInFlight) {
    const group = chunks.slice(from, from + chunkReadsInFlight)
    const bodies = await Promise.all(group.map((_, index) => store.get(chunkKey(prefix, from + index))))
    for (const [index, body] of bodies.entries()) {
      if (body === undefined) return undefined
      const { bytes, crc } = group[index]!
      if (body.length !== bytes || crc32c(body) !== crc) {
        const key = chunkKey(prefix, from + index)
        throw new FloeError('corrupt', 'catalog-snapshot-corrupt', `${key} is damaged: its checksum differs`, { key })
      }
      read.push(body)
    }
  }
  return read
}
