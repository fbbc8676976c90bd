/**
 * The database that the catalog's journal lies in, and the way to it: statements and answers take time, hosts can be cut off from it, and
 * it can be down. Like a store's, a statement that has left a host arrives whatever becomes of the host.
 */
import type { SqlDatabase, SqlResult } from '../../catalog/journal/sql-journal.ts'
import { FloeError } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import {
  type DatabaseFault,
  type DatabaseFaultOptions,
  describeStatement,
  FaultyDatabase,
} from '../support/faulty-database.ts'
import { SqliteDatabase } from '../support/sqlite-database.ts'
import { Host } from './host.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

export const journalTable = 'floe_journal'

/** As the client of PostgreSQL has them (bin/journal/postgres-database.ts). */
const connectMsMax = 5_000
const answerMsMax = 15_000

export interface DatabaseServerParts {
  readonly world: World
  readonly network: Network
  readonly latencyMsMax: number
  readonly faults: DatabaseFaultOptions
  readonly permits: (fault: DatabaseFault, operation: string) => boolean
}

export class DatabaseServer {
  readonly host: Host
  /** Its own faults. */
  readonly faults: DatabaseFaultOptions
  readonly #parts: DatabaseServerParts
  readonly #inner = new SqliteDatabase()
  readonly #faulty: FaultyDatabase
  #down: 'refuses' | 'silent' | undefined
  /** Connections end with the process that they were made to. */
  #startCount = 0

  constructor(parts: DatabaseServerParts) {
    const { world, faults, permits } = parts
    this.host = new Host(world, 'database')
    this.faults = faults
    this.#parts = parts
    const random = seededRandom(world.seed + 2 ** 36)
    this.#faulty = new FaultyDatabase(this.#inner, { clock: this.host.clock, random, permits }, faults)
  }

  setFaults(faults: DatabaseFaultOptions): void {
    this.#faulty.setOptions(faults)
  }

  /** Its process ends: connections are refused or, when its machine is gone, not answered, until `start`. */
  stop(isSilent: boolean): void {
    this.#down = isSilent ? 'silent' : 'refuses'
    this.#startCount++
  }

  start(): void {
    this.#down = undefined
  }

  /** No statement is run any more. */
  close(): void {
    this.#inner.close()
  }

  /** An entry of the journal, without any fault. */
  async readEntry(epoch: number, sequence: number): Promise<Uint8Array | undefined> {
    const statement = `SELECT entry FROM ${journalTable} WHERE epoch = $1 AND sequence = $2`
    return (await this.#inner.run(statement, [epoch, sequence])).value
  }

  /** As a host reaches it, so many times slower than usual. */
  reach(from: Host, slowness: () => number): SqlDatabase {
    return {
      name: this.#inner.name,
      run: (statement, values) => from.gate(this.#ask(from, slowness, statement, values)),
    }
  }

  async #ask(
    from: Host,
    slowness: () => number,
    statement: string,
    values: readonly (number | Uint8Array)[],
  ): Promise<SqlResult> {
    const { world, latencyMsMax } = this.#parts
    const hop = (): Promise<void> =>
      world.delay(world.random.fraction() * latencyMsMax * slowness() * (world.chance(0.02) ? 20 : 1))
    if (!statement.startsWith('SELECT')) world.note(`${from.name} ${describeStatement(statement, values)}`)
    await hop()
    await this.#connect(from)
    const startCount = this.#startCount
    try {
      return await this.#faulty.run(statement, values)
    } finally {
      await hop()
      await this.#answer(from, startCount)
    }
  }

  /** errors  unavailable: nobody answers, or the connection is refused */
  async #connect(from: Host): Promise<void> {
    const { world, network } = this.#parts
    if (this.#down === 'refuses') throw unreachable('it refuses connections')
    if (this.#down === undefined && network.reaches(from, this.host)) return
    await world.delay(connectMsMax)
    throw unreachable('it does not answer')
  }

  /** errors  unavailable: what it says does not arrive */
  async #answer(from: Host, startCount: number): Promise<void> {
    const { world, network } = this.#parts
    if (!network.reaches(from, this.host)) {
      await world.delay(answerMsMax)
      throw unreachable('it does not answer')
    }
    if (startCount !== this.#startCount) throw unreachable('the connection ended')
  }
}

function unreachable(reason: string): FloeError {
  return new FloeError('unavailable', 'journal-unreachable', `cannot read or write the journal: ${reason}`)
}
