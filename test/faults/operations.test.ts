/**
 * What goes wrong in operation: each case gives one clear line that says what, where and what to do; other tables go on, and
 * nothing is lost once the cause is gone.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { afterEach, describe, expect, it } from 'vitest'
import type { CatalogClient } from '../../catalog/client.ts'
import { journalPrefix } from '../../catalog/journal/journal-keys.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import { openCatalogReader } from '../../catalog/reader.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { seededRandom } from '../../core/random.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { FaultyStore } from '../../storage/faulty-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { collectLog } from '../support/collect-log.ts'
import { EmbeddedFloe } from '../support/embedded-floe.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { type Ended, type FloeProcess, findFreePort, runFloe, serveFloe } from '../support/floe-process.ts'
import { numberedTable, numberedTableYaml } from '../support/numbered-table.ts'
import { startPlatformatic } from '../support/producing-clients.ts'
import { readTableRows, rowsToRecords } from '../support/published-rows.ts'
import { numberedValue, RecordLedger } from '../support/record-ledger.ts'
import { type SmallDisk, withSmallDisk } from '../support/small-disk.ts'
import { startBroker } from '../support/start-broker.ts'
import { openDirectory, withTemporaryDirectory } from '../support/temporary-store.ts'
import { waitFor } from '../support/wait-for.ts'

const stopping: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop()
})

interface Place {
  readonly configFile: string
  readonly dataDir: string
  readonly storeDir: string
  readonly kafkaPort: number
}

/** A directory with a configuration whose tables are given as YAML. */
async function makePlace(directory: string, yaml: string): Promise<Place> {
  const configFile = join(directory, 'floe.yaml')
  const kafkaPort = await findFreePort()
  const dataDir = join(directory, 'data')
  await writeFile(
    configFile,
    `data_dir: ${dataDir}\nkafka: { port: ${kafkaPort} }\nhttp: { port: 0 }\nbroker: { flush_interval: 20ms }\n${yaml}`,
  )
  return { configFile, dataDir, storeDir: join(dataDir, 'store'), kafkaPort }
}

async function serve(configFile: string, env: Record<string, string> = {}): Promise<FloeProcess> {
  const server = await serveFloe({ configFile, env })
  stopping.push(() => server!.end('SIGKILL'))
  return server!
}

async function openReader(storeDir: string): Promise<CatalogClient> {
  return openCatalogReader({ store: await openDirectory(storeDir), clock: systemClock, log: silentLog })
}

async function produceNumbers(address: string, topic: string, session: string, count: number): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [address],
    serializers: stringSerializers,
    autocreateTopics: true,
    retries: 5,
  })
  const messages = Array.from({ length: count }, (_, n) => ({
    topic,
    partition: 0,
    key: session,
    value: numberedValue(topic, session, n),
  }))
  await producer.send({ messages })
  await producer.close()
}

/** Resolves once the table has published so many rows. */
async function untilPublished(storeDir: string, table: string, rowCount: number): Promise<void> {
  await waitFor(async () => {
    const found = await (await openReader(storeDir)).tableByName(table)
    return found?.published?.rowCount === BigInt(rowCount)
  }, 60_000)
}

async function listFilesBelow(directory: string, suffix: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names
    .filter(name => name.endsWith(suffix))
    .sort()
    .map(name => join(directory, name))
}

async function flipByte(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  const index = at < 0 ? bytes.length + at : at
  bytes[index]! ^= 0x10
  await writeFile(file, bytes)
}

/** The table's `reason` in its log lines, newest last. */
function reasonsInLog(stderr: string, table: string): string[] {
  return stderr
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { readonly table?: string; readonly reason?: string })
    .filter(line => line.table === table && line.reason !== undefined)
    .map(line => line.reason!)
}

describe('a server that cannot start', () => {
  it('names file, line and column of broken YAML', async () => {
    await withTemporaryDirectory(async directory => {
      const file = join(directory, 'broken.yaml')
      await writeFile(file, 'tables:\n  - source_topic: orders\n   source_format: json\n')
      const broken = await runFloe(['serve', '-c', file])
      expect(broken).toMatchObject({ code: 1, stdout: '' })
      expect(broken.stderr).toMatch(new RegExp(`^${RegExp.escape(file)}:3:\\d+: .+\n$`))
      await writeFile(
        file,
        'tables:\n  - source_cluster_name: floe\n    source_topik: orders\n    source_format: json\n',
      )
      const misspelt = await runFloe(['serve', '-c', file])
      expect(misspelt.code).toBe(1)
      expect(misspelt.stderr).toContain(
        `${file}:3:5: tables[0].source_topik: unknown key; did you mean \`source_topic\`?\n`,
      )
    })
  })

  it('says which port is in use and which key moves it', async () => {
    await withTemporaryDirectory(async directory => {
      const { configFile, kafkaPort } = await makePlace(directory, '')
      await serve(configFile)
      const other = join(directory, 'other.yaml')
      await writeFile(other, `data_dir: ${directory}/other\nkafka: { port: ${kafkaPort} }\nhttp: { port: 0 }\n`)
      const refused = await runFloe(['serve', '-c', other])
      expect(refused.code).toBe(1)
      expect(lastLine(refused)).toBe(
        `floe: cannot listen on 127.0.0.1:${kafkaPort}: another program does; stop it, or set kafka.port`,
      )
    })
  })

  it('refuses a damaged journal object by name, and serves everything again once it is restored', async () => {
    await withTemporaryDirectory(async directory => {
      const place = await makePlace(directory, `tables:${numberedTableYaml('orders', '200ms')}`)
      const server = await serve(place.configFile)
      await produceNumbers(server.kafka, 'orders', 'a', 100)
      await untilPublished(place.storeDir, 'floe__orders', 100)
      await server.end('SIGKILL')
      const entries = await listFilesBelow(join(place.storeDir, 'catalog/journal'), '')
      const files = entries.filter(name => /\d{20}$/.test(name))
      const damaged = files[Math.floor(files.length / 2)]!
      const bytes = await readFile(damaged)
      await flipByte(damaged, -1)
      const refused = await runFloe(['serve', '-c', place.configFile])
      expect(refused.code).toBe(1)
      const key = damaged.slice(place.storeDir.length + 1)
      expect(lastLine(refused)).toMatch(new RegExp(`^floe: .*${RegExp.escape(key)}.*`))
      expect(lastLine(refused)).toMatch(/damaged|checksum|restore/i)
      await writeFile(damaged, bytes)
      await serve(place.configFile)
      await untilPublished(place.storeDir, 'floe__orders', 100)
    })
  })
})

function lastLine({ stderr }: Ended): string {
  return stderr.trimEnd().split('\n').at(-1)!
}

describe('two servers on one directory', () => {
  it('refuses the second, and the first goes on', async () => {
    await withTemporaryDirectory(async directory => {
      const place = await makePlace(directory, `tables:${numberedTableYaml('orders', '200ms')}`)
      const first = await serve(place.configFile)
      const second = await runFloe(['serve', '-c', place.configFile])
      expect(second.code).toBe(1)
      expect(lastLine(second)).toBe(
        `floe: process ${first.pid} serves ${place.storeDir} already: stop it first, or use another data_dir`,
      )
      await produceNumbers(first.kafka, 'orders', 'a', 10)
      await untilPublished(place.storeDir, 'floe__orders', 10)
    })
  })

  it('fences the first when the lock does not tell, and loses nothing', async () => {
    await withTemporaryDirectory(async directory => {
      const place = await makePlace(directory, `tables:${numberedTableYaml('orders', '200ms')}`)
      const first = await serve(place.configFile)
      await produceNumbers(first.kafka, 'orders', 'a', 10)
      // As on a directory shared between machines, where process ids mean nothing.
      await rm(`${place.storeDir}.lock`)
      const moved = join(directory, 'second.yaml')
      const text = await readFile(place.configFile, 'utf8')
      await writeFile(moved, text.replace(`port: ${place.kafkaPort}`, 'port: 0'))
      const second = await serve(moved)
      await produceNumbers(second.kafka, 'orders', 'b', 10)
      // The first learns of it with its next command.
      await produceNumbers(first.kafka, 'orders', 'lost', 10).catch(() => {})
      const ended = await first.ended
      expect(ended.code).toBe(1)
      expect(lastLine(ended)).toMatch(
        /^floe: another Floe process was started on file:\S+ and has taken over; nothing that this one acknowledged is lost\. .* make them a cluster$/,
      )
      await untilPublished(place.storeDir, 'floe__orders', 20)
    })
  })
})

function exactly(text: string): RegExp {
  return new RegExp(`^${RegExp.escape(text)}$`)
}

describe('one table in trouble', () => {
  it('says why in one line each, while the others go on', async () => {
    await withTemporaryDirectory(async directory => {
      const signedIn = await startBroker({ saslUsers: [{ name: 'floe', password: 'right' }] })
      stopping.push(() => signedIn.stop())
      const nobody = await findFreePort()
      const remoteTable = (cluster: string): string =>
        numberedTableYaml('orders', '200ms').replace('source_cluster_name: floe', `source_cluster_name: ${cluster}`)
      const place = await makePlace(
        directory,
        `source_clusters:
  - name: nobody
    bootstrap_brokers: [{ hostname: 127.0.0.1, port: ${nobody} }]
  - name: locked
    bootstrap_brokers: [{ hostname: 127.0.0.1, port: ${signedIn.port} }]
    credentials: { sasl_username_env: LOCKED_USER, sasl_password_env: LOCKED_PASSWORD }
tables:${numberedTableYaml('orders', '200ms')}
${numberedTableYaml('later', '200ms')}
${numberedTableYaml('strict', '200ms', '    dlq_mode: stop')}
${remoteTable('nobody')}
${remoteTable('locked')}
`,
      )
      const server = await serve(place.configFile, { LOCKED_USER: 'floe', LOCKED_PASSWORD: 'wrong' })
      await produceNumbers(server.kafka, 'orders', 'a', 50)
      await produceRaw(server.kafka, 'strict', [numberedValue('strict', 's', 0), '{"session": "s", "n": "many"}'])
      await untilPublished(place.storeDir, 'floe__orders', 50)

      const reasons: readonly (readonly [table: string, reason: RegExp])[] = [
        ['floe__later', /^topic later does not exist in cluster floe; waiting for it$/],
        [
          'nobody__orders',
          exactly(
            `source cluster nobody (127.0.0.1:${nobody}) cannot be reached: connect ECONNREFUSED 127.0.0.1:${nobody}`,
          ),
        ],
        [
          'locked__orders',
          exactly(
            `source cluster locked (127.0.0.1:${signedIn.port}) refused user floe with PLAIN: check its credentials`,
          ),
        ],
        [
          'floe__strict',
          /^the record at offset 1 of partition 0 of topic strict does not fit: .*n.*Nothing was skipped \(dlq_mode: stop\)\. Mend the schema, or set dlq_mode: capture$/,
        ],
      ]
      const countSaid = (table: string, reason: RegExp): number =>
        reasonsInLog(server.stderr(), table).filter(said => reason.test(said)).length
      for (const [table, reason] of reasons) await waitFor(() => countSaid(table, reason) > 0, 30_000)
      // Several attempts later it is still said once.
      await systemClock.sleep(2_000)
      expect(reasons.map(([table, reason]) => countSaid(table, reason))).toEqual([1, 1, 1, 1])
      await produceNumbers(server.kafka, 'later', 'b', 5)
      await untilPublished(place.storeDir, 'floe__later', 5)
      await produceNumbers(server.kafka, 'orders', 'c', 50)
      await untilPublished(place.storeDir, 'floe__orders', 100)
      await untilPublished(place.storeDir, 'floe__strict', 1)
    })
  })

  it('reads on from a damaged segment once it is restored; the other table never stops', async () => {
    await withTemporaryDirectory(async directory => {
      const store = await openDirectory(directory)
      const tables = ['good', 'bad'].map(topic => numberedTable(topic, { freshnessMs: 200 }))
      // Written by a server that ingests nothing.
      const writer = await EmbeddedFloe.start({ store, tables: [], log: silentLog })
      for (const topic of ['bad', 'good']) {
        await writer.catalog!.createTopic(topic, 1, {})
        await produceNumbers(writer.address, topic, 'a', 20)
      }
      const { topicId } = (await writer.catalog!.topicByName('bad'))!
      const [run] = await writer.catalog!.findRuns(topicId, 0, 0n, 1 << 20)
      await writer.stop()
      const key = run!.objectKey
      const bytes = (await store.get(key))!
      await flipByte(join(directory, key), run!.byteOffset + 100)

      const log = collectLog()
      const floe = await EmbeddedFloe.start({ store, tables, log })
      stopping.push(() => floe.stop())
      await waitFor(() => isEverythingPublished(floe.catalog!, [{ topic: 'good', partitionCount: 1 }]))
      const reason = `bad/0: segment ${key} at byte ${run!.byteOffset}: a record batch fails its CRC`
      await waitFor(() => floe.service!.status().some(each => each.state === 'failing' && each.reason === reason))
      expect((await floe.catalog!.tableByName('floe__bad'))?.rowCount).toBe(0n)
      await produceNumbers(floe.address, 'good', 'b', 20)
      await waitFor(async () => (await floe.catalog!.tableByName('floe__good'))?.published?.rowCount === 40n)

      await store.put(key, bytes)
      await waitFor(() => isEverythingPublished(floe.catalog!, [{ topic: 'bad', partitionCount: 1 }]))
      expect(await verifyTable({ catalog: floe.catalog!, store }, 'floe__bad')).toMatchObject({
        proved: true,
        rows: 20n,
      })
    })
  })
})

describe('clients that misbehave', () => {
  it('lose their connection for malformed frames and are told of oversized records; the others go on', async () => {
    await withTemporaryDirectory(async directory => {
      const place = await makePlace(directory, `tables:${numberedTableYaml('orders', '200ms')}`)
      const server = await serve(place.configFile)
      const ledger = new RecordLedger()
      const topics = [{ topic: 'orders', partitionCount: 1 }]
      await produceNumbers(server.kafka, 'orders', 'first', 1)
      const client = startPlatformatic({ address: server.kafka, ledger, topics })
      stopping.push(() => client.stop())
      const random = seededRandom(7)
      const frames = [
        // A length beyond every limit, a negative one, an unknown API, a truncated body, an HTTP client, noise.
        Buffer.from([0x7f, 0xff, 0xff, 0xff]),
        Buffer.from([0xff, 0xff, 0xff, 0xff]),
        frame(Buffer.from([0x7f, 0x00, 0, 0, 0, 0, 0, 1, 0xff, 0xff])),
        frame(Buffer.from([0, 0, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 0])),
        Buffer.from('GET / HTTP/1.1\r\nHost: floe\r\n\r\n'),
        ...Array.from({ length: 20 }, () => frame(Buffer.from(random.bytes(64)))),
      ]
      for (const bytes of frames) await sendUntilClosed(place.kafkaPort, bytes)
      const warnings = server
        .stderr()
        .split('\n')
        .filter(line => line.includes('connection closed: the client sent what cannot be read'))
        .map(line => JSON.parse(line) as { readonly peer: string; readonly reason: string })
      expect(warnings.length).toBeGreaterThan(5)
      for (const { peer, reason } of warnings) expect([peer, reason.length > 10]).toEqual(['127.0.0.1', true])

      const big = 'x'.repeat(2_000_000)
      const refusal = await produceRaw(server.kafka, 'orders', [big]).then(
        () => 'accepted',
        (error: unknown) => inspect(error, { depth: 10 }),
      )
      expect(refusal).toContain('MESSAGE_TOO_LARGE')
      await waitFor(() => ledger.acknowledgedCount > 400, 60_000)
      await client.stop()
      expect(ledger.refusedCount).toBe(0)
      const catalog = await openReader(place.storeDir)
      const table = await catalog.tableByName('floe__orders')
      expect(table?.deadLetterCount).toBe(0n)
      await untilPublished(place.storeDir, 'floe__orders', 1 + ledger.acknowledgedCount)
    })
  })
})

function frame(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

function sendUntilClosed(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`the connection stays open after ${Buffer.from(bytes).toString('hex')}`))
    }, 20_000)
    socket.on('error', () => {})
    socket.resume()
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

async function produceRaw(address: string, topic: string, values: readonly string[]): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [address],
    serializers: stringSerializers,
    autocreateTopics: true,
    retries: 0,
  })
  try {
    await producer.send({ messages: values.map(value => ({ topic, partition: 0, key: 'raw', value })) })
  } finally {
    await producer.close()
  }
}

it('verify finds a data file that was damaged, truncated or deleted, and names it in one line', async () => {
  await withTemporaryDirectory(async directory => {
    const place = await makePlace(directory, `tables:${numberedTableYaml('orders', '200ms')}`)
    const server = await serve(place.configFile)
    await produceNumbers(server.kafka, 'orders', 'a', 1_000)
    await untilPublished(place.storeDir, 'floe__orders', 1_000)
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 })
    expect(await runFloe(['verify', '-c', place.configFile, 'floe__orders'])).toMatchObject({ code: 0 })

    const catalog = await openReader(place.storeDir)
    const table = (await catalog.tableByName('floe__orders'))!
    const [data] = await catalog.tableFiles(table.tableId, 0, table.fileSequence, 0, 1)
    const key = `${tableFolder(table.definition.name, table.tableUuid)}/${data!.path}`
    const file = join(place.storeDir, key)
    const bytes = await readFile(file)
    const damages: readonly (readonly [spoil: () => Promise<void>, problem: string])[] = [
      [() => flipByte(file, -8), `${key} cannot be read: damaged Parquet: `],
      [() => writeFile(file, bytes.subarray(0, bytes.length - 100)), `${key} ends before byte ${bytes.length}`],
      [() => rm(file), `${key} does not exist`],
    ]
    for (const [spoil, problem] of damages) {
      await spoil()
      const found = await runFloe(['verify', '-c', place.configFile, 'floe__orders'])
      expect(found).toMatchObject({ code: 1, stderr: '' })
      const lines = found.stdout.split('\n').filter(line => line.includes(key))
      expect(lines).toEqual([expect.stringContaining(problem)])
      await writeFile(file, bytes)
    }
  })
})

describe('a full disk', () => {
  it('stops nothing for good: producers are told to retry, and everything goes on once there is room', async () => {
    await withSmallDisk(async disk => {
      if (disk === undefined) return liveThroughFullDisk(makeFullStore(() => true))
      return liveThroughFullDisk({ ...disk, store: await openDirectory(join(disk.directory, 'store')) })
    })
  })

  it('nor when the journal is what finds no room', async () => {
    const complaints = await liveThroughFullDisk(makeFullStore(key => key.startsWith(journalPrefix)))
    expect(complaints[0]).toMatch(/^the catalog cannot write its journal; it tries on /)
  })
})

/** returns  what the log complained of while the disk was full, the first of it first */
async function liveThroughFullDisk({ store, fill, clear }: FullStore): Promise<readonly string[]> {
  const log = collectLog()
  const isToldOf = (line: string): boolean => line.includes('the disk is full')
  const topics = [{ topic: 'orders', partitionCount: 2 }]
  const floe = await EmbeddedFloe.start({ store, tables: [numberedTable('orders', { freshnessMs: 200 })], log })
  stopping.push(() => floe.stop())
  await floe.catalog!.createTopic('orders', 2, {})
  const ledger = new RecordLedger()
  const client = startPlatformatic({ address: floe.address, ledger, topics })
  stopping.push(() => client.stop())
  await waitFor(() => ledger.acknowledgedCount > 400)
  await fill()
  await waitFor(() => log.complaints.some(isToldOf))
  const whenFull = ledger.acknowledgedCount
  await systemClock.sleep(3_000)
  await clear()
  await waitFor(() => ledger.acknowledgedCount > whenFull + 400, 60_000)
  await client.stop()
  await waitFor(() => isEverythingPublished(floe.catalog!, topics), 60_000)
  expect(await verifyTable({ catalog: floe.catalog!, store }, 'floe__orders')).toMatchObject({ proved: true })
  const rows = await readTableRows(floe.catalog!, store, 'floe__orders')
  expect(ledger.findBreaches('orders', rowsToRecords(rows, 2))).toEqual([])
  expect(floe.lostCount).toBe(0)
  const complaints = log.complaints.filter(isToldOf)
  expect(complaints[0]).toMatch(/(segments|tables|catalog)\/\S+.*: the disk is full/)
  await floe.stop()
  stopping.splice(0)
  return complaints
}

interface FullStore extends Pick<SmallDisk, 'fill' | 'clear'> {
  readonly store: ObjectStore
}

/** A store that says what a full disk says, of the keys that are hit. */
function makeFullStore(isHit: (key: string) => boolean): FullStore {
  const store = new FaultyStore(new MemoryStore(systemClock), {
    clock: systemClock,
    random: seededRandom(1),
    permits: (_fault, _operation, key) => isHit(key),
  })
  const fill = async (): Promise<void> => store.setOptions({ probabilities: { diskFull: 1 } })
  return { store, fill, clear: async () => store.setOptions({}) }
}
