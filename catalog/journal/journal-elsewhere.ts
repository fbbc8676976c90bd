/** The catalog's own word on where its journal goes on, against the journal that this process was given. */
import { FloeError } from '../../core/errors.ts'
import type { Journal, JournalIdentity } from './journal.ts'
import { decodeEntry, entryKinds, equalBytes, isInStore, type JournalPosition, positionAfter } from './journal-entry.ts'

export function isJournalOf({ journal }: Pick<JournalPosition, 'journal'>, given: Journal): boolean {
  return equalBytes(journal.id, given.identity.id)
}

/** errors  invalid `catalog-journal-elsewhere`: the catalog at `position` goes on in another journal than the given one */
export function checkJournalOf({ journal }: Pick<JournalPosition, 'journal'>, given: Journal): void {
  if (isJournalOf({ journal }, given)) return
  throw new FloeError(
    'invalid',
    'catalog-journal-elsewhere',
    `the journal of this catalog is in ${journal.name}, not in ${given.identity.name}: ${advise(journal)}, or move it with ` +
      'floe catalog move (which also finishes a move that was interrupted)',
  )
}

/** What ended a term of leadership: the entry of somebody else that lies where the leader wanted to put its own. */
export function fencedBy(found: Uint8Array | 'closed', key: string, before: JournalPosition): FloeError {
  const entry = found === 'closed' ? undefined : decodeEntry(found, key)
  if (entry?.kind !== entryKinds.move) {
    const message = `another process leads the catalog now: it wrote ${key} first`
    return new FloeError('fenced', 'catalog-fenced', message, { key })
  }
  const { journal } = positionAfter(entry, before, key)
  const message = `the journal of this catalog was moved to ${journal.name}: ${advise(journal)}`
  return new FloeError('fenced', 'catalog-moved', message, { key })
}

function advise(journal: JournalIdentity): string {
  return isInStore(journal) ? 'leave catalog.journal_url out' : `set catalog.journal_url to it`
}
