/** Connections to PostgreSQL for the catalog's journal. Here alone the client library's defaults are decided on. */
import { readFileSync } from 'node:fs'
import { Pool, type PoolConfig } from 'pg'
import type { SqlDatabase } from '../../catalog/journal/sql-journal.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { explainPostgresError } from './postgres-errors.ts'
import { describeAddress, type PostgresAddress } from './postgres-url.ts'

/** The leader writes one entry at a time; the others serve recovery, which reads sixteen at once. */
const connectionCountMax = 4
const connectMsMax = 5_000
/** The server gives up first, so that a statement seldom takes effect after this process has stopped waiting for it. */
const statementMsMax = 10_000
const answerMsMax = 15_000
const idleMsMax = 60_000

export interface PostgresDatabase extends SqlDatabase {
  close(): Promise<void>
}

/** Connects when it is first asked something. errors  invalid: the file with the authorities cannot be read */
export function openPostgres(address: PostgresAddress, password: string | undefined, log: Log): PostgresDatabase {
  const { host, port, user, database } = address
  const name = describeAddress(address)
  const config: PoolConfig = {
    host,
    port,
    user,
    database,
    // A function: given a text that is empty, the library looks for another one in the environment and in files.
    password: () => password ?? '',
    ssl: tlsOptions(address),
    application_name: 'floe',
    max: connectionCountMax,
    connectionTimeoutMillis: connectMsMax,
    query_timeout: answerMsMax,
    idleTimeoutMillis: idleMsMax,
    keepAlive: true,
    // A command that only asks ends when it has its answer.
    allowExitOnIdle: true,
    onConnect: async client => {
      await client.query(sessionSettings)
    },
  }
  const pool = new Pool(config)
  // Of connections that nobody uses: the pool opens others.
  pool.on('error', error =>
    log.debug('a connection to the journal ended', { journal: name, reason: errorMessage(error) }),
  )
  const turns = new Turns(connectionCountMax)
  const doing = `cannot read or write the journal in ${name}`
  return {
    name,
    async run(text, values) {
      await turns.take()
      try {
        const { rows, rowCount } = await pool.query({ text, values: values.map(toParameter), rowMode: 'array' })
        const value: unknown = rows[0]?.[0]
        return { rowCount: rowCount ?? 0, value: Buffer.isBuffer(value) ? toBytes(value) : undefined }
      } catch (error) {
        throw explainPostgresError(doing, error)
      } finally {
        turns.giveBack()
      }
    },
    close: () => pool.end(),
  }
}

/** Waiting for a connection, which the library would count towards the time that connecting may take. */
class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async take(): Promise<void> {
    if (this.#free === 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#free--
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** An entry that was acknowledged must survive a crash of the server, whatever its own default is. */
const sessionSettings = `SET default_transaction_isolation = 'serializable';
SET statement_timeout = ${statementMsMax};
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off'`

function toParameter(value: number | Uint8Array): string | Buffer {
  if (typeof value === 'number') return String(value)
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}

/** A plain array: `slice` of a Buffer does not copy. */
function toBytes(value: Buffer): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.length)
}

function tlsOptions({ sslMode, sslRootCert }: PostgresAddress): PoolConfig['ssl'] {
  if (sslMode === 'disable') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  if (sslRootCert === undefined) return true
  try {
    return { ca: readFileSync(sslRootCert, 'utf8') }
  } catch (error) {
    throw new FloeError('invalid', 'tls-file-unreadable', `sslrootcert of catalog.journal_url: ${errorMessage(error)}`)
  }
}
