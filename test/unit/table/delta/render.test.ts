import { describe, expect, test } from 'vitest'
import { renderDelta } from '../../../../table/delta/render.ts'
import { buildSchemaString } from '../../../../table/delta/schema-string.ts'
import { buildStatsText, statisticsLeafCountMax } from '../../../../table/delta/statistics.ts'
import { encodeSingleValue } from '../../../../table/single-value.ts'
import { type DataFile, type Field, type PartitionSpec, primitive, type Schema } from '../../../../table/types.ts'
import { computeStatistics, LakeTable, type Row, tableOf } from '../lake-table.ts'
import { makeRows, sampleSchema } from '../sample-table.ts'

const location = 'file:///tables/sample'
type Json = { readonly [key: string]: never }
const linesOf = (lake: LakeTable, version: number): Json[] =>
  new TextDecoder()
    .decode(lake.objects.get(`_delta_log/${String(version).padStart(20, '0')}.json`))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
const namesOf = (lake: LakeTable, version: number): string[] =>
  linesOf(lake, version).map(line => Object.keys(line)[0]!)
const statsOf = (schema: Schema, rows: readonly Row[]): Record<string, Record<string, unknown>> => {
  const file: DataFile = {
    path: 'data/a.parquet',
    partition: [],
    recordCount: rows.length,
    fileBytes: 10,
    splitOffsets: [],
    columns: computeStatistics(schema, rows),
  }
  return JSON.parse(buildStatsText(schema, new Set(), file))
}
const schemaOf = (...fields: Field[]): Schema => ({ schemaId: 0, fields })

describe('Delta commits', () => {
  test('hold the actions of their version', async () => {
    const lake = new LakeTable(tableOf('sample', sampleSchema, location))
    await lake.create()
    await lake.append(lake.writeFile(makeRows(0, 2)), lake.writeFile(makeRows(2, 4)))
    const [first] = [...lake.live.values()].map(({ file }) => file)
    await lake.publish('replace', [lake.writeFile(makeRows(0, 2))], [first!])
    expect(namesOf(lake, 0)).toEqual(['commitInfo', 'protocol', 'metaData', 'txn'])
    expect(namesOf(lake, 1)).toEqual(['commitInfo', 'txn', 'add', 'add'])
    expect(namesOf(lake, 2)).toEqual(['commitInfo', 'txn', 'add', 'remove'])
    expect(linesOf(lake, 0)[1]).toEqual({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
    expect(linesOf(lake, 1)[1]).toEqual({
      txn: { appId: `floe-${lake.table.uuid}`, version: 1, lastUpdated: 1_700_000_002_000 },
    })
    expect(linesOf(lake, 1)[2]).toMatchObject({ add: { path: first!.path, dataChange: true, partitionValues: {} } })
    expect(linesOf(lake, 2)[2]).toMatchObject({ add: { dataChange: false } })
    expect(linesOf(lake, 2)[3]).toEqual({
      remove: {
        path: first!.path,
        deletionTimestamp: 1_700_000_003_000,
        dataChange: false,
        extendedFileMetadata: true,
        partitionValues: {},
        size: first!.fileBytes,
      },
    })
  })

  test('name the feature for timestamps without zone, from the version on that has them', async () => {
    const plain = schemaOf({ id: 1, name: 'a', required: false, type: primitive('int') })
    const lake = new LakeTable(tableOf('sample', plain, location))
    await lake.create()
    const local: Schema = {
      schemaId: 1,
      fields: [...plain.fields, { id: 2, name: 'b', required: false, type: primitive('timestamp') }],
    }
    lake.table = { ...lake.table, schemas: [plain, local], currentSchemaId: 1 }
    await lake.append(lake.writeFile([{ a: 1, b: -1n }]))
    expect(namesOf(lake, 1)).toEqual(['commitInfo', 'protocol', 'metaData', 'txn', 'add'])
    expect(linesOf(lake, 1)[1]).toEqual({
      protocol: {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['timestampNtz'],
        writerFeatures: ['appendOnly', 'invariants', 'timestampNtz'],
      },
    })
  })

  test('rendered twice are the same bytes, and must follow their predecessor', async () => {
    const lake = new LakeTable(tableOf('sample', sampleSchema, location))
    await lake.create()
    const plan = {
      version: 1,
      timestampMs: lake.timestampMs,
      snapshotId: 5n,
      operation: 'append',
      added: [lake.writeFile(makeRows(0, 3))],
      removed: [],
      progress: [],
    } as const
    expect(renderDelta(lake.table, plan, lake.delta)).toEqual(renderDelta(lake.table, plan, lake.delta))
    expect(() => renderDelta(lake.table, { ...plan, version: 2 }, lake.delta)).toThrow(
      'a plan for version 2 cannot follow Delta version 0',
    )
  })

  const specOf = (...fields: PartitionSpec['fields']): PartitionSpec => ({ specId: 0, fields })
  const specs: [string, PartitionSpec, string[], (string | null)[]][] = [
    [
      'identity of date and boolean',
      specOf(
        { sourceId: 8, fieldId: 1000, name: 'day', transform: 'identity' },
        { sourceId: 2, fieldId: 1001, name: 'flag', transform: 'identity' },
      ),
      ['day', 'flag'],
      ['0001-01-01', 'true'],
    ],
    [
      'identity of text, whose empty value Delta would read as null',
      specOf({ sourceId: 27, fieldId: 1000, name: 'region', transform: 'identity' }),
      [],
      [],
    ],
    ['a day transform', specOf({ sourceId: 9, fieldId: 1000, name: 'at_day', transform: 'day' }), [], []],
  ]
  test.each(specs)('partition by %s', async (_, spec, columns, values) => {
    const lake = new LakeTable(tableOf('sample', sampleSchema, location, spec))
    await lake.create()
    await lake.append(lake.writeFile(makeRows(1, 2)), lake.writeFile(makeRows(0, 1)))
    expect(linesOf(lake, 0)[2]).toMatchObject({ metaData: { partitionColumns: columns } })
    const [first, second] = linesOf(lake, 1)
      .slice(2)
      .map(line => (line.add as { partitionValues: Json } | undefined)!.partitionValues)
    expect(first).toEqual(Object.fromEntries(columns.map((name, index) => [name, values[index]])))
    expect(second).toEqual(Object.fromEntries(columns.map(name => [name, null])))
  })
})

describe('Delta schemas', () => {
  test('print as Spark does', () => {
    const schema = schemaOf(
      { id: 1, name: 'a', required: true, type: primitive('int'), doc: 'what "a" is' },
      {
        id: 2,
        name: 'b',
        required: false,
        type: {
          kind: 'list',
          elementId: 3,
          elementRequired: true,
          element: { kind: 'decimal', precision: 9, scale: 2 },
        },
      },
      {
        id: 4,
        name: 'c',
        required: false,
        type: {
          kind: 'map',
          keyId: 5,
          key: primitive('string'),
          valueId: 6,
          valueRequired: false,
          value: { kind: 'struct', fields: [{ id: 7, name: 'd', required: false, type: primitive('timestamptz') }] },
        },
      },
    )
    expect(buildSchemaString(schema)).toBe(
      '{"type":"struct","fields":[{"name":"a","type":"integer","nullable":false,"metadata":{"comment":"what \\"a\\" is"}},' +
        '{"name":"b","type":{"type":"array","elementType":"decimal(9,2)","containsNull":false},"nullable":true,"metadata":{}},' +
        '{"name":"c","type":{"type":"map","keyType":"string","valueType":{"type":"struct","fields":[{"name":"d","type":"timestamp",' +
        '"nullable":true,"metadata":{}}]},"valueContainsNull":true},"nullable":true,"metadata":{}}]}',
    )
  })
})

describe('Delta statistics', () => {
  test('are nested, exact for numbers and rounded outward for text and time', () => {
    const stats = statsOf(sampleSchema, makeRows(2, 4))
    expect(stats.numRecords).toBe(2)
    expect(stats.minValues).toMatchObject({
      id: 2,
      flag: false,
      price: 2.02,
      day: '2022-01-10',
      at: '2023-11-14T22:13:22.000Z',
      text: 'grüße grüße grüße grüße grüße gr',
      profile: { country: 'c2', inner: { seen: '1970-01-01T00:00:00.000Z' } },
      floe: { partition: 0, offset: 2 },
    })
    expect(stats.maxValues).toMatchObject({
      id: 3,
      flag: true,
      at: '2023-11-14T22:13:23.001Z',
      text: 'grüße grüße grüße grüße grüße gs',
      profile: { inner: { seen: '1970-01-01T00:00:00.001Z' } },
    })
    expect(stats.nullCount).toMatchObject({ id: 0, empty: 2, profile: { country: 1 }, floe: { key: 1 } })
    expect(stats.minValues).not.toHaveProperty('empty')
    expect(stats.minValues).not.toHaveProperty('bytes')
    expect(stats.minValues).not.toHaveProperty('tags')
  })

  test('of 64-bit integers and decimals keep every digit', () => {
    const schema = schemaOf(
      { id: 1, name: 'l', required: true, type: primitive('long') },
      { id: 2, name: 'd', required: true, type: { kind: 'decimal', precision: 38, scale: 4 } },
    )
    const rows = [
      { l: -9223372036854775808n, d: -(10n ** 38n - 1n) },
      { l: 9223372036854775807n, d: 1n },
    ]
    const file: DataFile = {
      path: 'a',
      partition: [],
      recordCount: 2,
      fileBytes: 1,
      splitOffsets: [],
      columns: computeStatistics(schema, rows),
    }
    expect(buildStatsText(schema, new Set(), file)).toBe(
      '{"numRecords":2,"minValues":{"l":-9223372036854775808,"d":-9999999999999999999999999999999999.9999},' +
        '"maxValues":{"l":9223372036854775807,"d":0.0001},"nullCount":{"l":0,"d":0}}',
    )
  })

  const left: [string, Field['type'], (bigint | number | string)[]][] = [
    ['columns with a NaN', primitive('double'), [1, Number.NaN]],
    ['infinities', primitive('float'), [1, Number.POSITIVE_INFINITY]],
    ['years after 9999', primitive('date'), [0, 2932897]],
    ['times after 9999', primitive('timestamptz'), [0n, 253402300800000000n]],
    ['years before 1', primitive('timestamptz'), [0n, -62135596800000001n]],
  ]
  test.each(left)('leave both bounds out for %s', (_, type, values) => {
    const stats = statsOf(
      schemaOf({ id: 1, name: 'a', required: false, type }),
      values.map(a => ({ a })),
    )
    expect(stats).toEqual({ numRecords: 2, minValues: {}, maxValues: {}, nullCount: { a: 0 } })
  })

  test('of the last millisecond of 9999 are exact, since rounding up would leave the years that can be said', () => {
    const schema = schemaOf({ id: 1, name: 'a', required: false, type: primitive('timestamptz') })
    expect(statsOf(schema, [{ a: 253402300799998001n }, { a: 253402300799999001n }])).toMatchObject({
      minValues: { a: '9999-12-31T23:59:59.998Z' },
      maxValues: { a: '9999-12-31T23:59:59.999001Z' },
    })
    expect(statsOf(schema, [{ a: 253402300799999000n }, { a: 253402300799999999n }])).toMatchObject({
      minValues: { a: '9999-12-31T23:59:59.999000Z' },
      maxValues: { a: '9999-12-31T23:59:59.999999Z' },
    })
  })

  test('of zero cover both zeros', () => {
    const schema = schemaOf({ id: 1, name: 'a', required: false, type: primitive('double') })
    const file: DataFile = {
      path: 'a',
      partition: [],
      recordCount: 1,
      fileBytes: 1,
      splitOffsets: [],
      columns: computeStatistics(schema, [{ a: 0 }]),
    }
    expect(buildStatsText(schema, new Set(), file)).toContain('"minValues":{"a":-0.0},"maxValues":{"a":0}')
  })

  test('of text that cannot be rounded up at 32 code points use the longer bound', () => {
    const schema = schemaOf({ id: 1, name: 'a', required: false, type: primitive('string') })
    const value = `${'\u{10ffff}'.repeat(40)}z`
    expect(statsOf(schema, [{ a: value }]).maxValues).toEqual({ a: value })
  })

  test('stop after the first leaf columns', () => {
    const fields = Array.from({ length: 40 }, (_, index) => ({
      id: index + 1,
      name: `c${index}`,
      required: false,
      type: primitive('int'),
    }))
    const stats = statsOf(schemaOf(...fields), [Object.fromEntries(fields.map(({ name }, index) => [name, index]))])
    expect(Object.keys(stats.minValues!)).toHaveLength(statisticsLeafCountMax)
    expect(Object.keys(stats.nullCount!)).toHaveLength(statisticsLeafCountMax)
  })

  test('accept the four-byte bounds of a column that was widened since', () => {
    const schema = schemaOf({ id: 1, name: 'a', required: false, type: primitive('long') })
    const bound = encodeSingleValue(primitive('int'), -5)
    const column = {
      fieldId: 1,
      columnBytes: 1,
      valueCount: 1,
      nullCount: 0,
      nanCount: undefined,
      lower: bound,
      upper: bound,
      lowerExact: true,
      upperExact: true,
    }
    const file: DataFile = {
      path: 'a',
      partition: [],
      recordCount: 1,
      fileBytes: 1,
      splitOffsets: [],
      columns: [column],
    }
    expect(buildStatsText(schema, new Set(), file)).toContain('"minValues":{"a":-5}')
  })
})
