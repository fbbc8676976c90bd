/** Which JSON values each column type takes, what becomes of them, and why others are rejected. */
import { describe, expect, test } from 'vitest'
import { ColumnSet } from '../../../../ingest/columns/column-set.ts'
import { JsonDecoder } from '../../../../ingest/decode/json-decoder.ts'
import { reject, rejectCodeOf } from '../../../../ingest/decode/reject.ts'
import { type Field, type FieldType, primitive } from '../../../../table/types.ts'
import { checkColumn, type Plain, readRows } from '../read-columns.ts'

function decode(fields: readonly Field[], text: string | Uint8Array): Plain | string {
  const set = new ColumnSet(fields)
  const decoder = new JsonDecoder(fields, set.columns)
  const bytes = Buffer.from(text)
  // Other records lie around it in the same buffer.
  const surrounded = Buffer.concat([Buffer.from('"}]'), bytes, Buffer.from('"}],0')])
  const result = decoder.decode(surrounded, 3, 3 + bytes.length)
  if (result !== reject.ok) {
    set.rollback()
    for (const column of set.columns) checkColumn(column, 0)
    return `${rejectCodeOf(result)} ${decoder.rejectPath}`.trim()
  }
  set.rowCount = 1
  for (const column of set.columns) checkColumn(column, 1)
  return readRows(fields, set)[0]!
}

function decodeValue(type: FieldType, json: string): Plain | string {
  const row = decode([{ id: 1, name: 'v', required: false, type }], `{"v":${json}}`)
  return typeof row === 'object' && row !== null && 'v' in row ? (row.v as Plain) : (row as string)
}

const decimal = (precision: number, scale: number): FieldType => ({ kind: 'decimal', precision, scale })
const mismatch = 'type-mismatch v'
const range = 'out-of-range v'

const matrix: Record<string, [FieldType, [string, Plain | string][]]> = {
  boolean: [
    primitive('boolean'),
    [
      ['true', true],
      ['false', false],
      ['null', null],
      ['1', mismatch],
      ['"true"', mismatch],
      ['tru', 'malformed-json v'],
    ],
  ],
  int: [
    primitive('int'),
    [
      ['0', 0],
      ['-0', 0],
      ['2147483647', 2147483647],
      ['-2147483648', -2147483648],
      ['2147483648', range],
      ['-2147483649', range],
      ['99999999999999999999', range],
      ['1e400', range],
      ['1.0', 1],
      ['12e2', 1200],
      ['1200e-2', 12],
      ['1.5', mismatch],
      ['1e-400', mismatch],
      ['"-17"', -17],
      ['"17 "', mismatch],
      ['true', mismatch],
      ['01', 'malformed-json v'],
      ['+1', 'malformed-json v'],
      ['1.', 'malformed-json v'],
    ],
  ],
  long: [
    primitive('long'),
    [
      ['9007199254740993', 9007199254740993n],
      ['-9007199254740993', -9007199254740993n],
      ['9223372036854775807', 9223372036854775807n],
      ['-9223372036854775808', -9223372036854775808n],
      ['9223372036854775808', range],
      ['-9223372036854775809', range],
      ['10000000000000000000000', range],
      ['1000000000000000', 1000000000000000n],
      ['4294967296000000000', 4294967296000000000n],
      ['-4294967296000000000', -4294967296000000000n],
      ['9223372036854775807.0', 9223372036854775807n],
      ['9.223372036854775807e18', 9223372036854775807n],
      ['"1234567890123456789"', 1234567890123456789n],
      ['0.1', mismatch],
      ['[]', mismatch],
    ],
  ],
  float: [
    primitive('float'),
    [
      ['0.1', Math.fround(0.1)],
      ['3.4028234663852886e38', 3.4028234663852886e38],
      ['3.5e38', range],
      ['-1e400', range],
      ['"NaN"', Number.NaN],
    ],
  ],
  double: [
    primitive('double'),
    [
      ['0.1', 0.1],
      ['-0', -0],
      ['1.7976931348623157e308', 1.7976931348623157e308],
      ['4.9e-324', 5e-324],
      ['123456789012345678', 123456789012345680],
      ['0.30000000000000004', 0.30000000000000004],
      ['1e23', 1e23],
      ['1e400', range],
      ['"Infinity"', Number.POSITIVE_INFINITY],
      ['"-Infinity"', Number.NEGATIVE_INFINITY],
      ['"1.5"', 1.5],
      ['"abc"', mismatch],
      ['NaN', 'malformed-json v'],
    ],
  ],
  'decimal(5,2)': [
    decimal(5, 2),
    [
      ['999.99', 99999n],
      ['-999.99', -99999n],
      ['1000', range],
      ['1.005', range],
      ['1.10', 110n],
      ['1.1000000000000000000000', 110n],
      ['12e1', 12000n],
      ['"12.34"', 1234n],
      ['0', 0n],
      ['0e99999999', 0n],
      ['1e99999999', range],
      ['"1,5"', mismatch],
    ],
  ],
  'decimal(38,0)': [
    decimal(38, 0),
    [
      ['99999999999999999999999999999999999999', 99999999999999999999999999999999999999n],
      ['-99999999999999999999999999999999999999', -99999999999999999999999999999999999999n],
      ['100000000000000000000000000000000000000', range],
    ],
  ],
  date: [
    primitive('date'),
    [
      ['"1970-01-01"', 0],
      ['"1969-12-31"', -1],
      ['"2000-02-29"', 11016],
      ['"1900-02-29"', mismatch],
      ['"2024-13-01"', mismatch],
      ['"2024-1-1"', mismatch],
      ['19000', 19000],
      ['-1', -1],
      ['1.5', mismatch],
      ['3000000000', range],
      ['"2024\\u002d01-01"', 19723],
    ],
  ],
  timestamp: [
    primitive('timestamp'),
    [
      ['"2024-01-01T00:00:00"', 1704067200000000n],
      ['"2024-01-01 00:00"', 1704067200000000n],
      ['"2024-01-01T00:00:00.123456789Z"', 1704067200123456n],
      ['"2024-01-01T01:00:00,5+01:00"', 1704067200500000n],
      ['"1969-12-31T23:59:59.999999"', -1n],
      ['"1969-12-31T23:59:59.9999999"', -1n],
      ['1704067200123', 1704067200123000n],
      ['-1', -1000n],
    ],
  ],
  timestamptz: [
    primitive('timestamptz'),
    [
      ['"2024-01-01T00:00:00Z"', 1704067200000000n],
      ['"2024-01-01t00:00:00z"', 1704067200000000n],
      ['"2024-01-01T00:00:00-0530"', 1704087000000000n],
      ['"2024-01-01T00:00:00+05"', 1704049200000000n],
      ['"0000-01-01T00:00:00Z"', -62167219200000000n],
      ['"9999-12-31T23:59:59.999999Z"', 253402300799999999n],
      ['"2024-01-01T24:00:00Z"', mismatch],
      ['"2024-01-01T00:00:60Z"', mismatch],
      ['"2024-01-01T00:00:00+19:00"', mismatch],
      ['"2024-01-01T00:00:00.1234567890Z"', mismatch],
      ['"2024-01-01T00:00:00Zx"', mismatch],
      ['"2024-01-01"', mismatch],
      ['1.5', mismatch],
      ['9999999999999999', range],
    ],
  ],
  string: [
    primitive('string'),
    [
      ['""', ''],
      ['"Ελλάδα 日本 😀 \u0000"'.replace('\u0000', '\\u0000'), 'Ελλάδα 日本 😀 \u0000'],
      ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"', '"\\/\b\f\n\r\té😀'],
      ['"\\ud83d"', '\ufffd'],
      ['"\\ude00\\ud83dx"', '\ufffd\ufffdx'],
      ['12.50', '12.50'],
      ['true', 'true'],
      ['{"a": [1, "x"]}', '{"a": [1, "x"]}'],
      ['[1,2', 'malformed-json v'],
      ['"\\x"', 'malformed-json v'],
      ['"\\u12g4"', 'malformed-json v'],
      ['"a\u0001"', 'malformed-json v'],
    ],
  ],
  binary: [
    primitive('binary'),
    [
      ['""', ''],
      ['"AQID"', '010203'],
      ['"_-8="', 'ffef'],
      ['"/+8"', 'ffef'],
      ['"AQ=="', '01'],
      ['"AQ="', mismatch],
      ['"AR=="', mismatch],
      ['"A"', mismatch],
      ['"A Q="', mismatch],
      ['1', mismatch],
    ],
  ],
}

for (const [name, [type, cases]] of Object.entries(matrix)) {
  describe(`${name} column`, () => {
    test.each(cases)('%s', (json, expected) => {
      expect(decodeValue(type, json)).toEqual(expected)
    })
  })
}

describe('records', () => {
  const fields: Field[] = [
    { id: 1, name: 'a', required: true, type: primitive('int') },
    { id: 2, name: 'b"\\', required: false, type: primitive('string') },
    {
      id: 3,
      name: 'c',
      required: false,
      type: {
        kind: 'struct',
        fields: [
          { id: 4, name: 'x', required: true, type: primitive('int') },
          { id: 5, name: 'y', required: false, type: primitive('string') },
        ],
      },
    },
    {
      id: 6,
      name: 'd',
      required: false,
      type: { kind: 'list', elementId: 7, elementRequired: true, element: primitive('int') },
    },
    {
      id: 8,
      name: 'e',
      required: false,
      type: {
        kind: 'map',
        keyId: 9,
        key: primitive('string'),
        valueId: 10,
        valueRequired: true,
        value: {
          kind: 'list',
          elementId: 11,
          elementRequired: false,
          element: primitive('string'),
        },
      },
    },
  ]
  const empty = { 'b"\\': null, c: null, d: null, e: null }

  test.each([
    ['keys in any order, white space anywhere', ' {\n"d" : [ 1 , 2 ] ,\t"a" :\r1 } ', { ...empty, a: 1, d: [1, 2] }],
    ['unknown keys are skipped whatever they hold', '{"z":{"a":[{"a":9}]},"a":1,"y":"}"}', { ...empty, a: 1 }],
    ['of repeated keys the last wins', '{"a":1,"d":[1],"a":2,"d":[2,3]}', { ...empty, a: 2, d: [2, 3] }],
    ['a repeated key may end as null', '{"a":1,"c":{"x":1},"c":null}', { ...empty, a: 1 }],
    ['keys may be escaped', '{"\\u0061":5,"b\\"\\\\":"q"}', { ...empty, a: 5, 'b"\\': 'q' }],
    [
      'of repeated map keys the last wins',
      '{"a":1,"e":{"k":["1"],"l":[null],"k":["2","3"]}}',
      {
        ...empty,
        a: 1,
        e: [
          ['k', ['2', '3']],
          ['l', [null]],
        ],
      },
    ],
    ['a missing required field', '{}', 'missing-required-field a'],
    ['a null required field', '{"a":null}', 'missing-required-field a'],
    ['a missing required nested field', '{"a":1,"c":{}}', 'missing-required-field c.x'],
    ['a null required element', '{"a":1,"d":[1,null]}', 'missing-required-field d.element'],
    ['a null required map value', '{"a":1,"e":{"k":null}}', 'missing-required-field e.value'],
    ['a scalar for a struct', '{"a":1,"c":3}', 'type-mismatch c'],
    ['an object for a list', '{"a":1,"d":{}}', 'type-mismatch d'],
    ['a list for a map', '{"a":1,"e":[]}', 'type-mismatch e'],
    ['no object at all', '[1]', 'type-mismatch'],
    ['nothing', '', 'malformed-json'],
    ['text after the object', '{"a":1}x', 'malformed-json'],
    ['a trailing comma', '{"a":1,}', 'malformed-json'],
    ['a missing comma', '{"a":1"d":[]}', 'malformed-json'],
    ['an unclosed object', '{"a":1', 'malformed-json'],
    ['an unclosed string, although a quote follows in the next record', '{"a":1,"b\\"\\\\":"x', 'malformed-json b"\\'],
    ['an unclosed list, although a bracket follows in the next record', '{"a":1,"d":[1', 'malformed-json d'],
    ['a malformed unknown value', '{"a":1,"z":[1,]}', 'malformed-json'],
    ['a byte order mark', '\ufeff{"a":1}', 'malformed-json'],
  ])('%s', (_, text, expected) => {
    expect(decode(fields, text)).toEqual(expected)
  })

  test('invalid UTF-8 is rejected in columns, keys and skipped values', () => {
    const bad = Buffer.from([0xc3, 0x28])
    const wrap = (before: string, after: string): Buffer =>
      Buffer.concat([Buffer.from(before), bad, Buffer.from(after)])
    expect(decode(fields, wrap('{"a":1,"b\\"\\\\":"', '"}'))).toBe('invalid-utf8 b"\\')
    expect(decode(fields, wrap('{"a":1,"', '":2}'))).toBe('invalid-utf8')
    expect(decode(fields, wrap('{"a":1,"z":"', '"}'))).toBe('invalid-utf8')
    expect(decode(fields, wrap('{"a":1,"e":{"', '":[]}}'))).toBe('invalid-utf8 e')
  })

  test('deep nesting is rejected, not recursed into', () => {
    const deep = `{"a":1,"z":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(decode(fields, deep)).toBe('nesting-too-deep')
  })

  test('rows decoded after a rejected one are whole', () => {
    const set = new ColumnSet(fields)
    const decoder = new JsonDecoder(fields, set.columns)
    const texts = [
      '{"a":1,"d":[1,2],"c":{"x":1,"y":"p"}}',
      '{"a":2,"d":[3],"c":{"x":2,"y":"q"},"e":{"k":["v"',
      '{"a":3}',
    ]
    for (const text of texts) {
      const bytes = Buffer.from(text)
      if (decoder.decode(bytes, 0, bytes.length) === reject.ok) set.rowCount++
      else set.rollback()
    }
    expect(readRows(fields, set)).toEqual([
      { ...empty, a: 1, d: [1, 2], c: { x: 1, y: 'p' } },
      { ...empty, a: 3 },
    ])
  })
})
