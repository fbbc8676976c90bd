/** A schema with every type of the portable profile and rows with the values that break writers. */
import { provenanceField } from '../../../table/provenance.ts'
import { type Field, type FieldType, primitive, type Schema } from '../../../table/types.ts'
import type { Row, Value } from './lake-table.ts'

const field = (id: number, name: string, type: FieldType, required = false): Field => ({ id, name, required, type })
const string = primitive('string')

export const sampleFields: readonly Field[] = [
  field(1, 'id', primitive('long'), true),
  field(2, 'flag', primitive('boolean')),
  field(3, 'small', primitive('int')),
  field(4, 'ratio', primitive('float')),
  field(5, 'score', primitive('double')),
  field(6, 'price', { kind: 'decimal', precision: 9, scale: 2 }),
  field(7, 'big', { kind: 'decimal', precision: 38, scale: 4 }),
  field(8, 'day', primitive('date')),
  field(9, 'at', primitive('timestamptz')),
  field(10, 'text', string),
  field(11, 'bytes', primitive('binary')),
  field(12, 'profile', {
    kind: 'struct',
    fields: [
      field(13, 'country', string),
      field(14, 'score', { kind: 'decimal', precision: 18, scale: 6 }),
      field(15, 'inner', { kind: 'struct', fields: [field(16, 'seen', primitive('timestamptz'))] }),
    ],
  }),
  field(17, 'tags', { kind: 'list', elementId: 18, elementRequired: false, element: string }),
  field(19, 'items', {
    kind: 'list',
    elementId: 20,
    elementRequired: true,
    element: { kind: 'struct', fields: [field(21, 'sku', string, true), field(22, 'count', primitive('int'))] },
  }),
  field(23, 'attributes', {
    kind: 'map',
    keyId: 24,
    key: primitive('string'),
    valueId: 25,
    valueRequired: false,
    value: primitive('double'),
  }),
  field(26, 'empty', string),
  field(27, 'region', string),
]

export const sampleSchema: Schema = { schemaId: 0, fields: [...sampleFields, provenanceField] }

/** Rows [start, end): row 0 is all null, row 1 holds extremes, the others ordinary values. */
export function makeRows(
  start: number,
  end: number,
  overrides: (index: number) => Record<string, Value> = () => ({}),
): Row[] {
  return Array.from({ length: end - start }, (_, at) => {
    const index = start + at
    const floe = {
      partition: 0,
      offset: BigInt(index),
      timestamp: BigInt(index) * 1_000_001n,
      key: index % 2 ? null : Uint8Array.of(index % 256),
    }
    return { ...makeRow(index), floe, ...overrides(index) }
  })
}

function makeRow(index: number): Record<string, Value> {
  const id = BigInt(index)
  if (index === 0) return { id }
  if (index === 1) {
    return {
      id,
      flag: true,
      small: -2147483648,
      ratio: -0,
      score: -1.7976931348623157e308,
      price: -999999999n,
      big: -(10n ** 38n - 1n),
      day: -719162,
      at: -62135596800000000n,
      text: `${'\u{10ffff}'.repeat(40)}z`,
      bytes: new Uint8Array(40).fill(0xff),
      profile: { country: '', score: -1n, inner: { seen: -1n } },
      tags: [],
      items: [],
      attributes: new Map(),
      region: '',
    }
  }
  return {
    id: index % 5 === 0 ? id - 9223372036854775000n : id,
    flag: index % 2 === 0,
    small: index,
    ratio: index % 4 === 0 ? Number.NaN : Math.fround(index / 3),
    score: index / 7,
    price: BigInt(index * 101),
    big: BigInt(index) ** 9n,
    day: 19_000 + index,
    at: 1_700_000_000_000_123n + id * 1_000_000n,
    text: `${'grüße '.repeat(8)}😀 ${index}`,
    bytes: Uint8Array.of(0, index % 256, 255),
    profile:
      index % 3 === 0
        ? null
        : { country: `c${index % 4}`, score: id * 1_000_000n, inner: index % 3 === 1 ? null : { seen: id } },
    tags: ['a', null, `tag ${index}`],
    items: [
      { sku: `sku-${index}`, count: index },
      { sku: 'x', count: null },
    ],
    attributes: new Map<string, Value>([
      ['weight', index / 2],
      ['none', null],
    ]),
    region: ['eu', 'us', 'zürich / ost'][index % 3]!,
  }
}
