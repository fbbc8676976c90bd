import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Interval } from '../../../../query/filter/interval.ts'
import type { Filter } from '../../../../query/language/ast.ts'
import { parseQuery } from '../../../../query/language/parse.ts'
import { boundsOf, isNowhere } from '../../../../query/plan/record-bounds.ts'
import {
  arbitraryRecords,
  filterNowMs,
  meetingFilter,
  metadataFilter,
} from '../../../support/query/arbitrary-records.ts'
import { passes } from '../../../support/query/evaluate-filter.ts'
import { eventRow } from '../../../support/query/rows.ts'

test.each([
  ['filters', meetingFilter],
  ['filters of metadata alone', metadataFilter],
])('no record outside of the bounds passes: %s', (_, filters) => {
  fc.assert(
    fc.property(filters, arbitraryRecords, (filter, records) => {
      const { timestamp, offset, partition } = boundsOf(filter, filterNowMs)
      for (const record of records) {
        if (!passes(eventRow(record), filter, filterNowMs)) continue
        expect(holds(timestamp, record.timestampMs)).toBe(true)
        expect(holds(offset, Number(record.offset))).toBe(true)
        expect(holds(partition, record.partition)).toBe(true)
      }
    }),
    { numRuns: 3000 },
  )
})

function holds({ low, high }: Interval, value: number): boolean {
  return value >= low && value <= high
}

const all = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }

test.each<[string, Partial<Record<'timestamp' | 'offset' | 'partition', Interval>>]>([
  ['a == 1', {}],
  ['@offset >= 10 and @offset < 20 and a == 1', { offset: { low: 10, high: 20 - 2 ** -48 } }],
  ['@offset == 3 or @offset == 7', { offset: { low: 3, high: 7 } }],
  [
    '@partition in [1, 4] and not (@offset <= 5)',
    { partition: { low: 1, high: 4 }, offset: { low: 5 + 2 ** -50, high: all.high } },
  ],
  ['@timestamp >= now - 1s and @timestamp <= now', { timestamp: { low: filterNowMs - 1000, high: filterNowMs } }],
  ['@timestamp between 1970-01-01 and 1970-01-02', { timestamp: { low: 0, high: 86_400_000 } }],
  ['@timestamp > now and a == 1 or @timestamp < 1970-01-01', {}],
  ['(@offset == 3 and @offset == 4) or @offset == 9', { offset: { low: 9, high: 9 } }],
  ['@offset != 3', {}],
  ['not (@offset != 3)', { offset: { low: 3, high: 3 } }],
])('%s', (text, expected) => {
  const parsed: Filter | undefined = parseQuery(text).query?.filter
  expect(boundsOf(parsed!, filterNowMs)).toEqual({ timestamp: all, offset: all, partition: all, ...expected })
})

test('without a filter all may pass, and nothing passes what contradicts itself', () => {
  expect(boundsOf(undefined, filterNowMs)).toEqual({ timestamp: all, offset: all, partition: all })
  for (const text of [
    '@offset < 3 and @offset > 4',
    '@partition == 1.5 and @partition == 2',
    '@timestamp == 1970-01-01T00:00:00.0001Z',
  ]) {
    expect(isNowhere(boundsOf(parseQuery(text).query!.filter!, filterNowMs))).toBe(true)
  }
})
