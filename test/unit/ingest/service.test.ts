import { Producer, stringSerializers } from '@platformatic/kafka'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { IngestService } from '../../../ingest/service.ts'
import type { TableIngestConfig } from '../../../ingest/table-config.ts'
import { verifyTable } from '../../../ingest/verify/verify-table.ts'
import { createInlinePool } from '../../../ingest/worker/builder-pool.ts'
import { provenanceField } from '../../../table/provenance.ts'
import { primitive } from '../../../table/types.ts'
import { type StartedBroker, startBroker } from '../../support/start-broker.ts'
import { waitFor } from '../../support/wait-for.ts'

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
  const source = broker.broker.localSource()
  const service = new IngestService({
    catalog: broker.catalog,
    store: broker.store,
    sources: () => source,
    pool: createInlinePool(),
    clock: systemClock,
    log: silentLog,
  })
  started.push({ stop: () => service.close() })
  return service
}

async function produce(broker: StartedBroker, values: readonly string[]): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [broker.address],
    serializers: stringSerializers,
  })
  await producer.send({ messages: values.map((value, index) => ({ topic: 'orders', key: `k${index}`, value })) })
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
})
