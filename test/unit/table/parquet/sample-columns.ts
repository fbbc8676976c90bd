/** Every type of the portable profile, at the top, nested and repeated, with rows that hold extremes, nulls and odd text. */
import { ColumnSet } from '../../../../ingest/columns/column-set.ts'
import { JsonDecoder } from '../../../../ingest/decode/json-decoder.ts'
import { type Field, primitive } from '../../../../table/types.ts'

export const sampleFields: readonly Field[] = [
  { id: 1, name: 'flag', required: false, type: primitive('boolean') },
  { id: 2, name: 'count', required: true, type: primitive('int') },
  { id: 3, name: 'total', required: false, type: primitive('long') },
  { id: 4, name: 'ratio', required: false, type: primitive('float') },
  { id: 5, name: 'score', required: false, type: primitive('double') },
  { id: 6, name: 'name', required: false, type: primitive('string') },
  { id: 7, name: 'raw', required: false, type: primitive('binary') },
  { id: 8, name: 'day', required: false, type: primitive('date') },
  { id: 9, name: 'wall', required: false, type: primitive('timestamp') },
  { id: 10, name: 'moment', required: false, type: primitive('timestamptz') },
  { id: 11, name: 'price', required: false, type: { kind: 'decimal', precision: 9, scale: 2 } },
  { id: 12, name: 'amount', required: false, type: { kind: 'decimal', precision: 18, scale: 4 } },
  { id: 13, name: 'huge', required: false, type: { kind: 'decimal', precision: 38, scale: 10 } },
  {
    id: 14,
    name: 'place',
    required: false,
    type: {
      kind: 'struct',
      fields: [
        { id: 15, name: 'zone', required: true, type: primitive('int') },
        { id: 16, name: 'town', required: false, type: primitive('string') },
      ],
    },
  },
  {
    id: 17,
    name: 'marks',
    required: false,
    type: { kind: 'list', elementId: 18, elementRequired: false, element: primitive('long') },
  },
  {
    id: 19,
    name: 'weights',
    required: false,
    type: {
      kind: 'map',
      keyId: 20,
      key: primitive('string'),
      valueId: 21,
      valueRequired: false,
      value: primitive('double'),
    },
  },
  {
    id: 22,
    name: 'groups',
    required: false,
    type: {
      kind: 'list',
      elementId: 23,
      elementRequired: false,
      element: {
        kind: 'struct',
        fields: [
          {
            id: 24,
            name: 'tags',
            required: false,
            type: { kind: 'list', elementId: 25, elementRequired: true, element: primitive('string') },
          },
          { id: 26, name: 'on', required: false, type: primitive('boolean') },
        ],
      },
    },
  },
]

/** JSON texts, one per row. */
export const sampleRows: readonly string[] = [
  '{"flag":true,"count":2147483647,"total":9223372036854775807,"ratio":1.5,"score":-0.0,"name":"héllo 😀","raw":"AQID",' +
    '"day":"2024-02-29","wall":"2024-01-01T00:00:00.123456","moment":"2024-01-01T00:00:00.123456+02:00",' +
    '"price":1234567.89,"amount":"-12345678901234.5678","huge":-1234567890123456789012345678.0123456789,' +
    '"place":{"zone":3,"town":"Πάτρα"},"marks":[1,null,-3],"weights":{"a":1,"b":null},' +
    '"groups":[{"tags":["p","q"],"on":true},null,{"tags":[]},{}]}',
  '{"count":-2147483648}',
  '{"count":0,"place":null,"marks":[],"weights":{},"groups":[],"total":-9223372036854775808,"flag":false,"score":0,' +
    '"name":"","raw":"","day":"0001-01-01","moment":"0001-01-01T00:00:00Z","price":-9999999.99,' +
    '"amount":99999999999999.9999,"huge":9999999999999999999999999999.9999999999,"ratio":-3.4028234663852886e38}',
  '{"count":7,"place":{"zone":-1},"marks":[9223372036854775807],"weights":{"日本":-1e308},"name":"日本語",' +
    '"groups":[{"on":false}],"day":"9999-12-31","moment":"9999-12-31T23:59:59.999999Z","score":1.7976931348623157e308}',
]

export function decodeRows(fields: readonly Field[], rows: Iterable<string>): ColumnSet {
  const set = new ColumnSet(fields)
  const decoder = new JsonDecoder(fields, set.columns)
  for (const row of rows) {
    const bytes = Buffer.from(row)
    const result = decoder.decode(bytes, 0, bytes.length)
    if (result !== 0) throw new Error(`row rejected (${result} at ${decoder.rejectPath}): ${row}`)
    set.rowCount++
  }
  return set
}
