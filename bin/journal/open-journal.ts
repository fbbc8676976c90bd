/** Opens the journal that the configuration names: the one in the store, or one in a database. */
import type { Journal } from '../../catalog/journal/journal.ts'
import { SqlJournal } from '../../catalog/journal/sql-journal.ts'
import { StoreJournal } from '../../catalog/journal/store-journal.ts'
import type { ServerOptions } from '../../config/server-options.ts'
import { systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type Environment, readSecret } from '../cli/load-config.ts'
import { parsePostgresUrl } from './postgres-url.ts'

export interface OpenJournal {
  readonly journal: Journal
  close(): Promise<void>
}

export interface JournalPlace {
  readonly store: ObjectStore
  /** Left out: in the store. */
  readonly url: string | undefined
  readonly password: string | undefined
  readonly log: Log
  /** Whether the table is made when there is none: not by a question. */
  readonly mayCreate: boolean
}

/** errors  invalid: the URL, the credentials, the database or the table; unavailable; unsupported: a newer Floe made the table */
export async function openJournal({ store, url, password, log, mayCreate }: JournalPlace): Promise<OpenJournal> {
  if (url === undefined) return { journal: new StoreJournal(store, systemClock), close: async () => {} }
  const address = parsePostgresUrl(url)
  // Whoever keeps the journal in the store does not wait for the library to load.
  const { openPostgres } = await import('./postgres-database.ts')
  const database = openPostgres(address, password, log)
  try {
    const parts = { database, table: address.table, clock: systemClock, random: systemRandom }
    return { journal: await SqlJournal.open(parts, mayCreate), close: () => database.close() }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** The password that the configuration names. errors  invalid: the variable is not set */
export function journalPassword({ catalog }: ServerOptions, environment: Environment): string | undefined {
  const { journalPasswordEnv } = catalog
  if (journalPasswordEnv === undefined) return undefined
  return readSecret(environment, journalPasswordEnv, 'catalog.journal_password_env')
}
