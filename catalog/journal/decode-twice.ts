import { isFloeError } from '../../core/errors.ts'
import type { Journal } from './journal.ts'
import { decodeEntry, type JournalEntry } from './journal-entry.ts'
import { journalKey } from './journal-keys.ts'

/** Decodes an entry that was read. Damage must be seen twice: a bad read is not a bad entry. errors  corrupt */
export async function decodeTwice(
  journal: Journal,
  epoch: number,
  sequence: number,
  bytes: Uint8Array,
): Promise<JournalEntry> {
  const key = journalKey(epoch, sequence)
  try {
    return decodeEntry(bytes, key)
  } catch (error) {
    const again = isFloeError(error, 'corrupt') ? await journal.read(epoch, sequence) : undefined
    if (again === undefined) throw error
    return decodeEntry(again, key)
  }
}
