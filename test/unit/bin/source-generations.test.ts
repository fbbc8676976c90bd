/** `floe table` and `floe verify` of a table whose topic was created again. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { buildBatch } from '../../../kafka/records/build.ts'
import { numberedTable } from '../../support/numbered-table.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { startBroker } from '../../support/start-broker.ts'
import { appendToLog } from '../../support/unreadable-batches.ts'
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

const record = { key: null, value: Buffer.from('{"session":"s","n":1,"weight":1}'), timestampMs: 1_700_000_000_000n }

test('generations are shown, with what they hold and when they ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'floe-generations-'))
  folders.push(folder)
  const broker = await startBroker({ directory: join(folder, 'store') })
  const { catalog } = broker
  const service = openIngest(broker)
  const rows = [3, 2]
  const topicIds: string[] = []
  for (const [index, count] of rows.entries()) {
    if (index > 0) await catalog.deleteTopic(topicIds[index - 1]!)
    const { topic } = await catalog.createTopic('orders', 1, {})
    topicIds.push(topic.topicId)
    await appendToLog(broker, topic.topicId, 0, [buildBatch(Array(count).fill(record))])
    if (index === 0) await service.applyTables([{ ...numberedTable('orders', { freshnessMs: 100 }), onGap: 'record' }])
    const sum = BigInt(rows.slice(0, index + 1).reduce((total, each) => total + each, 0))
    await waitFor(async () => (await catalog.tableByName('floe__orders'))?.published?.rowCount === sum)
  }
  await service.close()
  await broker.stop()

  const shown = await run('table', 'floe__orders', '--data-dir', folder)
  expect(shown).toMatch(
    new RegExp(
      `generations of source partitions that are over\n\npartition  generation .*\n +0 +1 +0 +3 +3 +0 +0 +0 +0 +20\\S+Z +${topicIds[0]}\n`,
    ),
  )
  expect(JSON.parse(await run('table', 'floe__orders', '--json', '--data-dir', folder))).toMatchObject({
    coverage: [{ partition: 0, generation: 2, topicId: topicIds[1], start: '0', end: '2' }],
    closedGenerations: [{ partition: 0, generation: 1, topicId: topicIds[0], start: '0', end: '3', written: '3' }],
  })
  const proof = await run('verify', 'floe__orders', '--data-dir', folder)
  expect(proof).toMatch(/^floe__orders: proved: 5 rows/)
  expect(proof).toMatch(/^ +0 +1 +0 +3 +3 +0 +0 +0 +0 +0$\n^ +0 +2 +0 +2 +2 +0 +0 +0 +0 +0$/m)
})
