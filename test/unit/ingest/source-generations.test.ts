/**
 * Source topics that are not what they were: created again or truncated, while Floe runs or not. Under on_gap: record the table goes
 * on, and every generation of every partition is proved on its own.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { closedGenerationsPerTableMax } from '../../../catalog/limits.ts'
import { tableFolder } from '../../../catalog/object-names.ts'
import type { TableIngestConfig } from '../../../ingest/table-config.ts'
import { type VerifyReport, verifyDefaults, verifyTable } from '../../../ingest/verify/verify-table.ts'
import type { RecordSource } from '../../../kafka/record-source.ts'
import { readDeltaContents, readIcebergContents } from '../../../table/validate/agreement.ts'
import { collectLog } from '../../support/collect-log.ts'
import { numberedTable } from '../../support/numbered-table.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { type StartedBroker, startBroker } from '../../support/start-broker.ts'
import { appendToLog } from '../../support/unreadable-batches.ts'
import { waitFor } from '../../support/wait-for.ts'
import { batch, record } from './worker/fixtures.ts'

const name = 'floe__orders'
const beginsAtOnce = 100
const config: TableIngestConfig = { ...numberedTable('orders', { freshnessMs: 50 }), onGap: 'record' }

const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})

async function begin(): Promise<StartedBroker> {
  const broker = await startBroker()
  started.push(broker)
  return broker
}

async function openService(broker: StartedBroker, source: RecordSource = broker.broker.localSource(), table = config) {
  const log = collectLog()
  const service = openIngest(broker, { source, log })
  started.push({ stop: () => service.close() })
  await service.applyTables([table])
  return { service, log }
}

async function createTopic({ catalog }: StartedBroker, topic: string, partitionCount = 1): Promise<string> {
  return (await catalog.createTopic(topic, partitionCount, {})).topic.topicId
}

/** Records that fit, then records that do not. */
async function append(
  broker: StartedBroker,
  topicId: string,
  partition: number,
  count: number,
  misfits = 0,
): Promise<void> {
  const fit = Array.from({ length: count }, (_, n) => record({ session: topicId, n, weight: 1 }))
  await appendToLog(broker, topicId, partition, [batch(0, [...fit, ...Array(misfits).fill(record('misfit'))])])
}

async function untilRead({ catalog }: StartedBroker, rows: bigint, deadLetters = 0n): Promise<void> {
  await waitFor(async () => {
    const table = await catalog.tableByName(name)
    return table?.published?.rowCount === rows && table.deadLetterCount === deadLetters
  })
}

/** Proved, also when it takes several passes. */
async function verify({ catalog, store }: StartedBroker): Promise<VerifyReport> {
  const report = await verifyTable({ catalog, store }, name)
  const inSlices = await verifyTable({ catalog, store }, name, { ...verifyDefaults, offsetsPerPassMax: 5 })
  expect(inSlices).toEqual(report)
  expect(report).toMatchObject({ proved: true, problems: [], missing: 0n, duplicated: 0n })
  return report
}

describe('a topic that is created again', () => {
  it('goes on in a new generation while ingestion runs', async () => {
    const broker = await begin()
    const first = await createTopic(broker, 'orders', 2)
    await append(broker, first, 0, 10, 2)
    await append(broker, first, 1, 4)
    const { log } = await openService(broker)
    await untilRead(broker, 14n, 2n)

    await broker.catalog.deleteTopic(first)
    const second = await createTopic(broker, 'orders', 2)
    await append(broker, second, 0, 3, 1)
    await append(broker, second, 1, 6)
    await untilRead(broker, 23n, 3n)

    expect((await verify(broker)).partitions).toMatchObject([
      { partition: 0, generation: 1, topicId: first, start: 0n, end: 12n, rows: 10n, deadLetters: 2n },
      { partition: 0, generation: 2, topicId: second, start: 0n, end: 4n, rows: 3n, deadLetters: 1n },
      { partition: 1, generation: 1, topicId: first, start: 0n, end: 4n, rows: 4n },
      { partition: 1, generation: 2, topicId: second, start: 0n, end: 6n, rows: 6n },
    ])
    const told = log.complaints.filter(line => line.includes('new generation'))
    expect(told).toHaveLength(2)
    expect(told[0]).toMatch(
      /^topic orders was deleted and created again: .*; going on with a new generation .*partition=0 generation=2 start=0/,
    )
    await expectVersionsToTell(broker, '0:0-12,0:0-4,1:0-4,1:0-6')
  })

  it('goes on in a new generation after a restart, with what it has lost by then as a gap, however often', async () => {
    const broker = await begin()
    const first = await createTopic(broker, 'orders')
    await append(broker, first, 0, 5)
    const before = await openService(broker)
    await untilRead(broker, 5n)
    await before.service.close()
    await broker.catalog.deleteTopic(first)
    // Never seen.
    await broker.catalog.deleteTopic(await createTopic(broker, 'orders'))

    const second = await createTopic(broker, 'orders')
    await append(broker, second, 0, 20)
    await broker.catalog.advanceLogStart(second, 0, 8n)
    const between = await openService(broker)
    await untilRead(broker, 17n)
    await between.service.close()
    await broker.catalog.deleteTopic(second)

    const third = await createTopic(broker, 'orders')
    const after = await openService(broker)
    const table = await broker.catalog.tableByName(name)
    await waitFor(async () => (await broker.catalog.closedGenerations(table!.tableId)).length === 2)
    // Nothing was read of the third yet: it must not begin anywhere else after a restart.
    await after.service.close()
    await append(broker, third, 0, 1)
    await openService(broker)
    await untilRead(broker, 18n)

    expect((await verify(broker)).partitions).toMatchObject([
      { generation: 1, topicId: first, start: 0n, end: 5n, rows: 5n, gap: 0n },
      { generation: 2, topicId: second, start: 0n, end: 20n, rows: 12n, gap: 8n },
      { generation: 3, topicId: third, start: 0n, end: 1n, rows: 1n, gap: 0n },
    ])
  })

  it('keeps what was read before the topic was deleted, committed or not', async () => {
    const broker = await begin()
    const local = broker.broker.localSource()
    const asked = new Set<string>()
    const source: RecordSource = {
      describeTopic: topic => local.describeTopic(topic),
      partitionStates: (topic, partitions) => local.partitionStates(topic, partitions),
      openReader: () => {
        const reader = local.openReader()
        return {
          ...reader,
          fetch(topic, parts, options) {
            asked.add(`${options.topicId} ${parts[0]!.offset}`)
            return reader.fetch(topic, parts, options)
          },
        }
      },
      close: () => local.close(),
    }
    const first = await createTopic(broker, 'orders')
    await append(broker, first, 0, 5)
    const { service } = await openService(broker, source, { ...config, freshnessMs: 600_000 })
    await waitFor(() => asked.has(`${first} 5`))
    await broker.catalog.deleteTopic(first)
    const second = await createTopic(broker, 'orders')
    await append(broker, second, 0, 2)
    await waitFor(() => asked.has(`${second} 2`))
    await service.close()
    expect((await verify(broker)).partitions).toMatchObject([
      { generation: 1, topicId: first, start: 0n, end: 5n, rows: 5n },
      { generation: 2, topicId: second, start: 0n, end: 2n, rows: 2n },
    ])
  })

  it('stops the table with a reason when it holds as many generations as it can', async () => {
    const broker = await begin()
    const first = await createTopic(broker, 'orders')
    await append(broker, first, 0, 5)
    const { service } = await openService(broker)
    await untilRead(broker, 5n)
    const { tableId } = (await broker.catalog.tableByName(name))!
    for (let count = 0; count < closedGenerationsPerTableMax; count += beginsAtOnce) {
      const begin = { tableId, partition: 0, ownerEpoch: 1, topicId: first, start: 5n, expectedEnd: 5n }
      await Promise.all(Array.from({ length: beginsAtOnce }, () => broker.catalog.beginSourceGeneration(begin)))
    }
    await broker.catalog.deleteTopic(first)
    await createTopic(broker, 'orders')
    await waitFor(async () => (await broker.catalog.tableById(tableId))?.state === 'stopped')
    expect(service.status()[0]?.reason).toMatch(
      /^topic orders was deleted and created again: .*, more often than one table can hold. Give the topic a table of its own/,
    )
    expect(await broker.catalog.closedGenerations(tableId)).toHaveLength(closedGenerationsPerTableMax)
    expect(await broker.catalog.sourceCoverage(tableId)).toMatchObject([{ topicId: first, start: 5n, end: 5n }])
  })

  it('is proved no more when rows of either generation are lost', async () => {
    const broker = await begin()
    const first = await createTopic(broker, 'orders')
    await append(broker, first, 0, 5)
    await openService(broker)
    await untilRead(broker, 5n)
    await broker.catalog.deleteTopic(first)
    await append(broker, await createTopic(broker, 'orders'), 0, 5)
    await untilRead(broker, 10n)
    const { catalog, store } = broker
    const { tableId, tableUuid } = (await catalog.tableByName(name))!
    const folder = tableFolder(name, tableUuid)
    const files = await catalog.tableFiles(tableId, 0, 1_000, 0, 10)
    const [one, two] = await Promise.all(files.map(({ path }) => store.get(`${folder}/${path}`)))
    // Both hold offsets 0 to 4: neither may stand in for the other.
    await store.delete([`${folder}/${files[0]!.path}`])
    const lost = await verifyTable({ catalog, store }, name)
    expect(lost).toMatchObject({ proved: false, missing: 5n, partitions: [{ missing: 5n }, { missing: 0n }] })
    await store.put(`${folder}/${files[0]!.path}`, one!)
    await store.delete([`${folder}/${files[1]!.path}`])
    expect(await verifyTable({ catalog, store }, name)).toMatchObject({
      proved: false,
      partitions: [{ missing: 0n }, { missing: 5n }],
      problems: expect.arrayContaining(['generation 2 of partition 0: 0 rows are in the files, 5 were committed']),
    })
    await store.put(`${folder}/${files[1]!.path}`, two!)
    await verify(broker)
  })
})

async function expectVersionsToTell({ catalog, store }: StartedBroker, progress: string): Promise<void> {
  const { tableUuid, published } = (await catalog.tableByName(name))!
  const read = (path: string) => store.get(`${tableFolder(name, tableUuid)}/${path}`)
  const iceberg = await readIcebergContents(read, published!.icebergMetadataPath)
  const delta = await readDeltaContents(read, published!.deltaVersion)
  for (const contents of [iceberg, delta]) {
    const told = contents.progress.map(({ partition, start, end }) => `${partition}:${start}-${end}`)
    expect(told.join(',')).toBe(progress)
  }
}

describe('a partition that is truncated', () => {
  /** Topics of the broker in turn under one name and one id: that is what the topic of a truncated partition looks like. */
  function disguise(source: RecordSource, topicId: string | undefined) {
    const shown = { topic: '' }
    const disguised: RecordSource = {
      async describeTopic() {
        const found = await source.describeTopic(shown.topic)
        return found && { ...found, topicId }
      },
      partitionStates: (_, partitions) => source.partitionStates(shown.topic, partitions),
      openReader: () => {
        const reader = source.openReader()
        return {
          ...reader,
          fetch: (_, parts, { topicId: _id, ...options }) => reader.fetch(shown.topic, parts, options),
        }
      },
      close: () => source.close(),
    }
    return { shown, disguised }
  }

  const topicId = '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11'

  it.each(['runs', 'is stopped'] as const)('goes on at its end, when ingestion %s meanwhile', async when => {
    const broker = await begin()
    const [whole, cut] = [await createTopic(broker, 'whole'), await createTopic(broker, 'cut')]
    await append(broker, whole, 0, 10)
    await append(broker, cut, 0, 6)
    const { shown, disguised } = disguise(broker.broker.localSource(), topicId)
    shown.topic = 'whole'
    const before = await openService(broker, disguised)
    await untilRead(broker, 10n)
    if (when === 'is stopped') await before.service.close()
    shown.topic = 'cut'
    const { log } = when === 'is stopped' ? await openService(broker, disguised) : before
    const { tableId } = (await broker.catalog.tableByName(name))!
    await waitFor(async () => (await broker.catalog.closedGenerations(tableId)).length === 1)
    await append(broker, cut, 0, 3)
    await untilRead(broker, 13n)
    expect((await verify(broker)).partitions).toMatchObject([
      { generation: 1, topicId, start: 0n, end: 10n, rows: 10n },
      { generation: 2, topicId, start: 6n, end: 9n, rows: 3n },
    ])
    expect(log.complaints.join('\n')).toMatch(
      /partition 0 of topic orders ends at offset 6, before offset 10 .*: it was truncated; going on with a new generation/,
    )
  })

  it('is read from its start when the cluster has no topic ids: it may as well be a new topic', async () => {
    const broker = await begin()
    const [one, other] = [await createTopic(broker, 'one'), await createTopic(broker, 'other')]
    await append(broker, one, 0, 10)
    await append(broker, other, 0, 6)
    const { shown, disguised } = disguise(broker.broker.localSource(), undefined)
    shown.topic = 'one'
    await openService(broker, disguised)
    await untilRead(broker, 10n)
    shown.topic = 'other'
    await untilRead(broker, 16n)
    expect((await verify(broker)).partitions).toMatchObject([
      { generation: 1, topicId: undefined, start: 0n, end: 10n, rows: 10n },
      { generation: 2, topicId: undefined, start: 0n, end: 6n, rows: 6n },
    ])
  })
})
