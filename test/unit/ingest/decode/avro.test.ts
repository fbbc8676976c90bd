/** Avro data written by avsc, decoded by the writer's schema. */
import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { ColumnSet } from '../../../../ingest/columns/column-set.ts'
import { AvroDecoder } from '../../../../ingest/decode/avro-decoder.ts'
import { formatAvroSchema, parseAvroSchema } from '../../../../ingest/decode/avro-schema.ts'
import { deriveSchema } from '../../../../ingest/decode/input-schema.ts'
import { reject, rejectCodeOf } from '../../../../ingest/decode/reject.ts'
import { encodeDecimal } from '../../../../table/single-value.ts'
import { type Field, primitive } from '../../../../table/types.ts'
import { sampleFields } from '../../table/parquet/sample-columns.ts'
import { checkColumn, type Plain, readRows } from '../read-columns.ts'

const schema = {
  type: 'record',
  name: 'Event',
  namespace: 'shop.v1',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'big', type: ['null', 'long'], default: null },
    { name: 'back', type: ['string', 'null'] },
    { name: 'f', type: 'float' },
    { name: 'd', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
    { name: 'color', type: { type: 'enum', name: 'Color', symbols: ['RED', 'GRÜN'.replace('Ü', 'UE')] } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'millis', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'micros', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'wall', type: { type: 'long', logicalType: 'local-timestamp-micros' } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
    {
      name: 'cost',
      type: ['null', { type: 'fixed', name: 'Cost', size: 5, logicalType: 'decimal', precision: 9, scale: 3 }],
    },
    { name: 'uuid', type: { type: 'string', logicalType: 'uuid' } },
    {
      name: 'inner',
      type: {
        type: 'record',
        name: 'Inner',
        fields: [
          { name: 'x', type: 'int' },
          { name: 'h', type: 'Hash' },
        ],
      },
    },
    { name: 'list', type: { type: 'array', items: ['null', 'Inner'] } },
    { name: 'map', type: { type: 'map', values: { type: 'array', items: 'string' } } },
  ],
}
const schemaText = JSON.stringify(schema)
const fields = deriveSchema('avro', schemaText, undefined)
const writer = avro.Type.forSchema(schema as avro.Schema, {
  logicalTypes: {},
  wrapUnions: false,
})

const event = {
  flag: true,
  small: -2147483648,
  big: -(2 ** 52),
  back: 'Привет 😀',
  f: 1.5,
  d: -0.1,
  raw: Buffer.from([0, 255]),
  hash: Buffer.from('abc'),
  color: 'GRUEN',
  day: -1,
  millis: 1704067200123,
  micros: -1,
  wall: 5,
  price: Buffer.from(encodeDecimal(-12345n)),
  cost: Buffer.from([255, 255, 255, 255, 254]),
  uuid: '01234567-89ab-cdef-0123-456789abcdef',
  inner: { x: 1, h: Buffer.from('xyz') },
  list: [{ x: 2, h: Buffer.from('123') }, null],
  map: { b: ['1', '2'], a: [] },
}
const eventRow = {
  ...event,
  big: -(2n ** 52n),
  raw: '00ff',
  hash: '616263',
  millis: 1704067200123000n,
  micros: -1n,
  wall: 5n,
  price: -12345n,
  cost: -2n,
  inner: { x: 1, h: '78797a' },
  list: [{ x: 2, h: '313233' }, null],
  map: [
    ['a', []],
    ['b', ['1', '2']],
  ],
}

function decode(
  columns: readonly Field[],
  text: string | undefined,
  records: readonly Uint8Array[],
  framing: 'raw' | 'confluent' = 'raw',
): (Plain | string)[] {
  const set = new ColumnSet(columns)
  const decoder = new AvroDecoder(columns, set.columns, text, framing)
  const buffer = Buffer.concat(records)
  const outcomes: string[] = []
  let at = 0
  for (const record of records) {
    const result = decoder.decode(buffer, at, at + record.length)
    at += record.length
    if (result === reject.ok) set.rowCount++
    else {
      set.rollback()
      outcomes.push(`${rejectCodeOf(result)} ${decoder.rejectPath}`.trim())
    }
    for (const column of set.columns) checkColumn(column, set.rowCount)
  }
  return [...readRows(columns, set), ...outcomes]
}

describe('Avro', () => {
  test('every kind of value arrives', () => {
    const nulls = { ...event, big: null, back: null, cost: null, list: [], map: {} }
    const rows = decode(fields, schemaText, [writer.toBuffer(event), writer.toBuffer(nulls)])
    expect(rows).toEqual([eventRow, { ...eventRow, big: null, back: null, cost: null, list: [], map: [] }])
  })

  test('columns are derived with ids in declaration order and nullability from unions', () => {
    const summary = fields.map(({ id, name, required, type }) => [
      id,
      name,
      required,
      type.kind === 'primitive' ? type.name : type.kind,
    ])
    expect(summary).toEqual([
      [1, 'flag', true, 'boolean'],
      [2, 'small', true, 'int'],
      [3, 'big', false, 'long'],
      [4, 'back', false, 'string'],
      [5, 'f', true, 'float'],
      [6, 'd', true, 'double'],
      [7, 'raw', true, 'binary'],
      [8, 'hash', true, 'binary'],
      [9, 'color', true, 'string'],
      [10, 'day', true, 'date'],
      [11, 'millis', true, 'timestamptz'],
      [12, 'micros', true, 'timestamptz'],
      [13, 'wall', true, 'timestamp'],
      [14, 'price', true, 'decimal'],
      [15, 'cost', false, 'decimal'],
      [16, 'uuid', true, 'string'],
      [17, 'inner', true, 'struct'],
      [20, 'list', true, 'list'],
      [24, 'map', true, 'map'],
    ])
  })

  test('int64 extremes are exact', () => {
    const columns: Field[] = [{ id: 1, name: 'v', required: true, type: primitive('long') }]
    const text = '{"type":"record","name":"R","fields":[{"name":"v","type":"long"}]}'
    const max = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    const min = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    expect(decode(columns, text, [max, min])).toEqual([{ v: 2n ** 63n - 1n }, { v: -(2n ** 63n) }])
  })

  test('writer fields without a column are skipped, columns without a writer field are null', () => {
    const columns: Field[] = [
      { id: 1, name: 'small', required: true, type: primitive('long') },
      { id: 2, name: 'unheard', required: false, type: primitive('string') },
      { id: 3, name: 'uuid', required: false, type: primitive('string') },
    ]
    expect(decode(columns, schemaText, [writer.toBuffer(event)])).toEqual([
      { small: -2147483648n, unheard: null, uuid: event.uuid },
    ])
  })

  test('blocks with a size in front are read as well', () => {
    const columns: Field[] = [
      {
        id: 1,
        name: 'v',
        required: true,
        type: { kind: 'list', elementId: 2, elementRequired: true, element: primitive('int') },
      },
    ]
    const text = '{"type":"record","name":"R","fields":[{"name":"v","type":{"type":"array","items":"int"}}]}'
    // Two items in two bytes, then one item, then the end.
    expect(decode(columns, text, [Buffer.from([3, 4, 2, 4, 2, 6, 0])])).toEqual([{ v: [1, 2, 3] }])
  })

  test('Confluent framing is required when asked for, and any schema id is taken', () => {
    const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, 42]), writer.toBuffer(event)])
    const rows = decode(fields, schemaText, [framed, writer.toBuffer(event), Buffer.from([0, 1])], 'confluent')
    expect(rows).toEqual([eventRow, 'schema-id-mismatch', 'schema-id-mismatch'])
  })

  test('cut and overlong values are rejected', () => {
    const whole = writer.toBuffer(event)
    const outcomes = decode(fields, schemaText, [Buffer.concat([whole, Buffer.from([0])])])
    expect(outcomes).toEqual(['trailing-bytes'])
    for (let length = 0; length < whole.length; length++) {
      const [outcome] = decode(fields, schemaText, [whole.subarray(0, length)])
      expect(typeof outcome).toBe('string')
    }
  })

  test('a decimal that does not fit the column is rejected', () => {
    const tooLong = { ...event, price: Buffer.from(encodeDecimal(10n ** 10n)) }
    expect(decode(fields, schemaText, [writer.toBuffer(tooLong)])).toEqual(['out-of-range price'])
  })

  test('invalid UTF-8 is rejected', () => {
    const text = '{"type":"record","name":"R","fields":[{"name":"back","type":"string"}]}'
    const columns: Field[] = [{ id: 1, name: 'back', required: true, type: primitive('string') }]
    expect(decode(columns, text, [Buffer.from([2, 0xff])])).toEqual(['invalid-utf8 back'])
  })

  test('endless lists of nothing are rejected', () => {
    const text = '{"type":"record","name":"R","fields":[{"name":"v","type":{"type":"array","items":"null"}}]}'
    const columns: Field[] = [{ id: 1, name: 'other', required: false, type: primitive('int') }]
    const bomb = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 0])
    expect(decode(columns, text, [bomb])).toEqual(['malformed-avro v'])
  })

  test('the schema made of inline columns reads what avsc writes by it', () => {
    const type = avro.Type.forSchema(JSON.parse(formatAvroSchema(sampleFields)) as avro.Schema, { wrapUnions: true })
    const value = Object.fromEntries(sampleFields.map(({ name }) => [name, null as unknown]))
    value.count = 7
    value.name = { string: '日本' }
    value.marks = { array: [{ long: 1 }, null] }
    const [row] = decode(sampleFields, undefined, [type.toBuffer(value)])
    expect(row).toMatchObject({ count: 7, name: '日本', marks: [1n, null], price: null })
  })

  test('a recursive writer field can be skipped but not derived', () => {
    const text = JSON.stringify({
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'v', type: 'int' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    })
    const columns: Field[] = [{ id: 1, name: 'v', required: true, type: primitive('int') }]
    expect(decode(columns, text, [Buffer.from([2, 2, 4, 2, 6, 0])])).toEqual([{ v: 1 }])
    expect(decode(columns, text, [Buffer.concat([Buffer.alloc(4_000, 2), Buffer.from([0])])])).toEqual([
      'nesting-too-deep next',
    ])
    expect(() => deriveSchema('avro', text, undefined)).toThrow(/recursive/)
  })

  test.each([
    ['not JSON', '{', /Avro schema: not JSON/],
    [
      'an unknown type',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"strin"}]}',
      /at a: type "strin" is not defined/,
    ],
    ['no record', '"string"', /must be a record/],
    ['an unnamed record', '{"type":"record","fields":[]}', /needs a valid name/],
  ])('%s is refused with its place', (_, text, message) => {
    expect(() => deriveSchema('avro', text, undefined)).toThrow(message)
  })

  test('a writer type that does not fit the column is refused before any record', () => {
    const columns: Field[] = [{ id: 1, name: 'small', required: false, type: primitive('boolean') }]
    const build = (): unknown => new AvroDecoder(columns, new ColumnSet(columns).columns, schemaText, 'raw')
    expect(build).toThrow('field "small": Avro int does not fit the column type boolean')
    expect(parseAvroSchema(schemaText).kind).toBe('record')
  })
})
