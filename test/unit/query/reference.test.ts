/** The meaning of the language where it is easy to get wrong, as the reference evaluator has it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filter } from '../../../query/language/ast.ts'
import { parseQuery } from '../../../query/language/parse.ts'
import { keepsSample } from '../../../query/language/sampling.ts'
import { arbitraryFilter } from '../../support/query/arbitrary-query.ts'
import { passes } from '../../support/query/evaluate-filter.ts'
import { evaluateQuery, showCell } from '../../support/query/evaluate-query.ts'
import type { QueryRecord } from '../../support/query/event.ts'
import { eventRow } from '../../support/query/rows.ts'

const nowMs = Date.parse('2026-03-01T00:00:00Z')

function record(value: string | null, offset = 0, timestampMs = nowMs): QueryRecord {
  return { topic: 't', partition: 0, offset: BigInt(offset), timestampMs, key: null, headers: [], value }
}

function filterOf(text: string): Filter {
  const { query, errors } = parseQuery(text)
  expect(errors, text).toEqual([])
  return query!.filter!
}

const holds = (text: string, json: string | null): boolean => passes(eventRow(record(json)), filterOf(text), nowMs)

test.each([
  // Numbers by their exact value, never as strings.
  ['{"a":1}', 'a == 1', true],
  ['{"a":1.0}', 'a == 1', true],
  ['{"a":1e2}', 'a == 100', true],
  ['{"a":"1"}', 'a == 1', false],
  ['{"a":1}', 'a == "1"', false],
  ['{"a":true}', 'a == 1', false],
  ['{"a":-0}', 'a == 0', true],
  ['{"a":9007199254740993}', 'a == 9007199254740992', false],
  ['{"a":9007199254740993}', 'a > 9007199254740992', true],
  ['{"a":9007199254740993}', 'a == 9007199254740993', true],
  ['{"a":9007199254740993}', 'a < 9007199254740993.5', true],
  ['{"a":123456789012345678901234567890}', 'a == 123456789012345678901234567890', true],
  ['{"a":0.1}', 'a == 0.10', true],
  ['{"a":1e400}', 'a > 5', true],
  ['{"a":-5}', 'a between -5 and -4', true],
  ['{"a":1024}', 'a == 1KiB', true],
  ['{"a":1500}', 'a == 1.5s', true],
  // Strings by code points.
  ['{"a":"B"}', 'a < "a"', true],
  ['{"a":"\u{1F600}"}', 'a > "\uffee"', true],
  ['{"a":"x"}', 'a > 5', false],
  ['{"a":"Straße"}', 'a == "STRAßE"i', true],
  ['{"a":"Strasse"}', 'a == "STRAßE"i', false],
  ['{"a":"ΣΑΣ"}', 'a == "σας"i', true],
  ['{"a":"a.c"}', 'a contains "."', true],
  ['{"a":"abc"}', 'a contains "."', false],
  ['{"a":""}', 'a contains ""', true],
  ['{"a":5}', 'a contains "5"', false],
  // Patterns of like.
  ['{"a":"line\\nbreak"}', 'a like "line*break"', true],
  ['{"a":"50%"}', 'a like "50?"', true],
  ['{"a":"a*c"}', 'a like "a\\\\*c"', true],
  ['{"a":"abc"}', 'a like "a\\\\*c"', false],
  ['{"a":"\u{1F600}"}', 'a like "?"', true],
  ['{"a":"ABC"}', 'a like "a*"i', true],
  ['{"a":"xabc"}', 'a like "abc"', false],
  // Regular expressions as RE2 reads them.
  ['{"a":"a\\nb"}', 'a =~ "a.b"', false],
  ['{"a":"a\\nb"}', 'a =~ "a$"', false],
  ['{"a":"\u00a0"}', 'a =~ `\\s`', false],
  ['{"a":"]"}', 'a =~ "[]]"', true],
  ['{"a":"x"}', 'a =~ "[^]]"', true],
  ['{"a":"a{b"}', 'a =~ "a{b"', true],
  ['{"a":"é"}', 'a =~ `^\\p{L}$`', true],
  ['{"a":"é"}', 'a =~ `\\w`', false],
  ['{"a":"ж"}', 'a =~ `\\p{Cyrillic}`', true],
  ['{"a":"aab"}', 'a =~ "(?P<twice>a{2})b"', true],
  ['{"a":"-"}', 'a =~ "[a-]"', true],
  ['{"a":"ABC"}', 'a =~ "^b?abc"i', true],
  // Times with times, strings that spell one, and milliseconds.
  ['{"a":"2026-02-28T23:30:00Z"}', 'a >= now - 30m', true],
  ['{"a":"2026-03-01T00:30:00+01:00"}', 'a == 2026-02-28T23:30:00Z', true],
  ['{"a":"2026-03-01"}', 'a == now', true],
  ['{"a":"yesterday"}', 'a < now', false],
  ['{"a":1772323200000}', 'a == now', true],
  ['{"a":1772323200000.5}', 'a > now', true],
  ['{"a":"2026-03-01T00:00:00.000000001Z"}', 'a > 2026-03-01', true],
  ['{}', '@timestamp == 1772323200000 and @timestamp == 2026-03-01', true],
  // Null is a value that does not exist.
  ['{"a":null}', 'a == null', true],
  ['{}', 'a == null', false],
  ['{"a":null}', 'exists(a)', false],
  ['{"a":false}', 'exists(a)', true],
  ['{"a":null}', 'a != 1', true],
  ['{"a":null}', 'a < 1 or a >= 1', false],
  // Missing: false, and true of the opposite.
  ['{}', 'a == 1', false],
  ['{}', 'a != 1', true],
  ['{}', 'a < 1 or a >= 1', false],
  ['{}', 'not a < 1', true],
  ['{}', 'a in [1, null]', false],
  ['{}', 'a not in [1]', true],
  ['{}', 'a not between 1 and 2', true],
  ['{}', 'a not contains "x" and a !~ "x" and a not like "x"', true],
  ['{"a":5}', 'a not contains "x"', true],
  // Arrays and objects.
  ['{"a":[1,2]}', 'a == 1', false],
  ['{"a":[1,2]}', 'a != 1', true],
  ['{"a":[1,2]}', 'a[*] == 2', true],
  ['{"a":[1,2]}', 'a[*] != 2', false],
  ['{"a":[1,2]}', 'a[*] != 3', true],
  ['{"a":[]}', 'a[*] != 3 and not exists(a[*]) and exists(a)', true],
  ['{"a":[1,5]}', 'a[*] between 2 and 4', false],
  ['{"a":[{"b":[{"c":1}]},{"b":[{"c":2}]}]}', 'a[*].b[*].c == 2', true],
  ['{"a":[1,2]}', 'a[1] == 2 and a[2] != 0', true],
  ['{"a":{"b":1}}', 'a == null or a == "b"', false],
  ['{"a.b":1}', 'a.b == 1', false],
  ['{"a.b":1}', '"a.b" == 1', true],
  ['{"a":1,"a":2}', 'a == 2', true],
  ['{"toString":1}', 'toString == 1', true],
  ['{}', 'exists(toString) or exists(__proto__)', false],
  ['{"__proto__":{"x":1}}', '__proto__.x == 1', true],
  ['{"a":"xyz"}', 'exists(a.length) or exists(a[0])', false],
  // Values that are not objects, not JSON, or not there.
  ['[1]', 'exists(a)', false],
  ['not json error', 'a != 1 and "error"', true],
  ['not json error', '"ERROR"i and not "ERROR"', true],
  [null, '"" or exists(a)', false],
  [null, 'not "" and a != 1', true],
  ['{"a":"\\u0061"}', 'a == "a" and not "\\"a\\":\\"a\\""', true],
])('%s: %s is %s', (json, filter, expected) => {
  expect(holds(filter, json)).toBe(expected)
})

const json = fc.json({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'level', 'data', 'count', 'x') })

test('a test and its opposite are never both true, nor both false', () => {
  const opposites: readonly (readonly [string, string])[] = [
    ['data == 1', 'data != 1'],
    ['data in [1, "a", null]', 'data not in [1, "a", null]'],
    ['data[*] contains "a"', 'data[*] not contains "a"'],
    ['data.level =~ "a"', 'data.level !~ "a"'],
    ['data between 0 and 5', 'data not between 0 and 5'],
  ]
  fc.assert(
    fc.property(json, value => {
      const wrapped = `{"data":${value}}`
      for (const [one, other] of opposites) expect(holds(one, wrapped)).toBe(!holds(other, wrapped))
    }),
  )
})

test('not, and and or obey De Morgan, whatever is missing', () => {
  fc.assert(
    fc.property(arbitraryFilter, arbitraryFilter, json, (a, b, value) => {
      const row = eventRow(record(value))
      const span = a.span
      const not = (term: Filter): Filter => ({ kind: 'not', term, span })
      const neither = passes(row, not({ kind: 'or', terms: [a, b], span }), nowMs)
      expect(neither).toBe(passes(row, { kind: 'and', terms: [not(a), not(b)], span }, nowMs))
      expect(passes(row, not(not(a)), nowMs)).toBe(passes(row, a, nowMs))
    }),
  )
})

function run(text: string, values: readonly string[]): string[] {
  const { query, errors } = parseQuery(text)
  expect(errors, text).toEqual([])
  const records = values.map((value, index) => record(value, index, nowMs + index * 1000))
  return evaluateQuery(query!, records, { nowMs, rangeSeconds: 10 }).map(row =>
    row.kind === 'columns' ? [...row.cells.values()].map(showCell).join(' ') : row.record.offset.toString(),
  )
}

test.each([
  ['| stats count(), sum(a), min(a), avg(a), p50(a), rate()', [], ['0 null null null null 0']],
  ['| stats count() by a', [], []],
  ['| stats sum(a)', ['{"a":9007199254740993}', '{"a":1}', '{"a":"7"}'], ['9007199254740994']],
  ['| stats sum(a), avg(a)', ['{"a":1.5}', '{"a":2}'], ['3.5 1.75']],
  ['| stats count(a), count_distinct(a)', ['{"a":1}', '{"a":1.0}', '{"a":"1"}', '{"a":null}', '{}'], ['3 2']],
  ['| stats count_distinct(a[*]), sum(a[*]), count(a[*])', ['{"a":[1,2,2]}', '{"a":[3,null]}'], ['3 8 4']],
  ['| stats min(a), max(a)', ['{"a":"x"}', '{"a":5}', '{"a":true}', '{"a":null}'], ['5 true']],
  ['| stats first(a), last(a)', ['{"a":null}', '{"a":2}', '{}', '{"a":3}', '{}'], ['2 3']],
  ['| stats p1(a), p50(a), p51(a), p99(a)', ['{"a":4}', '{"a":1}', '{"a":3}', '{"a":2}'], ['1 2 3 4']],
  ['| stats rate(), rate(a)', ['{"a":5}', '{"a":"x"}'], ['0.2 0.5']],
  [
    '| stats count() by a',
    ['{"a":"x"}', '{}', '{"a":null}', '{"a":2}', '{"a":10}', '{"a":false}'],
    ['2 1', '10 1', '"x" 1', 'false 1', 'null 2'],
  ],
  ['| stats count() by a[*], b', ['{"a":[1,1,2],"b":0}', '{"a":[],"b":0}'], ['1 0 1', '2 0 1', 'null 0 1']],
  [
    '| stats count() by a:10',
    ['{"a":-1}', '{"a":0}', '{"a":9.5}', '{"a":10}', '{"a":"x"}'],
    ['-10 1', '0 2', '10 1', 'null 1'],
  ],
  ['| stats count() by a:0.5', ['{"a":0.7}', '{"a":1}'], ['0.5 1', '1 1']],
  ['| stats count() by @timestamp:2s', ['{}', '{}', '{}'], ['2026-03-01T00:00:00Z 2', '2026-03-01T00:00:02Z 1']],
  ['| timechart 1s count()', ['{}'], ['2026-03-01T00:00:00Z 1']],
  [
    '| timechart 1s sum(a) over b',
    ['{"a":1,"b":"2026-01-01T00:00:00.5Z"}', '{"a":2,"b":"2026-01-01T00:00:02Z"}', '{"a":4,"b":"x"}'],
    ['2026-01-01T00:00:00Z 1', '2026-01-01T00:00:01Z null', '2026-01-01T00:00:02Z 2'],
  ],
  [
    '| timechart 1h count() by a limit 1',
    ['{"a":"y"}', '{"a":"x"}', '{"a":"y"}', '{}'],
    ['2026-03-01T00:00:00Z "y" 2', '2026-03-01T00:00:00Z "OTHER" 2'],
  ],
  ['| top 2 a', ['{"a":"y"}', '{"a":"x"}', '{"a":"x"}', '{"a":1}', '{}', '{}'], ['"x" 2', '1 1']],
  [
    '| sort a',
    ['{}', '{"a":"x"}', '{"a":null}', '{"a":10}', '{"a":9}', '{"a":[1]}', '{"a":true}'],
    ['4', '3', '1', '6', '5', '0', '2'],
  ],
  ['| sort a desc', ['{}', '{"a":"x"}', '{"a":10}', '{"a":9}'], ['1', '2', '3', '0']],
  ['| sort a, b desc', ['{"a":1,"b":1}', '{"a":1,"b":2}', '{"a":0}'], ['2', '1', '0']],
  ['| fields a, b[*].c | top 1 a', ['{"a":1,"b":[{"c":2},{}]}', '{"a":1}'], ['1 2']],
  ['| stats count() by a | stats max(count) as most, count() as groups', ['{"a":1}', '{"a":1}', '{"a":2}'], ['2 2']],
  [
    '| stats count() if (a > 1) as many, count() as all by b | sort many desc | limit 1',
    ['{"a":1,"b":"x"}', '{"a":2,"b":"y"}'],
    ['"y" 1 1'],
  ],
])('%s of %j', (text, values, rows) => {
  expect(run(text, values)).toEqual(rows)
})

test('a sample keeps its share of the offsets, and a larger one keeps them too', () => {
  for (const percent of [1, 10, 50]) {
    let kept = 0
    for (let offset = 0; offset < 100_000; offset++) {
      if (!keepsSample(offset % 3, BigInt(offset), percent)) continue
      kept++
      expect(keepsSample(offset % 3, BigInt(offset), percent + 5)).toBe(true)
    }
    expect(Math.abs(kept / 1000 - percent)).toBeLessThan(1)
  }
  expect(keepsSample(7, 2n ** 62n, 100)).toBe(true)
})
