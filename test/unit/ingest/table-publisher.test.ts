/** Several publishers of one table: each finds what the others published since. */
import { expect, test, vi } from 'vitest'
import { tableFolder } from '../../../catalog/object-names.ts'
import { TablePublisher } from '../../../ingest/publish/table-publisher.ts'
import { buildVersionHint, versionHintPath } from '../../../table/iceberg/names.ts'
import { collectLog } from '../../support/collect-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { dataFile, makeFixture, range, tableDefinition } from '../catalog/catalog-fixture.ts'

const hintCheckMs = 60_000

async function openWithTable() {
  const { open, store, clock } = makeFixture()
  const catalog = await open()
  const { client } = catalog
  const { table } = await client.createTable(tableDefinition())
  const { tableId } = table
  await client.claimSourcePartitions(tableId, [0])
  const { grantId } = await client.grantNames('data-file', 100, 3_600_000, tableId)
  let fileCount = 0
  const log = collectLog()
  return {
    store,
    clock,
    log,
    hintKey: `${tableFolder(table.definition.name, table.tableUuid)}/${versionHintPath}`,
    hintOf: (version: number) => Buffer.from(buildVersionHint(table.tableUuid, version)),
    openPublisher: () =>
      new TablePublisher({ tableId, isPublisher: async () => true, catalog: client, store, clock, log, hintCheckMs }),
    /** Commits a file with one row, has it published, and returns the version. */
    publishWith: async (publisher: TablePublisher): Promise<number> => {
      const files = [{ ...dataFile(grantId, fileCount, 1), partition: [], columns: [] }]
      const coverage = [range(0, BigInt(fileCount++), 1, 1)]
      await client.commitTableFiles({ tableId, files, deadLetterFiles: [], coverage })
      publisher.request()
      const isPublished = async (): Promise<boolean> => {
        const { published, fileSequence } = (await client.tableById(tableId))!
        return published?.fileSequence === fileSequence
      }
      await waitFor(isPublished)
      return (await client.tableById(tableId))!.published!.version
    },
    close: () => catalog.close(),
  }
}

test('publishers take turns, and none of them fails on what another one published', async () => {
  const { log, openPublisher, publishWith, close } = await openWithTable()
  const publishers = [openPublisher(), openPublisher()]
  for (const publisher of publishers) publisher.start()
  const versions: number[] = []
  for (let turn = 0; turn < 6; turn++) versions.push(await publishWith(publishers[turn % 2]!))
  expect(versions).toEqual(versions.map((_, turn) => versions[0]! + turn))
  expect(log.complaints).toEqual([])
  for (const publisher of publishers) await publisher.close()
  await close()
})

test('whoever finds that another one published looks at the version hint once more', async () => {
  const { store, clock, hintKey, hintOf, openPublisher, publishWith, close } = await openWithTable()
  const get = vi.spyOn(store, 'get')
  const first = openPublisher()
  const second = openPublisher()
  first.start()
  const before = await publishWith(first)
  clock.advance(hintCheckMs)
  await waitFor(() => get.mock.calls.some(([key]) => key === hintKey))
  second.start()
  await publishWith(second)
  await second.close()
  const last = await publishWith(first)
  // What the second put before it ended, and what arrives only now.
  await store.put(hintKey, hintOf(before))
  clock.advance(hintCheckMs)
  await waitFor(async () => hintOf(last).equals((await store.get(hintKey))!))
  await first.close()
  await close()
})
