/**
 * Exactly once with the journal in PostgreSQL: `floe serve` is killed at random moments, PostgreSQL too, and both are started again,
 * while ordinary clients go on producing. Then the catalog is moved into the store with the command, and served from there.
 */
import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openJournal } from '../../bin/journal/open-journal.ts'
import { silentLog } from '../../core/log.ts'
import { type Postgres, startPostgres } from '../peers/postgres.ts'
import { checkTables, checkTopics, openDirectoryReader } from '../support/check-stories.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { findFreePort, runFloe } from '../support/floe-process.ts'
import { createTopics, KilledServer } from '../support/killed-server.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import { startKafkajs, startPlatformatic } from '../support/producing-clients.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { openDirectory, withTemporaryDirectory } from '../support/temporary-store.ts'

const topics = [
  { topic: 'orders', partitionCount: 3 },
  { topic: 'mixed', partitionCount: 1 },
]
const passwordEnv = 'FLOE_TEST_JOURNAL_PASSWORD'
let postgres: Postgres

beforeAll(async () => {
  postgres = await startPostgres()
  vi.stubEnv(passwordEnv, postgres.password)
}, 120_000)

afterAll(async () => {
  await postgres?.stop()
  if (postgres !== undefined) rmSync(postgres.dataDir, { recursive: true, force: true })
})

it('keeps every acknowledged record exactly once over kills of both, and after a move into the store', async () => {
  await withTemporaryDirectory(async directory => {
    const dataDir = join(directory, 'data')
    const [kafkaPort, httpPort] = [await findFreePort(), await findFreePort()]
    const address = `127.0.0.1:${kafkaPort}`
    const writeConfig = async (name: string, catalog: string): Promise<string> => {
      const file = join(directory, name)
      const tables = topics.map(({ topic }) => numberedTableYaml(topic, '300ms')).join('')
      const ports = `kafka: { port: ${kafkaPort} }\nhttp: { port: ${httpPort} }\n`
      await writeFile(
        file,
        `data_dir: ${dataDir}\n${ports}${catalog}broker: { flush_interval: 20ms }\ntables:${tables}`,
      )
      return file
    }
    const inTable = await writeConfig(
      'table.yaml',
      `catalog: { journal_url: '${postgres.url}', journal_password_env: ${passwordEnv} }\n`,
    )
    const inStore = await writeConfig('store.yaml', '')

    const server = new KilledServer(inTable)
    const ledger = new RecordLedger()
    const first = await server.start()
    await createTopics(first, topics)
    const clients = [startPlatformatic({ address, ledger, topics }), startKafkajs({ address, ledger, topics })]
    const stopClients = (): Promise<unknown> => Promise.all(clients.map(client => client.stop()))
    try {
      await server.killRandomly(3, 5)
      const before = ledger.acknowledgedCount
      postgres.kill('SIGKILL')
      postgres = await startPostgres({ dataDir: postgres.dataDir, port: postgres.port })
      await server.waitUntil(async () => ledger.acknowledgedCount > before + 100)
      await server.killRandomly(5, 6)
      await stopClients()
      const store = await openDirectory(join(dataDir, 'store'))
      const place = { store, url: postgres.url, password: postgres.password, log: silentLog, mayCreate: false }
      const { journal, close } = await openJournal(place)
      await server.waitUntil(async () => isEverythingPublished(await openDirectoryReader(dataDir, journal), topics))
      const stories = await checkTopics(address, topics, ledger)
      expect(ledger.acknowledgedCount).toBeGreaterThan(500)

      const inUse = await runFloe(['catalog', 'move', '--to', 'store', '-c', inTable])
      expect([inUse.code, inUse.stderr]).toEqual([
        1,
        expect.stringMatching(/^floe: process \d+ serves .* already: stop it/),
      ])
      expect(await server.end()).toMatchObject({ code: 0, signal: null })
      await checkTables(dataDir, inTable, stories, journal)
      await close()

      const refused = await runFloe(['serve', '-c', inStore])
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('set catalog.journal_url to it')])
      const moved = await runFloe(['catalog', 'move', '--to', 'store', '-c', inTable])
      expect([moved.code, moved.stderr]).toEqual([0, ''])
      expect(moved.stdout).toMatch(
        /^the journal is in the object store now: catalog .*\n.*\nTake catalog.journal_url out /,
      )
      const left = await runFloe(['serve', '-c', inTable])
      expect([left.code, left.stderr]).toEqual([1, expect.stringContaining('leave catalog.journal_url out')])
      await checkTables(dataDir, inStore, stories)

      const after = new KilledServer(inStore)
      await after.start()
      expect((await checkTopics(address, topics, ledger)).map(({ rows }) => rows.length)).toEqual(
        stories.map(({ rows }) => rows.length),
      )
      expect(await after.end()).toMatchObject({ code: 0 })
    } finally {
      await stopClients()
      await server.end()
    }
  })
})
