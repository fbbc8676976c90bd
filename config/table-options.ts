/** One topic that becomes one table. */
import { fieldOption } from './field-options.ts'
import { configLimits } from './limits.ts'
import {
  choice,
  duration,
  list,
  optional,
  type RecordValue,
  record,
  required,
  size,
  text,
  withDefault,
} from './option.ts'

export const schemaOption = record({
  fields: required(list(fieldOption, 1, configLimits.fieldsPerTableMax), 'Columns of the table.'),
})

export const tableKeys = {
  source_cluster_name: required(
    text({ lengthMax: 100 }),
    'Cluster to read from: a name of `source_clusters`, or `floe` for the broker inside this Floe.',
  ),
  source_topic: required(
    text({
      lengthMax: configLimits.topicNameLengthMax,
      pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/,
      patternHint: 'a topic name (letters, digits, `.`, `_` and `-`)',
    }),
    'Topic to read.',
  ),
  source_format: required(choice('json', 'avro', 'protobuf'), 'Format of the record values.'),
  wire_format: withDefault(
    choice('raw', 'confluent'),
    'raw',
    '`raw`: the value is the bare format. `confluent`: it begins with the frame of a schema registry (a zero byte and a 4-byte schema id), which is checked and taken off.',
  ),
  schema_mode: withDefault(choice('inline'), 'inline', 'Where the schema comes from. `inline`: from this file.'),
  schema: optional(schemaOption, 'Columns of the table. May be left out when `input_schema` is given.'),
  input_schema: optional(
    text({ lengthMax: configLimits.inputSchemaLengthMax }),
    'Schema of the record values in its own language: JSON Schema for `json`, an .avsc document for `avro`, .proto text for `protobuf`. Without `schema` the columns are derived from it.',
  ),
  message: optional(
    text({ lengthMax: 500, pattern: /^[A-Za-z_][A-Za-z0-9_.]*$/, patternHint: 'the name of a Protobuf message' }),
    'For `protobuf`: the message of `input_schema` that the records hold. Left out: the first one.',
  ),
  table_name: optional(
    text({ lengthMax: 200, pattern: /^[A-Za-z0-9_]+$/, patternHint: 'letters, digits and `_`' }),
    'Name of the table. Left out: `<source_cluster_name>__<source_topic>`, other characters than letters, digits and `_` replaced by `_`.',
  ),
  partition_by: optional(
    list(text({ lengthMax: 300 }), 1, configLimits.partitionFieldCountMax),
    'Partition fields: `day(column)`, `hour(column)`, or a column by itself. `floe.timestamp` is the record timestamp.',
  ),
  partitioning_scheme: optional(
    choice('hour', 'day', 'unpartitioned'),
    'Short form of `partition_by`: by hour or day of the record timestamp, or not at all (the default).',
  ),
  compression: withDefault(
    choice('zstd', 'snappy', 'gzip', 'lz4', 'none'),
    'zstd',
    'Compression of the Parquet files.',
  ),
  dlq_mode: withDefault(
    choice('capture', 'skip', 'stop'),
    'capture',
    "What becomes of a record that does not fit the schema, and of a record batch that cannot be read. `capture`: kept whole in the table's dead letters. `skip`: counted and dropped. `stop`: the table stops in front of it.",
  ),
  on_gap: withDefault(
    choice('stop', 'record'),
    'stop',
    'What to do when records are gone before they were read (retention), or the topic is another one than before (created again, truncated). `stop`: the table stops and says so. `record`: it goes on; a gap stands in its account, and another topic is a new generation of it.',
  ),
  start_offset: withDefault(
    choice('earliest', 'latest'),
    'earliest',
    'Where a new table begins to read, decided when its topic is there for the first time. A topic that the table had to wait for, and partitions that the topic gets later, are read from their beginning.',
  ),
  freshness: withDefault(
    duration(100, 24 * 3_600_000),
    '10s',
    'Rows are committed and published at least this often while records arrive.',
  ),
  target_file_size: withDefault(
    size(1024 * 1024, 4 * 2 ** 30),
    '64MiB',
    'A data file is committed early when it reaches about this size. A busy table holds up to two such files in memory for each of its builder threads.',
  ),
} as const

export const tableOption = record(tableKeys)
/** As written; schema and partitioning are not yet understood (table-config.ts). */
export type TableInput = RecordValue<typeof tableKeys>
