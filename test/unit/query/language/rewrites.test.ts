import { expect, test } from 'vitest'
import { applyEdits } from '../../../../query/language/diagnostic.ts'
import { rewriteEdits } from '../../../../query/language/lenient.ts'
import { parseQuery } from '../../../../query/language/parse.ts'

test.each([
  // Spellings of operators.
  ['a = 1', 'a == 1'],
  ['a=1', 'a == 1'],
  ['a === 1 and b !== 2', 'a == 1 and b != 2'],
  ['a <> 1', 'a != 1'],
  ['a == 1 AND b == 2 Or NOT c == 3', 'a == 1 and b == 2 or not c == 3'],
  ['a==1&&b==2||!c==3', 'a==1 and b==2 or not c==3'],
  ['a STARTS_WITH "x" b endswith "y" c Contains "z"', 'a startsWith "x" b endsWith "y" c contains "z"'],
  ['a NOT IN ["x"] b !in ["y"] c BETWEEN 1 AND 5', 'a not in ["x"] b not in ["y"] c between 1 and 5'],
  ['a in (1, 2)', 'a in [1, 2]'],
  ['a in [1 2 "x"]', 'a in [1, 2, "x"]'],
  // Null and existence.
  ['a is null and b IS NOT NULL', 'not exists(a) and exists(b)'],
  ['exists a', 'exists(a)'],
  ['a exists b not exists', 'exists(a) not exists(b)'],
  ['EXISTS(a)', 'exists(a)'],
  // Strings.
  ["a == 'it''s' or b == 'say \"hi\"'i", 'a == "it\'s" or b == `say "hi"`i'],
  ['a == “x” and b == ‘y’', 'a == "x" and b == "y"'],
  ['a == error', 'a == "error"'],
  ['timeout error', '"timeout" "error"'],
  ['-timeout', 'not "timeout"'],
  // Lucene, KQL, Datadog, Quickwit.
  ['level:error', 'level == "error"'],
  ['level: error', 'level == "error"'],
  ['-level:error', 'not level == "error"'],
  ['host:web-1.example.org ip:10.0.0.1', 'host == "web-1.example.org" ip == "10.0.0.1"'],
  [
    'level:err* path:*.html name:*mid* x:a*b?c',
    'level startsWith "err" path endsWith ".html" name contains "mid" x like "a*b?c"',
  ],
  ['level:* size:>10KiB ok:true n:5', 'exists(level) size > 10KiB ok == true n == 5'],
  ['level:(error OR warn)', 'level in ["error", "warn"]'],
  ['level:IN [error warn]', 'level in ["error", "warn"]'],
  ['size:[1 TO 5]', 'size between 1 and 5'],
  ['path:/ab+/', 'path =~ "ab+"'],
  ['* | stats count()', '| stats count()'],
  // SQL.
  ["a LIKE '%x%'", 'a contains "x"'],
  ["a LIKE 'x%' and b like '%x'", 'a startsWith "x" and b endsWith "x"'],
  ["a NOT LIKE '%x%y_'", 'a not like "*x*y?"'],
  ["a like '50\\\\%%'", 'a startsWith "50%"'],
  ['where a == 1', 'a == 1'],
  ['a == 1 | where b == 2 or c == 3 | limit 5', 'a == 1 and (b == 2 or c == 3) | limit 5'],
  ['| filter a == 1', 'a == 1'],
  // Regular expressions.
  ['a =~ "(?i)time.?out"', 'a =~ "time.?out"i'],
  ['a !~ /x\\d/i', 'a !~ `x\\d`i'],
  // Units and times.
  ['a > 250 ms and b < 10 KiB', 'a > 250ms and b < 10KiB'],
  ['a > 5 minutes', 'a > 5m'],
  ['a > 10kib', 'a > 10KiB'],
  ['a > 1.5 hours | limit 5', 'a > 90m | limit 5'],
  ['time > 2026-01-02 03:04', 'time > 2026-01-02T03:04:00Z'],
  ['@timestamp > "2026-01-02"', '@timestamp > 2026-01-02T00:00:00Z'],
  ['@TIMESTAMP > NOW - 1h', '@timestamp > now - 1h'],
  // Fields.
  ['a["b c"][0] == 1', 'a."b c"[0] == 1'],
  ["data.'k8s.pod' == 1", 'data."k8s.pod" == 1'],
  // Stages.
  ['| STATS Count(*) BY a', '| stats count() by a'],
  ['| summarize mean(a), dcount(b), median(c)', '| stats avg(a), count_distinct(b), p50(c)'],
  ['| stats by a', '| stats count() by a'],
  ['| stats count by a', '| stats count() by a'],
  ['| count', '| stats count()'],
  ['| head 5', '| limit 5'],
  ['| take 5', '| limit 5'],
  ['| project a, b', '| fields a, b'],
  ['| order by a DESC, b asc', '| sort a desc, b'],
  ['| sort -a, b', '| sort a desc, b'],
  ['| stats count() by a | sort count() desc', '| stats count() by a | sort count desc'],
  ['| stats sum(b) by a | sort sum(b) desc', '| stats sum(b) by a | sort "sum(b)" desc'],
  ['| timechart by a', '| timechart count() by a'],
  ['| timechart 5 minutes', '| timechart 5m count()'],
  ['| top a', '| top 10 a'],
  ['| top 5 by a', '| top 5 a'],
  ['| sample 10', '| sample 10%'],
  ['FROM TABLE 2024_orders', 'from table "2024_orders"'],
])('%s', (text, rewritten) => {
  const result = parseQuery(text)
  expect(result.errors).toEqual([])
  expect(result.rewrites.length).toBeGreaterThan(0)
  expect(applyEdits(text, rewriteEdits(result.rewrites))).toBe(rewritten)
  expect(parseQuery(rewritten).rewrites).toEqual([])
})

test('a rewrite says what stood where', () => {
  const { rewrites } = parseQuery("level:error AND msg LIKE '%x%'")
  expect(rewrites).toEqual([
    { span: { from: 0, to: 11 }, old: 'level:error', new: 'level == "error"' },
    { span: { from: 12, to: 15 }, old: 'AND', new: 'and' },
    { span: { from: 16, to: 30 }, old: "msg LIKE '%x%'", new: 'msg contains "x"' },
  ])
})

test.each([
  'data.level == "error" and (data.latency_ms > 250ms or not exists(data."k8s.pod")) | stats count() by time:5m',
  'order == 1 and limit > 2 and exists(count) where == 3',
  '"and" == 1 "quoted name" contains "x" "free text"',
  'a not contains "x" b !~ `\\d` c not between 1 and 2 d not in [null]',
  'a == 1\nb == 2\n| limit 5',
  'a like "50\\\\%*"',
  '| timechart 5m p99(data.latency_ms) if (data.level == "info") as p99 by data.region over time limit 5',
  'from table orders amount > 12345678901234567890',
  '"starts_with" == 1 and "ENDS_WITH" == 2',
  '| sort by desc, by.desc',
  '| top 5 by',
  '| top 5 s',
])('our own way is left alone: %s', text => {
  const result = parseQuery(text)
  expect(result.errors).toEqual([])
  expect(result.rewrites).toEqual([])
})
