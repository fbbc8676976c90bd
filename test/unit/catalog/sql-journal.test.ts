/** What the journal in a database does about transactions that lose, without a database: how often they are tried again. */
import { expect, test } from 'vitest'
import { type SqlDatabase, SqlJournal } from '../../../catalog/journal/sql-journal.ts'
import { FloeError } from '../../../core/errors.ts'
import { seededRandom } from '../../../core/random.ts'
import { HandClock } from './catalog-fixture.ts'

const header = Buffer.from(JSON.stringify({ format: 1, id: 'ab'.repeat(16) }))

/** A database whose appends meet a concurrent transaction so many times. */
function makeDatabase(conflictCount: number): SqlDatabase & { appendCount: number } {
  let left = conflictCount
  return {
    name: 'postgres://db:5432/floe',
    appendCount: 0,
    async run(statement) {
      if (!statement.startsWith('INSERT')) return { rowCount: 1, value: header }
      this.appendCount++
      if (left-- > 0) throw new FloeError('conflict', 'journal-conflict', 'could not serialize access')
      return { rowCount: 1, value: undefined }
    },
  }
}

function openOver(database: SqlDatabase): Promise<SqlJournal> {
  return SqlJournal.open({ database, table: 'floe_journal', clock: new HandClock(), random: seededRandom(1) }, true)
}

test('an append that lost against a concurrent transaction is tried again', async () => {
  const database = makeDatabase(3)
  const journal = await openOver(database)
  expect(journal.identity).toEqual({ id: new Uint8Array(16).fill(0xab), name: 'postgres://db:5432/floe' })
  expect(await journal.append(1, 1, [new Uint8Array(4)])).toBe('applied')
  expect(database.appendCount).toBe(4)
})

test('one that always loses ends as unavailable, so that the leader asks and tries on', async () => {
  const database = makeDatabase(Number.POSITIVE_INFINITY)
  const journal = await openOver(database)
  await expect(journal.append(1, 1, [new Uint8Array(4)])).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'journal-conflicts',
    message: 'postgres://db:5432/floe undid a transaction 21 times in a row: could not serialize access',
  })
})
