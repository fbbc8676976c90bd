import { collectDefaultMetrics } from 'prom-client'
import { expect, test } from 'vitest'
import { registerMetrics } from '../../../api/metrics.ts'
import { openApiDocument } from '../../../api/v1/openapi.ts'
import { BrokerMetrics } from '../../../broker/metrics.ts'
import { makeFixture } from './fixture.ts'

const version = {
  version: 1,
  published: '2023-11-14T22:13:20.500Z',
  icebergSnapshot: '9007199254740993',
  icebergMetadata: 'metadata/00001-a.metadata.json',
  deltaVersion: 1,
  rows: '12',
}

test('status, topics and tables are told with exact numbers', async () => {
  const { app, store } = await makeFixture()
  expect((await app.inject('/api/v1/status')).json()).toEqual({
    version: '0.1.0',
    clusterId: 'c1',
    uptimeSeconds: 61,
    store: store.uri,
    topics: 1,
    tables: 2,
    rows: '24',
    deadLetters: '6',
  })
  const topic = {
    name: 'orders',
    topicId: '0b1c2d3e-0000-4000-8000-00000000000a',
    configs: {},
    partitions: [
      { partition: 0, logStartOffset: '5', highWatermark: '10' },
      { partition: 1, logStartOffset: '5', highWatermark: '20' },
    ],
    records: '20',
  }
  expect((await app.inject('/api/v1/topics')).json()).toEqual({ topics: [topic] })
  expect((await app.inject('/api/v1/topics/orders')).json()).toEqual(topic)
  const { tables } = (await app.inject('/api/v1/tables')).json()
  expect(tables).toHaveLength(2)
  expect(tables[0]).toEqual({
    name: 'floe__orders',
    tableUuid: '0b1c2d3e-0000-4000-8000-000000000001',
    created: '2023-11-14T22:13:19.000Z',
    source: { cluster: 'floe', topic: 'orders' },
    location: `${store.uri}/tables/floe__orders-0b1c2d3e`,
    state: 'running',
    reason: null,
    rows: '12',
    files: 2,
    fileBytes: '5000000000',
    deadLetters: '3',
    published: version,
    ingest: { state: 'running', reason: null, lagRecords: '7', publishFailure: null },
  })
  expect(tables[1]).toMatchObject({
    state: 'stopped',
    reason: 'the topic orders was deleted',
    published: null,
    ingest: null,
  })
})

test('one table is told with its columns, account and versions', async () => {
  const { app } = await makeFixture()
  expect((await app.inject('/api/v1/tables/floe__orders')).json()).toMatchObject({
    columns: [{ id: 1, name: 'a', type: 'decimal(9,2)', required: false, doc: 'amount' }],
    partitionBy: ['a'],
    settings: { format: 'json' },
    coverage: [
      {
        partition: 0,
        generation: 2,
        start: '0',
        end: '15',
        written: '12',
        rejected: '3',
        newest: '2023-11-14T22:13:20.000Z',
      },
    ],
    closedGenerations: [
      {
        partition: 0,
        generation: 1,
        start: '2',
        end: '9',
        written: '5',
        gap: '2',
        newest: null,
        closed: '2023-11-14T22:13:20.000Z',
      },
    ],
    versions: [version],
  })
  expect((await app.inject('/api/v1/tables/floe__orders/dead-letters?limit=1')).json()).toEqual({
    table: 'floe__orders',
    deadLetters: '3',
    files: [
      { path: 'dead-letters/000000000001-0.parquet', records: 3, bytes: 900, committed: '2023-11-14T22:13:20.000Z' },
    ],
  })
  expect((await app.inject('/api/v1/tables/floe__orders/dead-letters?skip=1')).json().files).toEqual([])
})

test.each([
  ['/api/v1/tables/no', 404, 'unknown-table', 'there is no table no; tables: floe__orders, floe__waiting'],
  ['/api/v1/tables/floe_orders', 404, 'unknown-table', 'there is no table floe_orders; did you mean `floe__orders`?'],
  ['/api/v1/topics/no', 404, 'unknown-topic', 'there is no topic no; topics: orders'],
  ['/api/v1/nothing', 404, 'unknown-path', 'there is nothing at GET /api/v1/nothing'],
  [
    '/api/v1/tables/floe__orders/dead-letters?limit=x',
    400,
    'parameter-invalid',
    'limit must be a whole number, not "x"',
  ],
] as const)('GET %s answers %i', async (url, status, code, message) => {
  const response = await (await makeFixture()).app.inject(url)
  expect([response.statusCode, response.json()]).toEqual([status, { error: { code, message } }])
})

test('the token guards /api/v1 and not health', async () => {
  const { app } = await makeFixture({ bearerToken: 't', notReadyReason: () => 'the catalog is being recovered' })
  const refused = await app.inject('/api/v1/status')
  expect([refused.statusCode, refused.json().error.code]).toEqual([401, 'not-authorized'])
  const headers = { authorization: 'Bearer t' }
  expect((await app.inject({ url: '/api/v1/status', headers })).statusCode).toBe(200)
  expect((await app.inject('/healthz')).body).toBe('ok\n')
  const ready = await app.inject('/readyz')
  expect([ready.statusCode, ready.body]).toEqual([503, 'the catalog is being recovered\n'])
})

test('the OpenAPI description names exactly the routes there are', async () => {
  const { app } = await makeFixture()
  const routes: string[] = []
  app.addHook('onRoute', ({ url }) => {
    if (url.startsWith('/api/v1/')) routes.push(url.slice('/api/v1'.length).replace(':name', '{name}'))
  })
  await app.ready()
  const described = Object.keys(openApiDocument.paths).sort()
  for (const path of described) {
    const url = `/api/v1${path.replace('{name}', path.startsWith('/topics') ? 'orders' : 'floe__orders')}`
    expect((await app.inject(url)).statusCode, url).toBe(200)
  }
  expect(routes.sort()).toEqual(described)
})

test('metrics are read from the counters when asked, and again the next time', async () => {
  const { app, registry, tables } = await makeFixture()
  const broker = new BrokerMetrics()
  const rows = [
    { kind: 'put', purpose: 'segment', requests: 3, failures: 1, bytesWritten: 9, bytesRead: 0, usd: 0.5 },
  ] as const
  collectDefaultMetrics({ register: registry })
  registerMetrics({
    registry,
    broker,
    catalog: { tables: async () => tables },
    store: { snapshot: () => [...rows] },
    ingestStatus: () => [],
  })
  broker.recordsProduced = 5
  broker.countRequest('Produce')
  const first = (await app.inject('/metrics')).body
  expect(first).toContain('floe_broker_produced_records_total 5\n')
  expect(first).toContain('floe_broker_requests_total{api="Produce"} 1\n')
  expect(first).toContain('floe_store_requests_total{kind="put",purpose="segment"} 3\n')
  expect(first).toContain('floe_table_rows{table="floe__orders"} 12\n')
  expect(first).toContain('floe_table_published_version{table="floe__orders"} 1\n')
  expect(first).toContain('process_cpu_seconds_total')
  broker.recordsProduced = 8
  expect((await app.inject('/metrics')).body).toContain('floe_broker_produced_records_total 8\n')
})
