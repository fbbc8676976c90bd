/**
 * A database that fails on purpose, and only as a real one or the way to it does to a correct client. Under a seeded Random and a
 * virtual clock the same statements meet the same faults.
 *
 *   failBefore   the caller sees unavailable, nothing was done
 *   lostAnswer   done, but the caller sees unavailable
 *   late         the caller sees unavailable, and the statement is run some time later, after others that came since
 *   conflict     undone because of a concurrent transaction
 *   diskFull     the caller sees exhausted, nothing was done
 */
import type { SqlDatabase, SqlResult } from '../../catalog/journal/sql-journal.ts'
import type { Clock } from '../../core/clock.ts'
import { FloeError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'

export const databaseFaults = ['failBefore', 'lostAnswer', 'late', 'conflict', 'diskFull'] as const
export type DatabaseFault = (typeof databaseFaults)[number]

export interface DatabaseFaultOptions {
  /** For each fault, how probable it is for a statement that it can befall, from 0 to 1. A statement meets at most one. */
  readonly probabilities?: Readonly<Partial<Record<DatabaseFault, number>>>
  /** How long a late statement stays on its way at most. */
  readonly lateMsMax?: number
}

export interface FaultyDatabaseParts {
  readonly clock: Clock
  readonly random: Random
  /** Asked of each fault that chance would inject now; false spares the statement. */
  readonly permits?: (fault: DatabaseFault, operation: string) => boolean
}

export class FaultyDatabase implements SqlDatabase {
  readonly name: string
  /** How often each fault was injected, so that a test can prove it tested something. */
  readonly injectedCounts = new Map<DatabaseFault, number>()
  readonly #database: SqlDatabase
  readonly #parts: FaultyDatabaseParts
  #options: DatabaseFaultOptions

  constructor(database: SqlDatabase, parts: FaultyDatabaseParts, options: DatabaseFaultOptions = {}) {
    this.name = database.name
    this.#database = database
    this.#parts = parts
    this.#options = options
  }

  /** From now on. `{}` heals the database. */
  setOptions(options: DatabaseFaultOptions): void {
    this.#options = options
  }

  async run(statement: string, values: readonly (number | Uint8Array)[]): Promise<SqlResult> {
    const operation = describeStatement(statement, values)
    const drawn = this.#pickFault(statement)
    const fault = drawn !== undefined && this.#parts.permits?.(drawn, operation) === false ? undefined : drawn
    if (fault === undefined) return this.#database.run(statement, values)
    this.injectedCounts.set(fault, (this.injectedCounts.get(fault) ?? 0) + 1)
    const message = `injected: ${operation}: ${fault}`
    if (fault === 'conflict') throw new FloeError('conflict', 'journal-conflict', message)
    if (fault === 'diskFull') throw new FloeError('exhausted', 'journal-disk-full', message)
    if (fault === 'lostAnswer') await this.#database.run(statement, values)
    if (fault === 'late') this.#runLater(statement, values)
    throw new FloeError('unavailable', 'injected-fault', message)
  }

  /** Nobody waits for the answer. */
  #runLater(statement: string, values: readonly (number | Uint8Array)[]): void {
    const { clock, random } = this.#parts
    const kept = values.map(value => (typeof value === 'number' ? value : value.slice()))
    const delayMs = random.fraction() * (this.#options.lateMsMax ?? 1_000)
    void clock
      .sleep(delayMs)
      .then(() => this.#database.run(statement, kept))
      .catch(() => {})
  }

  #pickFault(statement: string): DatabaseFault | undefined {
    const { probabilities } = this.#options
    if (probabilities === undefined) return undefined
    const isRead = statement.startsWith('SELECT')
    let draw = this.#parts.random.fraction()
    for (const fault of databaseFaults) {
      if (isRead && (fault === 'late' || fault === 'diskFull')) continue
      const probability = probabilities[fault] ?? 0
      if (draw < probability) return fault
      draw -= probability
    }
    return undefined
  }
}

/** `INSERT of 3, 17`: what it does, and the numbers in it. */
export function describeStatement(statement: string, values: readonly (number | Uint8Array)[]): string {
  const numbers = values.filter(value => typeof value === 'number')
  return `${statement.slice(0, statement.indexOf(' '))} of ${numbers.join(', ') || 'the table'}`
}
