import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { afterEach, describe, expect, it } from 'vitest'
import type { SourceCoverage } from '../../../catalog/client.ts'
import { systemClock } from '../../../core/clock.ts'
import type { IngestService } from '../../../ingest/service.ts'
import type { TableIngestConfig } from '../../../ingest/table-config.ts'
import { verifyTable } from '../../../ingest/verify/verify-table.ts'
import type { RecordSource } from '../../../kafka/record-source.ts'
import { provenanceField } from '../../../table/provenance.ts'
import { primitive } from '../../../table/types.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { type StartedBroker, startBroker } from '../../support/start-broker.ts'
import { withTemporaryDirectory } from '../../support/temporary-store.ts'
import { appendToLog, bendRecord, cutPayload } from '../../support/unreadable-batches.ts'
import { waitFor } from '../../support/wait-for.ts'
import { batch, record } from './worker/fixtures.ts'

const config: TableIngestConfig = {
  definition: {
    name: 'floe__orders',
    source: { clusterName: 'floe', topic: 'orders' },
    schema: {
      schemaId: 0,
      fields: [
        { id: 1, name: 'id', required: true, type: primitive('long') },
        { id: 2, name: 'item', required: false, type: primitive('string') },
        provenanceField,
      ],
    },
    spec: { specId: 0, fields: [] },
    properties: {},
    settings: '{}',
  },
  format: { kind: 'json' },
  codec: 'zstd',
  deadLetterMode: 'capture',
  onGap: 'stop',
  startOffset: 'earliest',
  freshnessMs: 100,
  fileBytesTarget: 32 * 1024 * 1024,
}

const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})

async function begin(): Promise<{ broker: StartedBroker; service: IngestService }> {
  const broker = await startBroker({ flushIntervalMs: 5 })
  started.push(broker)
  return { broker, service: openService(broker) }
}

function openService(broker: StartedBroker): IngestService {
  const service = openIngest(broker)
  started.push({ stop: () => service.close() })
  return service
}

async function produce(broker: StartedBroker, values: readonly string[], partition?: number): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [broker.address],
    serializers: stringSerializers,
  })
  const place = { topic: 'orders', ...(partition !== undefined && { partition }) }
  await producer.send({ messages: values.map((value, index) => ({ ...place, key: `k${index}`, value })) })
  await producer.close()
}

const order = (id: number): string => JSON.stringify({ id, item: `item ${id}` })

async function untilPublished(broker: StartedBroker, rowCount: bigint): Promise<void> {
  await waitFor(async () => {
    const table = await broker.catalog.tableByName('floe__orders')
    return table?.published?.rowCount === rowCount
  })
}

describe('ingestion of a topic of the own broker', () => {
  it('turns records into published rows and dead letters, each once, and goes on after a restart', async () => {
    const { broker, service } = await begin()
    await broker.catalog.createTopic('orders', 3, {})
    await service.applyTables([config])
    await produce(broker, [...Array.from({ length: 500 }, (_, id) => order(id)), '{"id":', '{"item":"no id"}'])
    await untilPublished(broker, 500n)
    await service.close()

    const again = openService(broker)
    await again.applyTables([config])
    await produce(broker, [order(500), order(501)])
    await untilPublished(broker, 502n)

    const report = await verifyTable({ catalog: broker.catalog, store: broker.store }, 'floe__orders')
    expect(report).toMatchObject({
      proved: true,
      problems: [],
      rows: 502n,
      deadLetters: 2n,
      missing: 0n,
      duplicated: 0n,
    })
    const table = await broker.catalog.tableByName('floe__orders')
    expect(table?.deadLetterCount).toBe(2n)
    expect(table?.published?.deltaVersion).toBe(table?.published?.version)
  })

  it('begins at the latest offset of the day it was made, whatever was produced before it could read on', async () => {
    const latest: TableIngestConfig = { ...config, startOffset: 'latest' }
    const { broker, service } = await begin()
    await broker.catalog.createTopic('orders', 1, {})
    await produce(broker, [order(0), order(1), order(2)])
    await service.applyTables([latest])
    const accountOf = async (): Promise<readonly SourceCoverage[]> => {
      const table = await broker.catalog.tableByName('floe__orders')
      return table === undefined ? [] : broker.catalog.sourceCoverage(table.tableId)
    }
    await waitFor(async () => (await accountOf()).length === 1)
    expect(await accountOf()).toMatchObject([{ start: 3n, end: 3n }])
    await service.close()

    // While nobody reads: records, and a partition of which no offset is older than the table.
    await produce(broker, [order(3), order(4)], 0)
    await broker.catalog.createPartitions((await broker.catalog.topicByName('orders'))!.topicId, 2)
    await produce(broker, [order(5)], 1)
    await openService(broker).applyTables([latest])
    await untilPublished(broker, 3n)
    expect(await accountOf()).toMatchObject([
      { partition: 0, start: 3n, end: 5n },
      { partition: 1, start: 0n, end: 1n },
    ])
    expect(await verifyTable({ catalog: broker.catalog, store: broker.store }, 'floe__orders')).toMatchObject({
      proved: true,
      rows: 3n,
    })
  })

  it('reads a topic that it had to wait for from its beginning, also with start_offset: latest', async () => {
    const { broker, service } = await begin()
    await service.applyTables([{ ...config, startOffset: 'latest' }])
    await waitFor(() => service.status()[0]?.state === 'waiting')
    const { topic } = await broker.catalog.createTopic('orders', 1, {})
    await appendToLog(broker, topic.topicId, 0, [orders(0, 3)])
    await untilPublished(broker, 3n)
  })

  it('claims its partitions ever more rarely while their topic is there for some brokers only', async () => {
    const broker = await startBroker()
    started.push(broker)
    await broker.catalog.createTopic('orders', 1, {})
    const local = broker.broker.localSource()
    let readerCount = 0
    const source: RecordSource = {
      describeTopic: topic => local.describeTopic(topic),
      partitionStates: (topic, partitions) => local.partitionStates(topic, partitions),
      openReader() {
        readerCount++
        const reader = local.openReader()
        return { ...reader, fetch: (_, parts, options) => reader.fetch('not-here', parts, options) }
      },
      close: () => local.close(),
    }
    const service = openIngest(broker, { source })
    started.push({ stop: () => service.close() })
    const startedMs = systemClock.monotonicMs()
    await service.applyTables([config])
    await waitFor(() => readerCount === 3)
    // 200 ms after the first, 400 ms after the second.
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThan(550)
    expect(service.status()[0]).toMatchObject({ state: 'restarting', reason: 'topic orders is gone' })
  })

  it('stops in front of a record that does not fit when told to, with the rows before it committed', async () => {
    const { broker, service } = await begin()
    await broker.catalog.createTopic('orders', 1, {})
    await service.applyTables([{ ...config, deadLetterMode: 'stop' }])
    await produce(broker, [order(1), order(2), 'nonsense', order(3)])
    await waitFor(async () => (await broker.catalog.tableByName('floe__orders'))?.state === 'stopped')
    const table = await broker.catalog.tableByName('floe__orders')
    expect(table?.stoppedReason).toMatch(/^the record at offset 2 of partition 0 of topic orders does not fit: /)
    expect(table?.rowCount).toBe(2n)
  })

  const orders = (first: number, count: number): Uint8Array =>
    batch(
      first,
      Array.from({ length: count }, (_, index) => record(order(first + index))),
      { codec: 'zstd' },
    )

  it('accounts for records that it was told to drop', async () => {
    const { broker, service } = await begin()
    const { topic } = await broker.catalog.createTopic('orders', 1, {})
    await appendToLog(broker, topic.topicId, 0, [batch(0, [record(order(0)), record('{'), record(order(2))])])
    await service.applyTables([{ ...config, deadLetterMode: 'skip' }])
    await untilPublished(broker, 2n)
    const report = await verifyTable({ catalog: broker.catalog, store: broker.store }, 'floe__orders')
    expect(report.proved).toBe(true)
    expect(report.partitions).toMatchObject([{ start: 0n, end: 3n, rows: 2n, rejected: 1n, deadLetters: 0n }])
  })

  it('goes on behind batches that cannot be read, and proves the table', async () => {
    const { broker, service } = await begin()
    const { topic } = await broker.catalog.createTopic('orders', 2, {})
    // The second goes bad when thousands of its rows are encoded already.
    const poisoned = [orders(0, 3), cutPayload(orders(3, 7)), orders(10, 2), bendRecord(orders(12, 40_000), 39_000)]
    await appendToLog(broker, topic.topicId, 0, [...poisoned, orders(40_012, 5)])
    await appendToLog(broker, topic.topicId, 1, [orders(0, 4)])
    await service.applyTables([config])
    await untilPublished(broker, 14n)

    const report = await verifyTable({ catalog: broker.catalog, store: broker.store }, 'floe__orders')
    expect(report).toMatchObject({ proved: true, problems: [], rows: 14n, deadLetters: 2n })
    const table = await broker.catalog.tableByName('floe__orders')
    expect(await broker.catalog.sourceCoverage(table!.tableId)).toMatchObject([
      { partition: 0, start: 0n, end: 40_017n, written: 10n, rejected: 40_007n, control: 0n },
      { partition: 1, start: 0n, end: 4n, written: 4n, rejected: 0n },
    ])
  })

  it('stops in front of a batch that cannot be read when told to', async () => {
    const { broker, service } = await begin()
    const { topic } = await broker.catalog.createTopic('orders', 1, {})
    await appendToLog(broker, topic.topicId, 0, [orders(0, 3), bendRecord(orders(3, 7), 5), orders(10, 2)])
    await service.applyTables([{ ...config, deadLetterMode: 'stop' }])
    await waitFor(async () => (await broker.catalog.tableByName('floe__orders'))?.state === 'stopped')
    const table = await broker.catalog.tableByName('floe__orders')
    expect(table?.stoppedReason).toMatch(
      /^partition 0 of topic orders: the record batch of offsets 3 to 9 cannot be read: zstd records: record 5: .*dlq_mode: capture/,
    )
    expect(table?.rowCount).toBe(3n)
  })

  it('waits for a topic that does not exist yet, and notices one that was created again', async () => {
    const { broker, service } = await begin()
    await service.applyTables([config])
    await waitFor(async () => service.status()[0]?.state === 'waiting')
    const { topic } = await broker.catalog.createTopic('orders', 1, {})
    await produce(broker, [order(1)])
    await untilPublished(broker, 1n)
    await broker.catalog.deleteTopic(topic.topicId)
    await broker.catalog.createTopic('orders', 1, {})
    await waitFor(async () => (await broker.catalog.tableByName('floe__orders'))?.state === 'stopped')
    expect(service.status()[0]?.reason).toMatch(/^topic orders was deleted and created again/)
    expect((await broker.catalog.tableByName('floe__orders'))?.rowCount).toBe(1n)
  })

  it('publishes nothing from a store that was moved, and says where it was', async () => {
    await withTemporaryDirectory(async parent => {
      const [before, after] = [join(parent, 'before'), join(parent, 'after')]
      const first = await startBroker({ directory: before, flushIntervalMs: 5 })
      await first.catalog.createTopic('orders', 1, {})
      const service = openIngest(first)
      await service.applyTables([config])
      await produce(first, [order(1)])
      await untilPublished(first, 1n)
      await service.close()
      await first.stop()

      await rename(before, after)
      const broker = await startBroker({ directory: after, flushIntervalMs: 5 })
      const moved = openIngest(broker)
      await moved.applyTables([config])
      await produce(broker, [order(2)])
      await waitFor(() => moved.status()[0]?.publishFailure !== undefined)
      expect(moved.status()[0]?.publishFailure).toMatch(
        /^table floe__orders was published at file:.*\/before\/tables\/.* and its store is now at file:.*\/after\/.*: move it back/,
      )
      expect((await broker.catalog.tableByName('floe__orders'))?.published?.rowCount).toBe(1n)
      await moved.close()
      await broker.stop()
    })
  })
})
