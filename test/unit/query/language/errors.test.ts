import { expect, test } from 'vitest'
import { applyEdits, formatDiagnostic } from '../../../../query/language/diagnostic.ts'
import { parseQuery } from '../../../../query/language/parse.ts'

/** The query, and for each of its mistakes a caret with the message. Hints and fixes have tests of their own. */
test.each([
  [
    'data.latency_ms > 250 ms and data.log_level = = "error"',
    '                                              ^ expected a value (string, number, duration, time, true, false, null)',
  ],
  ['data.level "error"', '          ^ expected an operator behind the field'],
  ['data.level', '          ^ expected an operator behind the field'],
  ['(a == 1', '       ^ expected )'],
  ['a == 1 ) and b == 2', '       ^ ) does not belong here'],
  ['a in [1, 2', '          ^ expected , or ]'],
  ['a in []', '      ^ expected a value (string, number, duration, time, true, false, null)'],
  ['a == 1 or', '         ^ expected a test such as data.level == "error"'],
  ['and == 3', '^ and does not belong here'],
  [
    'a == #',
    '     ^ "#" means nothing here',
    '      ^ expected a value (string, number, duration, time, true, false, null)',
  ],
  ['a == "open', '     ^ this string has no closing "'],
  ['a == "\\q"', '      ^ this escape is not known: use \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX'],
  ['a.b[x] == 1', '    ^ expected a number, * or a name'],
  ['a[1.5] == 1', '  ^ a place in an array is a whole number from 0'],
  ['a. == 1', '   ^ expected a name'],
  ['a == 5M', '      ^ unknown unit M: use ms, s, m, h, d or w, or B, KB, MB, GB, KiB, MiB or GiB'],
  ['a == 1e999', '     ^ this number is too large'],
  ['a == 50%', '     ^ a percentage stands only behind sample'],
  ['a == 2026-02-30', '     ^ 2026-02-30 is not in the calendar'],
  ['a > now - 5', '          ^ a duration such as 30s, 5m or 1h is expected behind now -'],
  ['a contains 5', '           ^ expected a string'],
  ['a < true', '    ^ < needs a number, a string or a time'],
  ['a < "x"i', '    ^ < orders strings by their code points and cannot ignore case'],
  ['a between 5 and 1', '          ^ the larger end comes first: nothing is between them'],
  ['a between 1 and "x"', '                ^ the ends of a range are of one kind, not a number and a string'],
  ['a between 1 or 2', '            ^ expected and, and the other end of the range'],
  ['"a"i == 1', '   ^ the name of a field is always compared exactly'],
  ['a is 5', '     ^ expected null'],
  // What is known of a record.
  ['@offset == "5"', '           ^ @offset is a number and never a string'],
  ['@key == 5', '        ^ @key is a string and never a number'],
  ['@timestamp > 1h', '             ^ @timestamp is a time and never a duration'],
  ['@timestamp contains "2026"', '                    ^ @timestamp is a time, and contains needs a string'],
  ['@foo == 1', '^ @foo is not known of a record'],
  ['@headers == 1', '^ a header is written @headers.name'],
  ['@offset.x == 1', '^ @offset has no parts'],
  // Regular expressions: the caret is under the part of the pattern that is wrong, escapes or not.
  ['a =~ "x(?=y)"', '       ^ look-ahead is not supported'],
  ['a =~ `(?<!y)x`', '      ^ look-behind is not supported'],
  ['a =~ `(a)\\1`', '         ^ back-references are not supported'],
  ['a =~ "\\\\d\\\\1"', '         ^ back-references are not supported'],
  ['a =~ "a("', '       ^ this group is not closed'],
  ['a =~ "a)"', '       ^ this ) closes nothing'],
  ['a =~ "[a-"', '      ^ this class is not closed'],
  ['a =~ "*"', '      ^ nothing stands before this repetition'],
  ['a =~ "a**"', '        ^ a repetition cannot be repeated'],
  ['a =~ "(a{100}){100}"', '      ^ repeats more than 1000 times'],
  ['a =~ "b(?s:.)"', '       ^ flags inside a regular expression are not supported'],
  ['a =~ "(?i)b(?=x)"', '           ^ look-ahead is not supported'],
  ['a:/x(?=y)/', '    ^ look-ahead is not supported'],
  // Stages.
  [
    'a == 1 | bogus 5',
    '         ^ expected a stage (stats, timechart, top, facets, fields, sort, limit, sample, estimate)',
  ],
  ['a == 1 |', '        ^ expected a stage (stats, timechart, top, facets, fields, sort, limit, sample, estimate)'],
  ['stats count() by x', '            ^ expected a test such as data.level == "error"'],
  ['| stats', '       ^ expected an aggregate such as count()'],
  ['| stats foo(x)', '        ^ there is no function foo'],
  ['| stats sum()', '            ^ sum needs a field: sum(data.size)'],
  ['| stats count_distinct(*)', '                       ^ count_distinct takes a field'],
  ['| stats count(a, b)', '                 ^ count takes one field'],
  ['| stats count(), count()', '                 ^ there are two columns called count'],
  ['| stats count() by a, a', '                      ^ there are two columns called a'],
  ['| stats count() by a:0s', '                     ^ the width of a bucket must be more than 0'],
  ['| stats count() by a:-5', '                     ^ the width of a bucket must be more than 0'],
  ['| stats sum(@topic)', '            ^ sum needs numbers, and @topic is a string'],
  ['| stats count() by a | sort b', '                            ^ there is no column b here'],
  [
    '| stats count() by a | sample 5%',
    '                       ^ sample works on events: it stands before the stages that make columns',
  ],
  [
    '| stats count() if ("x") by a | stats count() if ("x")',
    '                                                  ^ there is no text to search behind this stage',
  ],
  ['| stats count() | where count > 5', '                  ^ a filter stands before all stages'],
  ['| timechart 0m count()', '            ^ the span of a bucket must be longer than nothing'],
  ['| timechart -5m count()', '            ^ the span of a bucket must be longer than nothing'],
  ['| timechart 5 count()', '            ^ the span of a bucket is a duration such as 30s, 5m or 1h'],
  ['| timechart count() limit 5', '  ^ without by there is only one series to limit'],
  ['| timechart count() by a by b', '                            ^ by stands here twice'],
  ['| timechart count() over a[*]', '                         ^ the clock needs one value, and [*] may yield several'],
  ['| sort a[*]', '       ^ a sort key needs one value, and [*] may yield several'],
  ['| limit 0', '        ^ limit needs a positive whole number'],
  ['| limit -3', '        ^ limit needs a positive whole number'],
  ['| limit 1.5', '        ^ limit needs a positive whole number'],
  ['| limit 5m', '        ^ limit needs a positive whole number'],
  ['| limit x', '        ^ expected a number'],
  ['| limit 1000001', '        ^ limit is at most 1000000'],
  ['| sample 0%', '         ^ sample needs more than 0% and at most 100%'],
  ['| estimate | limit 5', '  ^ nothing can follow estimate'],
  ['from table "a b"', '           ^ the name of a table has letters, digits and _'],
  ['from table', '          ^ expected the name of a table'],
  // Several at once.
  [
    'a == and b == = 5 | limit 0',
    '     ^ expected a value (string, number, duration, time, true, false, null)',
    '              ^ expected a value (string, number, duration, time, true, false, null)',
    '                          ^ limit needs a positive whole number',
  ],
  [
    '| limit 0 | limit 1.5 | bogus',
    '        ^ limit needs a positive whole number',
    '                  ^ limit needs a positive whole number',
    '                        ^ expected a stage (stats, timechart, top, facets, fields, sort, limit, sample, estimate)',
  ],
])('%s', (text, ...carets) => {
  const { errors } = parseQuery(text)
  expect(errors.map(error => formatDiagnostic(text, error).split('\n')[1])).toEqual(carets)
  for (const error of errors) expect(error.code).toMatch(/^[a-z]+(-[a-z]+)+$/)
})

test.each([
  ['a = = 1', 'write ==', 'a == 1'],
  ['(a == 1', 'close it with )', '(a == 1)'],
  ['a in [1, 2 | limit 5', 'close it with ]', 'a in [1, 2] | limit 5'],
  ['a == 1) | limit 5', 'leave it out', 'a == 1 | limit 5'],
  ['a == "open', 'close it with "', 'a == "open"'],
  ['a == "\\d"', 'write `\\d`', 'a == `\\d`'],
  ['a == 5M', 'write m', 'a == 5m'],
  ['a contains 5', 'write "5"', 'a contains "5"'],
  ['@key == 5', 'write "5"', '@key == "5"'],
  ['@offset == "5"', 'write 5', '@offset == 5'],
  ['@timestamp > 1h', 'write now - 1h', '@timestamp > now - 1h'],
  ['@key == null', 'ask whether it is missing', 'not exists(@key)'],
  ['@ofset == 1', 'write @offset', '@offset == 1'],
  ['@http.status == 1', 'leave out the @', 'http.status == 1'],
  ['and == 3', 'write "and"', '"and" == 3'],
  ['data.level', 'ask whether it exists', 'exists(data.level)'],
  ['stats count() by x', 'write | before it', '| stats count() by x'],
  ['| stat count()', 'write stats', '| stats count()'],
  ['| stats', 'count the events', '| stats count()'],
  ['| stats coutn()', 'write count', '| stats count()'],
  ['| stats count(), count() by x', 'name it count_2', '| stats count(), count() as count_2 by x'],
  ['| stats count() by level | sort levle', 'write level', '| stats count() by level | sort level'],
  ['| timechart 5 count()', 'write 5m', '| timechart 5m count()'],
  ['| limit 1000001', 'write 1000000', '| limit 1000000'],
])('%s: %s', (text, label, mended) => {
  const fixes = parseQuery(text).errors.flatMap(error => error.fixes)
  const fix = fixes.find(each => each.label === label)
  expect(fix, JSON.stringify(fixes)).toBeDefined()
  expect(applyEdits(text, [fix!.edit])).toBe(mended)
  expect(parseQuery(mended).errors).toEqual([])
})

test('the whole of an error', () => {
  const text = 'data.log_level = = "error"'
  const { errors } = parseQuery(text)
  expect(errors).toEqual([
    {
      code: 'expected-value',
      message: 'expected a value (string, number, duration, time, true, false, null)',
      span: { from: 17, to: 18 },
      expected: ['string', 'number', 'duration', 'time', 'true', 'false', 'null'],
      hint: 'write == with no space between',
      fixes: [{ label: 'write ==', edit: { span: { from: 15, to: 18 }, text: '==' } }],
    },
  ])
  expect(formatDiagnostic(text, errors[0]!)).toBe(
    [
      'data.log_level = = "error"',
      '                 ^ expected a value (string, number, duration, time, true, false, null)',
      'hint: write == with no space between',
    ].join('\n'),
  )
})

test('the caret is in the line of the mistake, and long lines are cut around it', () => {
  const lines = 'a == 1\nb == "🙂" c == = 2\n| limit 5'
  expect(formatDiagnostic(lines, parseQuery(lines).errors[0]!)).toMatch(/^b == "🙂" c == = 2\n {14}\^ expected a value/)
  const long = `${'a == 1 and '.repeat(50)}b == = 2`
  const [shown, caret] = formatDiagnostic(long, parseQuery(long).errors[0]!).split('\n')
  expect(shown!.length).toBeLessThanOrEqual(160)
  expect(shown![caret!.indexOf('^')]).toBe('=')
})

test('more mistakes than are shown end the reading', () => {
  const { errors } = parseQuery('| bogus '.repeat(20))
  expect(errors).toHaveLength(20)
  expect(parseQuery('a in [= , '.repeat(500)).errors.length).toBeLessThanOrEqual(20)
})
