/** Stores that were emptied, mixed up or taken back in time: noticed at the start or at the next write, and nothing is "repaired". */
import { describe, expect, test } from 'vitest'
import { segmentKey, tableFolder } from '../../../catalog/object-names.ts'
import { type Catalog, openCatalog } from '../../../catalog/open-catalog.ts'
import { systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { systemRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { MemoryNetwork } from '../../support/memory-network.ts'
import { dataFile, type Fixture, makeFixture, range, tableDefinition } from './catalog-fixture.ts'

type Objects = ReadonlyMap<string, Uint8Array>

async function copyObjects(store: ObjectStore, prefix = ''): Promise<Objects> {
  const copy = new Map<string, Uint8Array>()
  for (const { key } of (await store.list(prefix)).objects) copy.set(key, (await store.get(key))!)
  return copy
}

/** The prefix holds exactly `objects` afterwards. */
async function restore(store: ObjectStore, objects: Objects, prefix = ''): Promise<void> {
  await store.delete((await store.list(prefix)).objects.map(({ key }) => key))
  for (const [key, bytes] of objects) await store.put(key, bytes)
}

/** Long enough for the leader to look again. */
const later = (fixture: Fixture): void => fixture.clock.advance(5_000)

async function open(fixture: Fixture): Promise<{ catalog: Catalog; lost: string[] }> {
  const lost: string[] = []
  const { store, clock, random } = fixture
  const onLost = (error: { code: string }): unknown => lost.push(error.code)
  return { catalog: await openCatalog({ store, clock, random, log: silentLog, onLost }), lost }
}

describe('a store that changes under a leader', () => {
  test('is noticed at the next write when it was emptied', async () => {
    const fixture = makeFixture()
    const { catalog, lost } = await open(fixture)
    await catalog.client.createTopic('before', 1, {})
    await restore(fixture.store, new Map())
    later(fixture)
    await expect(catalog.client.createTopic('after', 1, {})).rejects.toMatchObject({
      code: 'catalog-outcome-unknown',
      message: expect.stringMatching(/The prefix was emptied, or replaced by an older copy/),
    })
    expect(lost).toEqual(['catalog-gone'])
    await expect(catalog.client.createTopic('later', 1, {})).rejects.toMatchObject({ code: 'catalog-gone' })
    // What that write left is no catalog, and is not taken for one.
    await expect(open(fixture)).rejects.toMatchObject({ code: 'catalog-missing-beside-data' })
  })

  test('is noticed at the next write when an older copy of this very term took its place', async () => {
    const fixture = makeFixture()
    const { catalog, lost } = await open(fixture)
    await catalog.client.createTopic('first', 1, {})
    const copy = await copyObjects(fixture.store)
    await catalog.client.createTopic('second', 1, {})
    await restore(fixture.store, copy)
    later(fixture)
    await expect(catalog.client.createTopic('third', 1, {})).rejects.toMatchObject({ code: 'catalog-outcome-unknown' })
    expect(lost).toEqual(['catalog-gone'])
  })

  test('is not taken for another one where the journal was trimmed up to the last entry', async () => {
    const fixture = makeFixture()
    const { catalog } = await open(fixture)
    for (let round = 0; round < 3; round++) {
      await catalog.client.createTopic(`topic-${round}`, 1, {})
      await catalog.takeSnapshot()
      await catalog.takeSnapshot()
      later(fixture)
    }
    await catalog.client.createTopic('one-more', 1, {})
    await catalog.close()
    const { catalog: next } = await open(fixture)
    expect((await next.client.topics()).length).toBe(4)
  })

  test('is not led on by followers', async () => {
    const store = new MemoryStore(systemClock)
    const network = new MemoryNetwork()
    const lost: string[] = []
    const join = async (host: string): Promise<Catalog> => {
      let catalog: Catalog | undefined
      network.listen(host, connection => {
        if (catalog === undefined) connection.close('not ready')
        else void catalog.accept(connection)
      })
      const secret = Buffer.from('a secret of the cluster')
      const peers = { network: network.from(host), address: host, secret, mayLead: true }
      const onLost = (error: { code: string }): unknown => lost.push(`${host}: ${error.code}`)
      const options = { leaderTimeoutMs: 400, takeOverDelayMs: 20, seekIntervalMs: 20 }
      const ambient = { clock: systemClock, random: systemRandom, log: silentLog }
      catalog = await openCatalog({ store, ...ambient, options, peers, onLost })
      return catalog
    }
    const first = await join('first')
    const second = await join('second')
    await second.client.createTopic('before', 1, {})
    await restore(store, new Map())
    // It looks once a second, while it writes.
    let count = 0
    const writeOn = async (): Promise<string[]> => {
      if (lost.length === 0) await Promise.allSettled([first.client.createTopic(`after-${count++}`, 1, {})])
      return lost.toSorted()
    }
    await expect.poll(writeOn, { timeout: 20_000 }).toEqual(['first: catalog-gone', 'second: catalog-gone'])
    await Promise.all([first.close(), second.close()])
  })
})

describe('a start is refused, and nothing is written,', () => {
  test('where segments lie but no catalog', async () => {
    const fixture = makeFixture()
    await fixture.store.put(segmentKey(1, 0), new Uint8Array(3))
    await expect(open(fixture)).rejects.toMatchObject({
      code: 'catalog-missing-beside-data',
      message: expect.stringMatching(
        /^memory: has no catalog, but it holds segments\/.*does not start an empty catalog/,
      ),
    })
    expect((await copyObjects(fixture.store)).size).toBe(1)
  })

  test('where the catalog is older than a segment beside it', async () => {
    const fixture = makeFixture()
    const { catalog } = await open(fixture)
    await catalog.client.createTopic('topic', 1, {})
    const copy = await copyObjects(fixture.store, 'catalog/')
    const { grantId } = await catalog.client.grantNames('segment', 10, 60_000)
    await fixture.store.put(segmentKey(grantId, 0), new Uint8Array(3))
    await catalog.close()
    await (await open(fixture)).catalog.close()

    await restore(fixture.store, copy, 'catalog/')
    await expect(open(fixture)).rejects.toMatchObject({
      code: 'catalog-older-than-store',
      message: expect.stringContaining(segmentKey(grantId, 0)),
    })
    expect(await copyObjects(fixture.store, 'catalog/')).toEqual(copy)
  })

  test('where the catalog is older than a data file beside it', async () => {
    const fixture = makeFixture()
    const { catalog } = await open(fixture)
    const { client } = catalog
    const { table } = await client.createTable(tableDefinition())
    const { tableId } = table
    await client.claimSourcePartitions(tableId, [0])
    const copy = await copyObjects(fixture.store, 'catalog/')
    const { grantId } = await client.grantNames('data-file', 10, 60_000, tableId)
    const { outcome } = await client.commitTableFiles({
      tableId,
      files: [dataFile(grantId, 0, 5)],
      deadLetterFiles: [],
      coverage: [range(0, 0n, 5, 1)],
    })
    expect(outcome).toBe('committed')
    const [file] = await client.tableFiles(tableId, 0, 1, 0, 10)
    const key = `${tableFolder(tableDefinition().name, table.tableUuid)}/${file!.path}`
    await fixture.store.put(key, new Uint8Array(3))
    await catalog.close()
    await restore(fixture.store, copy, 'catalog/')
    await expect(open(fixture)).rejects.toMatchObject({ code: 'catalog-older-than-store', context: { key } })
  })
})
