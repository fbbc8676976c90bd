/**
 * Reads that are tried again when the store does not answer: recovery makes thousands of them, and one lost answer must not
 * undo the others. Writes go through as they are; their outcomes need more care than trying again.
 */
import type { Clock } from '../../core/clock.ts'
import { isFloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { Journal } from './journal.ts'

const attemptCountMax = 8
const backoffMsFirst = 50
const backoffMsMax = 2000

async function persist<T>(clock: Clock, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1, backoffMs = backoffMsFirst; ; attempt++, backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
    try {
      return await read()
    } catch (error) {
      if (!isFloeError(error, 'unavailable') || attempt === attemptCountMax) throw error
      await clock.sleep(backoffMs)
    }
  }
}

export function makeReadsPersistent(store: ObjectStore, clock: Clock): ObjectStore {
  return {
    uri: store.uri,
    put: (key, body) => store.put(key, body),
    putOwned: (key, body) => store.putOwned(key, body),
    putIfAbsent: (key, body) => store.putIfAbsent(key, body),
    get: (key, byteRange) => persist(clock, () => store.get(key, byteRange)),
    head: key => persist(clock, () => store.head(key)),
    list: (prefix, after) => persist(clock, () => store.list(prefix, after)),
    delete: keys => store.delete(keys),
    startMultipart: key => store.startMultipart(key),
  }
}

export function makeJournalReadsPersistent(journal: Journal, clock: Clock): Journal {
  return {
    identity: journal.identity,
    append: (epoch, sequence, parts) => journal.append(epoch, sequence, parts),
    read: (epoch, sequence) => persist(clock, () => journal.read(epoch, sequence)),
    trim: sequence => journal.trim(sequence),
  }
}
