/**
 * Starts a replica from what was kept: the newest snapshot that reads, else the genesis entry. Reading the journal on
 * from there is read-on.ts.
 */
import type { Clock } from '../../core/clock.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { appendEntry } from '../journal/append-entry.ts'
import { decodeTwice } from '../journal/decode-twice.ts'
import type { Journal } from '../journal/journal.ts'
import { corruptEntry, encodeEntry, entryKinds, positionAfterGenesis } from '../journal/journal-entry.ts'
import { journalKey, manifestKey, trimmedKey } from '../journal/journal-keys.ts'
import { listSnapshots, readSnapshot, type SnapshotFolder } from '../snapshot/snapshot-store.ts'
import { CatalogState } from '../state/catalog-state.ts'
import { catalogMissingError, findDataWithoutCatalog } from './check-store.ts'
import { Replica } from './replica.ts'

/** Reads of journal and store should be persistent (journal/persistent-reads.ts). */
export interface LoadParts {
  readonly journal: Journal
  /** Where the snapshots are. */
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
}

/**
 * returns  the replica; 'restart' when what it was reading was removed meanwhile; undefined when the store holds no catalog
 * errors   corrupt: no snapshot reads, or the genesis entry is damaged; unavailable `catalog-snapshots-missing`; unsupported
 */
export async function loadReplica(parts: LoadParts): Promise<Replica | 'restart' | undefined> {
  return (await loadSnapshot(parts)) ?? (await readGenesis(parts))
}

/** The newest snapshot that reads. A damaged one is passed over with a loud word: the one before it, with the journal, has all. */
export async function loadSnapshot({ store, log }: LoadParts): Promise<Replica | 'restart' | undefined> {
  let damage: FloeError | undefined
  const folders = (await listSnapshots(store)).filter(folder => folder.hasManifest)
  for (const folder of folders.reverse()) {
    let found = await tryReadSnapshot(store, folder)
    // Damage must be seen twice, as for entries.
    if (found instanceof FloeError) found = await tryReadSnapshot(store, folder)
    if (found === undefined) return 'restart'
    if (!(found instanceof FloeError)) return found
    damage ??= found
    log.error('a catalog snapshot is damaged; trying the one before it', { problem: found.message })
  }
  if (damage !== undefined) throw damage
  return undefined
}

/** undefined: it was removed meanwhile; an error: it is damaged. */
async function tryReadSnapshot(store: ObjectStore, folder: SnapshotFolder): Promise<Replica | FloeError | undefined> {
  try {
    const snapshot = await readSnapshot(store, folder)
    if (snapshot !== undefined) return new Replica(snapshot.state, snapshot.position)
    if ((await store.head(manifestKey(folder.prefix))) === undefined) return undefined
    return new FloeError('corrupt', 'catalog-snapshot-corrupt', `catalog snapshot ${folder.prefix}: a chunk is missing`)
  } catch (error) {
    if (isFloeError(error, 'corrupt')) return error
    throw error
  }
}

/** A replica at the genesis entry, if there is one. errors  as loadReplica */
export async function readGenesis({ journal, store }: LoadParts): Promise<Replica | 'restart' | undefined> {
  if ((await store.head(trimmedKey)) !== undefined) {
    // A snapshot may have been replaced between listing and reading: only a second look tells.
    if ((await listSnapshots(store)).some(folder => folder.hasManifest)) return 'restart'
    throw new FloeError(
      'unavailable',
      'catalog-snapshots-missing',
      `${store.uri} has a trimmed catalog journal but no catalog snapshot: the catalog cannot be rebuilt from what is left. ` +
        'Restore the objects under catalog/snapshots/; Floe does not start an empty catalog over existing data.',
    )
  }
  const bytes = await journal.read(1, 1)
  return bytes && openGenesis(journal, bytes)
}

/**
 * Creates the catalog of a new store.
 *
 * writerId, clusterId  fresh random 16 bytes each
 * returns              a replica at the genesis entry, which is another process's if that was faster
 * errors               invalid: the store holds data of a catalog that is gone
 */
export async function createGenesis(
  { journal, store, clock }: LoadParts,
  writerId: Uint8Array,
  clusterId: Uint8Array,
  appendTimeoutMs: number,
): Promise<Replica> {
  const stray = await findDataWithoutCatalog(store)
  if (stray !== undefined) {
    // Another process may just have created the catalog.
    const bytes = await journal.read(1, 1)
    if (bytes === undefined) throw catalogMissingError(store, stray)
    return openGenesis(journal, bytes)
  }
  const header = {
    kind: entryKinds.genesis,
    epoch: 1,
    sequence: 1,
    writerId,
    nowMs: Math.floor(clock.nowMs()),
    previousCrc: 0,
  }
  const { parts } = encodeEntry(header, [], 0, clusterId)
  const outcome = await appendEntry(journal, clock, 1, 1, parts, appendTimeoutMs)
  return openGenesis(journal, outcome === 'applied' ? Buffer.concat(parts) : outcome)
}

async function openGenesis(journal: Journal, bytes: Uint8Array): Promise<Replica> {
  const entry = await decodeTwice(journal, 1, 1, bytes)
  if (entry.kind !== entryKinds.genesis || entry.epoch !== 1 || entry.sequence !== 1) {
    throw corruptEntry(journalKey(1, 1), 'it is not a genesis entry')
  }
  return new Replica(new CatalogState(entry.body, entry.nowMs), positionAfterGenesis(entry))
}
