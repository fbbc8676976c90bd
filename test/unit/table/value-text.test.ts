import { describe, expect, test } from 'vitest'
import { encodeSingleValue } from '../../../table/single-value.ts'
import { primitive } from '../../../table/types.ts'
import {
  dateOfDays,
  daysOfDate,
  formatDate,
  formatDecimal,
  formatSingleValue,
  formatTimestamp,
  toJsonSingleValue,
} from '../../../table/value-text.ts'

describe('value text', () => {
  test('dates follow the proleptic Gregorian calendar over the whole range of the type', () => {
    expect([17486, 0, -1, -719162, -719163, 2932896, 2932897].map(formatDate)).toEqual([
      '2017-11-16',
      '1970-01-01',
      '1969-12-31',
      '0001-01-01',
      '0000-12-31',
      '9999-12-31',
      '+10000-01-01',
    ])
    expect(formatDate(-2147483648)).toBe('-5877641-06-23')
    expect(formatDate(2147483647)).toBe('+5881580-07-11')
  })

  test('days and dates agree with Date where it reaches, leap years included', () => {
    for (let days = -200_000; days <= 200_000; days += 37) {
      const date = dateOfDays(days)
      expect(formatDate(days)).toBe(new Date(days * 86_400_000).toISOString().slice(0, 10))
      expect(daysOfDate(date)).toBe(days)
    }
  })

  test('timestamps print microseconds or cut to milliseconds, also before 1970', () => {
    expect(formatTimestamp(1510871468000001n, 6, '+00:00')).toBe('2017-11-16T22:31:08.000001+00:00')
    expect(formatTimestamp(-1n, 6, '')).toBe('1969-12-31T23:59:59.999999')
    expect(formatTimestamp(-1_000n, 3, 'Z')).toBe('1969-12-31T23:59:59.999Z')
  })

  test('decimals keep their scale and sign', () => {
    expect([formatDecimal(-5n, 2), formatDecimal(0n, 2), formatDecimal(1230n, 2), formatDecimal(-7n, 0)]).toEqual([
      '-0.05',
      '0.00',
      '12.30',
      '-7',
    ])
  })

  test('single values print for people and as Iceberg JSON', () => {
    const date = primitive('date')
    expect(formatSingleValue(date, null)).toBe('null')
    expect(formatSingleValue(date, encodeSingleValue(date, 17486))).toBe('2017-11-16')
    expect(toJsonSingleValue(date, encodeSingleValue(date, 17486))).toBe('2017-11-16')
    expect(toJsonSingleValue(primitive('long'), encodeSingleValue(primitive('long'), 34n))).toBe(34n)
    expect(toJsonSingleValue(primitive('binary'), Uint8Array.of(0, 255))).toBe('00ff')
    expect(toJsonSingleValue({ kind: 'decimal', precision: 9, scale: 2 }, Uint8Array.of(5, 0x8c))).toBe('14.20')
    expect(toJsonSingleValue(primitive('boolean'), Uint8Array.of(1))).toBe(true)
    const timestamptz = primitive('timestamptz')
    expect(toJsonSingleValue(timestamptz, encodeSingleValue(timestamptz, 0n))).toBe('1970-01-01T00:00:00.000000+00:00')
    expect(formatSingleValue(primitive('double'), encodeSingleValue(primitive('double'), -0))).toBe('-0.0')
  })
})
