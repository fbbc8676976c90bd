/**
 * Catalogs moved between the store and a real PostgreSQL: nothing is lost, one journal at a time can be led, whoever is configured
 * for the other one is told where to look, and a move that died anywhere is finished by running it again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres, type PostgresDatabase } from '../../bin/journal/postgres-database.ts'
import { parsePostgresUrl } from '../../bin/journal/postgres-url.ts'
import type { Journal } from '../../catalog/journal/journal.ts'
import { SqlJournal } from '../../catalog/journal/sql-journal.ts'
import { StoreJournal } from '../../catalog/journal/store-journal.ts'
import { checkCatalog } from '../../catalog/offline/check-catalog.ts'
import { type CatalogMove, moveCatalog } from '../../catalog/offline/move-catalog.ts'
import { type Catalog, openCatalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { type FloeError, isFloeError } from '../../core/errors.ts'
import { silentLog } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type Around, interceptJournal, interceptStore, makeMortality } from '../contract/journal-harness.ts'
import { type Postgres, startPostgres } from '../peers/postgres.ts'

let server: Postgres
let database: PostgresDatabase
let tableCount = 0

beforeAll(async () => {
  server = await startPostgres()
  database = openPostgres(parsePostgresUrl(server.url), server.password, silentLog)
}, 120_000)

afterAll(async () => {
  await database?.close()
  await server?.stop()
})

const parts = { clock: systemClock, random: systemRandom, log: silentLog }

interface Homes {
  readonly store: ObjectStore
  readonly inStore: Journal
  readonly inTable: Journal
}

async function makeHomes(): Promise<Homes> {
  const store = new MemoryStore(systemClock)
  const table = `move_${++tableCount}`
  return {
    store,
    inStore: new StoreJournal(store, systemClock),
    inTable: await SqlJournal.open({ database, table, ...parts }, true),
  }
}

/** The same homes as a process sees them whose every call goes through `around`. */
function through({ store, inTable }: Homes, around: Around): Homes {
  const intercepted = interceptStore(store, around)
  return {
    store: intercepted,
    inStore: new StoreJournal(intercepted, systemClock),
    inTable: interceptJournal(inTable, around),
  }
}

type Direction = 'into the table' | 'into the store'

function journals({ inStore, inTable }: Homes, direction: Direction): { from: Journal; to: Journal } {
  return direction === 'into the table' ? { from: inStore, to: inTable } : { from: inTable, to: inStore }
}

function move(homes: Homes, direction: Direction, mayFence = false): Promise<CatalogMove> {
  const writerId = systemRandom.bytes(16)
  const { clock, log } = parts
  return moveCatalog({
    ...journals(homes, direction),
    store: homes.store,
    clock,
    log,
    writerId,
    mayFence,
    appendTimeoutMs: 10_000,
  })
}

const open = ({ store }: Homes, journal: Journal): Promise<Catalog> => openCatalog({ journal, store, ...parts })

async function refusal(attempt: Promise<unknown>): Promise<FloeError> {
  try {
    await attempt
  } catch (error) {
    if (isFloeError(error)) return error
    throw error
  }
  throw new Error('it was not refused')
}

const names = async (catalog: Catalog): Promise<string[]> =>
  (await catalog.client.topics()).map(topic => topic.name).sort()

/** A catalog that was served and stopped; with snapshots, its journal is trimmed. Returns the hash of its state. */
async function serve(homes: Homes, journal: Journal, round: string, snapshotCount: number): Promise<string> {
  const catalog = await open(homes, journal)
  for (let index = 0; index < 4; index++) {
    await catalog.client.createTopic(`${round}-${index}`, 1, {})
    if (index < snapshotCount) await catalog.takeSnapshot()
  }
  const hash = catalog.state.hash()
  await catalog.close()
  return hash
}

describe.each([0, 1, 3])('a catalog with %i snapshots', snapshotCount => {
  it('goes into a table and back and into it again, with the same state each time, and is served in between', async () => {
    const homes = await makeHomes()
    let hash = await serve(homes, homes.inStore, 'first', snapshotCount)
    const rounds: Direction[] = ['into the table', 'into the store', 'into the table', 'into the store']
    for (const [round, direction] of rounds.entries()) {
      const { from, to } = journals(homes, direction)
      expect(await move(homes, direction)).toMatchObject({ outcome: 'moved', stateHash: hash })
      expect(await move(homes, direction)).toMatchObject({ outcome: 'not-needed', stateHash: hash, entriesCopied: 0 })
      const told = await refusal(open(homes, from))
      expect(told).toMatchObject({ kind: 'invalid', code: 'catalog-journal-elsewhere' })
      expect(told.message).toContain(
        `the journal of this catalog is in ${to.identity.name}, not in ${from.identity.name}`,
      )
      hash = await serve(homes, to, `round-${round}`, snapshotCount)
      expect((await checkCatalog({ journal: to, ...homes, ...parts })).problems).toEqual([])
    }
    const last = await open(homes, homes.inStore)
    expect((await names(last)).length).toBe(4 * (1 + rounds.length))
    await last.close()
  })
})

describe.each<Direction>(['into the table', 'into the store'])('a move %s that dies', direction => {
  async function prepare(): Promise<{ homes: Homes; hash: string }> {
    const homes = await makeHomes()
    let hash = await serve(homes, homes.inStore, 'first', 2)
    if (direction === 'into the store') {
      await move(homes, 'into the table')
      hash = await serve(homes, homes.inTable, 'second', 0)
    }
    return { homes, hash }
  }

  it('at any write leaves at most one journal that can be led, and is finished by running it again', async () => {
    // Reads leave nothing behind: dying at one is dying after the write before it.
    const writes: number[] = []
    let calls = 0
    const count: Around = (method, _target, call) => {
      calls++
      if (method === 'putIfAbsent') writes.push(calls)
      else expect(['get', 'head', 'list']).toContain(method)
      return call()
    }
    await move(through((await prepare()).homes, count), direction)
    expect(writes.length).toBeGreaterThan(5)
    const seen = new Set<string>()
    for (const fatalCall of writes) {
      for (const applied of [false, true]) {
        const place = `death at call ${fatalCall}, ${applied ? 'after' : 'before'} it took effect`
        const { homes, hash } = await prepare()
        const { from, to } = journals(homes, direction)
        const mortal = makeMortality(fatalCall, applied)
        await Promise.race([move(through(homes, mortal.around), direction), mortal.died])

        const led: string[] = []
        let expected = hash
        for (const journal of [from, to]) {
          try {
            const catalog = await open(homes, journal)
            led.push(journal === from ? 'old' : 'new')
            expect(catalog.state.hash(), place).toBe(hash)
            await catalog.client.createTopic('after the death', 1, {})
            expected = catalog.state.hash()
            await catalog.close()
          } catch (error) {
            if (!isFloeError(error, 'invalid')) throw error
          }
        }
        expect(led.length, place).toBeLessThanOrEqual(1)
        seen.add(led[0] ?? 'none')

        const outcome = led[0] === 'new' ? 'not-needed' : 'moved'
        expect(await move(homes, direction), place).toMatchObject({ outcome, stateHash: expected })
        expect((await refusal(open(homes, from))).code, place).toBe('catalog-journal-elsewhere')
        const catalog = await open(homes, to)
        expect(catalog.state.hash(), place).toBe(expected)
        await catalog.close()
      }
    }
    expect([...seen].sort()).toEqual(['new', 'none', 'old'])
  })
})

describe('processes that are still there', () => {
  async function makeServed(): Promise<{ homes: Homes; catalog: Catalog }> {
    const homes = await makeHomes()
    const catalog = await open(homes, homes.inStore)
    await catalog.client.createTopic('before', 1, {})
    const { instanceId } = catalog
    await catalog.client.registerNode({ instanceId, roles: ['broker'], kafkaHost: 'here', kafkaPort: 9092 })
    return { homes, catalog }
  }

  it('stop the move, which changes nothing', async () => {
    const { homes, catalog } = await makeServed()
    const error = await refusal(move(homes, 'into the table'))
    expect([error.kind, error.code]).toEqual(['conflict', 'catalog-in-use'])
    expect(error.message).toContain('the catalog is served by node 0 (here:9092): stop it first')
    expect(await homes.inTable.read(1, 1)).toBeUndefined()
    expect((await catalog.client.createTopic('still served', 1, {})).outcome).toBe('created')
    await catalog.close()
  })

  it('are fenced when that is wanted, and told where the journal is', async () => {
    const { homes, catalog } = await makeServed()
    expect((await move(homes, 'into the table', true)).outcome).toBe('moved')
    expect((await refusal(catalog.client.createTopic('too late', 1, {}))).kind).toBe('fenced')
    const moved = await open(homes, homes.inTable)
    expect(await names(moved)).toEqual(['before'])
    await moved.close()
  })

  it('that nobody knew of are fenced by the move itself and told the name of the new journal', async () => {
    const homes = await makeHomes()
    const silent = await open(homes, homes.inStore)
    await silent.client.createTopic('before', 1, {})
    await move(homes, 'into the table')
    const error = await refusal(silent.client.createTopic('too late', 1, {}))
    expect([error.kind, error.code]).toEqual(['fenced', 'catalog-moved'])
    expect(error.message).toBe(
      `the journal of this catalog was moved to ${homes.inTable.identity.name}: set catalog.journal_url to it`,
    )
    expect(await names(await open(homes, homes.inTable))).toEqual(['before'])
  })

  it('that write while it is under way win: the catalog stays where it is', async () => {
    const homes = await makeHomes()
    const busy = await open(homes, homes.inStore)
    await busy.client.createTopic('before', 1, {})
    let writes = 0
    const watched = through(homes, async (method, target, call) => {
      // The entry that would close the old journal comes when its place was found free by the replay.
      if (method === 'putIfAbsent' && target.startsWith('catalog/journal/0000000002/')) {
        writes++
        await busy.client.createTopic(`meanwhile-${writes}`, 1, {})
      }
      return call()
    })
    const error = await refusal(move({ ...watched, inTable: homes.inTable }, 'into the table'))
    expect([error.kind, error.code, writes]).toEqual(['conflict', 'catalog-in-use', 1])
    expect((await busy.client.createTopic('goes on', 1, {})).outcome).toBe('created')
    expect((await refusal(open(homes, homes.inTable))).code).toBe('catalog-journal-elsewhere')
    await busy.close()
    expect((await move(homes, 'into the table')).outcome).toBe('moved')
    expect(await names(await open(homes, homes.inTable))).toEqual(['before', 'goes on', 'meanwhile-1'])
  })
})

it("a table that holds another catalog's journal is refused and left alone", async () => {
  const [one, other] = [await makeHomes(), await makeHomes()]
  await serve(one, one.inTable, 'one', 0)
  await serve(other, other.inStore, 'other', 0)
  const error = await refusal(move({ ...other, inTable: one.inTable }, 'into the table'))
  expect([error.kind, error.code]).toEqual(['invalid', 'journal-of-another-catalog'])
  expect((await names(await open(one, one.inTable))).length).toBe(4)
  expect((await names(await open(other, other.inStore))).length).toBe(4)
})
