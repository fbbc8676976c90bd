/**
 * SQLite in memory where users have PostgreSQL: it runs the same statements of the journal in a database (catalog/journal/sql-journal.ts),
 * each as a whole and at once, so a run under a seed repeats exactly.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqlDatabase, SqlResult } from '../../catalog/journal/sql-journal.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'

export class SqliteDatabase implements SqlDatabase {
  readonly name = 'sqlite:memory'
  readonly #database = new DatabaseSync(':memory:')
  readonly #prepared = new Map<string, StatementSync>()

  async run(statement: string, values: readonly (number | Uint8Array)[]): Promise<SqlResult> {
    const prepared = this.#prepare(statement)
    const bound = values.map(value => (typeof value === 'number' ? BigInt(value) : value))
    if (!statement.startsWith('SELECT')) return { rowCount: Number(prepared.run(...bound).changes), value: undefined }
    const rows = prepared.all(...bound)
    const value = Object.values(rows[0] ?? {})[0]
    return { rowCount: rows.length, value: value instanceof Uint8Array ? value : undefined }
  }

  /** Where entries of a journal lie, in order. */
  positions(table: string): { readonly epoch: number; readonly sequence: number }[] {
    const rows = this.#prepare(`SELECT epoch, sequence FROM ${table} WHERE sequence > 0 ORDER BY epoch, sequence`).all()
    return rows.map(({ epoch, sequence }) => ({ epoch: Number(epoch), sequence: Number(sequence) }))
  }

  close(): void {
    this.#database.close()
  }

  #prepare(statement: string): StatementSync {
    const known = this.#prepared.get(statement)
    if (known !== undefined) return known
    try {
      const prepared = this.#database.prepare(toSqlite(statement))
      this.#prepared.set(statement, prepared)
      return prepared
    } catch (error) {
      if (!errorMessage(error).startsWith('no such table')) throw error
      throw new FloeError('invalid', 'journal-table-missing', errorMessage(error), {}, error)
    }
  }
}

/** SQLite numbers parameters with a question mark, and takes values as they are. */
function toSqlite(statement: string): string {
  return statement.replaceAll(/::\w+/g, '').replaceAll(/\$(\d+)/g, '?$1')
}
