import { expect, it } from 'vitest'
import { appendEntry } from '../../../catalog/journal/append-entry.ts'
import { StoreJournal } from '../../../catalog/journal/store-journal.ts'
import { seededRandom } from '../../../core/random.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { collectLog } from '../../support/collect-log.ts'
import { makeInstantClock } from '../storage/instant-clock.ts'

const entry = [new TextEncoder().encode('an entry')]

function setUp() {
  const clock = makeInstantClock()
  const store = new FaultyStore(new MemoryStore(clock), { clock, random: seededRandom(1) })
  const log = collectLog()
  return { store, log, parts: { journal: new StoreJournal(store, clock), clock, log } }
}

it('an entry that the journal takes at once is not worth a word', async () => {
  const { log, parts } = setUp()
  expect(await appendEntry(parts, 1, 1, entry, 60_000)).toBe('applied')
  expect(log.complaints).toEqual([])
})

it('says why everybody waits, at once and then every ten seconds', async () => {
  const { store, log, parts } = setUp()
  store.setOptions({ probabilities: { diskFull: 1 } })
  await expect(appendEntry(parts, 1, 1, entry, 35_000)).rejects.toMatchObject({ code: 'catalog-outcome-unknown' })
  expect(log.complaints).toHaveLength(4)
  for (const complaint of log.complaints) {
    expect(complaint).toMatch(
      /^the catalog cannot write its journal; it tries on reason=.*catalog\/journal\/.*: the disk is full/,
    )
  }
  const waitedMs = log.complaints.map(complaint => Number(/forMs=(\d+)/.exec(complaint)![1]))
  expect(waitedMs).toEqual([0, 10_000, 20_000, 30_000])
})
