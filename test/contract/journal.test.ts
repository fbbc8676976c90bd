/** The journal contract over the journal in a store: memory, a local directory, and stores that fail. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'
import { openDirectoryStore } from '../../storage/directory-store.ts'
import { FaultyStore } from '../../storage/faulty-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { HandClock } from '../unit/catalog/catalog-fixture.ts'
import { describeJournal, describeJournalBasics, open, retryThroughCrashes, topicNames } from './journal.ts'
import { homeInStore } from './journal-harness.ts'

const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true })
})

const memory = {
  name: 'memory',
  makeHome: async (clock: HandClock) => homeInStore(new MemoryStore(clock), clock),
}
describeJournalBasics(memory)
describeJournal(memory)

describeJournalBasics({
  name: 'a directory',
  makeHome: async clock => {
    const directory = await mkdtemp(join(tmpdir(), 'floe-journal-'))
    directories.push(directory)
    const deps = { clock: systemClock, fileSystem: nodeFileSystem, random: systemRandom }
    return homeInStore(await openDirectoryStore(directory, deps), clock)
  },
})

describeJournalBasics({
  name: 'memory that loses answers',
  losesAnswers: true,
  makeHome: async clock => {
    const faults = { lostAnswer: 0.2, unknownNotApplied: 0.2, shortPage: 0.2 }
    const deps = { clock, random: seededRandom(5) }
    return homeInStore(new FaultyStore(new MemoryStore(clock), deps, { probabilities: faults }), clock)
  },
})

test('a client that retries through crashes and a failing store applies each command exactly once', async () => {
  const clock = new HandClock()
  const inner = new MemoryStore(clock)
  const faulty = new FaultyStore(
    inner,
    { clock, random: seededRandom(11) },
    {
      probabilities: {
        failBefore: 0.15,
        lostAnswer: 0.15,
        unknownNotApplied: 0.1,
        late: 0.1,
        corruptBytes: 0.03,
        truncatedBytes: 0.03,
        shortPage: 0.2,
        diskFull: 0.05,
      },
      lateMsMax: 50,
    },
  )
  await retryThroughCrashes(homeInStore(faulty, clock), clock)
  await faulty.settleLateWrites()
  const last = await open(homeInStore(inner, clock), clock)
  expect((await topicNames(last)).length).toBe(38)
  expect([...faulty.injectedCounts.keys()].some(key => key.startsWith('putIfAbsent'))).toBe(true)
})
