/** Random queries that pass the check: trees as parsing them from text would give, without places. */
import fc from 'fast-check'
import {
  type Aggregate,
  emptySpan,
  type Field,
  type Filter,
  joinFilters,
  type Key,
  type Query,
  type Stage,
  type StringValue,
  type Value,
} from '../../../query/language/ast.ts'
import { checkQuery } from '../../../query/language/check.ts'
import { normalizeGlob } from '../../../query/language/glob.ts'

const span = emptySpan

/** Names that need no quotes, words of the language, and names that need them. */
const name = fc.oneof(
  fc.constantFrom('data', 'level', 'latency_ms', 'content-type', 'größe', '$ref', 'count', 'by', 'limit', 'i'),
  fc.constantFrom(
    'and',
    'In',
    'not',
    'now',
    'null',
    'exists',
    'starts_with',
    'k8s.pod',
    'a b',
    '',
    '"',
    '\\',
    '`',
    '0',
    '-',
    '*',
  ),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
)

const pathField: fc.Arbitrary<Field> = fc
  .tuple(
    name,
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: name.map(each => ({ kind: 'name' as const, name: each })) },
        { weight: 1, arbitrary: fc.nat(20).map(index => ({ kind: 'index' as const, index })) },
        { weight: 1, arbitrary: fc.constant({ kind: 'each' as const }) },
      ),
      { maxLength: 3 },
    ),
  )
  .map(([first, rest]) => ({ kind: 'path', steps: [{ kind: 'name', name: first }, ...rest], span }))

export const arbitraryField: fc.Arbitrary<Field> = fc.oneof(
  { weight: 6, arbitrary: pathField },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('offset', 'partition', 'key', 'timestamp', 'size', 'topic')
      .map(each => ({ kind: 'metadata' as const, name: each as 'offset', span })),
  },
  { weight: 1, arbitrary: name.map(each => ({ kind: 'header' as const, name: each, span })) },
)

const text = fc.oneof(
  fc.constantFrom('', 'error', 'a"b', "it's", 'C:\\x', '50%', '*', '`', '“x”', 'line\nbreak', '\u2028', '\ud800'),
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
)

const stringValue: fc.Arbitrary<StringValue> = fc
  .tuple(text, fc.boolean())
  .map(([each, ignoreCase]) => ({ kind: 'string', text: each, ignoreCase, span }))

const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => {
    const positive = value === 0 ? 0 : value
    return Number.isInteger(positive) && !Number.isSafeInteger(positive) ? BigInt(positive) : positive
  }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map(value => -value),
)

export const arbitraryValue: fc.Arbitrary<Value> = fc.oneof(
  stringValue,
  number.map(value => ({ kind: 'number' as const, value, span })),
  fc.maxSafeInteger().map(bytes => ({ kind: 'size' as const, bytes, span })),
  fc.maxSafeInteger().map(ms => ({ kind: 'duration' as const, ms, span })),
  fc
    .bigInt({ min: -62_167_219_200_000_000_000n, max: 253_402_300_799_999_999_999n })
    .map(epochNs => ({ kind: 'time' as const, epochNs, span })),
  fc.oneof(fc.constant(0), fc.nat()).map(agoMs => ({ kind: 'now' as const, agoMs, span })),
  fc.boolean().map(value => ({ kind: 'boolean' as const, value, span })),
  fc.constant({ kind: 'null' as const, span }),
)

/** What tests are made of. */
export interface FilterParts {
  readonly field: fc.Arbitrary<Field>
  readonly value: fc.Arbitrary<Value>
  /** Operands of `contains` and its like, and of text. */
  readonly string: fc.Arbitrary<StringValue>
}

export function testOf({ field, value, string }: FilterParts): fc.Arbitrary<Filter> {
  return fc.oneof(
    fc.tuple(field, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), value).map(([field, operator, value]) => ({
      kind: 'compare' as const,
      field,
      operator: operator as '==',
      value,
      span,
    })),
    fc
      .tuple(field, fc.boolean(), fc.array(value, { minLength: 1, maxLength: 3 }))
      .map(([field, negated, values]) => ({ kind: 'in' as const, field, negated, values, span })),
    fc
      .tuple(field, fc.boolean(), value, value)
      .map(([field, negated, low, high]) => ({ kind: 'between' as const, field, negated, low, high, span })),
    field.map(each => ({ kind: 'exists' as const, field: each, span })),
    fc
      .tuple(field, fc.constantFrom('contains', 'startsWith', 'endsWith', 'like'), fc.boolean(), string)
      .map(([field, operator, negated, operand]) => ({
        kind: 'string-test' as const,
        field,
        operator: operator as 'like',
        negated,
        operand: operator === 'like' ? { ...operand, text: normalizeGlob(operand.text) } : operand,
        span,
      })),
    fc
      .tuple(field, fc.boolean(), fc.constantFrom('time.?out', '^[a-z"]+\\d{2,3}$', '(?:a|`)\\.', ''), fc.boolean())
      .map(([field, negated, pattern, ignoreCase]) => ({
        kind: 'string-test' as const,
        field,
        operator: 'matches' as const,
        negated,
        operand: { kind: 'string' as const, text: pattern, ignoreCase, span },
        span,
      })),
    string.map(operand => ({ kind: 'text' as const, operand, span })),
  )
}

export function filterOf(parts: FilterParts): fc.Arbitrary<Filter> {
  return fc.letrec<{ filter: Filter }>(tie => ({
    filter: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      testOf(parts),
      fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(terms => joinFilters('and', terms, span)!),
      fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map(terms => joinFilters('or', terms, span)!),
      tie('filter').map(term => ({ kind: 'not' as const, term, span })),
    ),
  })).filter
}

export const arbitraryFilter: fc.Arbitrary<Filter> = filterOf({
  field: arbitraryField,
  value: arbitraryValue,
  string: stringValue,
})

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const aggregate: fc.Arbitrary<Aggregate> = fc
  .tuple(
    fc.constantFrom('count', 'sum', 'avg', 'min', 'max', 'count_distinct', 'rate', 'first', 'last', 'p1', 'p50', 'p99'),
    arbitraryField,
    fc.boolean(),
    optional(arbitraryFilter),
    optional(name),
  )
  .map(([of, field, isBare, condition, alias]) => ({
    function: of as 'count',
    field: isBare && (of === 'count' || of === 'rate') ? undefined : field,
    condition,
    alias,
    span,
  }))

const key: fc.Arbitrary<Key> = fc
  .tuple(
    arbitraryField,
    optional(
      fc.oneof(
        fc.integer({ min: 1, max: 1e12 }).map(ms => ({ kind: 'duration' as const, ms, span })),
        fc.integer({ min: 1, max: 1e12 }).map(bytes => ({ kind: 'size' as const, bytes, span })),
        fc.constantFrom(0.5, 10, 1e6).map(value => ({ kind: 'number' as const, value, span })),
      ),
    ),
  )
  .map(([field, width]) => ({ field, width, span }))

const count = fc.integer({ min: 1, max: 1_000_000 })

const stage: fc.Arbitrary<Stage> = fc.oneof(
  fc
    .tuple(fc.array(aggregate, { minLength: 1, maxLength: 2 }), fc.array(key, { maxLength: 2 }))
    .map(([aggregates, keys]) => ({ kind: 'stats' as const, aggregates, keys, span })),
  fc
    .tuple(optional(count), aggregate, optional(arbitraryField), optional(arbitraryField), optional(count))
    .map(([spanMs, of, by, over, limit]) => ({
      kind: 'timechart' as const,
      spanMs,
      aggregate: of,
      by,
      over,
      limit,
      span,
    })),
  fc.tuple(count, arbitraryField).map(([each, field]) => ({ kind: 'top' as const, count: each, field, span })),
  optional(count).map(each => ({ kind: 'facets' as const, count: each, span })),
  fc.array(arbitraryField, { minLength: 1, maxLength: 3 }).map(fields => ({ kind: 'fields' as const, fields, span })),
  fc
    .array(
      fc.tuple(arbitraryField, fc.boolean()).map(([field, descending]) => ({ field, descending, span })),
      { minLength: 1, maxLength: 2 },
    )
    .map(keys => ({ kind: 'sort' as const, keys, span })),
  count.map(each => ({ kind: 'limit' as const, count: each, span })),
  fc.constantFrom(0.01, 1, 12.5, 100).map(percent => ({ kind: 'sample' as const, percent, span })),
  fc.constant({ kind: 'estimate' as const, span }),
)

const anyQuery: fc.Arbitrary<Query> = fc
  .tuple(
    optional(fc.constantFrom('orders', 'in', '2024_orders')),
    optional(arbitraryFilter),
    fc.array(stage, { maxLength: 3 }),
  )
  .map(([table, filter, stages]) => ({
    kind: 'query',
    source: table === undefined ? undefined : { kind: 'table', name: table, span },
    filter,
    stages,
    span,
  }))

export const arbitraryQuery: fc.Arbitrary<Query> = anyQuery.filter(query => checkQuery(query).length === 0)
