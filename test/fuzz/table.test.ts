/**
 * Properties of values, bounds and renderings over random input, and hostile bytes into every decoder of table metadata.
 *
 *   values      decode(encode(v)) = v; the order of bytes is the order of values
 *   bounds      every value lies between its rounded bounds, in Iceberg's and in Delta's rounding
 *   transforms  floor, whatever the sign
 *   histories   any sequence of appends, replaces and schema changes validates, and both formats hold the same files
 *   bytes       damaged files give FloeError `corrupt`, never another exception, never an endless loop
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFloeError } from '../../core/errors.ts'
import { readContainer } from '../../table/avro/container.ts'
import {
  cutCodePoints,
  roundIcebergLower,
  roundIcebergUpper,
  roundTextUpper,
  shortenLower,
  shortenUpper,
} from '../../table/bounds.ts'
import { buildStatsText } from '../../table/delta/statistics.ts'
import { parseJson } from '../../table/exact-json.ts'
import { buildManifestFormat, readManifest } from '../../table/iceberg/manifest.ts'
import { readManifestList } from '../../table/iceberg/manifest-list.ts'
import { parseMetadata } from '../../table/iceberg/metadata.ts'
import { dayOfMicros, hourOfMicros } from '../../table/partition.ts'
import { listLeaves } from '../../table/schema.ts'
import {
  compareBytes,
  compareSingleValues,
  compareValues,
  decodeSingleValue,
  encodeSingleValue,
  type PrimitiveValue,
} from '../../table/single-value.ts'
import { boundBytesMax, type DataFile, type PrimitiveType, primitive, type Schema } from '../../table/types.ts'
import { readCommit } from '../../table/validate/delta.ts'
import { dateOfDays, daysOfDate } from '../../table/value-text.ts'
import { computeStatistics, LakeTable, tableOf } from '../unit/table/lake-table.ts'
import { makeRows, sampleFields, sampleSchema } from '../unit/table/sample-table.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'binary', maxLength: 60 })
const decimal = (precision: number): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: 1n - 10n ** BigInt(precision), max: 10n ** BigInt(precision) - 1n })
const typed: fc.Arbitrary<{ type: PrimitiveType; values: PrimitiveValue[] }> = fc.oneof(
  ...(
    [
      [primitive('boolean'), fc.boolean()],
      [primitive('int'), fc.integer()],
      [primitive('date'), fc.integer()],
      [primitive('long'), int64],
      [primitive('timestamp'), int64],
      [primitive('timestamptz'), int64],
      [primitive('float'), fc.float({ noNaN: true })],
      [primitive('double'), fc.double({ noNaN: true })],
      [primitive('string'), text],
      [primitive('binary'), fc.uint8Array({ maxLength: 40 })],
      [{ kind: 'decimal', precision: 9, scale: 2 }, decimal(9)],
      [{ kind: 'decimal', precision: 38, scale: 10 }, decimal(38)],
    ] as [PrimitiveType, fc.Arbitrary<PrimitiveValue>][]
  ).map(([type, value]) =>
    fc.record({ type: fc.constant(type), values: fc.array(value, { minLength: 2, maxLength: 8 }) }),
  ),
)

describe('values', () => {
  test('come back as they were, and serialized order is the order of values', () => {
    fc.assert(
      fc.property(typed, ({ type, values }) => {
        const [a, b] = values as [PrimitiveValue, PrimitiveValue]
        expect(decodeSingleValue(type, encodeSingleValue(type, a))).toEqual(a)
        const order = Math.sign(compareValues(type, a, b))
        expect(Math.sign(compareSingleValues(type, encodeSingleValue(type, a), encodeSingleValue(type, b)))).toBe(order)
        expect(Math.sign(compareValues(type, b, a))).toBe(order === 0 ? 0 : -order)
      }),
      { numRuns: 1_000 },
    )
  })

  test('dates and days are inverse over the whole range', () => {
    fc.assert(
      fc.property(fc.integer(), days => {
        expect(daysOfDate(dateOfDays(days))).toBe(days)
      }),
    )
  })

  test('day and hour transforms are floors', () => {
    fc.assert(
      fc.property(int64, micros => {
        const day = BigInt(dayOfMicros(micros)) * 86_400_000_000n
        const hour = BigInt(hourOfMicros(micros)) * 3_600_000_000n
        expect(day <= micros && micros < day + 86_400_000_000n).toBe(true)
        expect(hour <= micros && micros < hour + 3_600_000_000n).toBe(true)
      }),
    )
  })
})

describe('bounds', () => {
  test('of Iceberg hold every value', () => {
    fc.assert(
      fc.property(typed, ({ type, values }) => {
        const encoded = values
          .map(value => encodeSingleValue(type, value))
          .toSorted((a, b) => compareSingleValues(type, a, b))
        const lower = roundIcebergLower(type, shortenLower(type, encoded[0]!))
        const shortened = shortenUpper(type, encoded.at(-1)!)
        const upper = shortened && roundIcebergUpper(type, shortened)
        for (const value of encoded) {
          expect(compareSingleValues(type, lower, value)).toBeLessThanOrEqual(0)
          if (upper !== undefined) expect(compareSingleValues(type, value, upper)).toBeLessThanOrEqual(0)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('of text are UTF-8 of at most the length asked for and never below the text', () => {
    const longText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ unit: fc.constantFrom('\u{10ffff}', '\ud7ff', '\u{ffff}', '\u007f', 'é', 'z'), maxLength: 200 }),
    )
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    fc.assert(
      fc.property(longText, fc.integer({ min: 1, max: 40 }), (value, count) => {
        const bytes = new TextEncoder().encode(value)
        const lower = cutCodePoints(bytes, count)
        const upper = roundTextUpper(bytes, count)
        expect(compareBytes(lower, bytes)).toBeLessThanOrEqual(0)
        expect([...utf8.decode(lower)].length).toBeLessThanOrEqual(count)
        if (upper !== undefined) {
          expect(compareBytes(upper, bytes)).toBeGreaterThanOrEqual(0)
          expect([...utf8.decode(upper)].length).toBeLessThanOrEqual(count)
        }
        const shortened = shortenUpper(primitive('string'), bytes)
        if (shortened !== undefined) {
          expect(shortened.length).toBeLessThanOrEqual(boundBytesMax)
          expect(compareBytes(shortened, bytes)).toBeGreaterThanOrEqual(0)
          utf8.decode(shortened)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('of Delta hold every value as a reader parses them', () => {
    fc.assert(
      fc.property(typed, ({ type, values }) => {
        const schema: Schema = { schemaId: 0, fields: [{ id: 1, name: 'a', required: false, type }] }
        const columns = computeStatistics(
          schema,
          values.map(a => ({ a })),
        )
        const file: DataFile = {
          path: 'a',
          partition: [],
          recordCount: values.length,
          fileBytes: 1,
          splitOffsets: [],
          columns,
        }
        const stats = parseJson(buildStatsText(schema, new Set(), file), 'stats') as {
          minValues: { a?: never }
          maxValues: { a?: never }
        }
        const { a: min } = stats.minValues
        const { a: max } = stats.maxValues
        expect(min === undefined).toBe(max === undefined)
        if (min === undefined || max === undefined) return
        for (const value of values) expect(isWithin(type, value, min, max)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

/** As a reader sees it: numbers by size, text by code points, times in milliseconds. */
function isWithin(type: PrimitiveType, value: PrimitiveValue, min: unknown, max: unknown): boolean {
  if (typeof value === 'string') {
    const [a, b, c] = [min, value, max].map(side => new TextEncoder().encode(String(side)))
    return compareBytes(a!, b!) <= 0 && compareBytes(b!, c!) <= 0
  }
  if (type.kind === 'decimal')
    return (
      Number(min) <= Number(value) / 10 ** type.scale + 1e25 && Number(max) >= Number(value) / 10 ** type.scale - 1e25
    )
  if (type.name === 'date')
    return (
      Date.parse(String(min)) <= Number(value) * 86_400_000 && Number(value) * 86_400_000 <= Date.parse(String(max))
    )
  if (type.name === 'timestamp' || type.name === 'timestamptz') {
    const zone = type.name === 'timestamp' ? 'Z' : ''
    const millis = (side: unknown): bigint => BigInt(Date.parse(`${String(side)}${zone}`)) * 1_000n
    return millis(min) <= BigInt(Number(value) === 0 ? 0n : (value as bigint)) && (value as bigint) <= millis(max)
  }
  // Parsed as a double, as readers do with floating point columns.
  const isFloating = type.name === 'float' || type.name === 'double'
  const [low, high] = isFloating ? [Number(min), Number(max)] : [min as number, max as number]
  return low <= (value as number) && (value as number) <= high
}

describe('histories', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('append' as const), files: fc.integer({ min: 0, max: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('replace' as const),
        pick: fc.nat(),
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('evolve' as const) }) },
  )
  const specs = [
    [],
    [{ sourceId: 9, fieldId: 1000, name: 'at_hour', transform: 'hour' as const }],
    [
      { sourceId: 8, fieldId: 1000, name: 'day', transform: 'identity' as const },
      { sourceId: 2, fieldId: 1001, name: 'flag', transform: 'identity' as const },
    ],
  ]

  test('validate at every version and read the same in both formats', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...specs),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        async (fields, steps) => {
          const lake = new LakeTable(tableOf('sample', sampleSchema, 's3://b/t', { specId: 0, fields }), {
            snapshotsRetainedCount: 4,
          })
          await lake.create()
          let row = 0
          for (const change of steps) {
            if (change.kind === 'evolve') {
              const schemaId = lake.schema.schemaId + 1
              const added = { id: 100 + schemaId, name: `added_${schemaId}`, required: false, type: primitive('int') }
              const schema: Schema = {
                schemaId,
                fields: [...lake.schema.fields.slice(0, -1), added, sampleSchema.fields.at(-1)!],
              }
              lake.table = { ...lake.table, schemas: [...lake.table.schemas, schema], currentSchemaId: schemaId }
            } else if (change.kind === 'append') {
              await lake.append(...Array.from({ length: change.files }, () => lake.writeFile(makeRows(row, ++row))))
            } else if (lake.live.size > 0) {
              const files = [...lake.live.values()].map(({ file }) => file)
              const removed = files.slice(change.pick % files.length).slice(0, change.count)
              const [model] = removed
              const rewritten = lake.writeFile(
                makeRows(
                  0,
                  removed.reduce((total, file) => total + file.recordCount, 0),
                ),
              )
              await lake.publish('replace', [{ ...rewritten, partition: model!.partition }], removed)
            }
          }
          expect(await lake.disagreements()).toEqual([])
        },
      ),
      { numRuns: 12 },
    )
  }, 60_000)
})

describe('damaged bytes', () => {
  const survive = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void => {
    try {
      decode(bytes)
    } catch (error) {
      if (!isFloeError(error)) throw error
      expect(['corrupt', 'internal', 'invalid', 'exhausted']).toContain(error.kind)
    }
  }

  test('of manifests, lists, metadata and commits are errors by name', async () => {
    const spec = { specId: 0, fields: [{ sourceId: 9, fieldId: 1000, name: 'd', transform: 'day' as const }] }
    const lake = new LakeTable(tableOf('sample', { schemaId: 0, fields: sampleFields.slice(0, 12) }, 's3://b/t', spec))
    await lake.create()
    await lake.append(lake.writeFile([{ id: 1n }]), lake.writeFile([{ id: 2n, at: 5n }]))
    const format = buildManifestFormat(lake.schema, spec)
    const find = (part: string): Uint8Array => [...lake.objects].findLast(([path]) => path.includes(part))![1]
    const decoders: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
      [find('-m0.avro'), bytes => readManifest(format, bytes, 'manifest')],
      [find('snap-'), bytes => readManifestList(bytes, 'list')],
      [find('.metadata.json'), bytes => parseMetadata(bytes, 'metadata')],
      [find('_delta_log/00000000000000000001'), bytes => readCommit(bytes, 'commit')],
      [find('-m0.avro'), bytes => readContainer(bytes, 'container')],
    ]
    expect(listLeaves(lake.schema).length).toBeGreaterThan(10)
    const damage = fc.record({
      decoder: fc.nat(decoders.length - 1),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), damages => {
        const [original, decode] = decoders[damages[0]!.decoder]!
        let bytes = original.slice()
        for (const { at, byte, cut } of damages) {
          if (cut) bytes = bytes.subarray(0, at % (bytes.length + 1))
          else if (bytes.length > 0) bytes[at % bytes.length] = byte
        }
        survive(decode, bytes)
      }),
      { numRuns: 3_000 },
    )
    fc.assert(
      fc.property(fc.nat(decoders.length - 1), fc.uint8Array({ maxLength: 200 }), (index, bytes) =>
        survive(decoders[index]![1], bytes),
      ),
      { numRuns: 1_000 },
    )
  })
})
