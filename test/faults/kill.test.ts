/**
 * Exactly once under kill -9: `floe serve` on a local directory is killed at random moments (while it starts, too) and started
 * again at once, while ordinary clients go on producing. Afterwards topic, catalog, Parquet files, Iceberg and Delta must tell the
 * same story to every reader, and it must be the clients' story.
 *
 *   FLOE_KILLS   how often it is killed (12); FLOE_KILL_SEED   the moments (1)
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkTables, checkTopics, openDirectoryReader } from '../support/check-stories.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { findFreePort } from '../support/floe-process.ts'
import { createTopics, KilledServer } from '../support/killed-server.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import { type ProducingClient, startProducing } from '../support/producing-clients.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { withTemporaryDirectory } from '../support/temporary-store.ts'
import { checkReaders } from './check-readers.ts'

const killCount = Number(process.env.FLOE_KILLS ?? 12)
const seed = Number(process.env.FLOE_KILL_SEED ?? 1)
const topics = [
  { topic: 'orders', partitionCount: 3 },
  { topic: 'clicks', partitionCount: 2 },
  { topic: 'mixed', partitionCount: 1 },
]

it(`keeps every acknowledged record exactly once over ${killCount} kills`, { timeout: 3_600_000 }, async () => {
  await withTemporaryDirectory(async directory => {
    const configFile = join(directory, 'floe.yaml')
    const [kafkaPort, httpPort] = [await findFreePort(), await findFreePort()]
    const address = `127.0.0.1:${kafkaPort}`
    await writeFile(
      configFile,
      `data_dir: ${directory}/data
kafka: { port: ${kafkaPort} }
http: { port: ${httpPort} }
broker: { flush_interval: 20ms }
tables:${topics.map(({ topic }) => numberedTableYaml(topic, '300ms', '    partition_by: [session]')).join('')}
`,
    )
    const server = new KilledServer(configFile)
    const ledger = new RecordLedger()
    const clients: ProducingClient[] = []
    try {
      const first = await server.start()
      await createTopics(first, topics)
      clients.push(...startProducing({ address, ledger, topics }))
      await server.killRandomly(killCount, seed)
      await Promise.all(clients.map(client => client.stop()))
      await server.waitUntil(async () =>
        isEverythingPublished(await openDirectoryReader(join(directory, 'data')), topics),
      )
      await check(join(directory, 'data'), configFile, address, ledger, server)
    } finally {
      await Promise.allSettled(clients.map(client => client.stop()))
      await server.end()
    }
    process.stdout.write(
      `${server.killCount} kills (${server.startKillCount} while starting): ${ledger.acknowledgedCount} records acknowledged ` +
        `of ${ledger.sentCount} sent in ${ledger.sessionCount} sessions by ${clients.length} clients; ` +
        `starts took ${Math.round(Math.max(...server.startMs))} ms at most\n`,
    )
  })
})

async function check(
  dataDir: string,
  configFile: string,
  address: string,
  ledger: RecordLedger,
  server: KilledServer,
): Promise<void> {
  const stories = await checkTopics(address, topics, ledger)
  expect(stories.find(({ topic }) => topic === 'mixed')?.misfitCount).toBeGreaterThan(0n)
  await checkReaders(server.running, stories)
  const ended = await server.end()
  expect(ended).toMatchObject({ code: 0, signal: null })
  await checkTables(dataDir, configFile, stories)
  expect(ledger.acknowledgedCount).toBeGreaterThan(100 * killCount)
}
