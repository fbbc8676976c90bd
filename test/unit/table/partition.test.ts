import { describe, expect, test } from 'vitest'
import {
  applyTransform,
  bindSpec,
  dayOfMicros,
  formatPartition,
  formatPartitionKey,
  hourOfMicros,
  resultType,
  validateSpec,
} from '../../../table/partition.ts'
import { decodeSingleValue, encodeSingleValue } from '../../../table/single-value.ts'
import { type PartitionField, type PartitionSpec, primitive, type Schema } from '../../../table/types.ts'

const timestamptz = primitive('timestamptz')
const date = primitive('date')
const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'ts', required: false, type: timestamptz },
    { id: 2, name: 'region', required: false, type: primitive('string') },
    {
      id: 3,
      name: 'tags',
      required: false,
      type: { kind: 'list', elementId: 4, elementRequired: true, element: date },
    },
    { id: 5, name: 'ratio', required: false, type: primitive('double') },
    {
      id: 6,
      name: 'where',
      required: false,
      type: { kind: 'struct', fields: [{ id: 7, name: 'on', required: true, type: date }] },
    },
  ],
}
const field = (
  fieldId: number,
  sourceId: number,
  name: string,
  transform: PartitionField['transform'],
): PartitionField => ({
  fieldId,
  sourceId,
  name,
  transform,
})
const specOf = (...fields: PartitionField[]): PartitionSpec => ({ specId: 0, fields })

describe('transforms', () => {
  test('follow the vectors of the Iceberg specification: 2017-11-16T22:31:08', () => {
    const micros = encodeSingleValue(timestamptz, 1510871468000000n)
    expect(decodeSingleValue(date, applyTransform('day', timestamptz, micros)!)).toBe(17486)
    expect(decodeSingleValue(primitive('int'), applyTransform('hour', timestamptz, micros)!)).toBe(419686)
  })

  test('round down before 1970, also one microsecond before', () => {
    expect([dayOfMicros(-1n), dayOfMicros(0n), dayOfMicros(-86_400_000_000n), dayOfMicros(-86_400_000_001n)]).toEqual([
      -1, 0, -1, -2,
    ])
    expect([hourOfMicros(-1n), hourOfMicros(3_599_999_999n), hourOfMicros(3_600_000_000n)]).toEqual([-1, 0, 1])
  })

  test('keep null, and keep dates as they are', () => {
    expect(applyTransform('hour', timestamptz, null)).toBeNull()
    expect(applyTransform('identity', primitive('string'), null)).toBeNull()
    const day = encodeSingleValue(date, -3)
    expect(applyTransform('day', date, day)).toEqual(day)
  })

  test('refuse what does not fit their result', () => {
    const last = encodeSingleValue(timestamptz, 2n ** 63n - 1n)
    expect(decodeSingleValue(date, applyTransform('day', timestamptz, last)!)).toBe(106751991)
    expect(() => applyTransform('hour', timestamptz, last)).toThrow('hour of a timestamptz is out of range')
    expect(() => applyTransform('identity', primitive('string'), new Uint8Array(2000))).toThrow(
      'a partition value of 2000 bytes is longer than 1024; partition by another column',
    )
  })

  test('have the result types of the specification', () => {
    expect(resultType('day', primitive('timestamp'))).toEqual(date)
    expect(resultType('hour', primitive('timestamp'))).toEqual(primitive('int'))
    expect(resultType('hour', date)).toBeUndefined()
    expect(resultType('identity', primitive('string'))).toEqual(primitive('string'))
    expect(resultType('identity', primitive('double'))).toBeUndefined()
  })
})

describe('specs', () => {
  test('bind to columns, also inside structs', () => {
    const spec = specOf(field(1000, 1, 'ts_hour', 'hour'), field(1001, 7, 'on_day', 'identity'))
    expect(() => validateSpec(spec, schema)).not.toThrow()
    expect(bindSpec(spec, schema).map(bound => `${bound.source.path} ${JSON.stringify(bound.resultType)}`)).toEqual([
      'ts {"kind":"primitive","name":"int"}',
      'where.on {"kind":"primitive","name":"date"}',
    ])
  })

  const refused: [string, PartitionSpec, string][] = [
    [
      'unknown sources',
      specOf(field(1000, 99, 'x', 'day')),
      'partition field "x": source column id 99 is not in the schema',
    ],
    [
      'sources inside lists',
      specOf(field(1000, 4, 'x', 'identity')),
      'partition field "x": source "tags.element" is inside a list or map',
    ],
    [
      'struct sources',
      specOf(field(1000, 6, 'x', 'identity')),
      'partition field "x": source "where" is not a primitive column',
    ],
    [
      'floating point',
      specOf(field(1000, 5, 'ratio', 'identity')),
      'partition field "ratio": identity cannot be applied to "ratio" of type double',
    ],
    [
      'field ids below 1000',
      specOf(field(0, 2, 'region', 'identity')),
      'partition field "region": field id 0 is not a whole number from 1000 up',
    ],
    [
      'repeated ids',
      specOf(field(1000, 2, 'region', 'identity'), field(1000, 1, 'd', 'day')),
      'partition field "d": field id 1000 is used twice',
    ],
    [
      'repeated names',
      specOf(field(1000, 1, 'd', 'day'), field(1001, 1, 'D', 'hour')),
      'partition field "D": the name is used twice',
    ],
    [
      'names of other columns',
      specOf(field(1000, 1, 'region', 'day')),
      'partition field "region": the name is that of another column',
    ],
    [
      'repeated fields',
      specOf(field(1000, 1, 'd', 'day'), field(1001, 1, 'e', 'day')),
      'partition field "e": day of the column stands there twice',
    ],
  ]
  test.each(refused)('refuse %s', (_, spec, message) => {
    expect(() => validateSpec(spec, schema)).toThrow(message)
  })
})

describe('tuples', () => {
  const spec = specOf(field(1000, 1, 'ts_hour', 'hour'), field(1001, 2, 'region', 'identity'))
  const tuple = [encodeSingleValue(primitive('int'), -1), encodeSingleValue(primitive('string'), 'eu')]

  test('print for people', () => {
    expect(formatPartition(spec, schema, tuple)).toBe('ts_hour=1969-12-31-23/region=eu')
    expect(formatPartition(spec, schema, [null, null])).toBe('ts_hour=null/region=null')
    expect(formatPartition(specOf(), schema, [])).toBe('')
  })

  test('have keys that tell null, empty and bytes apart', () => {
    const keys = [[null], [new Uint8Array(0)], [Uint8Array.of(0x2d)], [null, null], []].map(formatPartitionKey)
    expect(new Set(keys).size).toBe(4)
    expect(formatPartitionKey(tuple)).toBe('ffffffff,6575')
  })
})
