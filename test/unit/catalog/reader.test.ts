import { expect, test } from 'vitest'
import { openCatalogReader } from '../../../catalog/reader.ts'
import { silentLog } from '../../../core/log.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { makeFixture } from './catalog-fixture.ts'

test('a reader sees what was committed and disturbs nobody', async () => {
  const { store, clock, open } = makeFixture()
  const catalog = await open()
  const { topic } = await catalog.client.createTopic('orders', 2, {})
  const before = await listKeys(store)
  const reader = await openCatalogReader({ store, clock, log: silentLog })
  expect(await reader.topics()).toEqual([topic])
  expect(await reader.clusterId()).toBe(await catalog.client.clusterId())
  expect(await listKeys(store)).toEqual(before)

  await catalog.client.createTopic('clicks', 1, {})
  expect((await reader.topics()).map(each => each.name)).toEqual(['orders'])
  await catalog.takeSnapshot()
  await catalog.client.createTopic('payments', 1, {})
  const later = await openCatalogReader({ store, clock, log: silentLog })
  expect((await later.topics()).map(each => each.name).sort()).toEqual(['clicks', 'orders', 'payments'])
  await catalog.close()
})

test('a reader refuses commands, and a store without a catalog', async () => {
  const { store, clock, open } = makeFixture()
  const catalog = await open()
  const reader = await openCatalogReader({ store, clock, log: silentLog })
  await expect(reader.createTopic('x', 1, {})).rejects.toThrow('the catalog was opened for questions only')
  await catalog.close()
  const empty = new MemoryStore(clock)
  await expect(openCatalogReader({ store: empty, clock, log: silentLog })).rejects.toThrow(
    `${empty.uri} holds no Floe catalog: nothing was ever served from it`,
  )
  expect(await listKeys(empty)).toEqual([])
})

async function listKeys(store: ObjectStore): Promise<string[]> {
  return (await store.list('')).objects.map(object => object.key)
}
