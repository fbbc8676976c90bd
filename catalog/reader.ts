/**
 * The catalog for questions only: its state as of now, read from the store without taking the lead. For command-line tools beside
 * a running server, and where none runs. What is committed later is not seen.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { systemRandom } from '../core/random.ts'
import { Signal } from '../core/signal.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { CatalogClient } from './client.ts'
import { InProcessClient } from './in-process-client.ts'
import { replayOnly } from './journal/recover.ts'

export interface CatalogReaderParts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
}

/**
 * Every command of the client is refused with `unsupported`.
 *
 * errors  invalid: the store holds no catalog; corrupt, unavailable, unsupported: as recovery
 */
export async function openCatalogReader({ store, clock, log }: CatalogReaderParts): Promise<CatalogClient> {
  const state = await replayOnly({ store, clock, log })
  const refused = (): Promise<never> =>
    Promise.reject(new FloeError('unsupported', 'catalog-read-only', 'the catalog was opened for questions only'))
  return new InProcessClient(
    { state, failure: undefined, appended: new Signal(), submit: refused },
    clock,
    systemRandom,
  )
}
