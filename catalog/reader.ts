/**
 * The catalog for questions only: its state as of now, read from the store without taking the lead. For command-line tools beside
 * a running server, and where none runs. What is committed later is not seen.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { systemRandom } from '../core/random.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { CatalogClient } from './client.ts'
import type { Journal } from './journal/journal.ts'
import { StoreJournal } from './journal/store-journal.ts'
import { replayOnly } from './replica/recover.ts'
import { ReplicaClient } from './replica-client.ts'

export interface CatalogReaderParts {
  /** Left out: in the store. */
  readonly journal?: Journal
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
}

/**
 * Every command of the client is refused with `unsupported`.
 *
 * errors  invalid: the store holds no catalog; corrupt, unavailable, unsupported: as recovery
 */
export async function openCatalogReader(given: CatalogReaderParts): Promise<CatalogClient> {
  const { store, clock, log, journal = new StoreJournal(store, clock) } = given
  const replica = await replayOnly({ journal, store, clock, log })
  const refused = (): Promise<never> =>
    Promise.reject(new FloeError('unsupported', 'catalog-read-only', 'the catalog was opened for questions only'))
  const parts = { replica, session: { submit: refused }, failure: () => undefined, readBarrier: async () => {} }
  return new ReplicaClient(parts, clock, systemRandom)
}
