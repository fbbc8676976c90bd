/**
 * The journal in one table of a database that speaks PostgreSQL's SQL and has serializable transactions.
 *
 *   epoch     sequence  entry
 *   0         0         {"format":1,"id":"<32 hex digits>"}     made with the table
 *   1         1         genesis
 *   epoch     sequence  a journal entry, as everywhere (journal-entry.ts)
 *
 * The primary key (epoch, sequence) is what put-if-absent is in an object store. Each statement is one transaction: an append looks
 * for a later epoch and inserts in the same one, so that a closed epoch cannot grow even where its seal was not seen.
 */
import type { Clock } from '../../core/clock.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { entryBytesMax } from '../limits.ts'
import type { Journal, JournalIdentity } from './journal.ts'

export interface SqlDatabase {
  /** For messages; holds no secret. */
  readonly name: string
  /**
   * Runs one statement as a serializable transaction of its own, in bounded time.
   *
   * returns  the rows it touched or found, and the first column of the first of these
   * errors   conflict: refused because of a concurrent transaction, and nothing was done; unavailable: it may or may not have been
   *          done; invalid `journal-table-missing`; others as the database has them
   */
  run(statement: string, values: readonly (number | Uint8Array)[]): Promise<SqlResult>
}

export interface SqlResult {
  readonly rowCount: number
  readonly value: Uint8Array | undefined
}

export interface SqlJournalParts {
  readonly database: SqlDatabase
  /** A name, or `schema.name`. */
  readonly table: string
  readonly clock: Clock
  readonly random: Random
}

const format = 1
const trimRowCountMax = 1000
const conflictRetryCountMax = 20
const conflictBackoffMsMax = 200
const tablePattern = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/

export class SqlJournal implements Journal {
  readonly identity: JournalIdentity
  readonly #parts: SqlJournalParts

  private constructor(parts: SqlJournalParts, identity: JournalIdentity) {
    this.#parts = parts
    this.identity = identity
  }

  /**
   * mayCreate  whether the table is made when there is none
   * errors     invalid: there is no table, or it is not a journal's; unsupported: a newer Floe made it; and what `run` throws
   */
  static async open(parts: SqlJournalParts, mayCreate: boolean): Promise<SqlJournal> {
    const { database, table, random } = parts
    if (!tablePattern.test(table)) {
      throw new FloeError(
        'invalid',
        'journal-table-name',
        `${table} is no table name: use a-z, 0-9 and _, as in floe_journal`,
      )
    }
    for (;;) {
      const header = await readHeader(parts, mayCreate)
      if (header !== undefined)
        return new SqlJournal(parts, { id: decodeHeader(header, database.name), name: database.name })
      const id = Buffer.from(random.bytes(16)).toString('hex')
      const bytes = Buffer.from(JSON.stringify({ format, id }))
      await run(
        parts,
        `INSERT INTO ${table} (epoch, sequence, entry) VALUES (0, 0, $1::bytea) ON CONFLICT DO NOTHING`,
        [bytes],
      )
    }
  }

  async append(
    epoch: number,
    sequence: number,
    parts: readonly Uint8Array[],
  ): Promise<'applied' | 'refused' | 'closed'> {
    const { table } = this.#parts
    const entry = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    const { rowCount } = await run(
      this.#parts,
      `INSERT INTO ${table} (epoch, sequence, entry)
       SELECT $1::bigint, $2::bigint, $3::bytea WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE epoch > $1::bigint)
       ON CONFLICT (epoch, sequence) DO NOTHING`,
      [epoch, sequence, entry],
    )
    if (rowCount === 1) return 'applied'
    return (await this.read(epoch, sequence)) === undefined ? 'closed' : 'refused'
  }

  async read(epoch: number, sequence: number): Promise<Uint8Array | undefined> {
    const statement = `SELECT entry FROM ${this.#parts.table} WHERE epoch = $1::bigint AND sequence = $2::bigint`
    return (await run(this.#parts, statement, [epoch, sequence])).value
  }

  async trim(sequence: number): Promise<void> {
    const { table } = this.#parts
    // Only an entry that has a successor in its epoch is no seal.
    const statement = `DELETE FROM ${table} WHERE (epoch, sequence) IN (
         SELECT epoch, sequence FROM ${table} AS old WHERE sequence > 1 AND sequence <= $1::bigint
         AND EXISTS (SELECT 1 FROM ${table} AS next WHERE next.epoch = old.epoch AND next.sequence > old.sequence)
         ORDER BY epoch, sequence LIMIT ${trimRowCountMax})`
    while ((await run(this.#parts, statement, [sequence])).rowCount === trimRowCountMax);
  }
}

/** The table is made when there is none. Undefined: it is empty. */
async function readHeader(parts: SqlJournalParts, mayCreate: boolean): Promise<Uint8Array | undefined> {
  const { database, table } = parts
  const statement = `SELECT entry FROM ${table} WHERE epoch = 0 AND sequence = 0`
  try {
    return (await run(parts, statement, [])).value
  } catch (error) {
    if (!isFloeError(error) || error.code !== 'journal-table-missing') throw error
    if (!mayCreate) {
      throw new FloeError('invalid', 'journal-missing', `${database.name} holds no journal of a catalog`, {}, error)
    }
  }
  await run(
    parts,
    `CREATE TABLE IF NOT EXISTS ${table} (
       epoch bigint NOT NULL, sequence bigint NOT NULL, entry bytea NOT NULL CHECK (octet_length(entry) <= ${entryBytesMax}),
       PRIMARY KEY (epoch, sequence))`,
    [],
  )
  return (await run(parts, statement, [])).value
}

function decodeHeader(bytes: Uint8Array, name: string): Uint8Array {
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    header = undefined
  }
  const { format: found, id } = (header ?? {}) as { format?: unknown; id?: unknown }
  if (typeof found !== 'number' || typeof id !== 'string') {
    throw new FloeError(
      'invalid',
      'journal-table-foreign',
      `the table in ${name} is not one that Floe made: name another one`,
    )
  }
  if (found > format || !/^[0-9a-f]{32}$/.test(id)) {
    throw new FloeError(
      'unsupported',
      'journal-format-newer',
      `the journal in ${name} has format ${found}, and this Floe knows formats up to ${format}: use the version that wrote it`,
    )
  }
  return new Uint8Array(Buffer.from(id, 'hex'))
}

/** A transaction that lost against a concurrent one was undone and is tried again. errors  as SqlDatabase.run, without conflict */
async function run(
  { database, clock, random }: SqlJournalParts,
  statement: string,
  values: readonly (number | Uint8Array)[],
): Promise<SqlResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.run(statement, values)
    } catch (error) {
      if (!isFloeError(error, 'conflict')) throw error
      if (attempt > conflictRetryCountMax) {
        const message = `${database.name} undid a transaction ${attempt} times in a row: ${error.message}`
        throw new FloeError('unavailable', 'journal-conflicts', message, {}, error)
      }
      await clock.sleep(random.fraction() * Math.min(2 ** attempt, conflictBackoffMsMax))
    }
  }
}
