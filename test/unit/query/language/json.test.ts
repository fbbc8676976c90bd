import { expect, test } from 'vitest'
import { queryFromJson } from '../../../../query/language/json/from-json.ts'
import { queryToJson } from '../../../../query/language/json/to-json.ts'
import { parseQuery } from '../../../../query/language/parse.ts'

const test1 = { field: 'a', op: '==', value: 1 }

test.each([
  [null, '$: must be an object, not null'],
  [[], '$: must be an object, not an array'],
  [{}, '$: must have version'],
  [{ version: 2 }, '$.version: must be 1'],
  [{ version: 1, filtre: {} }, '$.filtre: is not known here; did you mean filter?'],
  [{ version: 1, x: {} }, '$.x: is not known here; known are version, from, filter, stages'],
  [{ version: 1, from: { table: 'a b' } }, '$.from.table: must be a name of letters, digits and _'],
  [{ version: 1, filter: 5 }, '$.filter: must be an object, not 5'],
  [{ version: 1, filter: { and: [] } }, '$.filter.and: must have at least 1'],
  [{ version: 1, filter: { and: [test1, { not: 1 }] } }, '$.filter.and[1].not: must be an object, not 1'],
  [{ version: 1, filter: { and: [test1], or: [] } }, '$.filter.or: is not known here; known are and'],
  [{ version: 1, filter: { field: 'a', op: '==' } }, '$.filter: must have value'],
  [{ version: 1, filter: { ...test1, op: '=' } }, '$.filter.op: is no operator: "="'],
  [
    { version: 1, filter: { ...test1, field: 'a b' } },
    '$.filter.field: must be a field such as data.level or @timestamp',
  ],
  [
    { version: 1, filter: { ...test1, field: "a['b']" } },
    '$.filter.field: must be a field such as data.level or @timestamp',
  ],
  [{ version: 1, filter: { ...test1, field: '@foo' } }, '$.filter.field: @foo is not known of a record'],
  [{ version: 1, filter: { ...test1, value: [] } }, '$.filter.value: must be a value, not an array'],
  [
    { version: 1, filter: { ...test1, value: { ms: 1.5 } } },
    '$.filter.value.ms: must be a whole number from -9007199254740991 to 9007199254740991, not 1.5',
  ],
  [
    { version: 1, filter: { ...test1, value: { ms: 1, bytes: 2 } } },
    '$.filter.value.ms: is not known here; known are bytes',
  ],
  [
    { version: 1, filter: { ...test1, value: 2 ** 60 } },
    '$.filter.value: is beyond 2^53, where JSON loses digits: write { "integer": "..." }',
  ],
  [{ version: 1, filter: { ...test1, value: { integer: '5x' } } }, '$.filter.value.integer: must be digits'],
  [
    { version: 1, filter: { ...test1, value: { time: 'noon' } } },
    '$.filter.value.time: must be a time such as 2026-01-02T03:04:05Z',
  ],
  [{ version: 1, filter: { ...test1, op: '<', value: true } }, '$.filter.value: < needs a number, a string or a time'],
  [
    { version: 1, filter: { ...test1, op: '=~', value: 'a(?=b)' } },
    '$.filter.value: look-ahead is not supported, at character 2',
  ],
  [{ version: 1, filter: { ...test1, op: 'contains' } }, '$.filter.value: must be an object, not 1'],
  [{ version: 1, filter: { field: 'a', op: 'in', values: [] } }, '$.filter.values: must have at least 1'],
  [
    { version: 1, filter: { field: 'a', op: 'between', low: 5, high: 1 } },
    '$.filter.low: the larger end comes first: nothing is between them',
  ],
  [
    { version: 1, filter: { field: '@offset', op: 'in', values: [1, 'x'] } },
    '$.filter.values[1]: @offset is a number and never a string',
  ],
  [
    { version: 1, stages: [{}] },
    '$.stages[0]: must have one of stats, timechart, top, facets, fields, sort, limit, sample, estimate',
  ],
  [{ version: 1, stages: [{ limit: 0 }] }, '$.stages[0].limit: must be a whole number from 1 to 1000000, not 0'],
  [{ version: 1, stages: [{ sample: 101 }] }, '$.stages[0].sample: must be more than 0 and at most 100'],
  [
    { version: 1, stages: [{ stats: { aggregates: [{ function: 'foo' }] } }] },
    '$.stages[0].stats.aggregates[0].function: must be a function, not "foo"',
  ],
  [
    { version: 1, stages: [{ stats: { aggregates: [{ function: 'sum' }] } }] },
    '$.stages[0].stats.aggregates[0]: must have a field: sum needs one',
  ],
  [
    { version: 1, stages: [{ stats: { aggregates: [{ function: 'count' }, { function: 'count' }] } }] },
    '$.stages[0].stats.aggregates[1]: there are two columns called count',
  ],
  [
    { version: 1, stages: [{ stats: { aggregates: [{ function: 'count' }], by: [{ field: 'a', width: 0 }] } }] },
    '$.stages[0].stats.by[0].width: the width of a bucket must be more than 0',
  ],
  [
    { version: 1, stages: [{ top: { count: 5, field: 'a' } }, { sort: [{ field: 'b' }] }] },
    '$.stages[1].sort[0].field: there is no column b here',
  ],
  [
    { version: 1, stages: [{ timechart: { spanMs: -1, aggregate: { function: 'count' } } }] },
    '$.stages[0].timechart.spanMs: must be a whole number from 1 to 9007199254740991, not -1',
  ],
  [{ version: 1, stages: [{ estimate: true }, { limit: 1 }] }, '$.stages[0].estimate: nothing can follow estimate'],
])('%j is refused', (json, refusal) => {
  const { problem } = queryFromJson(json)
  expect(`${problem?.path}: ${problem?.message}`).toBe(refusal)
})

// Saved queries hold this form: it must not change within version 1.
test('version 1, all of it', () => {
  const text =
    'from table orders (a == "x"i or not a.b[0] != 12345678901234567890) and c not in [1, null, true] ' +
    'and d not between 1KiB and 2KiB and e startsWith "p" and f !~ "q" and exists(@headers.h) and "text" and ' +
    '@timestamp >= now - 1h and t < 2026-01-02T03:04:05Z and l > 250ms ' +
    '| sample 10% | stats count(), sum(a) if (b == 1) as s by c:5m, d | sort s desc, d | fields s, d | limit 5'
  expect(queryToJson(parseQuery(text).query!)).toEqual({
    version: 1,
    from: { table: 'orders' },
    filter: {
      and: [
        {
          or: [
            { field: 'a', op: '==', value: { string: 'x', ignoreCase: true } },
            { not: { field: 'a.b[0]', op: '!=', value: { integer: '12345678901234567890' } } },
          ],
        },
        { field: 'c', op: 'not in', values: [1, null, true] },
        { field: 'd', op: 'not between', low: { bytes: 1024 }, high: { bytes: 2048 } },
        { field: 'e', op: 'startsWith', value: 'p' },
        { field: 'f', op: '!~', value: 'q' },
        { exists: '@headers.h' },
        { text: 'text' },
        { field: '@timestamp', op: '>=', value: { now: true, agoMs: 3_600_000 } },
        { field: 't', op: '<', value: { time: '2026-01-02T03:04:05Z' } },
        { field: 'l', op: '>', value: { ms: 250 } },
      ],
    },
    stages: [
      { sample: 10 },
      {
        stats: {
          aggregates: [
            { function: 'count' },
            { function: 'sum', field: 'a', if: { field: 'b', op: '==', value: 1 }, as: 's' },
          ],
          by: [{ field: 'c', width: { ms: 300_000 } }, { field: 'd' }],
        },
      },
      { sort: [{ field: 's', descending: true }, { field: 'd' }] },
      { fields: ['s', 'd'] },
      { limit: 5 },
    ],
  })
  expect(queryToJson(parseQuery('| timechart 5m rate() by a over time limit 3').query!)).toEqual({
    version: 1,
    stages: [{ timechart: { spanMs: 300_000, aggregate: { function: 'rate' }, by: 'a', over: 'time', limit: 3 } }],
  })
  expect(queryToJson(parseQuery('| facets').query!)).toEqual({ version: 1, stages: [{ facets: {} }] })
  expect(queryToJson(parseQuery('| top 3 a | limit 2').query!)).toEqual({
    version: 1,
    stages: [{ top: { count: 3, field: 'a' } }, { limit: 2 }],
  })
  expect(queryToJson(parseQuery('| estimate').query!)).toEqual({ version: 1, stages: [{ estimate: true }] })
})
