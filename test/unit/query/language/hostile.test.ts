/**
 * Whatever the text, reading it ends soon, throws nothing, and says things that hold together: every place lies within the text,
 * rewrites do not overlap, and the rewritten text means the same and needs no more rewriting.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { completeQuery } from '../../../../query/language/complete/complete.ts'
import { applyEdits, formatDiagnostic } from '../../../../query/language/diagnostic.ts'
import { formatQuery } from '../../../../query/language/format.ts'
import { queryFromJson } from '../../../../query/language/json/from-json.ts'
import { queryToJson } from '../../../../query/language/json/to-json.ts'
import { rewriteEdits } from '../../../../query/language/lenient.ts'
import { queryLimits } from '../../../../query/language/limits.ts'
import { parseQuery } from '../../../../query/language/parse.ts'
import { compilePattern } from '../../../../query/language/pattern.ts'
import { withoutSpans } from '../../../../query/language/without-spans.ts'
import { arbitraryQuery } from '../../../support/query/arbitrary-query.ts'

/** Pieces of queries, good and bad, ours and others'. */
const pieces = fc.constantFrom(
  ...[
    'data',
    '.',
    'level',
    '"k8s.pod"',
    '[0]',
    '[*]',
    '[',
    ']',
    '(',
    ')',
    '@timestamp',
    '@offset',
    '@headers.id',
    '@foo',
    '@',
  ],
  ...[
    '==',
    '!=',
    '=',
    '<',
    '<=',
    '>',
    '<>',
    '=~',
    '!~',
    ':',
    '===',
    'in',
    'IN',
    'not',
    'NOT',
    '!',
    '-',
    'and',
    'AND',
    '&&',
  ],
  ...['or', '||', 'between', 'exists', 'contains', 'starts_with', 'LIKE', 'is', 'null', 'true', 'to', 'TO', ',', '*'],
  ...[
    '"text"',
    '"a"i',
    "'it''s'",
    '“smart”',
    '`\\d+`',
    '"open',
    '`open',
    '/a+/i',
    '"(?=x)"',
    "'%x_'",
    '"\\q"',
    '"*a?"',
  ],
  ...['5', '1.5', '1e3', '250ms', '250 ms', '5M', '10KiB', '10 parsecs', '50%', '12345678901234567890', '1h30m', '0'],
  ...[
    '2026-01-02',
    '2026-01-02 03:04',
    '2026-13-02T03:04Z',
    'now',
    'now - 1h',
    'now-1d',
    'err*',
    '10.0.0.1',
    '#',
    '\\',
    '\n',
  ],
  ...[
    '|',
    '|',
    'stats',
    'count()',
    'count(*)',
    'sum(',
    'AVG(data.x)',
    'p99(x)',
    'foo(x)',
    'if',
    'as',
    'by',
    'timechart',
    '5m',
  ],
  ...[
    'top',
    'facets',
    'fields',
    'sort',
    'desc',
    'asc',
    'limit',
    'head',
    'sample',
    'estimate',
    'where',
    'over',
    'from',
    'table',
  ],
)

const soup = fc
  .array(fc.tuple(pieces, fc.constantFrom(' ', ' ', ' ', '')), { maxLength: 40 })
  .map(parts => parts.map(([piece, blank]) => piece + blank).join(''))

function checkText(text: string): void {
  const result = parseQuery(text)
  for (const error of result.errors) {
    const { from, to } = error.span
    expect(0 <= from && from <= to && to <= text.length, `${text}: ${JSON.stringify(error)}`).toBe(true)
    expect(formatDiagnostic(text, error)).toContain(`^ ${error.message}`)
    for (const { edit } of error.fixes) {
      expect(0 <= edit.span.from && edit.span.from <= edit.span.to && edit.span.to <= text.length, text).toBe(true)
    }
  }
  let end = 0
  for (const { span, old } of result.rewrites) {
    expect(span.from, text).toBeGreaterThanOrEqual(end)
    expect(text.slice(span.from, span.to)).toBe(old)
    end = span.to
  }
  if (result.query === undefined) {
    expect(result.errors.length, text).toBeGreaterThan(0)
    return
  }
  const rewritten = applyEdits(text, rewriteEdits(result.rewrites))
  const again = parseQuery(rewritten)
  expect(again.errors, `${text} became ${rewritten}`).toEqual([])
  expect(again.rewrites, `${text} became ${rewritten}`).toEqual([])
  expect(withoutSpans(again.query), `${text} became ${rewritten}`).toEqual(withoutSpans(result.query))
  const canonical = parseQuery(formatQuery(result.query))
  expect(withoutSpans(canonical.query), text).toEqual(withoutSpans(result.query))
}

test('pieces in any order', () => {
  fc.assert(fc.property(soup, checkText), { numRuns: 3_000 })
})

test('any characters', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), checkText), { numRuns: 2_000 })
})

test('queries with a piece cut out or put in', () => {
  const damaged = fc
    .tuple(arbitraryQuery.map(formatQuery), fc.nat(), fc.nat(5), fc.oneof(pieces, fc.constant('')))
    .map(([text, at, length, piece]) => {
      const from = text.length === 0 ? 0 : at % text.length
      return text.slice(0, from) + piece + text.slice(from + length)
    })
  fc.assert(fc.property(damaged, checkText), { numRuns: 1_500 })
})

test.each([
  ['parentheses', '('],
  ['closing parentheses', ')'],
  ['not', 'not '],
  ['exclamation marks', '!'],
  ['minus signs', '-'],
  ['brackets', '['],
  ['pipes', '|'],
  ['words', 'a '],
  ['and', 'and '],
  ['comparisons without values', 'a == '],
  ['broken stages', '| ! '],
  ['broken tests', 'a == = b == = '],
  ['broken lists', 'a in [1 '],
  ['open strings', '"\n'],
  ['quotes', "'"],
  ['escapes', '"\\'],
  ['digits', '9'],
  ['dots', 'a.'],
  ['hyphens', 'a-'],
  ['units', '1h'],
  ['half of a surrogate pair', '\ud83d'],
  ['unknown characters', '#'],
  ['dates', '2026-01-02 '],
  ['parentheses around not', '(not '],
  ['aggregates', 'count('],
  ['commas', ','],
  ['stages', '| stats count() by x '],
])('%s as often as a text may have them, and once more', (_, piece) => {
  const most = Math.floor(queryLimits.textLengthMax / piece.length)
  for (const start of ['', 'a == 1 | stats ', 'a in [']) {
    const started = performance.now()
    checkText((start + piece.repeat(most)).slice(0, queryLimits.textLengthMax))
    checkText(start + piece.repeat(most + 1))
    expect(performance.now() - started).toBeLessThan(10_000)
  }
})

test('the nesting that is allowed is read, one more is refused with its place', () => {
  const depth = queryLimits.nestingDepthMax
  const nested = (levels: number): string => `${'('.repeat(levels)}a == 1${')'.repeat(levels)}`
  expect(parseQuery(nested(depth)).errors).toEqual([])
  expect(parseQuery(nested(depth + 1)).errors).toMatchObject([
    { code: 'nesting-too-deep', span: { from: depth, to: depth + 1 } },
  ])
  const negated = parseQuery(`${'not '.repeat(depth)}a == 1`)
  expect(negated.errors).toEqual([])
  expect(queryFromJson(queryToJson(negated.query!)).query).toEqual(withoutSpans(negated.query))
  expect(parseQuery(`${'not '.repeat(depth + 1)}a == 1`).errors[0]).toMatchObject({ code: 'nesting-too-deep' })
})

test('as many tests and values as are allowed, and one more', () => {
  const { testCountMax, valueCountMax } = queryLimits
  expect(parseQuery('a==1 '.repeat(testCountMax)).errors).toEqual([])
  expect(parseQuery('a==1 '.repeat(testCountMax + 1)).errors).toMatchObject([{ code: 'too-many-tests' }])
  const list = (count: number): string => `a in [${Array.from({ length: count }, () => '1').join(', ')}]`
  expect(parseQuery(list(valueCountMax)).errors).toEqual([])
  expect(parseQuery(list(valueCountMax + 1)).errors).toMatchObject([{ code: 'too-many-values', span: { from: 5 } }])
})

test('any JSON is a query or is refused with a path', () => {
  const key = fc.constantFrom(
    ...[
      'version',
      'from',
      'table',
      'filter',
      'stages',
      'and',
      'or',
      'not',
      'field',
      'op',
      'value',
      'values',
      'low',
      'high',
    ],
    ...[
      'exists',
      'text',
      'string',
      'integer',
      'bytes',
      'ms',
      'time',
      'now',
      'stats',
      'limit',
      '__proto__',
      'constructor',
    ],
  )
  const value = fc.constantFrom(
    1,
    0,
    -1,
    1e300,
    null,
    true,
    'data.x',
    'a.',
    '==',
    '=~',
    '(',
    'in',
    '2026-01-02',
    '-5',
    '',
  )
  const json = fc.letrec(tie => ({
    any: fc.oneof(
      { maxDepth: 5 },
      value,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 4 }),
    ),
  })).any
  const near = fc.tuple(arbitraryQuery, key, json).map(([query, at, piece]) => ({ ...queryToJson(query), [at]: piece }))
  fc.assert(
    fc.property(fc.oneof(json, near), each => {
      const result = queryFromJson(each)
      if (result.problem === undefined) {
        expect(queryFromJson(queryToJson(result.query)).query).toEqual(result.query)
      } else {
        expect(result.problem.path).toMatch(/^\$/)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('JSON that is nested without end is refused', () => {
  let filter: unknown = { text: 'x' }
  for (let depth = 0; depth < 50_000; depth++) filter = { not: filter }
  const { problem } = queryFromJson({ version: 1, filter })
  expect(problem).toMatchObject({ code: 'nesting-too-deep' })
})

test('any regular expression compiles or is refused with its place', () => {
  const part = fc.constantFrom(
    ...[
      'a',
      '.',
      '\\d',
      '\\',
      '(',
      ')',
      '(?:',
      '(?=',
      '(?<n>',
      '[',
      ']',
      '^',
      '$',
      '-',
      '*',
      '+?',
      '{2}',
      '{2,1}',
      '{',
      '}',
    ],
    ...['|', '\\b', '\\1', '\\p{L}', '\\pX', '\\x{41}', '[[:alpha:]]', '🙂', '\\S', '/', '{1000}'],
  )
  const pattern = fc.oneof(
    fc.array(part, { maxLength: 12 }).map(parts => parts.join('')),
    fc.string({ maxLength: 12 }),
  )
  fc.assert(
    fc.property(pattern, each => {
      const compiled = compilePattern(each)
      if ('source' in compiled) {
        expect(() => new RegExp(compiled.source, 'u')).not.toThrow()
        return
      }
      const { from, to } = compiled.problem
      expect(0 <= from && from <= to && to <= each.length, `${each}: ${from} to ${to}`).toBe(true)
    }),
    { numRuns: 5_000 },
  )
})

test('completing any text at any place ends and stays within the text', () => {
  fc.assert(
    fc.property(soup, fc.nat(), (text, at) => {
      const cursor = text.length === 0 ? 0 : at % (text.length + 1)
      for (const { edit } of completeQuery(text, cursor, { fields: [] }).items) {
        expect(0 <= edit.span.from && edit.span.from <= edit.span.to && edit.span.to <= text.length).toBe(true)
      }
    }),
    { numRuns: 1_500 },
  )
})
