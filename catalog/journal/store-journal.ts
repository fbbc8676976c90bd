/** The journal in the object store: one object per entry, created with put-if-absent. */
import type { Clock } from '../../core/clock.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { createObject } from '../../storage/put-if-absent.ts'
import { type Journal, journalInStore } from './journal.ts'
import { journalKey, journalPrefix, parseJournalKey } from './journal-keys.ts'

const deleteCountMax = 1000

export class StoreJournal implements Journal {
  readonly identity = journalInStore
  readonly #store: ObjectStore
  readonly #clock: Clock

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  append(epoch: number, sequence: number, parts: readonly Uint8Array[]): Promise<'applied' | 'refused'> {
    return createObject(this.#store, journalKey(epoch, sequence), parts, { clock: this.#clock })
  }

  read(epoch: number, sequence: number): Promise<Uint8Array | undefined> {
    return this.#store.get(journalKey(epoch, sequence))
  }

  async trim(sequence: number): Promise<void> {
    let keys: string[] = []
    let previous: { key: string; epoch: number; sequence: number } | undefined
    let after: string | undefined
    do {
      const page = await this.#store.list(journalPrefix, after)
      for (const { key } of page.objects) {
        const parsed = parseJournalKey(key)
        if (parsed === undefined) continue
        // Only an entry that has a successor in its epoch is no seal.
        if (previous?.epoch === parsed.epoch && previous.sequence > 1 && previous.sequence <= sequence) {
          keys.push(previous.key)
          if (keys.length === deleteCountMax) {
            await this.#store.delete(keys)
            keys = []
          }
        }
        previous = { key, ...parsed }
      }
      after = page.next
    } while (after !== undefined)
    if (keys.length > 0) await this.#store.delete(keys)
  }
}
