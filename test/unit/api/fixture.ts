/** A catalog of one topic and two tables, one of them published twice, over a memory store that holds its metadata. */
import { Registry } from 'prom-client'
import { type AppParts, createApp } from '../../../api/app.ts'
import type { CatalogFacts } from '../../../api/v1/views.ts'
import type { PublishedVersion, Table } from '../../../catalog/client.ts'
import { tableFolder } from '../../../catalog/object-names.ts'
import { systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { Schema } from '../../../table/types.ts'

export const bigSnapshotId = 9_007_199_254_740_993n
export const metadataPath = 'metadata/00001-a.metadata.json'
/** A number beyond 2^53 that JSON.parse would round, and spacing of its own. */
export const metadataText = `{ "format-version": 2, "current-snapshot-id": ${bigSnapshotId} }`

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'a', required: false, type: { kind: 'decimal', precision: 9, scale: 2 }, doc: 'amount' }],
}
const version: PublishedVersion = {
  version: 1,
  timestampMs: 1_700_000_000_000,
  snapshotId: bigSnapshotId,
  fileSequence: 3,
  icebergMetadataPath: metadataPath,
  deltaVersion: 1,
  rowCount: 12n,
  completedMs: 1_700_000_000_500,
}

export function makeTable(name: string, published: PublishedVersion | undefined): Table {
  return {
    tableId: 1,
    tableUuid: '0b1c2d3e-0000-4000-8000-000000000001',
    createdMs: 1_699_999_999_000,
    definition: {
      name,
      source: { clusterName: 'floe', topic: 'orders' },
      schema,
      spec: { specId: 0, fields: [{ sourceId: 1, fieldId: 1000, name: 'a', transform: 'identity' }] },
      properties: {},
      settings: '{"format":"json"}',
    },
    schemas: [schema],
    state: published === undefined ? 'stopped' : 'running',
    stoppedReason: published === undefined ? 'the topic orders was deleted' : undefined,
    fileCount: 2,
    rowCount: 12n,
    fileBytes: 5_000_000_000n,
    deadLetterCount: 3n,
    fileSequence: 3,
    published,
  }
}

export interface Fixture {
  readonly app: ReturnType<typeof createApp>
  readonly store: MemoryStore
  readonly tables: Table[]
  readonly registry: Registry
}

export async function makeFixture(options: Partial<AppParts> = {}): Promise<Fixture> {
  const store = new MemoryStore(systemClock)
  const published = makeTable('floe__orders', version)
  const tables = [published, makeTable('floe__waiting', undefined)]
  await store.put(
    `${tableFolder('floe__orders', published.tableUuid)}/${metadataPath}`,
    new TextEncoder().encode(`${metadataText}\n`),
  )
  const topic = { topicId: '0b1c2d3e-0000-4000-8000-00000000000a', name: 'orders', partitionCount: 2, configs: {} }
  const catalog: CatalogFacts = {
    clusterId: async () => 'c1',
    topics: async () => [topic],
    topicByName: async name => (name === topic.name ? topic : undefined),
    partitionStates: async partitions =>
      partitions.map(({ partition }) => ({
        logStartOffset: 5n,
        highWatermark: BigInt(10 * (partition + 1)),
        lastStableOffset: BigInt(10 * (partition + 1)),
      })),
    tables: async () => tables,
    tableByName: async name => tables.find(table => table.definition.name === name),
    sourceCoverage: async () => [
      {
        partition: 0,
        topicId: topic.topicId,
        start: 0n,
        end: 15n,
        written: 12n,
        filtered: 0n,
        rejected: 3n,
        control: 0n,
        gap: 0n,
        maxTimestampMs: 1_700_000_000_000,
        ownerEpoch: 4,
      },
    ],
    closedGenerations: async () => [
      {
        partition: 0,
        generation: 1,
        topicId: undefined,
        start: 2n,
        end: 9n,
        written: 5n,
        filtered: 0n,
        rejected: 0n,
        control: 0n,
        gap: 2n,
        maxTimestampMs: -1,
        fileSequence: 3,
        deadLetterFileCount: 0,
        closedMs: 1_700_000_000_000,
      },
    ],
    publishedVersions: async () => [version],
    deadLetterFiles: async (_tableId, skip, limit) =>
      [
        { path: 'dead-letters/000000000001-0.parquet', recordCount: 3, fileBytes: 900, committedMs: 1_700_000_000_000 },
      ].slice(skip, skip + limit),
  }
  const registry = new Registry()
  const app = createApp({
    catalog,
    store,
    storage: { uri: store.uri, endpoint: undefined, region: undefined, pathStyle: false, credentials: undefined },
    registry,
    log: silentLog,
    version: '0.1.0',
    bearerToken: undefined,
    uptimeMs: () => 61_500,
    ingestStatus: () => [
      {
        table: 'floe__orders',
        state: 'running',
        reason: undefined,
        lagRecords: 7n,
        rowsCommitted: 12,
        recordsRejected: 3,
        valueBytes: 400,
        commitCount: 2,
        publishFailure: undefined,
      },
    ],
    notReadyReason: () => undefined,
    ...options,
  })
  return { app, store, tables, registry }
}
