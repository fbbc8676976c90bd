/** The journal contract over the journal in a database: SQLite in memory, as it is and failing. PostgreSQL: test/interop/. */
import { expect, test } from 'vitest'
import { journalKey, parseJournalKey } from '../../catalog/journal/journal-keys.ts'
import { type SqlDatabase, SqlJournal, type SqlJournalParts } from '../../catalog/journal/sql-journal.ts'
import { isFloeError } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { databaseFaults, FaultyDatabase } from '../support/faulty-database.ts'
import { SqliteDatabase } from '../support/sqlite-database.ts'
import { HandClock } from '../unit/catalog/catalog-fixture.ts'
import { describeJournal, describeJournalBasics, open, retryThroughCrashes, topicNames } from './journal.ts'
import { homeElsewhere, type JournalHome } from './journal-harness.ts'

const table = 'floe_journal'

/** `behind` is the same database, which does not fail. */
async function makeHome(clock: HandClock, database: SqlDatabase, behind: SqliteDatabase): Promise<JournalHome> {
  const parts = { table, clock, random: seededRandom(1) }
  await SqlJournal.open({ ...parts, database: behind }, true)
  return homeElsewhere(new MemoryStore(clock), await openStubbornly({ ...parts, database }), {
    entryKeys: async () => behind.positions(table).map(({ epoch, sequence }) => journalKey(epoch, sequence)),
    async overwrite(key, bytes) {
      const { epoch, sequence } = parseJournalKey(key)!
      await behind.run(`DELETE FROM ${table} WHERE epoch = $1 AND sequence = $2`, [epoch, sequence])
      if (bytes !== undefined) await behind.run(`INSERT INTO ${table} VALUES ($1, $2, $3)`, [epoch, sequence, bytes])
    },
  })
}

async function openStubbornly(parts: SqlJournalParts): Promise<SqlJournal> {
  for (;;) {
    try {
      return await SqlJournal.open(parts, false)
    } catch (error) {
      if (!isFloeError(error, 'unavailable')) throw error
    }
  }
}

const plain = {
  name: 'SQLite',
  async makeHome(clock: HandClock) {
    const database = new SqliteDatabase()
    return makeHome(clock, database, database)
  },
}
describeJournalBasics(plain)
describeJournal(plain)

describeJournalBasics({
  name: 'SQLite that loses answers',
  losesAnswers: true,
  makeHome: async clock => {
    const behind = new SqliteDatabase()
    const options = { probabilities: { failBefore: 0.1, lostAnswer: 0.2, conflict: 0.2 } }
    return makeHome(clock, new FaultyDatabase(behind, { clock, random: seededRandom(5) }, options), behind)
  },
})

test('a client that retries through crashes and a failing database applies each command exactly once', async () => {
  const clock = new HandClock()
  const behind = new SqliteDatabase()
  const probabilities = { failBefore: 0.15, lostAnswer: 0.15, late: 0.1, conflict: 0.1, diskFull: 0.05 }
  const faulty = new FaultyDatabase(behind, { clock, random: seededRandom(11) }, { probabilities, lateMsMax: 50 })
  const home = await makeHome(clock, faulty, behind)
  await retryThroughCrashes(home, clock)
  faulty.setOptions({})
  expect((await topicNames(await open(home, clock))).length).toBe(38)
  expect([...faulty.injectedCounts.keys()].sort()).toEqual([...databaseFaults].sort())
})
