/**
 * A topic was created again while Floe was down. Floe comes up, begins a new generation of each source partition and reads on, and
 * is killed at one store call after the other, before or after it took effect. Whatever comes next finds every record once.
 */
import { expect, test } from 'vitest'
import { createBroker } from '../../broker/broker.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { Membership } from '../../catalog/node/membership.ts'
import { openCatalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { IngestService } from '../../ingest/service.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { createInlinePool } from '../../ingest/worker/builder-pool.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { makeMortal } from '../contract/journal-harness.ts'
import { numberedTable } from '../support/numbered-table.ts'
import { readTableRows } from '../support/published-rows.ts'
import { registerBroker } from '../support/register-broker.ts'
import { appendToLog } from '../support/unreadable-batches.ts'
import { waitFor } from '../support/wait-for.ts'
import { batch, record } from '../unit/ingest/worker/fixtures.ts'

const table = numberedTable('orders', { freshnessMs: 20 })
const { name } = table.definition

/** Catalog, broker and ingestion over a store, as one process has them. */
async function open(store: ObjectStore) {
  const parts = { clock: systemClock, random: systemRandom, log: silentLog }
  const catalog = await openCatalog({ store, ...parts })
  const registration = await registerBroker(catalog, '127.0.0.1', 9092)
  const membership = new Membership(catalog.client, registration)
  const broker = createBroker({
    catalog: catalog.client,
    membership,
    store,
    cache: new RangeCache(store, { bytesMax: 1_000_000 }),
    ...parts,
  })
  const source = broker.localSource()
  const service = new IngestService({
    catalog: catalog.client,
    store,
    sources: () => source,
    pool: createInlinePool(),
    membership,
    clock: systemClock,
    log: silentLog,
  })
  return {
    catalog: catalog.client,
    ingest: () => service.applyTables([{ ...table, onGap: 'record' }]),
    async close() {
      await service.close()
      await broker.close()
      await registration.close(false)
      await catalog.close()
    },
  }
}

async function untilPublished(catalog: CatalogClient, rows: number): Promise<void> {
  await waitFor(async () => (await catalog.tableByName(name))?.published?.rowCount === BigInt(rows))
}

/** Creates the topic and fills it; returns the rows that its records make. */
async function fillTopic(catalog: CatalogClient, store: ObjectStore, counts: readonly number[]): Promise<string[]> {
  const { topic } = await catalog.createTopic('orders', counts.length, {})
  const rows: string[] = []
  for (const [partition, count] of counts.entries()) {
    const values = Array.from({ length: count }, (_, n) => record({ session: topic.topicId, n, weight: 1 }))
    await appendToLog({ catalog, store }, topic.topicId, partition, [batch(0, values)])
    for (let n = 0; n < count; n++) rows.push(`${partition}/${n} ${topic.topicId} ${n} null`)
  }
  return rows
}

async function copyOf(store: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore(systemClock)
  let after: string | undefined
  do {
    const page = await store.list('', after)
    for (const { key } of page.objects) await copy.put(key, (await store.get(key))!)
    after = page.next
  } while (after !== undefined)
  return copy
}

async function live(store: ObjectStore, rows: number): Promise<true> {
  const floe = await open(store)
  await floe.ingest()
  await untilPublished(floe.catalog, rows)
  await floe.close()
  return true
}

/** A generation has begun, and not all of its rows are in the table. */
async function isInBetween(catalog: CatalogClient, rows: number): Promise<boolean> {
  const { tableId, rowCount } = (await catalog.tableByName(name))!
  return rowCount !== BigInt(rows) && (await catalog.closedGenerations(tableId)).length > 0
}

test('a topic created again is read once, wherever Floe is killed', async () => {
  const base = new MemoryStore(systemClock)
  const before = await open(base)
  const oldRows = await fillTopic(before.catalog, base, [10, 4])
  await before.ingest()
  await untilPublished(before.catalog, oldRows.length)
  await before.close()
  const between = await open(base)
  await between.catalog.deleteTopic((await between.catalog.topicByName('orders'))!.topicId)
  const rows = [...oldRows, ...(await fillTopic(between.catalog, base, [3, 6]))].sort()
  await between.close()

  let killedInBetween = 0
  for (const applied of [false, true]) {
    let hasSurvived = false
    for (let fatalCall = 1; !hasSurvived; fatalCall++) {
      const store = await copyOf(base)
      const mortal = makeMortal(store, fatalCall, applied)
      hasSurvived = await Promise.race([live(mortal.store, rows.length), mortal.died.then(() => false)])
      const heir = await open(store)
      if (await isInBetween(heir.catalog, rows.length)) killedInBetween++
      await heir.ingest()
      await untilPublished(heir.catalog, rows.length)
      expect(await readTableRows(heir.catalog, store, name)).toEqual(rows)
      expect(await verifyTable({ catalog: heir.catalog, store }, name)).toMatchObject({
        proved: true,
        partitions: [
          { partition: 0, generation: 1, end: 10n, rows: 10n },
          { partition: 0, generation: 2, end: 3n, rows: 3n },
          { partition: 1, generation: 1, end: 4n, rows: 4n },
          { partition: 1, generation: 2, end: 6n, rows: 6n },
        ],
      })
      await heir.close()
    }
  }
  // Some lives ended between the new generations and the commit of their rows.
  expect(killedInBetween).toBeGreaterThan(2)
})
