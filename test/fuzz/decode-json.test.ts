/**
 * Strategy  records made for a schema of every type, then bent: keys shuffled, repeated, escaped, white space added, values of
 *           other types, bytes flipped, cut and inserted. Rows follow each other into the same columns.
 * Holds     the byte decoder accepts exactly what JSON.parse and the rules of docs/types.md accept, with the same values;
 *           a rejected record leaves no trace; columns always agree with themselves.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ColumnSet } from '../../ingest/columns/column-set.ts'
import { JsonDecoder } from '../../ingest/decode/json-decoder.ts'
import { reject } from '../../ingest/decode/reject.ts'
import type { Field, FieldType, PrimitiveTypeName } from '../../table/types.ts'
import { checkColumn, type Plain, readRows } from '../unit/ingest/read-columns.ts'
import { sampleFields } from '../unit/table/parquet/sample-columns.ts'
import { decodeWithJsonParse } from './decode-reference.ts'

/** FLOE_FUZZ_RUNS makes it a long run. */
const runCount = Number(process.env.FLOE_FUZZ_RUNS ?? 150)

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (Object.is(value, -0) ? '-0' : String(value))),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$/),
)
const isoText = fc
  .date({ min: new Date(-6e13), max: new Date(2.5e14), noInvalidDate: true })
  .map(date => date.toISOString())
const momentText = fc.oneof(
  isoText,
  fc.stringMatching(
    /^[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9]([.,][0-9]{1,10})?)?([Zz]|[+-][0-2][0-9](:?[0-5][0-9])?)?)?$/,
  ),
)
const anyText = fc.string({ unit: 'binary', maxLength: 12 })

/** A JSON string, some characters escaped. */
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.infiniteStream(fc.boolean())).map(([value, escapes]) => {
    const json = JSON.stringify(value)
    let escaped = '"'
    for (const unit of json.slice(1, -1)) {
      const isPlain = unit.length === 1 && unit !== '\\' && !escaped.endsWith('\\')
      const isEscaped = escapes.next().value === true && isPlain && !/\\u[0-9a-f]{0,3}$/.test(escaped)
      escaped += isEscaped ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit
    }
    return `${escaped}"`
  })

const anyJson = fc.json({ maxDepth: 3 })
const garbage = fc.oneof(
  anyJson,
  numberText,
  quoted(anyText),
  fc.constantFrom('null', 'true', 'false', '""', '{}', '[]'),
)

function valueFor(type: FieldType): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 30, arbitrary: fittingValueFor(type) },
    { weight: 1, arbitrary: fc.constant('null') },
    { weight: 1, arbitrary: oddValueFor(type) },
    { weight: 1, arbitrary: garbage },
  )
}

const whole = (bits: bigint): fc.Arbitrary<string> =>
  fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }).map(String)
const orQuoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(text, text, quoted(text))

/** Values that the column takes, but for nested nulls and the like. */
function fittingValueFor(type: FieldType): fc.Arbitrary<string> {
  switch (type.kind) {
    case 'struct':
      return objectOf(type.fields)
    case 'list':
      return fc.array(valueFor(type.element), { maxLength: 4 }).map(elements => `[${elements.join(', ')}]`)
    case 'map':
      return fc
        .array(fc.tuple(quoted(fc.oneof(fc.constantFrom('a', 'b'), anyText)), valueFor(type.value)), { maxLength: 4 })
        .map(entries => `{${entries.map(([key, value]) => `${key}:${value}`).join(',')}}`)
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n
      const unscaled = fc.bigInt({ min: -limit, max: limit })
      return orQuoted(
        fc.oneof(
          unscaled.map(value => `${value}e-${type.scale}`),
          fc.integer({ max: 99, min: -99 }).map(String),
        ),
      )
    }
    case 'primitive':
      return fittingPrimitive(type.name)
  }
}

function fittingPrimitive(name: PrimitiveTypeName): fc.Arbitrary<string> {
  switch (name) {
    case 'boolean':
      return fc.constantFrom('true', 'false')
    case 'int':
      return orQuoted(fc.oneof(whole(32n), whole(8n)))
    case 'long':
      return orQuoted(fc.oneof(whole(64n), whole(55n), whole(16n)))
    case 'float':
    case 'double':
      return fc.oneof(orQuoted(fc.float({ noNaN: true, noDefaultInfinity: true }).map(String)), fc.constant('"NaN"'))
    case 'string':
      return fc.oneof(quoted(anyText), quoted(anyText), anyJson)
    case 'binary':
      return quoted(fc.base64String({ maxLength: 16 }))
    case 'date':
      return fc.oneof(quoted(isoText.map(text => text.slice(0, 10))), whole(20n))
    default:
      return fc.oneof(
        quoted(
          fc
            .tuple(isoText, fc.constantFrom('Z', '', '+02:00', '-0930', '+05'))
            .map(([text, zone]) => text.slice(0, -1) + zone),
        ),
        whole(48n),
      )
  }
}

/** Values of about the right form that may or may not fit. */
function oddValueFor(type: FieldType): fc.Arbitrary<string> {
  if (type.kind !== 'primitive') return fc.oneof(numberText, quoted(numberText))
  switch (type.name) {
    case 'binary':
      return quoted(fc.stringMatching(/^[A-Za-z0-9+/_=-]{0,9}$/))
    case 'date':
      return fc.oneof(quoted(momentText.map(text => text.slice(0, 10))), numberText)
    case 'timestamp':
    case 'timestamptz':
      return fc.oneof(quoted(momentText), numberText)
    default:
      return fc.oneof(numberText, quoted(numberText))
  }
}

function objectOf(fields: readonly Field[]): fc.Arbitrary<string> {
  const entry = (field: Field): fc.Arbitrary<string[]> =>
    fc
      .oneof(
        { weight: 6, arbitrary: fc.tuple(valueFor(field.type)) },
        { weight: 1, arbitrary: fc.constant<[]>([]) },
        { weight: 1, arbitrary: fc.tuple(valueFor(field.type), valueFor(field.type)) },
      )
      .map(values => values.map(value => `${JSON.stringify(field.name)}:${value}`))
  const unknown = fc.array(
    fc.tuple(quoted(anyText), garbage).map(([key, value]) => `${key}:${value}`),
    { maxLength: 2 },
  )
  return fc
    .tuple(fc.tuple(...fields.map(entry)), unknown, fc.constantFrom(',', ' ,\n', ',\t'), fc.boolean(), fc.nat())
    .map(([known, extra, comma, isShuffled, turn]) => {
      const entries = [...known.flat(), ...extra]
      // Field order is the usual case; otherwise turned and swapped about.
      if (isShuffled && entries.length > 0) entries.push(...entries.splice(0, turn % entries.length).reverse())
      return `{${entries.join(comma)}}`
    })
}

/** A few columns at a time: with all of them nearly every record would have something wrong. */
const someFields = fc.subarray([...sampleFields], { minLength: 1, maxLength: 4 })

const bend = (record: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      record,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('flip', 'cut', 'insert')), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([text, changes]) => {
      let bytes = [...Buffer.from(text)]
      for (const [position, byte, change] of changes) {
        const at = position % bytes.length
        if (change === 'flip') bytes[at] = byte
        else if (change === 'insert') bytes.splice(at, 0, byte)
        else bytes = bytes.slice(0, Math.max(1, at))
      }
      return Uint8Array.from(bytes)
    })

/** Raw JSON in string columns counts by its meaning. */
function sameRow(expected: Plain, actual: Plain): void {
  if (typeof expected === 'object' && expected !== null && !Array.isArray(expected) && 'json' in expected) {
    expect(JSON.parse(String(actual))).toEqual(expected.json)
  } else if (Array.isArray(expected)) {
    expect(Array.isArray(actual) ? actual.length : actual).toBe(expected.length)
    for (const [index, part] of expected.entries()) sameRow(part, (actual as Plain[])[index]!)
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object)).toEqual(Object.keys(expected))
    for (const [name, part] of Object.entries(expected)) sameRow(part, (actual as { [name: string]: Plain })[name]!)
  } else {
    expect(actual).toBe(expected)
  }
}

const outcomes = { accepted: 0, rejected: 0 }

function checkRecords(fields: readonly Field[], records: readonly Uint8Array[]): void {
  const set = new ColumnSet(fields)
  const decoder = new JsonDecoder(fields, set.columns)
  // All in one buffer, so that a decoder that runs past its record finds the next one.
  const buffer = Buffer.concat(records)
  const expected: Plain[] = []
  let at = 0
  for (const bytes of records) {
    const end = at + bytes.length
    const row = decodeWithJsonParse(fields, bytes)
    const result = decoder.decode(buffer, at, end)
    at = end
    if (result === reject.ok) set.rowCount++
    else set.rollback()
    expect([Buffer.from(bytes).toString(), result === reject.ok]).toEqual([
      Buffer.from(bytes).toString(),
      row !== undefined,
    ])
    outcomes[row === undefined ? 'rejected' : 'accepted']++
    if (row !== undefined) expected.push(row)
    for (const column of set.columns) checkColumn(column, set.rowCount)
  }
  const actual = readRows(fields, set)
  for (const [index, row] of expected.entries()) sameRow(row, actual[index]!)
}

test('records of the schema decode as through JSON.parse', () => {
  const records = someFields.chain(fields => {
    const bytes = objectOf(fields).map(text => new Uint8Array(Buffer.from(text)))
    return fc.tuple(fc.constant(fields), fc.array(bytes, { minLength: 1, maxLength: 8 }))
  })
  fc.assert(
    fc.property(records, ([fields, texts]) => checkRecords(fields, texts)),
    { numRuns: runCount },
  )
})

test('bent records are accepted and rejected as by JSON.parse', () => {
  const records = someFields.chain(fields =>
    fc.tuple(fc.constant(fields), fc.array(bend(objectOf(fields)), { minLength: 1, maxLength: 8 })),
  )
  fc.assert(
    fc.property(records, ([fields, bent]) => checkRecords(fields, bent)),
    { numRuns: runCount },
  )
})

test('both outcomes were met often', () => {
  expect(outcomes.accepted).toBeGreaterThan(50)
  expect(outcomes.rejected).toBeGreaterThan(50)
})

test('doubles are bit-identical to JSON.parse', () => {
  const fields: Field[] = [{ id: 1, name: 'v', required: true, type: { kind: 'primitive', name: 'double' } }]
  const set = new ColumnSet(fields)
  const decoder = new JsonDecoder(fields, set.columns)
  fc.assert(
    fc.property(numberText, text => {
      const expected: unknown = JSON.parse(text)
      const bytes = Buffer.from(`{"v":${text}}`)
      set.reset()
      const result = decoder.decode(bytes, 0, bytes.length)
      if (!Number.isFinite(expected)) {
        expect(result).toBe(reject.outOfRange)
        set.rollback()
        return
      }
      set.rowCount = 1
      expect(readRows(fields, set)).toEqual([{ v: expected }])
    }),
    { numRuns: runCount * 20 },
  )
})
