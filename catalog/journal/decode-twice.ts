import { isFloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { decodeEntry, type JournalEntry } from './journal-entry.ts'

/** Decodes an entry that was read from `key`. Damage must be seen twice: a bad read is not a bad object. errors  corrupt */
export async function decodeTwice(store: ObjectStore, bytes: Uint8Array, key: string): Promise<JournalEntry> {
  try {
    return decodeEntry(bytes, key)
  } catch (error) {
    const again = isFloeError(error, 'corrupt') ? await store.get(key) : undefined
    if (again === undefined) throw error
    return decodeEntry(again, key)
  }
}
