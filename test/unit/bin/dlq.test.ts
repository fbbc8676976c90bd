/** `floe dlq` on a store that holds a record and a record batch that did not become rows. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import type { SourceCoverage } from '../../../catalog/client.ts'
import { systemClock } from '../../../core/clock.ts'
import { buildBatch } from '../../../kafka/records/build.ts'
import { numberedTable } from '../../support/numbered-table.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { startBroker } from '../../support/start-broker.ts'
import { appendToLog, cutPayload } from '../../support/unreadable-batches.ts'
import { waitFor } from '../../support/wait-for.ts'

const floe = fileURLToPath(new URL('../../../bin/floe.js', import.meta.url))
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [floe, ...args])
  return stdout
}

const record = (value: string) => ({ key: null, value: Buffer.from(value), timestampMs: 1_700_000_000_000n })

test('a record is shown as its text, a record batch as what it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'floe-dlq-'))
  folders.push(folder)
  const broker = await startBroker({ directory: join(folder, 'store') })
  const { topic } = await broker.catalog.createTopic('orders', 1, {})
  const rejected = buildBatch([record('{"n":"one"}')])
  const unreadable = cutPayload(
    buildBatch([record('a'), record('b'), record('c')], {
      codec: 'gzip',
      baseOffset: 1n,
      partitionLeaderEpoch: 0,
    }),
  )
  await appendToLog(broker, topic.topicId, 0, [rejected, unreadable])
  const service = openIngest(broker)
  await service.applyTables([numberedTable('orders', { freshnessMs: 100 })])
  await waitFor(async () => (await broker.catalog.tableByName('floe__orders'))?.deadLetterCount === 2n)
  await service.close()
  await broker.stop()

  expect(await run('dlq', 'list', '--data-dir', folder)).toMatch(/^floe__orders +2 +1 +20/m)
  const shown = await run('dlq', 'show', 'floe__orders', '--data-dir', folder)
  expect(shown).toMatch(/^ +0 +0 .*{"n":"one"}/m)
  expect(shown).toMatch(
    /^ +0 +1 .*the record batch of offsets 1 to 3 cannot be read.* null +a record batch of \d+ bytes/m,
  )
  const json = JSON.parse(await run('dlq', 'show', 'floe__orders', '--json', '--data-dir', folder))
  expect(json.letters).toMatchObject([
    { offset: '1', code: 'unreadable-batch', key: null, value: Buffer.from(unreadable).toString('base64') },
    { offset: '0', code: 'type-mismatch' },
  ])
})

test('the newest dead letters are told of a table with many files of them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'floe-dlq-'))
  folders.push(folder)
  const broker = await startBroker({ directory: join(folder, 'store') })
  const { catalog } = broker
  const { tableId } = (await catalog.createTable(numberedTable('orders', { freshnessMs: 100 }).definition)).table
  const [claimed] = (await catalog.claimSourcePartitions(tableId, [0])) as readonly SourceCoverage[]
  const { grantId } = await catalog.grantNames('data-file', 1_001, 60_000, tableId)
  const reject = async (start: number, count: number): Promise<number> => {
    const range = { start: BigInt(start), end: BigInt(start + count), rejected: count, ownerEpoch: claimed!.ownerEpoch }
    const rest = { partition: 0, topicId: undefined, written: 0, filtered: 0, control: 0, gap: 0n, maxTimestampMs: -1 }
    const deadLetterFiles = Array.from({ length: count }, (_, index) => {
      return { grantId, nameIndex: start + index, recordCount: 1, fileBytes: 1 }
    })
    await catalog.commitTableFiles({ tableId, files: [], deadLetterFiles, coverage: [{ ...rest, ...range }] })
    return (await catalog.deadLetterFiles(tableId, start, 1))[0]!.committedMs
  }
  const oldestMs = await reject(0, 1_000)
  await waitFor(() => systemClock.nowMs() > oldestMs)
  const newestMs = await reject(1_000, 1)
  await broker.stop()

  const { tables } = JSON.parse(await run('dlq', 'list', '--json', '--data-dir', folder))
  expect(tables).toEqual([
    { table: 'floe__orders', deadLetters: '1001', files: 1001, newest: new Date(newestMs).toISOString() },
  ])
})
