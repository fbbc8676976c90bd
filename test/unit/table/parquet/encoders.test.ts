/** One suite for both Parquet encoders: what others read back is what went in, and the statistics are exact. */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ColumnSet } from '../../../../ingest/columns/column-set.ts'
import type { EncodedParquetFile, ParquetCodec, ParquetEncoder } from '../../../../table/parquet/encoder.ts'
import { pageParquetEncoder } from '../../../../table/parquet/page-encoder.ts'
import { wasmParquetEncoder } from '../../../../table/parquet/wasm-encoder.ts'
import { findNodeById, listLeaves, walkSchema } from '../../../../table/schema.ts'
import { decodeSingleValue } from '../../../../table/single-value.ts'
import { type Field, primitive } from '../../../../table/types.ts'
import { queryWithDuckdb, readMetadata, readWithHyparquet } from './read-parquet.ts'
import { decodeRows, sampleFields, sampleRows } from './sample-columns.ts'

const codecs: readonly ParquetCodec[] = ['zstd', 'snappy', 'gzip', 'lz4', 'none']
const options = { codec: 'zstd', rowGroupBytesTarget: 1 << 20, rowGroupRowsMax: 1_000_000 } as const

function encode(
  encoder: ParquetEncoder,
  fields: readonly Field[],
  batches: readonly ColumnSet[],
  overrides: Partial<typeof options> | { codec: ParquetCodec } | { rowGroupRowsMax: number } = {},
): EncodedParquetFile {
  const writer = encoder.createFile(fields, { ...options, ...overrides })
  for (const batch of batches) writer.append(batch)
  return writer.finish()
}

function boundsOf(file: EncodedParquetFile, fields: readonly Field[], id: number): unknown {
  const leaf = listLeaves({ fields }).find(node => node.id === id)!
  const { lower, upper } = file.columns.find(column => column.fieldId === id)!
  return [lower, upper].map(bound => (bound === undefined ? undefined : decodeSingleValue(leaf.type, bound)))
}

/** Both encoders are held to the same text. */
const print = (value: unknown): string => `${inspect(value, { depth: 9, breakLength: 110, sorted: false })}\n`

const oneColumn = (type: Field['type'], name = 'v'): Field[] => [{ id: 1, name, required: false, type }]

describe.each([
  ['pages', pageParquetEncoder],
  ['wasm', wasmParquetEncoder],
])('%s encoder', (name, encoder) => {
  test.each(codecs)('rows of every type come back from DuckDB under codec %s', async codec => {
    const file = encode(encoder, sampleFields, [decodeRows(sampleFields, sampleRows)], { codec })
    expect(file.recordCount).toBe(4)
    expect(file.fileBytes).toBe(file.chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    const rows = await queryWithDuckdb(file.chunks, 'select * from $file')
    await expect(print(rows)).toMatchFileSnapshot('expected/rows-duckdb.txt')
  })

  test('hyparquet reads the same rows', async () => {
    const file = encode(encoder, sampleFields, [decodeRows(sampleFields, sampleRows)], { codec: 'snappy' })
    const rows = await readWithHyparquet(file.chunks)
    await expect(print(rows)).toMatchFileSnapshot('expected/rows-hyparquet.txt')
  })

  test('every column, element, key and value has its field id, and no repeated group has one', () => {
    const file = encode(encoder, sampleFields, [decodeRows(sampleFields, sampleRows)])
    const found = new Map<number, string>()
    for (const element of readMetadata(file.chunks).schema.slice(1)) {
      if (element.repetition_type === 'REPEATED') expect(element.field_id).toBeUndefined()
      else found.set(element.field_id!, element.name)
    }
    const expected = new Map<number, string>()
    walkSchema({ fields: sampleFields }, node => expected.set(node.id, node.name))
    expect(found).toEqual(expected)
  })

  test('statistics are exact for every leaf', async () => {
    const file = encode(encoder, sampleFields, [decodeRows(sampleFields, sampleRows)])
    const found = file.columns.map(({ columnBytes, fieldId, lower, upper, ...counts }) => {
      expect(columnBytes).toBeGreaterThan(0)
      const { path } = findNodeById({ fields: sampleFields }, fieldId)!
      return {
        path,
        bounds: boundsOf(file, sampleFields, fieldId),
        hasBounds: lower !== undefined && upper !== undefined,
        ...counts,
      }
    })
    await expect(print(found)).toMatchFileSnapshot('expected/statistics.txt')
  })

  test('the footer holds the same bounds, so DuckDB can filter at the extremes', async () => {
    const file = encode(encoder, sampleFields, [decodeRows(sampleFields, sampleRows)])
    const filters = [
      'total = 9223372036854775807',
      'total = -9223372036854775808',
      'count = -2147483648',
      "day = '9999-12-31'",
      "moment = '0001-01-01 00:00:00+00'",
      'price = -9999999.99',
      'huge = 9999999999999999999999999999.9999999999',
      "name = '日本語'",
      'score = 1.7976931348623157e308',
      'score = 0',
    ]
    for (const filter of filters) {
      const [row] = await queryWithDuckdb(file.chunks, `select count(*)::int as n from $file where ${filter}`)
      expect([filter, row!.n]).toEqual([filter, filter === 'score = 0' ? 2 : 1])
    }
  })

  test('row groups end at the row limit, and split offsets point at them', async () => {
    const set = decodeRows(
      oneColumn(primitive('long')),
      Array.from({ length: 100 }, (_, row) => `{"v":${row}}`),
    )
    const file = encode(encoder, oneColumn(primitive('long')), [set, set, set], { rowGroupRowsMax: 100 })
    const { row_groups: rowGroups } = readMetadata(file.chunks)
    expect(rowGroups.map(group => group.num_rows)).toEqual([100n, 100n, 100n])
    expect(file.splitOffsets).toHaveLength(3)
    const starts = rowGroups.map(({ columns: [chunk] }) =>
      Number(chunk!.meta_data!.dictionary_page_offset ?? chunk!.meta_data!.data_page_offset),
    )
    expect(file.splitOffsets).toEqual(starts)
    const [row] = await queryWithDuckdb(file.chunks, 'select count(*)::int n, sum(v)::int s from $file')
    expect(row).toEqual({ n: 300, s: 3 * 4950 })
  })

  test('bounds cover all row groups, not only the last', () => {
    const fields = oneColumn(primitive('string'))
    const batches = [['m', 'z'], ['b'], ['x', 'é']].map(values =>
      decodeRows(
        fields,
        values.map(value => JSON.stringify({ v: value })),
      ),
    )
    const file = encode(encoder, fields, batches, { rowGroupRowsMax: 1 })
    expect(boundsOf(file, fields, 1)).toEqual(['b', 'é'])
  })

  test('an empty file is readable', async () => {
    const file = encode(encoder, sampleFields, [])
    expect(await queryWithDuckdb(file.chunks, 'select count(*)::int n from $file')).toEqual([{ n: 0 }])
  })

  test('NaN is counted, bounds nothing, and hides no rows', async () => {
    const fields = oneColumn(primitive('double'))
    const file = encode(encoder, fields, [decodeRows(fields, ['{"v":"NaN"}', '{"v":2.5}', '{"v":null}', '{"v":-0.0}'])])
    const [statistics] = file.columns
    expect(statistics).toMatchObject({ valueCount: 4, nullCount: 1, nanCount: 1 })
    expect(boundsOf(file, fields, 1)).toEqual([-0, 2.5])
    const [row] = await queryWithDuckdb(file.chunks, "select count(*)::int n from $file where v = 'NaN'::double")
    expect(row).toEqual({ n: 1 })
  })

  test('a column of nulls and NaNs alone has no bounds', () => {
    const fields = oneColumn(primitive('double'))
    const nans = encode(encoder, fields, [decodeRows(fields, ['{"v":"NaN"}', '{}'])])
    const nulls = encode(encoder, fields, [decodeRows(fields, ['{}', '{}'])])
    expect(nans.columns[0]).toMatchObject({ nanCount: 1, nullCount: 1, lower: undefined, upper: undefined })
    expect(nulls.columns[0]).toMatchObject({ nanCount: 0, nullCount: 2, lower: undefined, upper: undefined })
  })

  test('long text is bounded by prefixes that are rounded outward', () => {
    const fields = oneColumn(primitive('string'))
    const long = 'ж'.repeat(400)
    const file = encode(encoder, fields, [decodeRows(fields, [JSON.stringify({ v: long })])])
    const [statistics] = file.columns
    expect(statistics).toMatchObject({ lowerExact: false, upperExact: false })
    expect(statistics!.lower!.length).toBeLessThanOrEqual(256)
    expect(statistics!.upper!.length).toBeLessThanOrEqual(256)
    const [lower, upper] = boundsOf(file, fields, 1) as [string, string]
    expect(long.startsWith(lower)).toBe(true)
    expect(upper > long).toBe(true)
  })

  test('a low-cardinality column becomes a dictionary, a unique one does not', () => {
    const fields: Field[] = [
      { id: 1, name: 'level', required: false, type: primitive('string') },
      { id: 2, name: 'id', required: false, type: primitive('string') },
      { id: 3, name: 'status', required: false, type: primitive('int') },
    ]
    const rows = Array.from({ length: 2000 }, (_, row) =>
      JSON.stringify({ level: ['info', 'warn', 'erreur'][row % 3], id: `id-${row}`, status: 200 + (row % 4) }),
    )
    const file = encode(encoder, fields, [decodeRows(fields, rows)])
    const encodings = readMetadata(file.chunks).row_groups[0]!.columns.map(column =>
      column.meta_data!.encodings.includes('RLE_DICTIONARY'),
    )
    expect(encodings).toEqual([true, false, true])
    expect(boundsOf(file, fields, 1)).toEqual(['erreur', 'warn'])
    expect(boundsOf(file, fields, 3)).toEqual([200, 203])
  })

  test(`${name}: the batch may be reused after append`, async () => {
    const fields = oneColumn(primitive('string'))
    const set = decodeRows(fields, ['{"v":"first"}'])
    const writer = encoder.createFile(fields, options)
    writer.append(set)
    set.reset()
    const [column] = set.columns
    if (column?.kind !== 'bytes') throw new Error('no bytes')
    const text = Buffer.from('SECOND')
    column.push(text, 0, text.length)
    set.rowCount = 1
    writer.append(set)
    const rows = await queryWithDuckdb(writer.finish().chunks, 'select v from $file')
    expect(rows.map(row => row.v)).toEqual(['first', 'SECOND'])
  })
})
