import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findNearest } from '../../../config/problems.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../config/units.ts'

test('durations and sizes are read exactly', () => {
  for (const [text, valueMs] of [
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    [' 5 m ', 300_000],
    ['0', 0],
  ] as const) {
    expect(parseDuration(text)).toEqual({ value: valueMs })
  }
  for (const [text, valueBytes] of [
    ['4MiB', 4_194_304],
    ['256MB', 256_000_000],
    ['1.5 KiB', 1536],
    ['10b', 10],
    ['1kb', 1000],
  ] as const) {
    expect(parseSize(text)).toEqual({ value: valueBytes })
  }
})

test('what is printed reads back as the same number', () => {
  fc.assert(
    fc.property(fc.nat(), value => {
      expect(parseDuration(formatDuration(value))).toEqual({ value })
      expect(parseSize(formatSize(value))).toEqual({ value })
    }),
  )
})

test.each([
  ['10', 'must be a duration with its unit (ms, s, m, h or d), such as 10s'],
  ['10 parsecs', 'has the unknown unit "parsecs": use ms, s, m, h or d'],
  ['soon', 'must be a duration such as 10s, not "soon"'],
  ['99999999999999d', 'is too large'],
  ['constructor', 'must be a duration such as 10s, not "constructor"'],
  ['1constructor', 'has the unknown unit "constructor": use ms, s, m, h or d'],
])('the duration %s is refused', (text, problem) => {
  expect(parseDuration(text)).toEqual({ problem })
})

test.each([
  ['sorce_topic', 'source_topic'],
  ['topic', 'source_topic'],
  ['source-format', 'source_format'],
  ['TABLES', 'tables'],
  ['xyz', undefined],
  ['', undefined],
])('the key nearest to %j is %j', (written, nearest) => {
  expect(findNearest(written, ['source_topic', 'source_format', 'tables'])).toBe(nearest)
})
