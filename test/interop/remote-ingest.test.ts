/**
 * Tables from topics of Apache Kafka, read over SASL and TLS: what transactions, compaction and deletion leave in a topic is
 * accounted for to the last offset.
 */
import { Admin } from '@platformatic/kafka'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SourceCoverage } from '../../catalog/client.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { IngestService } from '../../ingest/service.ts'
import { createRemoteSource } from '../../ingest/sources/remote-source.ts'
import type { TableIngestConfig } from '../../ingest/table-config.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { createInlinePool } from '../../ingest/worker/builder-pool.ts'
import type { RecordSource } from '../../kafka/record-source.ts'
import { provenanceField } from '../../table/provenance.ts'
import { primitive } from '../../table/types.ts'
import { type Kafka, runPython, startKafka } from '../peers/index.ts'
import { type StartedBroker, startBroker } from '../support/start-broker.ts'
import { waitFor } from '../support/wait-for.ts'

const user = { username: 'floe', password: 'secret-1' }
const longMs = 60_000

let kafka: Kafka
let floe: StartedBroker
const cleanups: (() => Promise<void>)[] = []

beforeAll(async () => {
  // Cleaning is made quick, so that compaction happens while the test looks on.
  const properties = { 'log.cleaner.backoff.ms': '200', 'log.retention.check.interval.ms': '500' }
  kafka = await startKafka({ security: { tls: true, users: [user] }, properties })
  floe = await startBroker()
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(async () => {
  await floe?.stop()
  await kafka?.stop()
})

function openSecureSource(
  password = user.password,
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' = 'SCRAM-SHA-512',
): RecordSource {
  const [hostname = '', port = ''] = kafka.secureBootstrap!.split(':')
  const source = createRemoteSource({
    name: 'secure',
    bootstrapBrokers: [{ hostname, port: Number(port) }],
    sasl: { mechanism, username: user.username, password },
    tls: { ca: kafka.caPem! },
  })
  cleanups.push(() => source.close())
  return source
}

async function createTopic(topic: string, configs: Record<string, string> = {}): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.bootstrap] })
  const list = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs: list })
  await admin.close()
}

/** Runs confluent-kafka (librdkafka); the last argument of the script is the bootstrap address. */
async function produceWithPython(script: string, topic: string): Promise<void> {
  const done = await runPython(script, [topic, kafka.bootstrap])
  expect(done.code, done.stderr).toBe(0)
}

const tableOf = (topic: string, onGap: 'stop' | 'record' = 'stop'): TableIngestConfig => ({
  definition: {
    name: `secure__${topic}`,
    source: { clusterName: 'secure', topic },
    schema: { schemaId: 0, fields: [{ id: 1, name: 'n', required: true, type: primitive('long') }, provenanceField] },
    spec: { specId: 0, fields: [] },
    properties: {},
    settings: '{}',
  },
  format: { kind: 'json' },
  codec: 'zstd',
  deadLetterMode: 'capture',
  onGap,
  startOffset: 'earliest',
  freshnessMs: 100,
  fileBytesTarget: 32 * 1024 * 1024,
})

async function openService(config: TableIngestConfig, source = openSecureSource()): Promise<IngestService> {
  const service = new IngestService({
    catalog: floe.catalog,
    membership: floe.membership,
    store: floe.store,
    sources: () => source,
    pool: createInlinePool(),
    clock: systemClock,
    log: silentLog,
  })
  cleanups.push(() => service.close())
  await service.applyTables([config])
  return service
}

async function coverageOf(name: string): Promise<SourceCoverage | undefined> {
  const table = await floe.catalog.tableByName(name)
  return table && (await floe.catalog.sourceCoverage(table.tableId))[0]
}

async function expectProved(name: string, rows: bigint): Promise<void> {
  await waitFor(async () => (await floe.catalog.tableByName(name))?.published?.rowCount === rows, longMs)
  const report = await verifyTable({ catalog: floe.catalog, store: floe.store }, name)
  expect(report).toMatchObject({ proved: true, rows, missing: 0n, duplicated: 0n, problems: [] })
}

const transactional = `
import sys
from confluent_kafka import Producer
topic, bootstrap = sys.argv[1:]
p = Producer({'bootstrap.servers': bootstrap, 'transactional.id': 'tx-' + topic})
p.init_transactions()
n = 0
for commit in [True, False, True, False, False, True]:
    p.begin_transaction()
    for _ in range(10):
        p.produce(topic, value='{"n":%d}' % n)
        n += 1
    p.flush()
    p.commit_transaction() if commit else p.abort_transaction()
`

const overwriting = `
import sys
from confluent_kafka import Producer
topic, bootstrap = sys.argv[1:]
p = Producer({'bootstrap.servers': bootstrap})
for n in range(200):
    p.produce(topic, key=str(n % 5), value='{"n":%d}' % n)
    p.flush()
`

describe('a table from a topic of Apache Kafka', () => {
  it('holds committed records only, and accounts for aborted ones and markers', async () => {
    await createTopic('transactions')
    await produceWithPython(transactional, 'transactions')
    await openService(tableOf('transactions'))
    await waitFor(async () => (await coverageOf('secure__transactions'))?.end === 66n, longMs)
    await expectProved('secure__transactions', 30n)
    const coverage = await coverageOf('secure__transactions')
    expect(coverage).toMatchObject({ start: 0n, end: 66n, written: 30n, control: 36n, rejected: 0n, gap: 0n })
  })

  it('accounts for offsets that compaction took away', async () => {
    await createTopic('compacted', {
      'cleanup.policy': 'compact',
      'segment.ms': '500',
      'min.cleanable.dirty.ratio': '0.01',
      'max.compaction.lag.ms': '1000',
    })
    await produceWithPython(overwriting, 'compacted')
    // Compaction leaves the active segment alone: a late record closes it.
    await systemClock.sleep(700)
    await produceWithPython(overwriting.replace('range(200)', 'range(1)'), 'compacted')
    const source = openSecureSource()
    const reader = source.openReader()
    const topicId = (await source.describeTopic('compacted'))?.topicId
    await waitFor(async () => {
      const parts = [{ partition: 0, offset: 0n, bytesMax: 1_000_000 }]
      const [fetched] = await reader.fetch('compacted', parts, {
        waitMsMax: 100,
        bytesMin: 1,
        bytesMax: 1_000_000,
        ...(topicId === undefined ? {} : { topicId }),
      })
      // 200 batches of about 80 bytes before, a handful after.
      return fetched !== undefined && fetched.batches.length > 0 && fetched.batches.length < 4_000
    }, longMs)
    await openService(tableOf('compacted'))
    await waitFor(async () => (await coverageOf('secure__compacted'))?.end === 201n, longMs)
    const coverage = (await coverageOf('secure__compacted'))!
    expect(coverage.written).toBeLessThan(100n)
    expect(coverage.written + coverage.control).toBe(201n)
    await expectProved('secure__compacted', coverage.written)
  })

  it.each(['stop', 'record'] as const)('notices records deleted before they were read: on_gap %s', async onGap => {
    const topic = `deleted_${onGap}`
    await createTopic(topic)
    await produceWithPython(overwriting.replace('200', '20'), topic)
    const first = await openService(tableOf(topic, onGap))
    await expectProved(`secure__${topic}`, 20n)
    await first.close()
    await produceWithPython(overwriting.replace('200', '20'), topic)
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.bootstrap] })
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 30n }] }] })
    await admin.close()

    await openService(tableOf(topic, onGap))
    if (onGap === 'record') {
      await expectProved(`secure__${topic}`, 30n)
      expect(await coverageOf(`secure__${topic}`)).toMatchObject({ start: 0n, end: 40n, written: 30n, gap: 10n })
    } else {
      await waitFor(async () => (await floe.catalog.tableByName(`secure__${topic}`))?.state === 'stopped', longMs)
      const table = await floe.catalog.tableByName(`secure__${topic}`)
      expect(table?.stoppedReason).toMatch(/starts at offset 30, after offset 20 .* 10 records were removed/)
    }
  })
})

describe('a topic of Apache Kafka that is created again', () => {
  async function deleteTopic(topic: string): Promise<void> {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.bootstrap] })
    await admin.deleteTopics({ topics: [topic] })
    await admin.close()
  }

  /** Deletion goes on after its answer. */
  async function createTopicAgain(topic: string): Promise<void> {
    await waitFor(
      () =>
        createTopic(topic).then(
          () => true,
          () => false,
        ),
      longMs,
    )
  }

  it('is read on as another generation under on_gap: record, while ingestion runs and after a restart', async () => {
    const topic = 'again'
    await createTopic(topic)
    await produceWithPython(overwriting.replace('200', '20'), topic)
    const first = await openService(tableOf(topic, 'record'))
    await expectProved(`secure__${topic}`, 20n)
    await deleteTopic(topic)
    await createTopicAgain(topic)
    await produceWithPython(overwriting.replace('200', '30'), topic)
    await expectProved(`secure__${topic}`, 50n)
    await first.close()

    await deleteTopic(topic)
    await createTopicAgain(topic)
    await produceWithPython(overwriting.replace('200', '40'), topic)
    await openService(tableOf(topic, 'record'))
    await expectProved(`secure__${topic}`, 90n)
    const table = await floe.catalog.tableByName(`secure__${topic}`)
    const closed = await floe.catalog.closedGenerations(table!.tableId)
    expect(closed).toMatchObject([
      { generation: 1, start: 0n, end: 20n, written: 20n },
      { generation: 2, start: 0n, end: 30n, written: 30n },
    ])
    const coverage = await coverageOf(`secure__${topic}`)
    expect(coverage).toMatchObject({ start: 0n, end: 40n, written: 40n })
    expect(new Set([...closed, coverage!].map(({ topicId }) => topicId)).size).toBe(3)
  })

  it('stops its table otherwise', async () => {
    const topic = 'again_stop'
    await createTopic(topic)
    await produceWithPython(overwriting.replace('200', '20'), topic)
    await openService(tableOf(topic))
    await expectProved(`secure__${topic}`, 20n)
    await deleteTopic(topic)
    await createTopicAgain(topic)
    await waitFor(async () => (await floe.catalog.tableByName(`secure__${topic}`))?.state === 'stopped', longMs)
    const table = await floe.catalog.tableByName(`secure__${topic}`)
    expect(table?.stoppedReason).toMatch(/^topic again_stop was deleted and created again: .* or set on_gap: record/)
  })
})

describe('signing in to Apache Kafka', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('works with %s', async mechanism => {
    const source = openSecureSource(user.password, mechanism)
    expect(await source.describeTopic('not-there')).toBeUndefined()
  })

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    'says who was refused where when the password is wrong: %s',
    async mechanism => {
      const source = openSecureSource('wrong', mechanism)
      await expect(source.describeTopic('x')).rejects.toThrow(
        `source cluster secure (${kafka.secureBootstrap}) refused user floe with ${mechanism}: check its credentials`,
      )
    },
  )
})
