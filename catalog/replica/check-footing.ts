/**
 * Is the store still the one that a replica was read from? A prefix that was emptied, or replaced by an older copy, takes new
 * entries and objects as if nothing had happened, and what came before would be lost without a word.
 */
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { decodeTwice } from '../journal/decode-twice.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalPosition } from '../journal/journal-entry.ts'
import { listSnapshots } from '../snapshot/snapshot-store.ts'
import type { Replica } from './replica.ts'

export interface FootingParts {
  readonly journal: Journal
  /** Where the snapshots are. */
  readonly store: ObjectStore
}

/**
 * The replica's last entry, and the one that it stood at some seconds ago, are where they were.
 *
 * errors  corrupt `catalog-gone`; unavailable; corrupt: what lies there is damaged
 */
export async function checkFooting({ position, footing }: Replica, parts: FootingParts): Promise<void> {
  await Promise.all([checkEntry(position, parts), position === footing || checkEntry(footing, parts)])
}

/** It is there, or a snapshot covers it: entries are trimmed only up to one. */
async function checkEntry({ epoch, sequence, crc }: JournalPosition, { journal, store }: FootingParts): Promise<void> {
  // Right after a seal, the last entry is the seal, of the epoch before.
  for (const lastEpoch of epoch > 1 ? [epoch, epoch - 1] : [epoch]) {
    const bytes = await journal.read(lastEpoch, sequence)
    if (bytes !== undefined && (await decodeTwice(journal, lastEpoch, sequence, bytes)).crc === crc) return
  }
  const folders = await listSnapshots(store)
  if (folders.some(folder => folder.hasManifest && folder.sequence >= sequence)) return
  throw new FloeError(
    'corrupt',
    'catalog-gone',
    `the catalog in ${store.uri} is not the one that this process read: entry ${sequence} of its journal is gone. The prefix was ` +
      'emptied, or replaced by an older copy, while Floe served it. Nothing more is written; restore the newest state that ' +
      'there is, and start again',
    { epoch, sequence },
  )
}
