/**
 * What /metrics shows. Modules count in plain numbers; they are read here when somebody asks, so that counting costs nothing.
 *
 * Names end in their unit (Prometheus naming); `_total` only grows while the process lives.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { BrokerMetrics } from '../broker/metrics.ts'
import type { TableIngestStatus } from '../ingest/service.ts'
import type { MeteredStore } from '../storage/metered-store.ts'
import type { CatalogFacts } from './v1/views.ts'

export interface MetricsParts {
  readonly registry: Registry
  readonly catalog: Pick<CatalogFacts, 'tables'>
  readonly store: Pick<MeteredStore, 'snapshot'>
  readonly broker: BrokerMetrics | undefined
  readonly ingestStatus: () => readonly TableIngestStatus[]
}

type BrokerNumber = { [K in keyof BrokerMetrics]: BrokerMetrics[K] extends number ? K : never }[keyof BrokerMetrics]

const brokerCounters: readonly (readonly [name: string, key: BrokerNumber, help: string])[] = [
  ['floe_broker_received_bytes_total', 'bytesIn', 'Bytes received from Kafka clients'],
  ['floe_broker_sent_bytes_total', 'bytesOut', 'Bytes sent to Kafka clients'],
  ['floe_broker_connections_opened_total', 'connectionsOpened', 'Client connections opened'],
  ['floe_broker_connections_closed_total', 'connectionsClosed', 'Client connections closed'],
  ['floe_broker_malformed_frames_total', 'malformedFrames', 'Requests that could not be read'],
  ['floe_broker_authentication_failures_total', 'authenticationFailures', 'Sign-ins refused'],
  ['floe_broker_produced_records_total', 'recordsProduced', 'Records acknowledged to producers'],
  ['floe_broker_produced_batches_total', 'batchesProduced', 'Record batches acknowledged to producers'],
  ['floe_broker_produced_bytes_total', 'batchBytesProduced', 'Bytes of record batches acknowledged to producers'],
  ['floe_broker_duplicate_batches_total', 'duplicateBatches', 'Batches sent again by idempotent producers'],
  ['floe_broker_refused_batches_total', 'batchesRefused', 'Batches refused'],
  ['floe_broker_flushes_total', 'flushes', 'Segment objects written'],
  ['floe_broker_flush_failures_total', 'flushFailures', 'Segment objects that could not be written'],
  ['floe_broker_segment_bytes_total', 'segmentBytes', 'Bytes of segment objects written'],
  ['floe_broker_fetches_total', 'fetches', 'Fetch requests answered'],
  ['floe_broker_fetched_bytes_total', 'fetchBytes', 'Bytes of record batches sent to consumers'],
  ['floe_broker_group_rebalances_total', 'groupRebalances', 'Consumer group rebalances'],
]

export function registerMetrics(parts: MetricsParts): void {
  const { registry, broker } = parts
  if (broker !== undefined) registerBrokerMetrics(registry, broker)
  registerStoreMetrics(registry, parts.store)
  registerTableMetrics(parts)
}

function registerBrokerMetrics(registry: Registry, broker: BrokerMetrics): void {
  for (const [name, key, help] of brokerCounters) {
    registerCounter(registry, name, help, [], counter => counter.inc(broker[key]))
  }
  registerCounter(registry, 'floe_broker_flush_seconds_total', 'Time spent writing segment objects', [], counter =>
    counter.inc(broker.flushMsSum / 1000),
  )
  registerCounter(registry, 'floe_broker_requests_total', 'Kafka requests, by API', ['api'], counter => {
    for (const [api, requests] of broker.requests) counter.inc({ api }, requests)
  })
  registerCounter(
    registry,
    'floe_broker_request_errors_total',
    'Kafka requests that failed, by API',
    ['api'],
    counter => {
      for (const [api, errors] of broker.requestErrors) counter.inc({ api }, errors)
    },
  )
  registerGauge(registry, 'floe_broker_request_bytes_held', 'Bytes of requests taken and not yet answered', [], gauge =>
    gauge.set(broker.requestBytesHeld),
  )
}

function registerStoreMetrics(registry: Registry, store: Pick<MeteredStore, 'snapshot'>): void {
  const labels = ['kind', 'purpose']
  const numbers = [
    ['floe_store_requests_total', 'Requests to the object store', 'requests'],
    ['floe_store_failures_total', 'Requests to the object store that failed', 'failures'],
    ['floe_store_written_bytes_total', 'Bytes written to the object store', 'bytesWritten'],
    ['floe_store_read_bytes_total', 'Bytes read from the object store', 'bytesRead'],
    ['floe_store_request_usd_total', 'Estimated price of the requests at S3 list prices', 'usd'],
  ] as const
  for (const [name, help, key] of numbers) {
    registerCounter(registry, name, help, labels, counter => {
      for (const row of store.snapshot()) counter.inc({ kind: row.kind, purpose: row.purpose }, row[key])
    })
  }
}

function registerTableMetrics({ registry, catalog, ingestStatus }: MetricsParts): void {
  const labels = ['table']
  registerGauge(registry, 'floe_table_rows', 'Rows committed', labels, async gauge => {
    for (const table of await catalog.tables()) gauge.set({ table: table.definition.name }, Number(table.rowCount))
  })
  registerGauge(registry, 'floe_table_files', 'Live data files', labels, async gauge => {
    for (const table of await catalog.tables()) gauge.set({ table: table.definition.name }, table.fileCount)
  })
  registerGauge(registry, 'floe_table_bytes', 'Bytes of live data files', labels, async gauge => {
    for (const table of await catalog.tables()) gauge.set({ table: table.definition.name }, Number(table.fileBytes))
  })
  registerGauge(registry, 'floe_table_dead_letters', 'Records that did not fit', labels, async gauge => {
    for (const table of await catalog.tables())
      gauge.set({ table: table.definition.name }, Number(table.deadLetterCount))
  })
  registerGauge(registry, 'floe_table_published_version', 'Newest published version', labels, async gauge => {
    for (const { definition, published } of await catalog.tables()) {
      if (published !== undefined) gauge.set({ table: definition.name }, published.version)
    }
  })
  registerGauge(registry, 'floe_table_published_timestamp_seconds', 'When it was published', labels, async gauge => {
    for (const { definition, published } of await catalog.tables()) {
      if (published !== undefined) gauge.set({ table: definition.name }, published.completedMs / 1000)
    }
  })
  registerGauge(registry, 'floe_table_lag_records', 'Records in the topic not yet read', labels, gauge => {
    for (const status of ingestStatus()) gauge.set({ table: status.table }, Number(status.lagRecords))
  })
  registerGauge(registry, 'floe_table_running', '1 while the table ingests, 0 when it stopped', labels, gauge => {
    for (const status of ingestStatus()) gauge.set({ table: status.table }, status.state === 'running' ? 1 : 0)
  })
  registerCounter(registry, 'floe_ingest_value_bytes_total', 'Bytes of record values decoded', labels, counter => {
    for (const status of ingestStatus()) counter.inc({ table: status.table }, status.valueBytes)
  })
  registerCounter(registry, 'floe_ingest_commits_total', 'Commits of data files', labels, counter => {
    for (const status of ingestStatus()) counter.inc({ table: status.table }, status.commitCount)
  })
}

type Labels = readonly string[]

function registerCounter(
  registry: Registry,
  name: string,
  help: string,
  labels: Labels,
  read: (counter: Counter) => void | Promise<void>,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      this.reset()
      await read(this)
    },
  })
}

function registerGauge(
  registry: Registry,
  name: string,
  help: string,
  labels: Labels,
  read: (gauge: Gauge) => void | Promise<void>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      this.reset()
      await read(this)
    },
  })
}
