import { describe, expect, test } from 'vitest'
import { JsonNumberText, JsonReader, parseJson, printJson } from '../../../table/exact-json.ts'

describe('exact JSON', () => {
  test('64-bit ids near the end of their range survive printing and parsing', () => {
    const ids = [9223372036854775807n, -9223372036854775808n, 9007199254740993n, 9007199254740991n]
    const text = printJson({ ids })
    expect(text).toBe('{"ids":[9223372036854775807,-9223372036854775808,9007199254740993,9007199254740991]}')
    const reader = new JsonReader(parseJson(text, 'test'), 'test')
    expect(reader.array('ids')).toEqual([
      9223372036854775807n,
      -9223372036854775808n,
      9007199254740993n,
      9007199254740991,
    ])
    expect(new JsonReader(parseJson('{"id":9007199254740993}', 'test'), 'test').int64('id')).toBe(9007199254740993n)
  })

  test('prints minus zero, decimals as digits, and leaves undefined members out', () => {
    expect(printJson({ a: -0, b: new JsonNumberText('12.30'), c: undefined, d: null, e: ['x"\n'] })).toBe(
      '{"a":-0.0,"b":12.30,"d":null,"e":["x\\"\\n"]}',
    )
    expect(() => printJson(Number.NaN)).toThrow('JSON has no NaN and no infinities')
  })

  test('large floats stay numbers', () => {
    expect(parseJson('[1e300,1.5,12345678901234567890]', 'test')).toEqual([1e300, 1.5, 12345678901234567890n])
  })

  const wrong: [string, (reader: JsonReader) => unknown, string][] = [
    ['a missing string', reader => reader.string('none'), 'doc: none is not a string'],
    ['a fraction', reader => reader.integer('fraction'), 'doc: fraction is not a whole number'],
    ['an id beyond 64 bits', reader => reader.int64('huge'), 'doc: huge is not a 64-bit integer'],
    ['a text for an array', reader => reader.array('text'), 'doc: text is not an array'],
    ['an array for an object', reader => reader.object('list'), 'doc: list is not a JSON object'],
    ['an inherited name', reader => reader.string('constructor'), 'doc: constructor is not a string'],
    ['a number among strings', reader => reader.strings('mixed'), 'doc: mixed: b is not a string'],
  ]
  test.each(wrong)('%s is corrupt and named', (_, read, message) => {
    const value = parseJson(
      '{"fraction":1.5,"huge":99999999999999999999,"text":"x","list":[],"mixed":{"a":"","b":1}}',
      'doc',
    )
    expect(() => read(new JsonReader(value, 'doc'))).toThrow(message)
  })

  test('text that is not JSON or not UTF-8 is corrupt', () => {
    expect(() => parseJson('{', 'doc')).toThrow('doc is not JSON')
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 'doc')).toThrow('doc is not JSON')
  })
})
