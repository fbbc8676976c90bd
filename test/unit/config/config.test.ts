import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatProblems, parseConfig, type ValidatedConfig } from '../../../config/config.ts'
import { renderJsonSchema } from '../../../config/json-schema.ts'
import { replaceReference } from '../../../config/reference.ts'

const readText = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

function parseValid(text: string): ValidatedConfig {
  const result = parseConfig(text, 'floe.yaml')
  if (result.outcome === 'invalid') throw new Error(formatProblems(result))
  return result.config
}

function problemsOf(text: string): string[] {
  const result = parseConfig(text, 'floe.yaml')
  return result.outcome === 'invalid' ? formatProblems(result).split('\n') : []
}

test('the two example tables of the seed run as they are printed', () => {
  const { clusters, tables } = parseValid(readText('examples/seed.yaml'))
  expect(clusters).toEqual([
    {
      name: 'benchmark',
      bootstrapBrokers: [{ hostname: 'localhost', port: 9092 }],
      credentials: {
        saslUsernameEnv: 'YOUR_SASL_USERNAME',
        saslPasswordEnv: 'YOUR_SASL_PASSWORD',
        saslMechanism: 'plain',
        useTls: false,
        tlsCaFile: undefined,
        tlsCertFile: undefined,
        tlsKeyFile: undefined,
      },
    },
  ])
  expect(tables.map(table => table.name)).toEqual([
    'benchmark__example_json_logs_topic',
    'benchmark__example_avro_events_topic',
  ])
  expect(tables[0]?.fields?.map(field => [field.id, field.name])).toEqual([
    [1, 'environment'],
    [2, 'service'],
    [3, 'status'],
    [4, 'message'],
  ])
  expect(tables[1]?.fields?.[3]).toEqual({
    id: 4,
    name: 'profile',
    required: false,
    type: {
      kind: 'struct',
      fields: [
        { id: 5, name: 'country', required: false, type: { kind: 'primitive', name: 'string' } },
        { id: 6, name: 'language', required: false, type: { kind: 'primitive', name: 'string' } },
      ],
    },
  })
  expect(tables[1]).toMatchObject({ sourceFormat: 'avro', wireFormat: 'raw', freshnessMs: 10_000, dlqMode: 'capture' })
})

test('an empty file is the defaults and no tables', () => {
  for (const text of ['', '# nothing\n', '{}', '---\n']) {
    const { server, clusters, tables } = parseValid(text)
    expect([clusters, tables]).toEqual([[], []])
    expect(server.kafka).toMatchObject({ hostname: '127.0.0.1', port: 9092 })
    expect(server.broker).toMatchObject({ flushIntervalMs: 250, flushSizeBytes: 4 * 2 ** 20 })
  }
})

test('ids left out are numbered depth first after the largest one given', () => {
  const { tables } = parseValid(`
tables:
  - source_cluster_name: floe
    source_topic: t
    source_format: json
    schema:
      fields:
        - { name: a, type: string }
        - { name: b, type: struct, fields: [{ name: c, type: long, id: 40 }, { name: d, type: "decimal( 9 , 2 )" }] }
        - { name: e, type: list, element: { type: list, element: string } }
        - { name: f, type: map, value: { type: decimal, precision: 4, scale: 1, required: true }, doc: "" }
`)
  expect(tables[0]?.fields).toEqual([
    { id: 41, name: 'a', required: false, type: { kind: 'primitive', name: 'string' } },
    {
      id: 42,
      name: 'b',
      required: false,
      type: {
        kind: 'struct',
        fields: [
          { id: 40, name: 'c', required: false, type: { kind: 'primitive', name: 'long' } },
          { id: 43, name: 'd', required: false, type: { kind: 'decimal', precision: 9, scale: 2 } },
        ],
      },
    },
    {
      id: 44,
      name: 'e',
      required: false,
      type: {
        kind: 'list',
        elementId: 45,
        elementRequired: false,
        element: {
          kind: 'list',
          elementId: 46,
          elementRequired: false,
          element: { kind: 'primitive', name: 'string' },
        },
      },
    },
    {
      id: 47,
      name: 'f',
      required: false,
      doc: '',
      type: {
        kind: 'map',
        keyId: 48,
        key: { kind: 'primitive', name: 'string' },
        valueId: 49,
        valueRequired: true,
        value: { kind: 'decimal', precision: 4, scale: 1 },
      },
    },
  ])
})

test('settings beside the tables are read with their units, and aliases are followed', () => {
  const { server, tables } = parseValid(`
destination_bucket_url: s3://lake/floe?region=eu-central-1
storage: { endpoint: "http://localhost:9000", path_style: true, access_key_id_env: ID, secret_access_key_env: KEY }
broker: { flush_interval: 5ms, flush_size: 512 KiB, connections_max: 10 }
http:
tables:
  - &base
    source_cluster_name: floe
    source_topic: web.clicks-eu
    source_format: json
    freshness: 1.5s
    target_file_size: 64MB
    schema: &columns { fields: [{ name: at, type: timestamptz }, { name: in, type: struct, fields: [{ name: x, type: int }] }] }
    partition_by: [hour(at), in.x, day(floe.timestamp)]
  - { source_cluster_name: floe, source_topic: b, source_format: json, schema: *columns, partitioning_scheme: day, table_name: other }
  - { source_cluster_name: floe, source_topic: c, source_format: protobuf, wire_format: confluent, input_schema: 'message M {}', message: M }
`)
  expect(server.destinationBucketUrl).toBe('s3://lake/floe?region=eu-central-1')
  expect(server.storage).toMatchObject({ endpoint: 'http://localhost:9000', pathStyle: true, accessKeyIdEnv: 'ID' })
  expect(server.broker).toMatchObject({ flushIntervalMs: 5, flushSizeBytes: 524_288, connectionsMax: 10 })
  expect(tables[0]).toMatchObject({ name: 'floe__web_clicks_eu', freshnessMs: 1500, targetFileSizeBytes: 64_000_000 })
  expect(tables[0]?.partitionBy).toEqual([
    { transform: 'hour', column: 'at' },
    { transform: 'identity', column: 'in.x' },
    { transform: 'day', column: 'floe.timestamp' },
  ])
  expect(tables[1]).toMatchObject({ name: 'other', partitionBy: [{ transform: 'day', column: 'floe.timestamp' }] })
  expect(tables[1]?.fields).toEqual(tables[0]?.fields)
  expect(tables[2]).toMatchObject({ fields: undefined, inputSchema: 'message M {}', message: 'M' })
})

/** A table that is right; `more` and `fields` are the place of the mistake (lines 2 and 7 of the file). */
const tableWith = (more: string, fields = '- { name: a, type: string }'): string =>
  `tables:\n  - ${more}\n    source_cluster_name: floe\n    source_format: json\n    schema:\n      fields:\n        ${fields}\n`
const topic = 'source_topic: t'

const mistakes: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'text that is no YAML',
    'tables: [',
    [
      'floe.yaml:1:10: is indented wrongly: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ],
  ['a scalar for a file', 'hello', ['floe.yaml:1:1: must begin with keys such as `tables:`']],
  ['a list for a file', '- a', ['floe.yaml:1:1: must begin with keys such as `tables:`']],
  ['tabs', 'tables:\n\t- a: 1', ['floe.yaml:2:1: is indented with a tab: YAML takes spaces only']],
  [
    'two documents',
    'tables: []\n---\ntables: []',
    ['floe.yaml:2:1: holds more than one YAML document: keep one (remove the line `---`)'],
  ],
  ['a tag', 'data_dir: !env HOME', ['floe.yaml:1:11: has a tag (`!name`), which Floe does not use: remove it']],
  ['an alias without anchor', 'data_dir: *x', ['floe.yaml:1:11: the alias *x names no anchor before it']],
  [
    'a key twice',
    'data_dir: a\ndata_dir: b',
    ['floe.yaml:2:1: the key "data_dir" stands here a second time: keep one of the two'],
  ],
  ['a key that is a list', '? [a]\n: b', ['floe.yaml:1:3: a key must be plain text']],
  [
    'an unknown key near a known one',
    'sorce_clusters: []',
    ['floe.yaml:1:1: sorce_clusters: unknown key; did you mean `source_clusters`?'],
  ],
  [
    'a decimal without quotes in a flow mapping',
    `tables: [ { source_cluster_name: floe, source_topic: t, source_format: json, schema: { fields: [
  { name: price, type: decimal(10,2) } ] } } ]`,
    [
      'floe.yaml:2:35: tables[0].schema.fields[0].2): a comma ends a value in { }: put it in quotes, such as "decimal(10,2)"',
    ],
  ],
  [
    'an unknown key near none',
    'http: { color: red }',
    ['floe.yaml:1:9: http.color: unknown key: use hostname, port, bearer_token_env'],
  ],
  [
    'a bucket under a cluster',
    'source_clusters:\n  - { name: a, bootstrap_brokers: [{ hostname: h }], destination_bucket_url: "s3://b" }',
    [
      'floe.yaml:2:54: source_clusters[0].destination_bucket_url: unknown key: use name, bootstrap_brokers, credentials',
    ],
  ],
  ['a key of several lines', '? |\n tables\n: []', ['floe.yaml:1:3: tables : unknown key; did you mean `tables`?']],
  [
    'a wrong bucket',
    'destination_bucket_url: gs://b',
    [
      'floe.yaml:1:25: destination_bucket_url: must be a URL such as s3://bucket/prefix?region=eu-central-1 or file:///var/lib/floe, not "gs://b"',
    ],
  ],
  [
    'a text for a list',
    'tables: none',
    ['floe.yaml:1:9: tables: must be a list (lines that begin with `- `), not "none"'],
  ],
  ['a text for a group', 'kafka: on', ['floe.yaml:1:8: kafka: must be a group of keys (`key: value`), not "on"']],
  ['a list for a text', 'data_dir: [a]', ['floe.yaml:1:11: data_dir: must be text, not a list']],
  ['a number for a text', 'data_dir: 2024', ['floe.yaml:1:11: data_dir: must be text: write it in quotes, "2024"']],
  ['empty text', 'data_dir: ""', ['floe.yaml:1:11: data_dir: must not be empty']],
  [
    'a port out of range',
    'kafka: { port: 99999 }',
    ['floe.yaml:1:16: kafka.port: must lie between 0 and 65535, is 99999'],
  ],
  [
    'a port that is text',
    'kafka: { port: "9092" }',
    ['floe.yaml:1:16: kafka.port: must be a whole number, not "9092"'],
  ],
  [
    'yes for true',
    'broker: { auto_create_topics: yes }',
    ['floe.yaml:1:31: broker.auto_create_topics: must be true or false, not "yes"'],
  ],
  [
    'a duration without unit',
    'broker: { flush_interval: 250 }',
    ['floe.yaml:1:27: broker.flush_interval: must be a duration with its unit (ms, s, m, h or d), such as 10s'],
  ],
  [
    'a duration of a strange unit',
    'broker: { flush_interval: 2 weeks }',
    ['floe.yaml:1:27: broker.flush_interval: has the unknown unit "weeks": use ms, s, m, h or d'],
  ],
  [
    'a duration out of range',
    'broker: { flush_interval: 1ms }',
    ['floe.yaml:1:27: broker.flush_interval: must lie between 5ms and 1m, is 1ms'],
  ],
  [
    'a negative size',
    'broker: { flush_size: -4MiB }',
    ['floe.yaml:1:23: broker.flush_size: must be a size such as 256MB, not "-4MiB"'],
  ],
  [
    'half a pair of keys',
    'storage: { access_key_id_env: A }',
    ['floe.yaml:1:10: storage: needs both `access_key_id_env` and `secret_access_key_env`, or neither'],
  ],
  [
    'keys handed to anybody',
    'catalog: { vend_credentials: true }',
    [
      "floe.yaml:1:30: catalog.vend_credentials: would hand the store's keys to anybody: set `http.bearer_token_env` too",
    ],
  ],
  [
    'a journal URL with a password',
    'catalog: { journal_url: "postgres://floe:secret@db/lake" }',
    [
      'floe.yaml:1:25: catalog.journal_url: must hold no password: put it into the variable that `journal_password_env` names',
    ],
  ],
  [
    'a journal that outlives its store',
    'destination_bucket_url: "memory:"\ncatalog: { journal_url: "postgres://floe@db/lake" }',
    ['floe.yaml:2:25: catalog.journal_url: needs a store that stays; `memory:` is gone with its process'],
  ],
  [
    'a password in the file',
    'source_clusters: [{ name: a, bootstrap_brokers: [{ hostname: h }], credentials: { sasl_password: x } }]',
    ['floe.yaml:1:83: source_clusters[0].credentials.sasl_password: unknown key; did you mean `sasl_password_env`?'],
  ],
  [
    'TLS files without TLS',
    'source_clusters: [{ name: a, bootstrap_brokers: [{ hostname: h }], credentials: { tls_ca_file: x } }]',
    ['floe.yaml:1:81: source_clusters[0].credentials: has TLS files but `use_tls` is not true'],
  ],
  [
    'the reserved cluster name',
    'source_clusters: [{ name: floe, bootstrap_brokers: [{ hostname: h }] }]',
    ['floe.yaml:1:27: source_clusters[0].name: `floe` is the broker inside this Floe: choose another name'],
  ],
  [
    'a cluster name twice',
    'source_clusters:\n  - { name: a, bootstrap_brokers: [{ hostname: h }] }\n  - { name: a, bootstrap_brokers: [{ hostname: h }] }',
    ['floe.yaml:3:13: source_clusters[1].name: source_clusters[0] has the name `a` already'],
  ],
  [
    'no brokers',
    'source_clusters: [{ name: a, bootstrap_brokers: [] }]',
    ['floe.yaml:1:49: source_clusters[0].bootstrap_brokers: must have at least one item'],
  ],
  [
    'a missing key',
    tableWith('freshness: 1s'),
    ['floe.yaml:2:5: tables[0]: the key `source_topic` is missing: Topic to read'],
  ],
  [
    'a misspelt required key',
    tableWith('topic: t'),
    ['floe.yaml:2:5: tables[0].topic: unknown key; did you mean `source_topic`?'],
  ],
  [
    'an unknown cluster',
    'tables: [{ source_cluster_name: kafk, source_topic: t, source_format: json, schema: { fields: [{ name: a, type: int }] } }]\nsource_clusters: [{ name: kafka, bootstrap_brokers: [{ hostname: h }] }]',
    ['floe.yaml:1:33: tables[0].source_cluster_name: there is no source cluster `kafk`; did you mean `kafka`?'],
  ],
  [
    'an unknown format',
    'tables: [{ source_cluster_name: floe, source_topic: t, source_format: jsn }]',
    ['floe.yaml:1:71: tables[0].source_format: must be one of json, avro, protobuf, not "jsn"; did you mean `json`?'],
  ],
  [
    'no columns',
    'tables: [{ source_cluster_name: floe, source_topic: t, source_format: json }]',
    ['floe.yaml:1:10: tables[0]: the table has no columns: give `schema` with `fields`, or `input_schema`'],
  ],
  [
    'protobuf without its schema',
    tableWith(topic).replace('json', 'protobuf'),
    [
      'floe.yaml:6:7: tables[0].schema: protobuf needs `input_schema` with the .proto text: field numbers stand nowhere else',
    ],
  ],
  [
    'message for JSON',
    tableWith(`${topic}\n    message: M`),
    ['floe.yaml:3:14: tables[0].message: belongs to source_format protobuf, and this table has json'],
  ],
  [
    'a wrong topic name',
    tableWith('source_topic: a b'),
    ['floe.yaml:2:19: tables[0].source_topic: must be a topic name (letters, digits, `.`, `_` and `-`), not "a b"'],
  ],
  [
    'an unknown type',
    tableWith(topic, '- { name: a, type: strng }'),
    ['floe.yaml:7:28: tables[0].schema.fields[0].type: unknown type "strng"; did you mean `string`?'],
  ],
  [
    'a type by its SQL name',
    tableWith(topic, '- { name: a, type: BIGINT }'),
    ['floe.yaml:7:28: tables[0].schema.fields[0].type: unknown type "BIGINT"; did you mean `long`?'],
  ],
  [
    'a decimal without precision',
    tableWith(topic, '- { name: a, type: decimal }'),
    ['floe.yaml:7:28: tables[0].schema.fields[0].type: a decimal needs its precision and scale: write `decimal(10,2)`'],
  ],
  [
    'a decimal too precise',
    tableWith(topic, '- { name: a, type: "decimal(39,2)" }'),
    ['floe.yaml:7:28: tables[0].schema.fields[0].type: decimal precision must lie between 1 and 38, is 39'],
  ],
  [
    'a scale over the precision',
    tableWith(topic, '- { name: a, type: "decimal(2,3)" }'),
    ['floe.yaml:7:28: tables[0].schema.fields[0].type: decimal scale 3 is larger than the precision 2'],
  ],
  [
    'a list without element',
    tableWith(topic, '- { name: a, type: list }'),
    ['floe.yaml:7:11: tables[0].schema.fields[0]: a list needs `element`, for example `element: string`'],
  ],
  [
    'a map without value',
    tableWith(topic, '- { name: a, type: map }'),
    ['floe.yaml:7:11: tables[0].schema.fields[0]: a map needs `value`, for example `value: long`'],
  ],
  [
    'a map keyed by numbers',
    tableWith(topic, '- { name: a, type: map, key: long, value: long }'),
    ['floe.yaml:7:38: tables[0].schema.fields[0].key: map keys must be string, not "long"'],
  ],
  [
    'a struct without fields',
    tableWith(topic, '- { name: a, type: struct }'),
    ['floe.yaml:7:11: tables[0].schema.fields[0]: a struct needs `fields`'],
  ],
  [
    'fields of a string',
    tableWith(topic, '- { name: a, type: string, fields: [{ name: b, type: int }] }'),
    ['floe.yaml:7:44: tables[0].schema.fields[0].fields: belongs to the type struct, and the type here is "string"'],
  ],
  [
    'an id twice',
    tableWith(topic, '- { name: a, type: int, id: 7 }\n        - { name: b, type: int, id: 7 }'),
    ['floe.yaml:8:37: tables[0].schema.fields[1].id: id 7 is already used by tables[0].schema.fields[0]'],
  ],
  [
    'id 0',
    tableWith(topic, '- { name: a, type: int, id: 0 }'),
    ['floe.yaml:7:37: tables[0].schema.fields[0].id: must lie between 1 and 999999999, is 0'],
  ],
  [
    'a name twice',
    tableWith(topic, '- { name: a, type: int }\n        - { name: A, type: int }'),
    [
      'floe.yaml:8:19: tables[0].schema.fields[1].name: the column `A` differs from `a` only in upper and lower case; many readers ignore case',
    ],
  ],
  [
    'the provenance column',
    tableWith(topic, '- { name: floe, type: int }'),
    [
      'floe.yaml:7:19: tables[0].schema.fields[0].name: `floe` is the column Floe adds to every table: choose another name',
    ],
  ],
  [
    'a name with a space',
    tableWith(topic, '- { name: a b, type: int }'),
    [
      'floe.yaml:7:19: tables[0].schema.fields[0].name: must be a name without spaces, control characters and any of , ; { } ( ) = . `, not "a b"',
    ],
  ],
  [
    'an unknown partition column',
    tableWith(`${topic}\n    partition_by: [b]`, '- { name: ab, type: int }'),
    ['floe.yaml:3:20: tables[0].partition_by[0]: there is no column `b`'],
  ],
  [
    'an unknown transform',
    tableWith(`${topic}\n    partition_by: [dya(a)]`),
    ['floe.yaml:3:20: tables[0].partition_by[0]: unknown transform "dya"; did you mean `day`?'],
  ],
  [
    'day of a string',
    tableWith(`${topic}\n    partition_by: [day(a)]`),
    ['floe.yaml:3:20: tables[0].partition_by[0]: day() needs a timestamp, and `a` is string'],
  ],
  [
    'a timestamp by itself',
    tableWith(`${topic}\n    partition_by: [a]`, '- { name: a, type: timestamptz }'),
    [
      'floe.yaml:3:20: tables[0].partition_by[0]: a column of type timestamptz cannot be a partition field by itself: write day(a) or hour(a)',
    ],
  ],
  [
    'a partition field twice',
    tableWith(`${topic}\n    partition_by: [a, a]`),
    ['floe.yaml:3:23: tables[0].partition_by[1]: stands here a second time'],
  ],
  [
    'both ways to partition',
    tableWith(`${topic}\n    partition_by: [a]\n    partitioning_scheme: day`),
    ['floe.yaml:4:26: tables[0].partitioning_scheme: is the short form of `partition_by`: keep one of the two'],
  ],
  [
    'two tables of one name',
    'tables:\n  - &t { source_cluster_name: floe, source_topic: a.b, source_format: json, input_schema: "{}" }\n  - { source_cluster_name: floe, source_topic: a_b, source_format: json, input_schema: "{}" }',
    [
      'floe.yaml:3:5: tables[1]: the table would be called `floe__a_b`, as tables[0] is: give one of them another `table_name`',
    ],
  ],
]

test.each(mistakes)('%s is told with its place', (_, text, expected) => {
  expect(problemsOf(text)).toEqual(expected)
})

test('every mistake is told at once, in the order of the file', () => {
  expect(
    problemsOf(`kafka: { port: 99999, host: a }
tables:
  - source_cluster_name: floe
    source_topic: x
    source_format: jsn
    schema: { fields: [{ name: a, type: strng }, { name: a, type: int }] }
  - source_cluster_name: flo
    source_topic: y
    source_format: json
    partition_by: [week(b), c]
    schema: { fields: [{ name: a, type: int, id: 3 }] }
`),
  ).toEqual([
    'floe.yaml:1:16: kafka.port: must lie between 0 and 65535, is 99999',
    'floe.yaml:1:23: kafka.host: unknown key; did you mean `hostname`?',
    'floe.yaml:5:20: tables[0].source_format: must be one of json, avro, protobuf, not "jsn"; did you mean `json`?',
    'floe.yaml:6:41: tables[0].schema.fields[0].type: unknown type "strng"; did you mean `string`?',
    'floe.yaml:6:58: tables[0].schema.fields[1].name: the column `a` stands here a second time; many readers ignore case',
    'floe.yaml:7:26: tables[1].source_cluster_name: there is no source cluster `flo`; did you mean `floe`?',
    'floe.yaml:10:20: tables[1].partition_by[0]: unknown transform "week": use day, hour or a column by itself',
    'floe.yaml:10:29: tables[1].partition_by[1]: there is no column `c`',
  ])
})

test('hostile YAML ends at a named limit', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefg'
    .split('')
    .map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]}, `.repeat(10)}]`)
    .join('\n')}\n`
  expect(problemsOf(bomb).join('\n')).toContain('expands to more than 200000 values')
  expect(problemsOf(`a: ${'['.repeat(5000)}`).join('\n')).toContain('is nested deeper than 64 levels')
  expect(problemsOf(`a: ${'['.repeat(100)}${']'.repeat(100)}`).join('\n')).toContain('is nested deeper than 64 levels')
  expect(problemsOf('a: &a [*a]').join('\n')).toMatch(/nested deeper|no anchor/)
  expect(problemsOf('#'.repeat(2 ** 20 + 1))).toEqual(['floe.yaml:1:1: is longer than 1048576 characters'])
  const many = problemsOf(Array.from({ length: 300 }, (_, index) => `zz${index}: 1`).join('\n'))
  expect(many.at(-1)).toBe('and 100 more')
})

test('types nested deeper than readers take are refused', () => {
  const nested = (depth: number): string => (depth === 0 ? 'string' : `{ type: list, element: ${nested(depth - 1)} }`)
  const withDepth = (depth: number): string[] =>
    problemsOf(tableWith(topic, `- { name: a, type: list, element: ${nested(depth)} }`))
  expect(withDepth(14)).toEqual([])
  expect(withDepth(15)).toEqual([expect.stringMatching(/element: is nested deeper than 16 levels$/)])
})

test('the files generated from the options are up to date (scripts/write-config-reference.ts writes them)', () => {
  expect(readText('floe.schema.json')).toBe(renderJsonSchema())
  const page = readText('docs/configuration.md')
  expect(page).toBe(replaceReference(page))
})

test('the quickstart is valid', () => {
  expect(parseValid(readText('examples/quickstart.yaml')).tables.map(table => table.name)).toEqual(['floe__orders'])
})
