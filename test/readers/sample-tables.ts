/**
 * The tables that all readers are asked about, with the records that make them.
 *
 *   types_json, types_avro, types_proto   every type that the format can say, many versions; Avro and Protobuf with NaN and
 *                                         infinities
 *   empty                                 published, no record yet
 *   part_*                                partitioned: day, hour, identity, the record timestamp; with null partition values
 *
 * Row n takes from each column's pool the value at n (modulo its length), so that every value is met, files differ in their
 * bounds, and no two columns repeat together. `k` numbers the rows of a table.
 */
import {
  columns,
  daysOf,
  decimal,
  list,
  map,
  microsOf,
  type SampleColumn,
  type SampleRow,
  type SampleType,
  type SampleValue,
  scalar,
  struct,
} from './columns.ts'
import { asProtobuf, type SourceFormat } from './encode.ts'

export interface SampleTable {
  readonly name: string
  readonly format: SourceFormat
  /** Without the provenance column. */
  readonly columns: readonly SampleColumn[]
  /** One batch after the other is produced and waited for: each is a version of its own at least. */
  readonly batches: readonly (readonly SampleRow[])[]
  /** Whether the columns stand in the configuration; else they come from the Avro schema. */
  readonly declaresColumns: boolean
  readonly partition: { readonly partition_by?: readonly string[]; readonly partitioning_scheme?: string }
  /** Columns that filters name, by dotted path. */
  readonly filteredColumns: readonly string[]
  /** Those of them that are asked for by value: `=` at each of their values. */
  readonly probedColumns: readonly string[]
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const emoji = '\u{1F642}'

const booleans = [true, false, null]
const ints = [0, 1, -1, 2147483647, -2147483648, null, 42, -42]
const longs = [
  0n,
  -1n,
  9007199254740993n,
  -9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  null,
  1n,
  1234567890123456789n,
]
const floats = [
  0,
  1.5,
  -1.5,
  0.1,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1.401298464324817e-45,
  null,
  -0.25,
].map(value => (value === null ? null : Math.fround(value)))
const doubles = [
  0,
  -1.5,
  0.1,
  5e-324,
  1.7976931348623157e308,
  -1.7976931348623157e308,
  1e-300,
  null,
  123456.789,
  3,
  -0.1,
]
/** Only zeros: what is true of -0.0 must not be lost by bounds that are exact in their bits. */
const zeros = [0, 0, 0, 0, -0, -0, -0, -0, null, null, null, null]
const dates = [
  '1970-01-01',
  '1969-12-31',
  '0001-01-01',
  '9999-12-31',
  '2024-02-29',
  '1582-10-10',
  '1900-02-28',
  '1970-01-02',
].map(daysOf)
const timestamps = [
  '1970-01-01T00:00:00.000000',
  '1969-12-31T23:59:59.999999',
  '2024-02-29T23:59:59.999501',
  '0001-01-01T00:00:00.000001',
  '9999-12-31T23:59:59.999999',
  '1582-10-10T12:00:00.000500',
  '1883-11-18T12:03:58.000001',
  '2024-02-29T23:59:59.999500',
  '1999-12-31T23:59:59.000999',
].map(microsOf)
const strings = [
  'plain',
  '',
  'null',
  "it's",
  'back\\slash and "quotes"',
  'tab\tnew\nline',
  'ünïcödé',
  '漢字かな交じり',
  'العربية',
  emoji,
  // The cuts that formats make: 16 code points (Iceberg), 32 (Delta), 256 bytes (Floe), with an emoji across each.
  `${'a'.repeat(15)}${emoji}${emoji}`,
  `${'b'.repeat(31)}${emoji}${emoji}`,
  `${'c'.repeat(254)}${emoji}${emoji}`,
  'd'.repeat(33),
  'e'.repeat(300),
  '長'.repeat(300),
  emoji.repeat(40),
  // No upper bound can be made by incrementing, or only across the surrogates.
  '\u{10FFFF}'.repeat(40),
  '\uD7FF'.repeat(40),
  // Before an emoji by UTF-8 and after it by UTF-16.
  '\uFF5E'.repeat(20),
  ' leading and trailing ',
  null,
]
const binaries = [
  bytes(0),
  bytes(),
  bytes(0xff),
  new Uint8Array(20).fill(0xff),
  new Uint8Array(300).fill(0xff),
  new Uint8Array(300).map((_, index) => index % 256),
  bytes(0x80, 0, 0x7f),
  null,
]

/** The largest, the smallest, and values around zero. */
function decimals(precision: number): (bigint | null)[] {
  const largest = 10n ** BigInt(precision) - 1n
  return [0n, largest, -largest, 1n, -1n, null, largest / 3n, -largest / 7n]
}

const pools: Readonly<Record<string, readonly SampleValue[]>> = {
  boolean: booleans,
  int: ints,
  long: longs,
  float: floats,
  double: doubles,
  date: [...dates, null],
  timestamp: [...timestamps, null],
  timestamptz: [...timestamps, null],
  string: strings,
  binary: binaries,
}

/** The value of row n; nested values get theirs from other places of the pools, and a null every few rows at every level. */
function valueAt(type: SampleType, n: number): SampleValue {
  switch (type.kind) {
    case 'struct':
      if (n % 5 === 3) return null
      return Object.fromEntries(type.fields.map((field, index) => [field.name, valueAt(field.type, n * 3 + index)]))
    case 'list':
      if (n % 6 === 4) return null
      return Array.from({ length: n % 4 }, (_, index) => valueAt(type.element, n * 4 + index))
    case 'map': {
      if (n % 7 === 5) return null
      const entries = Array.from({ length: n % 3 }, (_, index): [string, SampleValue] => [
        ['b', '', 'ключ', 'a key'][(n + index) % 4]!,
        valueAt(type.value, n * 5 + index),
      ])
      return new Map(entries)
    }
    default: {
      const pool = type.kind === 'decimal' ? decimals(type.precision) : pools[type.kind]!
      return pool[n % pool.length]!
    }
  }
}

// ── Every type ───────────────────────────────────────────────────────────────────────────────────────────────────────

const nested = {
  st: struct({
    a: scalar('int'),
    b: scalar('string'),
    c: decimal(20, 4),
    inner: struct({ d: scalar('date'), tz: scalar('timestamptz') }),
  }),
  li: list(scalar('long')),
  ld: list(decimal(38, 10)),
  ls: list(struct({ x: scalar('int'), y: scalar('string'), z: list(scalar('string')) })),
  ll: list(list(scalar('boolean'))),
  m: map(scalar('string')),
  ms: map(struct({ p: scalar('double'), q: list(scalar('int')) })),
  sl: struct({ tags: list(scalar('string')), attrs: map(scalar('long')) }),
}

const allColumns = columns({
  k: scalar('int'),
  b: scalar('boolean'),
  i: scalar('int'),
  l: scalar('long'),
  f: scalar('float'),
  d: scalar('double'),
  dz: scalar('double'),
  dec9: decimal(9, 2),
  dec18: decimal(18, 6),
  dec38: decimal(38, 10),
  dt: scalar('date'),
  ts: scalar('timestamp'),
  tz: scalar('timestamptz'),
  s: scalar('string'),
  bin: scalar('binary'),
  ...nested,
})

/** No timestamp without zone, and of decimals only those of unsigned 64-bit numbers. */
const protoColumns = columns({
  k: scalar('int'),
  b: scalar('boolean'),
  i: scalar('int'),
  l: scalar('long'),
  u: decimal(20, 0),
  f: scalar('float'),
  d: scalar('double'),
  dt: scalar('date'),
  tz: scalar('timestamptz'),
  s: scalar('string'),
  bin: scalar('binary'),
  st: struct({
    a: scalar('int'),
    b: scalar('string'),
    inner: struct({ l: scalar('long'), tz: scalar('timestamptz') }),
  }),
  li: list(scalar('long')),
  ls: list(struct({ x: scalar('int'), y: scalar('string'), z: list(scalar('string')) })),
  m: map(scalar('string')),
  ms: map(struct({ p: scalar('double'), q: list(scalar('int')) })),
})

const unsigned = [0n, 18446744073709551615n, 9223372036854775808n, 1n, null]
const notNumbers = [NaN, Infinity, -Infinity, -0]

function typesRow(of: readonly SampleColumn[], k: number, hasNotNumbers: boolean): SampleRow {
  const row = Object.fromEntries(of.map(({ name, type }) => [name, valueAt(type, k)]))
  return {
    ...row,
    k,
    ...('dz' in row && { dz: zeros[k % zeros.length]! }),
    ...('u' in row && { u: unsigned[k % unsigned.length]! }),
    // Each in a file with other numbers, and in one alone (below).
    ...(hasNotNumbers && k % 8 === 1 && { f: notNumbers[(k >> 3) % 4]!, d: notNumbers[(k >> 3) % 4]! }),
  }
}

const rowsPerVersion = 4
const versionsMin = 12

function makeTypes(name: string, format: SourceFormat): SampleTable {
  const of = format === 'protobuf' ? protoColumns : allColumns
  const hasNotNumbers = format !== 'json'
  const knows = (name: string): boolean => of.some(column => column.name === name)
  const nothing = Object.fromEntries(of.map(column => [column.name, null]))
  const rows = Array.from({ length: rowsPerVersion * versionsMin }, (_, k) => typesRow(of, k, hasNotNumbers))
  const batches: SampleRow[][] = Array.from({ length: versionsMin }, (_, version) =>
    rows.slice(version * rowsPerVersion, (version + 1) * rowsPerVersion),
  )
  const count = rows.length
  // Files with nothing but nulls, and with nothing but NaN.
  batches.push([
    { ...nothing, k: count },
    { ...nothing, k: count + 1 },
  ])
  if (hasNotNumbers) batches.push([{ ...nothing, k: count + 2, f: NaN, d: NaN }])
  const shaped = format === 'protobuf' ? batches.map(batch => batch.map(row => asProtobuf(of, row))) : batches
  return {
    name,
    format,
    columns: of,
    batches: shaped,
    declaresColumns: format !== 'avro',
    partition: {},
    // The same values are in all three; what only Avro and Protobuf bring is NaN, infinity and the unsigned.
    filteredColumns: format === 'json' ? [...listLeaves(of), ...provenanceLeaves] : ['k', 'f', 'd', 'u'].filter(knows),
    probedColumns: format === 'json' ? ['s', 'tz', 'dec38', 'bin'] : [],
  }
}

// ── Partitions ───────────────────────────────────────────────────────────────────────────────────────────────────────

const partitionColumns = columns({
  k: scalar('int'),
  b: scalar('boolean'),
  i: scalar('int'),
  l: scalar('long'),
  dt: scalar('date'),
  ts: scalar('timestamp'),
  tz: scalar('timestamptz'),
  s: scalar('string'),
  st: struct({ country: scalar('string') }),
})

const provenanceLeaves = ['floe.partition', 'floe.offset', 'floe.timestamp', 'floe.key']

/** Scalars at the top and in structs; what is in lists and maps, no filter names. */
function listLeaves(of: readonly SampleColumn[], above = ''): string[] {
  return of.flatMap(({ name, type }) => {
    if (type.kind === 'struct') return listLeaves(type.fields, `${above}${name}.`)
    return type.kind === 'list' || type.kind === 'map' ? [] : [`${above}${name}`]
  })
}

/** What stands badly in a path or in a text of partition values. */
const partitionStrings = [
  'plain',
  '',
  'null',
  '__HIVE_DEFAULT_PARTITION__',
  'a/b=c%2F d:e',
  "it's",
  '漢字',
  `${'long '.repeat(12)}${emoji}`,
  null,
]
const partitionTimes = [
  '1970-01-01T00:00:00.000000',
  '1969-12-31T23:59:59.999999',
  '1969-12-31T23:00:00.000000',
  '2024-02-29T23:59:59.999999',
  '2024-03-01T00:00:00.000000',
  '0001-01-01T00:00:00.000001',
  '9999-12-31T23:59:59.999999',
].map(microsOf)

function partitionRow(k: number): SampleRow {
  const pick = <T>(pool: readonly T[]): T => pool[k % pool.length]!
  return {
    k,
    b: pick(booleans),
    i: pick([1, -2147483648, null, 2147483647]),
    l: pick([0n, 9223372036854775807n, -9223372036854775808n, null, 9007199254740993n]),
    dt: pick([...dates.slice(0, 5), null]),
    ts: pick([...partitionTimes, null]),
    tz: pick([...partitionTimes, null]),
    s: pick(partitionStrings),
    st: k % 5 === 4 ? null : { country: pick(['SE', 'JP', null]) },
  }
}

const partitionRowCount = 24

function makePartitioned(
  name: string,
  format: SourceFormat,
  partition: SampleTable['partition'],
  filteredColumns: readonly string[],
): SampleTable {
  const of = format === 'protobuf' ? partitionColumns.filter(({ name }) => name !== 'ts') : partitionColumns
  const rows = Array.from({ length: partitionRowCount }, (_, k) => partitionRow(k))
  const shaped = format === 'protobuf' ? rows.map(row => asProtobuf(of, row)) : rows
  return {
    name,
    format,
    columns: of,
    batches: [shaped.slice(0, 9), shaped.slice(9, 16), shaped.slice(16)],
    declaresColumns: format !== 'avro',
    partition,
    filteredColumns,
    probedColumns: filteredColumns.filter(column => column !== 'floe.timestamp'),
  }
}

export const sampleTables: readonly SampleTable[] = [
  makeTypes('types_json', 'json'),
  makeTypes('types_avro', 'avro'),
  makeTypes('types_proto', 'protobuf'),
  { ...makeTypes('empty', 'json'), batches: [], filteredColumns: ['k', 'tz', 's', 'st.b'], probedColumns: [] },
  makePartitioned('part_day', 'json', { partition_by: ['day(tz)'] }, ['tz']),
  makePartitioned('part_hour', 'avro', { partition_by: ['hour(ts)'] }, ['ts']),
  makePartitioned('part_numbers', 'json', { partition_by: ['i', 'l', 'dt', 'b'] }, ['i', 'l', 'dt', 'b']),
  makePartitioned('part_string', 'protobuf', { partition_by: ['s'] }, ['s']),
  makePartitioned('part_mixed', 'json', { partition_by: ['day(dt)', 's', 'st.country'] }, ['dt', 's', 'st.country']),
  makePartitioned('part_record_time', 'json', { partitioning_scheme: 'hour' }, ['floe.timestamp']),
]
