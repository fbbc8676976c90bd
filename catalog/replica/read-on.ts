/** Brings a replica forward by what lies in the journal. */
import type { Clock } from '../../core/clock.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { decodeTwice } from '../journal/decode-twice.ts'
import type { Journal } from '../journal/journal.ts'
import { checkJournalOf, isJournalOf } from '../journal/journal-elsewhere.ts'
import { corruptEntry, entryKinds } from '../journal/journal-entry.ts'
import { journalKey } from '../journal/journal-keys.ts'
import { isBehindTrim } from '../snapshot/snapshot-store.ts'
import type { Replica } from './replica.ts'

const entryReadsInFlight = 16

export interface ReadOnParts {
  readonly journal: Journal
  /** Where the snapshots are. */
  readonly store: ObjectStore
  readonly clock: Clock
}

/**
 * Reads to the end of a catalog's journal, which must be the given one.
 *
 * returns  as readEntries
 * errors   as readEntries; invalid `catalog-journal-elsewhere`: the catalog goes on in another journal
 */
export async function readOn(replica: Replica, parts: ReadOnParts): Promise<'end' | 'behind'> {
  if ((await readEntries(replica, parts)) === 'behind') return 'behind'
  const { position } = replica
  // A replica that slept through several moves finds the rest behind a snapshot, like one that slept through a trim.
  if (!isJournalOf(position, parts.journal) && (await isBehindTrim(parts.store, position.sequence))) return 'behind'
  checkJournalOf(position, parts.journal)
  return 'end'
}

/**
 * Applies entry after entry until there is none. The end is the journal's own only if nothing of it was trimmed there: whoever
 * concludes anything from it asks `isBehindTrim` afterwards.
 *
 * upToSequence  where to stop at the latest
 * returns  'end'; 'behind' when an entry is missing because it was trimmed, or cannot be told from a stray one: the replica must
 *          start from a snapshot again
 * errors   corrupt: an entry is damaged, or missing although later ones exist
 */
export async function readEntries(
  replica: Replica,
  { journal, store, clock }: ReadOnParts,
  upToSequence = Number.POSITIVE_INFINITY,
): Promise<'end' | 'behind'> {
  for (;;) {
    const { epoch, sequence } = replica.position
    const sequences = Array.from({ length: entryReadsInFlight }, (_, index) => sequence + 1 + index)
    const bodies = await Promise.all(sequences.map(next => journal.read(epoch, next)))
    for (const [index, body] of bodies.entries()) {
      if (replica.position.sequence >= upToSequence) return 'end'
      const next = sequences[index]!
      const key = journalKey(epoch, next)
      let bytes = body
      if (bytes === undefined) {
        if (!bodies.slice(index + 1).some(later => later !== undefined)) return 'end'
        // A leader that lives may have written this and the next while we were reading: ask again before crying hole.
        bytes = await journal.read(epoch, next)
        if (bytes === undefined) {
          if (await isBehindTrim(store, replica.position.sequence)) return 'behind'
          throw corruptEntry(key, 'it is missing although later entries exist')
        }
      }
      const entry = await decodeTwice(journal, epoch, next, bytes)
      // Where entries were trimmed, a process that was as far behind may have put a seal that is none.
      if (entry.kind !== entryKinds.batch && (await isBehindTrim(store, replica.position.sequence))) return 'behind'
      replica.apply(entry, bytes.length, key)
      await clock.yield()
      if (replica.position.epoch !== epoch) break
    }
  }
}
