/**
 * Strategy  columns of random shape (runs, few and many distinct values, nulls, nested and empty lists) in several batches and
 *           row groups through the page encoder, read back by hyparquet; any bytes into the footer reader.
 * Holds     what is read is what was written; the footer reader answers or throws `corrupt`.
 */
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { expect, test } from 'vitest'
import { isFloeError } from '../../core/errors.ts'
import { readFooter, writeFooter } from '../../table/parquet/footer.ts'
import { pageParquetEncoder } from '../../table/parquet/page-encoder.ts'
import { readThriftStruct, writeThriftStruct } from '../../table/parquet/thrift.ts'
import { type Field, primitive } from '../../table/types.ts'
import { decodeRows } from '../unit/table/parquet/sample-columns.ts'

const runCount = Number(process.env.FLOE_FUZZ_RUNS ?? 60)

const fields: readonly Field[] = [
  { id: 1, name: 'n', required: false, type: primitive('int') },
  { id: 2, name: 's', required: false, type: primitive('string') },
  { id: 3, name: 'b', required: false, type: primitive('boolean') },
  { id: 4, name: 'f', required: true, type: primitive('double') },
  {
    id: 5,
    name: 'l',
    required: false,
    type: {
      kind: 'list',
      elementId: 6,
      elementRequired: false,
      element: {
        kind: 'struct',
        fields: [
          { id: 7, name: 'x', required: false, type: primitive('string') },
          {
            id: 8,
            name: 'y',
            required: true,
            type: { kind: 'list', elementId: 9, elementRequired: false, element: primitive('int') },
          },
        ],
      },
    },
  },
]

const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 6 })
const few = fc.constantFrom('a', 'bb', 'ccc', '', 'δδ')
const row = fc.record({
  n: orNull(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer())),
  s: orNull(
    fc.oneof({ weight: 5, arbitrary: few }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 9 }) }),
  ),
  b: orNull(fc.boolean()),
  f: fc.double({ noNaN: true, noDefaultInfinity: true }),
  l: orNull(
    fc.array(orNull(fc.record({ x: orNull(few), y: fc.array(orNull(fc.nat(2)), { maxLength: 3 }) })), { maxLength: 3 }),
  ),
})
/** Rows repeated in runs, so that levels and indices meet both encodings. */
const rows = fc
  .array(fc.tuple(row, fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 12 })
  .map(runs => runs.flatMap(([value, count]) => Array.from({ length: count }, () => value)))

/** hyparquet leaves absent groups undefined, and text ends where lone surrogates were replaced. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null
  // JSON has no -0.
  if (value === 0) return 0
  if (typeof value === 'string') return new TextDecoder().decode(new TextEncoder().encode(value))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

test('what hyparquet reads is what was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rows, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(50, 1000),
      async (batches, rowsMax) => {
        const writer = pageParquetEncoder.createFile(fields, {
          codec: 'zstd',
          rowGroupBytesTarget: 1 << 24,
          rowGroupRowsMax: rowsMax,
        })
        for (const batch of batches)
          writer.append(
            decodeRows(
              fields,
              batch.map(value => JSON.stringify(value)),
            ),
          )
        const { chunks, recordCount } = writer.finish()
        expect(recordCount).toBe(batches.flat().length)
        const file = new Uint8Array(Buffer.concat(chunks)).buffer
        const read = await parquetReadObjects({ file, compressors })
        expect(read.map(plain)).toEqual(batches.flat().map(plain))
      },
    ),
    { numRuns: runCount },
  )
})

test('any bytes in place of a footer are read or refused as corrupt', () => {
  const writer = pageParquetEncoder.createFile(fields, {
    codec: 'none',
    rowGroupBytesTarget: 1 << 24,
    rowGroupRowsMax: 9,
  })
  writer.append(decodeRows(fields, ['{"f":1,"s":"x","l":[{"y":[1]}]}']))
  const file = Buffer.concat(writer.finish().chunks)
  const isRefused = (bytes: Uint8Array): boolean => {
    try {
      readFooter(bytes)
      return false
    } catch (error) {
      if (!isFloeError(error, 'corrupt')) throw error
      return true
    }
  }
  expect(isRefused(file)).toBe(false)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(file.length - 1),
      fc.integer({ min: 0, max: 255 }),
      (any, at, byte) => {
        isRefused(any)
        isRefused(writeFooter(readFooter(file)).subarray(0, any.length))
        const bent = new Uint8Array(file)
        bent[at] = byte
        isRefused(bent)
        isRefused(Buffer.concat([Buffer.from('PAR1'), any, Uint8Array.of(any.length, 0, 0, 0), Buffer.from('PAR1')]))
      },
    ),
    { numRuns: runCount * 10 },
  )
})

test('a footer written again is the same', () => {
  const writer = pageParquetEncoder.createFile(fields, {
    codec: 'none',
    rowGroupBytesTarget: 1 << 24,
    rowGroupRowsMax: 9,
  })
  writer.append(decodeRows(fields, ['{"f":1}', '{"f":2}']))
  const tail = writer.finish().chunks.at(-1)!
  const metadata = tail.subarray(0, -8)
  expect(writeThriftStruct(readThriftStruct(metadata))).toEqual(new Uint8Array(metadata))
})
