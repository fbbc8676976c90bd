/** The catalog looked at and checked from the store alone. */
import { expect, test } from 'vitest'
import { journalKey } from '../../../catalog/journal/journal-keys.ts'
import { StoreJournal } from '../../../catalog/journal/store-journal.ts'
import { checkCatalog } from '../../../catalog/offline/check-catalog.ts'
import { type ExportedRow, exportCatalog } from '../../../catalog/offline/export-catalog.ts'
import { inspectCatalog } from '../../../catalog/offline/inspect-catalog.ts'
import { openCatalog } from '../../../catalog/open-catalog.ts'
import { openCatalogReader } from '../../../catalog/reader.ts'
import { silentLog } from '../../../core/log.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { dataFile, HandClock, range, tableDefinition } from './catalog-fixture.ts'

/** A catalog with topics, two complete snapshots and entries after them. */
async function makeCatalog() {
  const clock = new HandClock()
  const store = new MemoryStore(clock)
  const catalog = await openCatalog({ store, clock, random: seededRandom(1), log: silentLog })
  const parts = { journal: new StoreJournal(store, clock), store, clock, log: silentLog }
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 5; index++) await catalog.client.createTopic(`topic-${round}-${index}`, 2, {})
    if (round < 2) await catalog.takeSnapshot()
  }
  return { catalog, store, parts }
}

test('a whole catalog is shown and proved beside the process that leads it', async () => {
  const { catalog, parts } = await makeCatalog()
  const { epoch, sequence } = catalog.status()
  expect(await inspectCatalog(parts)).toMatchObject({
    clusterId: await catalog.client.clusterId(),
    epoch,
    sequence,
    leaderAddress: '',
    snapshots: [{ epoch }, { epoch }],
    entriesSinceSnapshot: 5,
    counts: { topics: 15, partitions: 30, tables: 0, dataFiles: 0 },
  })
  expect(await checkCatalog(parts)).toEqual({ snapshotsRead: 2, entriesReplayed: 10, sequence, problems: [] })
})

test('a new catalog without snapshots is proved from its first entry', async () => {
  const clock = new HandClock()
  const store = new MemoryStore(clock)
  const parts = { journal: new StoreJournal(store, clock), store, clock, log: silentLog }
  await expect(checkCatalog(parts)).rejects.toMatchObject({ code: 'catalog-missing' })
  const catalog = await openCatalog({ ...parts, random: seededRandom(1) })
  await catalog.client.createTopic('topic', 1, {})
  expect(await checkCatalog(parts)).toMatchObject({ snapshotsRead: 0, sequence: 3, problems: [] })
})

test('each damage is named: a missing entry, a damaged snapshot', async () => {
  const { catalog, store, parts } = await makeCatalog()
  const { epoch, sequence } = catalog.status()
  const lost = journalKey(epoch, sequence - 2)
  const kept = (await store.get(lost))!
  await store.delete([lost])
  expect((await checkCatalog(parts)).problems).toEqual([
    `journal entry ${lost} is damaged: it is missing although later entries exist. Restore it from a copy; Floe does not skip it.`,
  ])
  await store.put(lost, kept)
  const chunks = (await store.list('catalog/snapshots/')).objects
    .map(({ key }) => key)
    .filter(key => key.includes('chunk'))
  const newer = chunks.at(-1)!
  const bytes = (await store.get(newer))!
  bytes[bytes.length - 1]! ^= 1
  await store.put(newer, bytes)
  const { problems, snapshotsRead } = await checkCatalog(parts)
  expect(snapshotsRead).toBe(1)
  expect(problems).toEqual([`${newer} is damaged: its checksum differs`])
})

test('everything said about data is exported, over pages, beside the process that leads', async () => {
  const { catalog, parts } = await makeCatalog()
  const { client } = catalog
  const { table } = await client.createTable(tableDefinition())
  const { tableId } = table
  await client.claimSourcePartitions(tableId, [0])
  const fileCount = 2_100
  const { grantId } = await client.grantNames('data-file', fileCount, 60_000, tableId)
  const files = Array.from({ length: fileCount }, (_, index) => dataFile(grantId, index, 2))
  const coverage = [range(0, 0n, 2 * fileCount, 1)]
  expect(await client.commitTableFiles({ tableId, files, deadLetterFiles: [], coverage })).toMatchObject({
    outcome: 'committed',
  })
  const rows = await Array.fromAsync(exportCatalog(await openCatalogReader(parts)))
  const ofKind = (kind: string): ExportedRow[] => rows.filter(row => row.kind === kind)
  expect(
    Object.fromEntries(
      Map.groupBy(rows, row => row.kind)
        .entries()
        .map(([kind, all]) => [kind, all.length]),
    ),
  ).toEqual({
    cluster: 1,
    topic: 15,
    partition: 30,
    table: 1,
    'source-partition': 1,
    'data-file': fileCount,
  })
  expect(new Set(ofKind('data-file').map(row => row.path)).size).toBe(fileCount)
  expect(ofKind('data-file')[0]).toMatchObject({ table: 'local__orders', recordCount: 2, fileBytes: 1002 })
  expect(ofKind('source-partition')[0]).toMatchObject({ partition: 0, start: 0n, end: 4200n, written: 4200n })
  expect(ofKind('cluster')[0]).toEqual({ kind: 'cluster', clusterId: await client.clusterId() })
})
