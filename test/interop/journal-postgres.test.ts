/**
 * The journal contract over a real PostgreSQL, and what only a server over there can do: die, hang up, lose an answer, refuse,
 * be restored from an older copy, or belong to somebody else.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenJournal, openJournal } from '../../bin/journal/open-journal.ts'
import { openPostgres, type PostgresDatabase } from '../../bin/journal/postgres-database.ts'
import { parsePostgresUrl } from '../../bin/journal/postgres-url.ts'
import { journalKey, parseJournalKey } from '../../catalog/journal/journal-keys.ts'
import { SqlJournal } from '../../catalog/journal/sql-journal.ts'
import { openCatalog } from '../../catalog/open-catalog.ts'
import { replayOnly } from '../../catalog/replica/recover.ts'
import { systemClock } from '../../core/clock.ts'
import { isFloeError } from '../../core/errors.ts'
import { silentLog } from '../../core/log.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { describeJournal, describeJournalBasics } from '../contract/journal.ts'
import { homeElsewhere } from '../contract/journal-harness.ts'
import { type Postgres, startPostgres } from '../peers/postgres.ts'
import { CuttableLink } from '../support/cuttable-link.ts'
import { makeTls } from '../support/make-tls.ts'
import type { HandClock } from '../unit/catalog/catalog-fixture.ts'

let server: Postgres
let database: PostgresDatabase
/** Not Floe's: looks at tables and changes them behind its back. */
let admin: Pool
let tableCount = 0
const newTable = (): string => `journal_${++tableCount}`

beforeAll(async () => {
  server = await startPostgres()
  database = openPostgres(parsePostgresUrl(server.url), server.password, silentLog)
  admin = new Pool({ connectionString: server.url.replace('@', `:${server.password}@`), max: 2 })
  // It is told that the server stops while it closes.
  admin.on('error', () => {})
}, 120_000)

afterAll(async () => {
  await database?.close()
  await admin?.end()
  await server?.stop()
})

const suite = {
  name: 'PostgreSQL',
  async makeHome(clock: HandClock) {
    const table = newTable()
    const journal = await SqlJournal.open({ database, table, clock, random: systemRandom }, true)
    return homeElsewhere(new MemoryStore(clock), journal, {
      async entryKeys() {
        const { rows } = await admin.query<{ epoch: string; sequence: string }>(
          `SELECT epoch, sequence FROM ${table} WHERE sequence > 0 ORDER BY epoch, sequence`,
        )
        return rows.map(({ epoch, sequence }) => journalKey(Number(epoch), Number(sequence)))
      },
      async overwrite(key, bytes) {
        const { epoch, sequence } = parseJournalKey(key)!
        await admin.query(`DELETE FROM ${table} WHERE epoch = $1 AND sequence = $2`, [epoch, sequence])
        if (bytes === undefined) return
        const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        await admin.query(`INSERT INTO ${table} VALUES ($1, $2, $3)`, [epoch, sequence, entry])
      },
    })
  },
}
describeJournalBasics(suite)
describeJournal(suite)

interface Options {
  readonly store?: MemoryStore
  readonly url?: string
  readonly password?: string
  readonly table?: string
  readonly mayCreate?: boolean
}

function openHere({
  store = new MemoryStore(systemClock),
  table = newTable(),
  ...rest
}: Options): Promise<OpenJournal> {
  const { url = server.url, password = server.password, mayCreate = true } = rest
  const separator = url.includes('?') ? '&' : '?'
  return openJournal({ store, url: `${url}${separator}table=${table}`, password, log: silentLog, mayCreate })
}

const parts = { clock: systemClock, random: systemRandom, log: silentLog }

/** Topics and producer ids: of the first each name is created once, of the second none is handed out twice. */
async function work(catalog: Awaited<ReturnType<typeof openCatalog>>, isDone: () => boolean) {
  const topics: string[] = []
  const producerIds: bigint[] = []
  const line = async (name: string): Promise<void> => {
    for (let index = 0; !isDone(); index++) {
      const topic = `${name}-${index}`
      expect((await catalog.client.createTopic(topic, 1, {})).outcome).toBe('created')
      topics.push(topic)
      producerIds.push((await catalog.client.allocateProducerIds(1)).first)
    }
  }
  await Promise.all(['a', 'b', 'c'].map(line))
  return { topics: topics.sort(), producerIds }
}

describe('a PostgreSQL that fails', () => {
  it('loses nothing acknowledged and applies nothing twice when connections break and answers are lost', async () => {
    const proxy = await CuttableLink.to(server.port)
    const store = new MemoryStore(systemClock)
    const table = newTable()
    const url = server.url.replace(`:${server.port}`, `:${proxy.port}`)
    const { journal, close } = await openHere({ store, url, table })
    const catalog = await openCatalog({ journal, store, ...parts })
    let blows = 0
    const working = work(catalog, () => blows === 12)
    for (; blows < 12; blows++) {
      if (blows % 3 === 0) proxy.cut()
      else await proxy.swallowNextAnswer()
      const { sequence } = catalog.status()
      while (catalog.status().sequence < sequence + 3) await catalog.client.allocateProducerIds(1)
    }
    const { topics, producerIds } = await working
    expect(new Set(producerIds).size).toBe(producerIds.length)
    const there = await replayOnly({ journal, store, ...parts })
    expect([...there.state.topics.all()].map(topic => topic.name).sort()).toEqual(topics)
    expect(there.state.hash()).toBe(catalog.state.hash())
    await catalog.close()
    await close()
    await proxy.close()
  })

  it('loses nothing acknowledged and applies nothing twice when the server is killed in the midst of appends', async () => {
    let mortal = await startPostgres()
    const { dataDir, port, url } = mortal
    try {
      const store = new MemoryStore(systemClock)
      const { journal, close } = await openHere({ store, url })
      const catalog = await openCatalog({ journal, store, ...parts })
      let kills = 0
      const working = work(catalog, () => kills === 4)
      const random = seededRandom(2)
      for (; kills < 4; kills++) {
        const { sequence } = catalog.status()
        const until = sequence + 5 + Math.floor(random.fraction() * 20)
        while (catalog.status().sequence < until) await catalog.client.allocateProducerIds(1)
        mortal.kill('SIGKILL')
        mortal = await startPostgres({ dataDir, port })
      }
      const { topics, producerIds } = await working
      expect(new Set(producerIds).size).toBe(producerIds.length)
      const again = await openCatalog({ journal, store, ...parts })
      expect((await again.client.topics()).map(topic => topic.name).sort()).toEqual(topics)
      await again.close()
      await close()
    } finally {
      await mortal.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  })

  it('fences a leader whose connection is cut while another process takes over', async () => {
    const proxy = await CuttableLink.to(server.port)
    const store = new MemoryStore(systemClock)
    const table = newTable()
    const url = server.url.replace(`:${server.port}`, `:${proxy.port}`)
    const old = await openHere({ store, url, table })
    const paused = await openCatalog({ journal: old.journal, store, ...parts })
    await paused.client.createTopic('before', 1, {})
    const next = await openHere({ store, table })
    const second = await openCatalog({ journal: next.journal, store, ...parts })
    proxy.cut()
    await expect(paused.client.createTopic('too late', 1, {})).rejects.toMatchObject({ code: 'catalog-fenced' })
    expect((await second.client.topics()).map(topic => topic.name)).toEqual(['before'])
    await second.close()
    await next.close()
    await old.close()
    await proxy.close()
  })
})

it('processes that make the table at the same moment all open the same journal', async () => {
  for (let round = 0; round < 20; round++) {
    const table = newTable()
    const opened = await Promise.all(Array.from({ length: 8 }, () => openHere({ table })))
    expect(new Set(opened.map(({ journal }) => Buffer.from(journal.identity.id).toString('hex'))).size).toBe(1)
    for (const { close } of opened) await close()
  }
})

it('of those who append at one place at once exactly one is applied, also while the journal is trimmed', async () => {
  const table = newTable()
  const writers = await Promise.all([1, 2, 3, 4].map(() => openHere({ table })))
  for (let sequence = 1; sequence <= 100; sequence++) {
    const appends = writers.map(({ journal }, writer) => journal.append(1, sequence, [new Uint8Array([writer])]))
    const trim = writers[0]!.journal.trim(sequence - 10)
    const outcomes = await Promise.all(appends)
    await trim
    expect([...outcomes].sort()).toEqual(['applied', 'refused', 'refused', 'refused'])
    expect(await writers[3]!.journal.read(1, sequence)).toEqual(new Uint8Array([outcomes.indexOf('applied')]))
  }
  const { rows } = await admin.query(`SELECT count(*)::int AS count FROM ${table}`)
  // Header, genesis, and what lies behind the last trim.
  expect(rows).toEqual([{ count: 2 + 10 }])
  for (const { close } of writers) await close()
})

it('an epoch is closed once a later one has an entry, wherever in it an entry would go', async () => {
  const { journal, close } = await openHere({})
  expect(await journal.append(1, 1, [new Uint8Array(1)])).toBe('applied')
  expect(await journal.append(2, 7, [new Uint8Array(1)])).toBe('applied')
  expect(await journal.append(1, 2, [new Uint8Array(1)])).toBe('closed')
  expect(await journal.append(1, 1, [new Uint8Array(2)])).toBe('refused')
  expect(await journal.append(2, 8, [new Uint8Array(1)])).toBe('applied')
  expect(await journal.read(1, 2)).toBeUndefined()
  await close()
})

it('transactions are serializable and durable, whatever the defaults of server and user are', async () => {
  await admin.query(`CREATE ROLE careless LOGIN PASSWORD 'careless'`)
  await admin.query('ALTER ROLE careless SET synchronous_commit = off')
  const address = parsePostgresUrl(server.url.replace('floe@', 'careless@'))
  const careless = openPostgres(address, 'careless', silentLog)
  const show = async (setting: string): Promise<string> => {
    const { value } = await careless.run(`SELECT convert_to(current_setting('${setting}'), 'utf8')`, [])
    return Buffer.from(value!).toString()
  }
  expect(await show('transaction_isolation')).toBe('serializable')
  expect(await show('synchronous_commit')).toBe('on')
  expect(await show('statement_timeout')).toBe('10s')
  await careless.close()
})

describe('what a user is told', () => {
  const refusal = async (options: Options): Promise<unknown> => {
    try {
      await (await openHere(options)).close()
    } catch (error) {
      return error
    }
    return 'it was opened'
  }

  it('a wrong password, none, a missing database, nobody there', async () => {
    expect(await refusal({ password: 'not-it' })).toMatchObject({
      kind: 'invalid',
      code: 'journal-credentials-refused',
      message: expect.stringMatching(/password authentication failed for user "floe"; check .*journal_password_env/),
    })
    expect(await refusal({ password: '' })).toMatchObject({ code: 'journal-credentials-refused' })
    expect(await refusal({ url: server.url.replace(/postgres$/, 'nothing') })).toMatchObject({
      kind: 'invalid',
      code: 'journal-database-missing',
    })
    expect(await refusal({ url: 'postgres://floe@127.0.0.1:1/postgres' })).toMatchObject({
      kind: 'unavailable',
      code: 'journal-unreachable',
    })
  })

  it('missing rights: to create the table, and to write into it', async () => {
    await admin.query(`CREATE ROLE guest LOGIN PASSWORD 'guest'`)
    const url = server.url.replace('floe@', 'guest@')
    const denied = {
      kind: 'invalid',
      code: 'journal-access-denied',
      message: expect.stringContaining('grant the user'),
    }
    expect(await refusal({ url, password: 'guest' })).toMatchObject(denied)
    const table = newTable()
    await (await openHere({ table })).close()
    await admin.query(`GRANT SELECT ON ${table} TO guest`)
    const { journal, close } = await openHere({ url, password: 'guest', table })
    await expect(journal.append(1, 1, [new Uint8Array(1)])).rejects.toMatchObject(denied)
    await admin.query(`GRANT INSERT, DELETE ON ${table} TO guest`)
    expect(await journal.append(1, 1, [new Uint8Array(1)])).toBe('applied')
    await close()
  })

  it('a table of a newer Floe, of somebody else, or none when only a question was asked', async () => {
    const newer = newTable()
    await (await openHere({ table: newer })).close()
    await admin.query(`UPDATE ${newer} SET entry = '{"format":2,"id":"00"}' WHERE sequence = 0`)
    expect(await refusal({ table: newer })).toMatchObject({ kind: 'unsupported', code: 'journal-format-newer' })
    const foreign = newTable()
    await admin.query(`CREATE TABLE ${foreign} (epoch bigint, sequence bigint, entry bytea)`)
    await admin.query(`INSERT INTO ${foreign} VALUES (0, 0, 'hello')`)
    expect(await refusal({ table: foreign })).toMatchObject({ kind: 'invalid', code: 'journal-table-foreign' })
    expect(await refusal({ mayCreate: false })).toMatchObject({ kind: 'invalid', code: 'journal-missing' })
    expect(await refusal({ table: 'drop table' })).toMatchObject({ kind: 'invalid', code: 'journal-table-name' })
  })

  it('an entry that is too large is refused by the table, and the journal goes on', async () => {
    const { journal, close } = await openHere({})
    await expect(journal.append(1, 1, [new Uint8Array(33 * 1024 * 1024)])).rejects.toMatchObject({
      code: 'journal-entry-too-large',
    })
    expect(await journal.append(1, 1, [new Uint8Array(1024 * 1024)])).toBe('applied')
    expect((await journal.read(1, 1))?.length).toBe(1024 * 1024)
    await close()
  })

  it("another catalog's table, and a catalog whose journal is elsewhere", async () => {
    const store = new MemoryStore(systemClock)
    const { journal, close } = await openHere({ store })
    const catalog = await openCatalog({ journal, store, ...parts })
    await catalog.close()
    const stranger = new MemoryStore(systemClock)
    await expect(openCatalog({ journal, store: stranger, ...parts })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'journal-of-another-catalog',
    })
    expect((await stranger.list('')).objects).toEqual([])
    await expect(openCatalog({ store, ...parts })).rejects.toMatchObject({
      code: 'catalog-journal-elsewhere',
      message: expect.stringMatching(/is in postgres:.*, not in the object store: set catalog.journal_url to it/),
    })
    const inStore = new MemoryStore(systemClock)
    await (await openCatalog({ store: inStore, ...parts })).close()
    const fresh = await openHere({ store: inStore })
    await expect(openCatalog({ journal: fresh.journal, store: inStore, ...parts })).rejects.toMatchObject({
      code: 'catalog-journal-elsewhere',
      message: expect.stringMatching(/is in the object store, not in postgres:.*: leave catalog.journal_url out/),
    })
    await fresh.close()
    await close()
  })

  it('a table that was emptied, or restored from before the newest snapshot', async () => {
    const store = new MemoryStore(systemClock)
    const table = newTable()
    const { journal, close } = await openHere({ store, table })
    const catalog = await openCatalog({ journal, store, ...parts })
    for (let index = 0; index < 5; index++) await catalog.client.createTopic(`topic-${index}`, 1, {})
    const { sequence } = catalog.status()
    await admin.query(`CREATE TABLE ${table}_copy AS SELECT * FROM ${table}`)
    await catalog.client.createTopic('after the copy', 1, {})
    await catalog.takeSnapshot()
    await catalog.close()
    await admin.query(`DELETE FROM ${table} WHERE sequence > $1`, [sequence])
    const lost = { kind: 'corrupt', code: 'journal-older-than-snapshot' }
    await expect(openCatalog({ journal, store, ...parts })).rejects.toMatchObject(lost)
    await admin.query(`DELETE FROM ${table}`)
    await admin.query(`INSERT INTO ${table} SELECT * FROM ${table}_copy WHERE sequence = 0`)
    await expect(openCatalog({ journal, store, ...parts })).rejects.toMatchObject(lost)
    await close()
  })
})

describe('TLS', () => {
  it('is checked against the host and the authority that is named, unless only encryption is asked for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'floe-tls-'))
    makeTls(directory, 'ours')
    makeTls(directory, 'theirs')
    const tls = { certFile: join(directory, 'ours-cert'), keyFile: join(directory, 'ours-key') }
    const secure = await startPostgres({ tls })
    const ours = `sslrootcert=${join(directory, 'ours-ca')}`
    const sign = async (parameters: string, host = '127.0.0.1'): Promise<string> => {
      const url = `${secure.url.replace('127.0.0.1', host)}?${parameters}`
      try {
        const { journal, close } = await openHere({ url })
        await journal.append(1, 1, [new Uint8Array(1)])
        await close()
        return 'opened'
      } catch (error) {
        if (isFloeError(error)) return error.code
        throw error
      }
    }
    try {
      expect(await sign(`sslmode=verify-full&${ours}`)).toBe('opened')
      expect(await sign('sslmode=require')).toBe('opened')
      expect(await sign('sslmode=verify-full')).toBe('journal-certificate-refused')
      expect(await sign(`sslmode=verify-full&sslrootcert=${join(directory, 'theirs-ca')}`)).toBe(
        'journal-certificate-refused',
      )
      expect(await sign(`sslmode=verify-full&${ours}`, 'localhost')).toBe('journal-certificate-refused')
      expect(await sign(`sslmode=verify-full&sslrootcert=${join(directory, 'nothing')}`)).toBe('tls-file-unreadable')
    } finally {
      await secure.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
