/**
 * Batches with damaged payloads and right checksums, between good ones, into the builder of table files. Invariants: nothing
 * is thrown; every offset is counted once, as a row, a rejected or a control one; the rows in the files are those counted; of
 * the good batches every record is a row.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AppendInput, BuiltFiles } from '../../ingest/worker/builder-types.ts'
import { TableFileBuilder } from '../../ingest/worker/table-file-builder.ts'
import { type CompressionCodec, compressionCodecs } from '../../kafka/compression/codecs.ts'
import { batchHeaderBytes, fieldAt } from '../../kafka/records/batch.ts'
import { setCrc } from '../../kafka/records/patch.ts'
import { batch, events, join, makeConfig, record } from '../unit/ingest/worker/fixtures.ts'

const goodBefore = 4
const damagedCount = 40
const goodAfter = 3
const end = goodBefore + damagedCount + goodAfter

const damage = fc.record({
  codec: fc.constantFrom<CompressionCodec>(...compressionCodecs),
  /** Of the header only what is under the checksum, and not the last offset delta, which says what the batch stands for. */
  header: fc.option(
    fc.record({ at: fc.constantFrom(fieldAt.attributes + 1, fieldAt.recordCount + 3), byte: fc.nat(255) }),
  ),
  changes: fc.array(
    fc.record({ where: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), byte: fc.nat(255) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  start: fc.integer({ min: 0, max: goodBefore + 20 }),
  mode: fc.constantFrom('capture' as const, 'skip' as const),
})

function appendAll(builder: TableFileBuilder, input: AppendInput): BuiltFiles {
  const first = builder.append(input)
  const last = first.cut === 'undone' ? builder.append(input) : first
  expect(last).toEqual({ end: input.end, cut: undefined, rejection: undefined })
  return builder.finish()
}

test('damaged payloads never throw and never upset the account', () => {
  fc.assert(
    fc.property(damage, ({ codec, header, changes, start, mode }) => {
      const records = [...events(goodBefore, damagedCount - 1), record('rejected')]
      const bad = Buffer.from(batch(goodBefore, records, { codec }))
      for (const { where, byte } of changes) {
        bad[batchHeaderBytes + Math.floor(where * (bad.length - batchHeaderBytes))] = byte
      }
      // A control batch would be passed over, as it should.
      if (header !== null) bad[header.at] = header.at === fieldAt.attributes + 1 ? header.byte & ~0x20 : header.byte
      setCrc(bad)
      const afterAt = goodBefore + damagedCount
      const batches = join(batch(0, events(0, goodBefore)), bad, batch(afterAt, events(afterAt, goodAfter)))
      const input = { partition: 0, batches, start: BigInt(start), end: BigInt(end), aborted: [] }
      const built = appendAll(new TableFileBuilder(makeConfig({ deadLetterMode: mode })), input)

      const [coverage] = built.coverage
      const { written, rejected, control } = coverage!
      expect(written + rejected + control).toBe(end - start)
      expect(Math.min(written, rejected, control)).toBeGreaterThanOrEqual(0)
      expect(written).toBeGreaterThanOrEqual(Math.max(0, goodBefore - start) + goodAfter)
      expect(built.files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(written)
      const letters = built.deadLetters?.recordCount ?? 0
      expect(letters).toBeLessThanOrEqual(rejected)
      if (mode === 'capture' && rejected > 0) expect(letters).toBeGreaterThan(0)
      if ((built.rejectCounts['unreadable-batch'] ?? 0) > 0) {
        // All of it, and nothing else of it.
        expect(rejected).toBe(afterAt - Math.max(start, goodBefore))
        expect(letters).toBe(mode === 'capture' ? 1 : 0)
      }
    }),
    { numRuns: 600 },
  )
})
