/**
 * Starts a replica from what was kept: the newest snapshot that reads, else the genesis entry. Reading the journal on
 * from there is read-on.ts.
 */
import type { Clock } from '../../core/clock.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { formatUuid } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { CommandTable } from '../commands/all-commands.ts'
import { type AppendParts, appendEntry } from '../journal/append-entry.ts'
import { decodeTwice } from '../journal/decode-twice.ts'
import type { Journal } from '../journal/journal.ts'
import { checkJournalOf, isJournalOf } from '../journal/journal-elsewhere.ts'
import {
  clusterIdOf,
  corruptEntry,
  decodeEntry,
  encodeEntry,
  encodeGenesisBody,
  entryKinds,
  equalBytes,
  isInStore,
  positionAfterGenesis,
} from '../journal/journal-entry.ts'
import { journalKey, manifestKey, trimmedKey } from '../journal/journal-keys.ts'
import { StoreJournal } from '../journal/store-journal.ts'
import { isBehindTrim, listSnapshots, readSnapshot, type SnapshotFolder } from '../snapshot/snapshot-store.ts'
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
  /** What this process can apply; left out, what this Floe can. */
  readonly commands?: CommandTable
}

/**
 * returns  the replica; 'restart' when what it was reading was removed meanwhile; undefined when the store holds no catalog
 * errors   corrupt: no snapshot reads, or the genesis entry is damaged; unavailable `catalog-snapshots-missing`; unsupported
 */
export async function loadReplica(parts: LoadParts): Promise<Replica | 'restart' | undefined> {
  await checkSameCatalog(parts)
  return (await loadSnapshot(parts)) ?? (await readGenesis(parts))
}

/** A journal outside the store and the store each begin with the genesis entry: they must mean the same catalog. */
async function checkSameCatalog({ journal, store }: LoadParts): Promise<void> {
  if (isInStore(journal.identity)) return
  // In this order: it is created in the store first.
  const own = await journal.read(1, 1)
  if (own === undefined) return
  const inStore = await store.get(journalKey(1, 1))
  if (inStore !== undefined && equalBytes(own, inStore)) return
  const clusterId = formatUuid(clusterIdOf(decodeEntry(own, journalKey(1, 1))))
  throw new FloeError(
    'invalid',
    'journal-of-another-catalog',
    `${journal.identity.name} holds the journal of the catalog ${clusterId}, which is not the one in ${store.uri}: ` +
      'name another database or table in catalog.journal_url, or the store that belongs to it',
  )
}

/** The newest snapshot that reads. A damaged one is passed over with a loud word: the one before it, with the journal, has all. */
export async function loadSnapshot(parts: LoadParts): Promise<Replica | 'restart' | undefined> {
  const { store, log } = parts
  let damage: FloeError | undefined
  const folders = (await listSnapshots(store)).filter(folder => folder.hasManifest)
  for (const folder of folders.reverse()) {
    let found = await tryReadSnapshot(parts, folder)
    // Damage must be seen twice, as for entries.
    if (found instanceof FloeError) found = await tryReadSnapshot(parts, folder)
    if (found === undefined) return 'restart'
    if (!(found instanceof FloeError)) return damage === undefined ? checkNotOlder(found, parts) : found
    damage ??= found
    log.error('a catalog snapshot is damaged; trying the one before it', { problem: found.message })
  }
  if (damage !== undefined) throw damage
  return undefined
}

/**
 * The newest snapshot ends with an entry that is never trimmed: a journal outside the store that has it not was restored from an
 * older copy, or is empty, and what came after that copy would be lost in silence.
 */
async function checkNotOlder(replica: Replica, { journal, store }: LoadParts): Promise<Replica | 'restart'> {
  const { position } = replica
  if (isInStore(journal.identity) || !isJournalOf(position, journal)) return replica
  const { epoch, sequence, crc } = position
  // The epoch is that of the next entry: the last one may have closed the one before.
  const last = (await journal.read(epoch, sequence)) ?? (await journal.read(epoch - 1, sequence))
  if (last !== undefined && decodeEntry(last, journalKey(epoch, sequence)).crc === crc) return replica
  if (last === undefined && (await isBehindTrim(store, sequence))) return 'restart'
  throw new FloeError(
    'corrupt',
    'journal-older-than-snapshot',
    `${journal.identity.name} does not hold the entry ${sequence} that the newest snapshot in ${store.uri} ends with: ` +
      'it was restored from an older copy or emptied. Restore a newer copy; Floe does not go on without what is missing.',
  )
}

/** undefined: it was removed meanwhile; an error: it is damaged. */
async function tryReadSnapshot(
  { store, commands }: LoadParts,
  folder: SnapshotFolder,
): Promise<Replica | FloeError | undefined> {
  try {
    const snapshot = await readSnapshot(store, folder, commands?.formatLevelMax)
    if (snapshot !== undefined) return new Replica(snapshot.state, snapshot.position, commands)
    if ((await store.head(manifestKey(folder.prefix))) === undefined) return undefined
    return new FloeError('corrupt', 'catalog-snapshot-corrupt', `catalog snapshot ${folder.prefix}: a chunk is missing`)
  } catch (error) {
    if (isFloeError(error, 'corrupt')) return error
    throw error
  }
}

/** A replica at the genesis entry, if there is one. errors  as loadReplica */
export async function readGenesis({ journal, store, commands }: LoadParts): Promise<Replica | 'restart' | undefined> {
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
  return bytes && openGenesis(journal, bytes, commands)
}

/**
 * Creates the catalog of a new store. Its genesis entry lies in the store, whatever the journal: that is what keeps processes with
 * different journals from making two catalogs over one store.
 *
 * writerId, clusterId  fresh random 16 bytes each
 * returns              a replica at the genesis entry, which is another process's if that was faster
 * errors               invalid: the store has a catalog already, whose journal is another one (`catalog-journal-elsewhere`), or data of
 *                      one that is gone
 */
export async function createGenesis(
  given: LoadParts,
  writerId: Uint8Array,
  clusterId: Uint8Array,
  appendTimeoutMs: number,
): Promise<Replica> {
  const { journal, store, clock, commands } = given
  const inStore = new StoreJournal(store, clock)
  const stray = await findDataWithoutCatalog(store)
  // Another process may just have created the catalog.
  if (stray !== undefined && (await journal.read(1, 1)) === undefined) {
    const begun = await inStore.read(1, 1)
    if (begun !== undefined) checkJournalOf((await openGenesis(inStore, begun, commands)).position, journal)
    throw catalogMissingError(store, stray)
  }
  const header = {
    kind: entryKinds.genesis,
    epoch: 1,
    sequence: 1,
    writerId,
    nowMs: Math.floor(clock.nowMs()),
    previousCrc: 0,
  }
  const { parts } = encodeEntry(header, [], 0, encodeGenesisBody(clusterId, journal.identity))
  const bytes = await appendGenesis({ ...given, journal: inStore }, Buffer.concat(parts), appendTimeoutMs)
  const replica = await openGenesis(inStore, bytes, commands)
  checkJournalOf(replica.position, journal)
  if (isInStore(journal.identity)) return replica
  await appendGenesis(given, bytes, appendTimeoutMs)
  await checkSameCatalog(given)
  return replica
}

async function appendGenesis(parts: AppendParts, bytes: Uint8Array, appendTimeoutMs: number): Promise<Uint8Array> {
  const outcome = await appendEntry(parts, 1, 1, [bytes], appendTimeoutMs)
  if (outcome === 'closed') throw corruptEntry(journalKey(1, 1), 'it is missing although later entries exist')
  return outcome === 'applied' ? bytes : outcome
}

async function openGenesis(journal: Journal, bytes: Uint8Array, commands?: CommandTable): Promise<Replica> {
  const entry = await decodeTwice(journal, 1, 1, bytes)
  if (entry.kind !== entryKinds.genesis || entry.epoch !== 1 || entry.sequence !== 1) {
    throw corruptEntry(journalKey(1, 1), 'it is not a genesis entry')
  }
  return new Replica(new CatalogState(clusterIdOf(entry), entry.nowMs), positionAfterGenesis(entry), commands)
}
