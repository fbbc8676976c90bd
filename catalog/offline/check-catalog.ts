/**
 * Proves from the store alone that a catalog is whole: every snapshot reads, the journal continues without a hole from the oldest
 * snapshot to its end, and replaying it leads to the very state that each later snapshot holds.
 */
import { FloeError, isFloeError } from '../../core/errors.ts'
import { checkJournalOf } from '../journal/journal-elsewhere.ts'
import { type LoadParts, readGenesis } from '../replica/load-replica.ts'
import { readEntries } from '../replica/read-on.ts'
import { readPersistently } from '../replica/recover.ts'
import { Replica } from '../replica/replica.ts'
import { isBehindTrim, listSnapshots, readSnapshot, type SnapshotFolder } from '../snapshot/snapshot-store.ts'

export interface CatalogCheck {
  readonly snapshotsRead: number
  readonly entriesReplayed: number
  /** Where the journal ends. */
  readonly sequence: number
  /** One plain sentence each; empty when everything holds. */
  readonly problems: readonly string[]
}

/** errors  invalid `catalog-missing`: the store holds no catalog; unavailable: the store does not answer, or it is being trimmed */
export async function checkCatalog(given: LoadParts): Promise<CatalogCheck> {
  const parts = readPersistently(given)
  const { store } = parts
  const problems: string[] = []
  const snapshots: { folder: SnapshotFolder; replica: Replica }[] = []
  const folders = (await listSnapshots(store)).filter(folder => folder.hasManifest)
  for (const folder of folders) {
    const replica = await tell(problems, () => readReplica(store, folder))
    if (replica !== undefined) snapshots.push({ folder, replica })
  }
  const oldest = snapshots[0]?.replica ?? (folders.length === 0 ? await genesis(parts) : undefined)
  if (oldest === undefined) return { snapshotsRead: 0, entriesReplayed: 0, sequence: 0, problems }
  const start = oldest.position.sequence
  for (const { folder, replica } of snapshots.slice(1)) {
    await tell(problems, async () => {
      await readUpTo(parts, oldest, folder.sequence)
      if (oldest.state.hash() === replica.state.hash()) return
      throw new FloeError(
        'corrupt',
        'catalog-snapshot-differs',
        `catalog snapshot ${folder.prefix} holds another state than the journal up to it leads to`,
      )
    })
  }
  await tell(problems, () => readUpTo(parts, oldest, Number.POSITIVE_INFINITY))
  if (problems.length === 0) checkJournalOf(oldest.position, parts.journal)
  const { sequence } = oldest.position
  return { snapshotsRead: snapshots.length, entriesReplayed: sequence - start, sequence, problems }
}

async function readReplica(store: LoadParts['store'], folder: SnapshotFolder): Promise<Replica> {
  const snapshot = await readSnapshot(store, folder)
  if (snapshot !== undefined) return new Replica(snapshot.state, snapshot.position)
  throw new FloeError('corrupt', 'catalog-snapshot-corrupt', `catalog snapshot ${folder.prefix}: a chunk is missing`)
}

async function genesis(parts: LoadParts): Promise<Replica> {
  const replica = await readGenesis(parts)
  if (replica instanceof Replica) return replica
  throw new FloeError(
    'invalid',
    'catalog-missing',
    `${parts.store.uri} holds no Floe catalog: nothing was ever served from it`,
  )
}

async function readUpTo(parts: LoadParts, replica: Replica, sequence: number): Promise<void> {
  const outcome = await readEntries(replica, parts, sequence)
  if (outcome === 'end' && !(await isBehindTrim(parts.store, replica.position.sequence))) return
  if (outcome === 'end' && replica.position.sequence >= sequence) return
  throw new FloeError('unavailable', 'catalog-trimmed', 'the journal was trimmed while it was read: check again')
}

/** Damage is a problem to tell of; everything else ends the check. */
async function tell<T>(problems: string[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!isFloeError(error, 'corrupt')) throw error
    if (!problems.includes(error.message)) problems.push(error.message)
    return undefined
  }
}
