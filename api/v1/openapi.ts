/** The OpenAPI description of /api/v1, kept by hand beside routes.ts and views.ts (a test compares the paths). */
const text = { type: 'string' } as const
/** 64-bit: most readers of JSON numbers would round it. */
const digits = { type: 'string', pattern: '^-?\\d+$' } as const
const count = { type: 'integer', minimum: 0 } as const
const time = { type: 'string', format: 'date-time' } as const
const orNull = (schema: object): object => ({ oneOf: [schema, { type: 'null' }] })
const listOf = (items: object): object => ({ type: 'array', items })
const object = (properties: Readonly<Record<string, object>>): object => ({ type: 'object', properties })
const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` })
const named = { name: 'name', in: 'path', required: true, schema: text }
const answer = (schema: object): object => ({
  200: { description: 'OK', content: { 'application/json': { schema } } },
  default: { description: 'What went wrong', content: { 'application/json': { schema: ref('Error') } } },
})
const get = (summary: string, schema: object, parameters: readonly object[] = []): object => ({
  get: { summary, parameters, responses: answer(schema), security: [{}, { token: [] }] },
})

const version = object({
  version: count,
  published: time,
  icebergSnapshot: orNull(digits),
  icebergMetadata: text,
  deltaVersion: count,
  rows: digits,
})
const table = {
  name: text,
  tableUuid: text,
  created: time,
  source: object({ cluster: text, topic: text }),
  location: text,
  state: { enum: ['running', 'stopped'] },
  reason: orNull(text),
  rows: digits,
  files: count,
  fileBytes: digits,
  deadLetters: digits,
  published: orNull(ref('Version')),
  ingest: orNull(object({ state: text, reason: orNull(text), lagRecords: digits, publishFailure: orNull(text) })),
}
const coverageFields = {
  partition: count,
  generation: count,
  topicId: text,
  start: digits,
  end: digits,
  written: digits,
  filtered: digits,
  rejected: digits,
  control: digits,
  gap: digits,
  newest: orNull(time),
}

export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Floe',
    version: '1',
    description: 'What Floe knows of topics and tables. Read-only. 64-bit numbers are strings of digits.',
  },
  servers: [{ url: '/api/v1' }],
  paths: {
    '/openapi.json': get('This description', { type: 'object' }),
    '/status': get(
      'The program and its totals',
      object({
        version: text,
        clusterId: text,
        uptimeSeconds: count,
        store: text,
        topics: count,
        tables: count,
        rows: digits,
        deadLetters: digits,
      }),
    ),
    '/topics': get('Topics of the included broker', object({ topics: listOf(ref('Topic')) })),
    '/topics/{name}': get('One topic', ref('Topic'), [named]),
    '/tables': get('Tables', object({ tables: listOf(ref('Table')) })),
    '/tables/{name}': get(
      'One table: columns, account of every source partition, published versions',
      ref('TableDetail'),
      [named],
    ),
    '/tables/{name}/dead-letters': get(
      'Files of records that did not fit, oldest first',
      object({
        table: text,
        deadLetters: digits,
        files: listOf(object({ path: text, records: count, bytes: count, committed: time })),
      }),
      [
        named,
        { name: 'skip', in: 'query', schema: count },
        { name: 'limit', in: 'query', schema: { ...count, maximum: 1000, default: 100 } },
      ],
    ),
  },
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Error: object({ error: object({ code: text, message: text }) }),
      Topic: object({
        name: text,
        topicId: text,
        configs: { type: 'object', additionalProperties: text },
        partitions: listOf(object({ partition: count, logStartOffset: digits, highWatermark: digits })),
        records: digits,
      }),
      Version: version,
      Table: object(table),
      TableDetail: object({
        ...table,
        columns: listOf(object({ id: count, name: text, type: text, required: { type: 'boolean' }, doc: text })),
        partitionBy: listOf(text),
        settings: {},
        coverage: listOf(object(coverageFields)),
        closedGenerations: listOf(object({ ...coverageFields, closed: time })),
        versions: listOf(ref('Version')),
      }),
    },
  },
} as const
