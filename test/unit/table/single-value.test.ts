import { describe, expect, test } from 'vitest'
import { isFloeError } from '../../../core/errors.ts'
import {
  compareSingleValues,
  compareValues,
  countDecimalBytes,
  decodeSingleValue,
  encodeDecimalFixed,
  encodeSingleValue,
  isNaNValue,
  type PrimitiveValue,
  widenZeroBound,
} from '../../../table/single-value.ts'
import { type PrimitiveType, primitive } from '../../../table/types.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const decimal = (precision: number, scale: number): PrimitiveType => ({ kind: 'decimal', precision, scale })

describe('single-value serialization', () => {
  const vectors: [PrimitiveType, PrimitiveValue, string][] = [
    [primitive('boolean'), true, '01'],
    [primitive('boolean'), false, '00'],
    [primitive('int'), -2147483648, '00000080'],
    [primitive('int'), 34, '22000000'],
    [primitive('date'), -1, 'ffffffff'],
    [primitive('long'), 9223372036854775807n, 'ffffffffffffff7f'],
    [primitive('timestamp'), 1510871468000001n, '01c3262d215e0500'],
    [primitive('timestamptz'), -1n, 'ffffffffffffffff'],
    [primitive('float'), 1.5, '0000c03f'],
    [primitive('double'), -0, '0000000000000080'],
    [primitive('string'), 'Grüße 😀', '4772c3bcc39f6520f09f9880'],
    [primitive('binary'), Uint8Array.of(0, 1, 2, 3), '00010203'],
    [decimal(9, 2), 1420n, '058c'],
    [decimal(9, 2), -1n, 'ff'],
    [decimal(9, 2), 128n, '0080'],
    [decimal(9, 2), -128n, '80'],
    [decimal(38, 0), 0n, '00'],
    [decimal(38, 0), 10n ** 38n - 1n, '4b3b4ca85a86c47a098a223fffffffff'],
  ]
  test.each(vectors)('%o value %s is %s', (type, value, expected) => {
    expect(hex(encodeSingleValue(type, value))).toBe(expected)
    expect(decodeSingleValue(type, bytesOf(expected))).toEqual(value)
  })

  test('bounds written before a widening are still read', () => {
    expect(decodeSingleValue(primitive('long'), bytesOf('feffffff'))).toBe(-2n)
    expect(decodeSingleValue(primitive('double'), bytesOf('0000c03f'))).toBe(1.5)
  })

  const malformed: [PrimitiveType, string][] = [
    [primitive('int'), '0000000000000000'],
    [primitive('long'), '00'],
    [primitive('timestamp'), '00000000'],
    [primitive('boolean'), ''],
    [primitive('float'), '0000000000000000'],
    [decimal(9, 2), ''],
    [decimal(38, 2), '00'.repeat(17)],
    [primitive('string'), 'ff'],
    [primitive('string'), 'eda080'],
  ]
  test.each(malformed)('%o of bytes %s is corrupt', (type, bytes) => {
    let thrown: unknown
    try {
      decodeSingleValue(type, bytesOf(bytes))
    } catch (error) {
      thrown = error
    }
    expect(isFloeError(thrown, 'corrupt')).toBe(true)
  })

  test('decimals take the fewest bytes that hold the precision', () => {
    expect([1, 2, 3, 9, 10, 18, 19, 38].map(countDecimalBytes)).toEqual([1, 1, 2, 4, 5, 8, 9, 16])
    expect(hex(encodeDecimalFixed(-2n, 4))).toBe('fffffffe')
  })
})

describe('order of values', () => {
  test('text compares by code point, not by UTF-16 unit', () => {
    const string = primitive('string')
    expect('\u{1F600}' < '\uFFFD').toBe(true)
    expect(compareValues(string, '\u{1F600}', '\uFFFD')).toBeGreaterThan(0)
    expect(compareValues(string, 'a', 'ab')).toBeLessThan(0)
  })

  test('minus zero comes before zero and both widen outward as bounds', () => {
    const double = primitive('double')
    expect(compareValues(double, -0, 0)).toBeLessThan(0)
    expect(compareValues(double, 0, 0)).toBe(0)
    expect(hex(widenZeroBound(double, encodeSingleValue(double, 0), 'lower'))).toBe('0000000000000080')
    expect(hex(widenZeroBound(double, encodeSingleValue(double, -0), 'upper'))).toBe('0000000000000000')
    expect(hex(widenZeroBound(primitive('float'), encodeSingleValue(primitive('float'), 2), 'lower'))).toBe('00000040')
  })

  test('negative decimals come before positive ones whatever their length', () => {
    const type = decimal(20, 2)
    expect(compareSingleValues(type, bytesOf('ff00'), bytesOf('01'))).toBeLessThan(0)
    expect(compareSingleValues(type, bytesOf('80'), bytesOf('ff'))).toBeLessThan(0)
  })

  test('NaN is recognised in both widths and nowhere else', () => {
    expect(isNaNValue(primitive('float'), bytesOf('0000c07f'))).toBe(true)
    expect(isNaNValue(primitive('double'), bytesOf('000000000000f87f'))).toBe(true)
    expect(isNaNValue(primitive('int'), bytesOf('0000c07f'))).toBe(false)
  })
})
