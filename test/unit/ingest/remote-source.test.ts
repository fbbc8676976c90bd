/** A remote cluster (here another broker of ours, through sockets) that many readers read at once, each at a place of its own. */
import { afterEach, expect, it } from 'vitest'
import { createRemoteSource } from '../../../ingest/sources/remote-source.ts'
import type { TableIngestConfig } from '../../../ingest/table-config.ts'
import { findWholeBatches } from '../../../ingest/whole-batches.ts'
import type { RecordSource } from '../../../kafka/record-source.ts'
import { numberedTable } from '../../support/numbered-table.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { type StartedBroker, startBroker } from '../../support/start-broker.ts'
import { appendToLog } from '../../support/unreadable-batches.ts'
import { waitFor } from '../../support/wait-for.ts'
import { batch, record } from './worker/fixtures.ts'

const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})

async function begin(): Promise<StartedBroker> {
  const broker = await startBroker({ flushIntervalMs: 5 })
  started.push(broker)
  return broker
}

function openSource({ host, port }: StartedBroker): RecordSource {
  const source = createRemoteSource({ name: 'peer', bootstrapBrokers: [{ hostname: host, port }] })
  started.push({ stop: () => source.close() })
  return source
}

async function createTopic({ catalog }: StartedBroker, topic: string): Promise<string> {
  return (await catalog.createTopic(topic, 1, {})).topic.topicId
}

async function append(broker: StartedBroker, topicId: string, count: number): Promise<void> {
  const batches = Array.from({ length: count }, (_, n) => batch(0, [record({ session: 's', n, weight: 1 })]))
  await appendToLog(broker, topicId, 0, batches)
}

it('gives each of several tables over one topic every record, wherever the others are', async () => {
  const upstream = await begin()
  const topicId = await createTopic(upstream, 'shared')
  const floe = await begin()
  const service = openIngest(floe, { source: openSource(upstream) })
  started.push({ stop: () => service.close() })
  const tables = ['one', 'two', 'three'].map((name): TableIngestConfig => {
    const config = numberedTable('shared', { freshnessMs: 20 })
    return { ...config, definition: { ...config.definition, name } }
  })
  const coverageOf = async (name: string) => {
    const table = await floe.catalog.tableByName(name)
    return table && (await floe.catalog.sourceCoverage(table.tableId))[0]
  }
  let produced = 0n
  for (const table of tables) {
    for (let round = 0; round < 40; round++) {
      if (round === 20) await service.applyTables([table])
      await append(upstream, topicId, 5)
      produced += 5n
    }
  }
  for (const { definition } of tables) {
    await waitFor(async () => (await coverageOf(definition.name))?.end === produced)
    expect(await coverageOf(definition.name)).toMatchObject({ written: produced, control: 0n, start: 0n })
  }
})

it('lets no reader wait for the long poll of another one', async () => {
  const upstream = await begin()
  await createTopic(upstream, 'idle')
  await append(upstream, await createTopic(upstream, 'busy'), 1)
  const source = openSource(upstream)
  const abort = new AbortController()
  const options = { waitMsMax: 600_000, bytesMin: 1, bytesMax: 1_000_000 }
  const parts = [{ partition: 0, offset: 0n, bytesMax: 1_000_000 }]
  const idle = source.openReader().fetch('idle', parts, { ...options, signal: abort.signal })
  const [fetched] = await source.openReader().fetch('busy', parts, options)
  expect(findWholeBatches(fetched!.batches, 0n).end).toBe(1n)
  abort.abort(new Error('enough'))
  await expect(idle).rejects.toThrow('enough')
})
