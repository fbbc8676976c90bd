/** Records and filters that meet: of few names and values, so that tests pass and fail, for all the reasons there are. */
import fc from 'fast-check'
import {
  emptySpan,
  type Field,
  type Filter,
  type MetadataName,
  type StringValue,
  type Value,
} from '../../../query/language/ast.ts'
import { memberNames, writtenString } from './arbitrary-json.ts'
import { filterOf, testOf } from './arbitrary-query.ts'
import type { QueryRecord } from './event.ts'

const span = emptySpan

const timeMs = Date.parse('2026-03-01T10:00:00Z')

const texts = [
  '',
  'error',
  'Error',
  'an error of 50%',
  'time out 12',
  'a"b',
  'C:\\x/y',
  'ſtraße',
  '\u212a',
  'k',
  '😀 x',
  '\ud83d',
  '\ue000',
  '429',
  '2026-03-01T10:00:00Z',
  '2026-03-01 11:00:00.000000001+01:00',
  'x'.repeat(40),
]
const text = fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary', maxLength: 3 }))

const numbers: readonly (number | bigint)[] = [
  0,
  1,
  -1,
  7,
  429,
  0.1,
  -2.5,
  1000,
  timeMs,
  timeMs + 0.5,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 60n),
  999_999_999_999_999,
  1e-7,
]
const writtenNumbers = [
  ...numbers.map(String),
  '-0',
  '1e3',
  '10e2',
  '429.0',
  '0.10',
  '1e400',
  '123456789.123456789',
  '9007199254740993.0',
]

const written: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: text.chain(writtenString) },
  { weight: 4, arbitrary: fc.constantFrom(...writtenNumbers) },
  { weight: 1, arbitrary: fc.constantFrom('null', 'true', 'false', '{}', '[]', '{"a":1,"b":"error"}') },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(text.chain(writtenString), fc.constantFrom(...writtenNumbers, 'null', '{"a":7}', '{"b":"error"}')),
        { maxLength: 3 },
      )
      .map(items => `[${items.join()}]`),
  },
)

const names = memberNames.slice(0, 4)

const members = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom(...names).chain(writtenString), of), { maxLength: 4 })
    .map(each => `{${each.map(([name, value]) => `${name}: ${value}`).join(', ')}}`)

const value: fc.Arbitrary<string | null> = fc.oneof(
  { weight: 8, arbitrary: members(fc.oneof(written, members(written))) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      written,
      text.map(each => each.toWellFormed()),
      members(written).map(each => each.slice(0, -1)),
    ),
  },
  { weight: 1, arbitrary: fc.constant(null) },
)

export const headerNames = ['trace', 'é']

type Head = Pick<QueryRecord, 'timestampMs' | 'key' | 'headers' | 'value'>

export const arbitraryRecords: fc.Arbitrary<QueryRecord[]> = fc
  .array(
    fc.record<Head>({
      timestampMs: fc.integer({ min: timeMs - 2, max: timeMs + 2 }),
      key: fc.option(text.map(each => each.toWellFormed())),
      headers: fc.array(
        fc.tuple(
          fc.constantFrom(...headerNames),
          text.map(each => each.toWellFormed()),
        ),
        { maxLength: 3 },
      ),
      value,
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map(heads => heads.map((head, index) => ({ topic: 'error', partition: 7, offset: BigInt(index + 425), ...head })))

const field: fc.Arbitrary<Field> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 2 }),
        fc.constantFrom<Extract<Field, { kind: 'path' }>['steps']>(
          [],
          [],
          [],
          [{ kind: 'index', index: 0 }],
          [{ kind: 'each' }],
          [{ kind: 'each' }, { kind: 'name', name: 'a' }],
        ),
      )
      .map(([path, rest]) => ({
        kind: 'path' as const,
        steps: [...path.map(name => ({ kind: 'name' as const, name })), ...rest],
        span,
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<MetadataName>('offset', 'partition', 'key', 'timestamp', 'size', 'topic')
      .map(name => ({ kind: 'metadata' as const, name, span })),
  },
  { weight: 1, arbitrary: fc.constantFrom(...headerNames).map(name => ({ kind: 'header' as const, name, span })) },
)

const string: fc.Arbitrary<StringValue> = fc
  .tuple(text, fc.boolean())
  .map(([each, ignoreCase]) => ({ kind: 'string', text: each, ignoreCase, span }))

const operand: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: string },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...numbers, 430n, 425, 8).map(number => ({
      kind: 'number' as const,
      value:
        typeof number === 'bigint' && number === BigInt(Number(number)) && Number.isSafeInteger(Number(number))
          ? Number(number)
          : number,
      span,
    })),
  },
  { weight: 1, arbitrary: fc.constantFrom(0, 7, 429, 1000).map(bytes => ({ kind: 'size' as const, bytes, span })) },
  { weight: 1, arbitrary: fc.constantFrom(7, 1000).map(ms => ({ kind: 'duration' as const, ms, span })) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: -2_000_001, max: 2_000_001 })
      .map(ns => ({ kind: 'time' as const, epochNs: BigInt(timeMs) * 1_000_000n + BigInt(ns), span })),
  },
  { weight: 1, arbitrary: fc.nat(3).map(agoMs => ({ kind: 'now' as const, agoMs, span })) },
  { weight: 1, arbitrary: fc.boolean().map(each => ({ kind: 'boolean' as const, value: each, span })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'null' as const, span }) },
)

const parts = { field, value: operand, string }

/** For records of `arbitraryRecords`, asked at `filterNowMs`. */
export const meetingFilter: fc.Arbitrary<Filter> = filterOf(parts)
export const meetingTest: fc.Arbitrary<Filter> = testOf(parts)

/** Of timestamps, offsets and partitions, near those of the records. */
export const metadataFilter: fc.Arbitrary<Filter> = filterOf({
  field: fc
    .constantFrom<MetadataName>('offset', 'partition', 'timestamp')
    .map(name => ({ kind: 'metadata' as const, name, span })),
  value: fc.oneof(
    fc
      .constantFrom(424, 425, 426, 430, 436, 6, 7, 8, 6.5, timeMs, timeMs - 1, timeMs + 1)
      .map(each => ({ kind: 'number' as const, value: each, span })),
    operand,
  ),
  string,
})

export const filterNowMs = timeMs + 1
