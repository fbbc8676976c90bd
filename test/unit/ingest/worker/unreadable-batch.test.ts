/** Batches whose checksum is right and which cannot be read: rejected as a whole, and never half of them. */
import { zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { AppendInput, BuiltFiles } from '../../../../ingest/worker/builder-types.ts'
import { batchRowsMax } from '../../../../ingest/worker/file-sink.ts'
import { TableFileBuilder } from '../../../../ingest/worker/table-file-builder.ts'
import { decompressedBytesMaxDefault } from '../../../../kafka/compression/codecs.ts'
import { fieldAt } from '../../../../kafka/records/batch.ts'
import { setCrc } from '../../../../kafka/records/patch.ts'
import { bendRecord, cutPayload, withPayload } from '../../../support/unreadable-batches.ts'
import { queryWithDuckdb } from '../../table/parquet/read-parquet.ts'
import { batch, events, join, makeConfig, record } from './fixtures.ts'

const input = (batches: Uint8Array, start: number, end: number): AppendInput => ({
  partition: 0,
  batches,
  start: BigInt(start),
  end: BigInt(end),
  aborted: [],
})

const offsetsOf = async ({ files }: BuiltFiles): Promise<number[]> => {
  const query = 'select floe.offset::int o from $file order by o'
  const rows = await Promise.all(files.map(file => queryWithDuckdb(file.chunks, query)))
  return rows.flat().map(row => Number(row.o))
}
const lettersOf = ({ deadLetters }: BuiltFiles, columns = '*'): Promise<readonly Record<string, unknown>[]> =>
  queryWithDuckdb(deadLetters!.chunks, `select ${columns} from $file order by "offset"`)

/** Offsets 10 to 14. */
const good = (codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' = 'none'): Uint8Array =>
  batch(10, events(10, 5), { codec })

function changed(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  setCrc(bytes)
  return bytes
}

/** The offset delta of the last of three records of `{"id":N,"kind":"kN"}` becomes `delta`. */
function withLastDelta(delta: number): Uint8Array {
  const bytes = batch(10, events(0, 3))
  const recordBytes = (bytes.length - 61) / 3
  return changed(bytes, view => view.setUint8(61 + 2 * recordBytes + 3, delta * 2))
}

const bomb = (): Uint8Array =>
  withPayload(good('zstd'), zstdCompressSync(Buffer.alloc(decompressedBytesMaxDefault + 1)))

describe('a batch that cannot be read', () => {
  test.each([
    ['cut gzip', cutPayload(good('gzip')), /^the record batch of offsets 10 to 14 cannot be read: gzip records: /],
    ['cut snappy', cutPayload(good('snappy')), /cannot be read: snappy records: /],
    ['cut lz4', cutPayload(good('lz4')), /cannot be read: lz4 records: /],
    ['cut zstd', cutPayload(good('zstd')), /cannot be read: zstd records: /],
    ['cut records', cutPayload(good()), /cannot be read: none records: record 4: /],
    ['a malformed first record', bendRecord(good('lz4'), 0), /cannot be read: lz4 records: record 0: record of /],
    ['a malformed third record', bendRecord(good('zstd'), 2), /cannot be read: zstd records: record 2: record of /],
    [
      'more records than there can be',
      changed(good(), view => view.setInt32(fieldAt.recordCount, 1_000_000)),
      /none records: record -1: 1000000 records cannot fit/,
    ],
    ['a negative number of records', changed(good(), view => view.setInt32(fieldAt.recordCount, -1)), /-1 records/],
    ['bytes after the last record', changed(good(), view => view.setInt32(fieldAt.recordCount, 4)), /bytes after/],
    ['an unknown codec', changed(good(), view => view.setInt16(fieldAt.attributes, 6)), /compression codec 6 is not/],
    ['an offset twice', withLastDelta(1), /record 2: offset delta 1 does not ascend within 0 to 2/],
    ['an offset beyond the batch', withLastDelta(3), /record 2: offset delta 3 does not ascend/],
    ['a bomb', bomb(), /zstd records decompress to more than 134217728 bytes/],
  ])('%s becomes one dead letter that stands for all its offsets', async (_, bad, reason) => {
    const offsetCount = new DataView(bad.buffer).getInt32(fieldAt.lastOffsetDelta) + 1
    const end = 10 + offsetCount
    const batches = join(batch(8, events(8, 2)), bad, batch(end, events(end, 2)))
    const builder = new TableFileBuilder(makeConfig())
    let result = builder.append(input(batches, 8, end + 2))
    if (result.cut === 'undone') {
      expect(result).toEqual({ end: 8n, cut: 'undone', rejection: undefined })
      expect(builder.rowCount).toBe(0)
      result = builder.append(input(batches, 8, end + 2))
    }
    expect(result).toEqual({ end: BigInt(end + 2), cut: undefined, rejection: undefined })
    const built = builder.finish()
    expect(built.coverage).toMatchObject([{ start: 8n, written: 4, rejected: offsetCount, control: 0 }])
    expect(built.rejectCounts).toEqual({ 'unreadable-batch': offsetCount })
    expect(await offsetsOf(built)).toEqual([8, 9, end, end + 1])
    const [letter, ...others] = await lettersOf(built, '* exclude (value), hex(value) as value')
    expect(others).toEqual([])
    expect(letter).toEqual({
      partition: 0,
      offset: '10',
      timestamp: '2023-11-14 22:13:20+00',
      key: null,
      value: Buffer.from(bad).toString('hex').toUpperCase(),
      headers: [],
      reason_code: 'unreadable-batch',
      reason: expect.stringMatching(reason),
    })
  })

  test('a wrong checksum stays an error: a bad read may be better next time', () => {
    const bytes = cutPayload(good('zstd'))
    bytes[fieldAt.crc]! ^= 1
    expect(() => new TableFileBuilder(makeConfig()).append(input(bytes, 10, 15))).toThrow('wrong checksum')
  })

  test('skip only counts its offsets, stop ends in front of it', () => {
    const batches = join(good(), cutPayload(batch(15, events(15, 5), { codec: 'lz4' })), batch(20, events(20, 1)))
    const skipping = new TableFileBuilder(makeConfig({ deadLetterMode: 'skip' }))
    skipping.append(input(batches, 10, 21))
    expect(skipping.finish()).toMatchObject({ deadLetters: undefined, coverage: [{ written: 6, rejected: 5 }] })

    const stopping = new TableFileBuilder(makeConfig({ deadLetterMode: 'stop' }))
    expect(stopping.append(input(batches, 10, 21))).toEqual({
      end: 15n,
      cut: 'rejected',
      rejection: {
        partition: 0,
        offset: 15n,
        code: 'unreadable-batch',
        reason: expect.stringMatching(/^the record batch of offsets 15 to 19 cannot be read: lz4 records: /),
      },
    })
    expect(stopping.finish().coverage).toMatchObject([{ start: 10n, end: 15n, written: 5, rejected: 0 }])
  })

  test('stop leaves nothing of a batch that goes bad half-way', () => {
    const batches = join(good(), bendRecord(batch(15, events(15, 5)), 3))
    const builder = new TableFileBuilder(makeConfig({ deadLetterMode: 'stop' }))
    expect(builder.append(input(batches, 10, 20))).toMatchObject({ end: 10n, cut: 'undone' })
    expect(builder.append(input(batches, 10, 20))).toMatchObject({ end: 15n, cut: 'rejected' })
    expect(builder.finish().coverage).toMatchObject([{ start: 10n, end: 15n, written: 5 }])
  })

  test('rows of earlier appends and dead letters of the batch are undone with it, also where rows were encoded', async () => {
    const many = batchRowsMax * 2
    const records = [...events(0, many), record('x'), ...events(many + 1, 3)]
    const builder = new TableFileBuilder(makeConfig())
    builder.append({ ...input(batch(0, events(0, 3)), 0, 3), partition: 1 })
    const bad = bendRecord(batch(0, records, { codec: 'zstd' }), many + 2)
    expect(builder.append(input(bad, 0, many + 4))).toMatchObject({ cut: 'undone' })
    builder.append({ ...input(batch(0, events(0, 3)), 0, 3), partition: 1 })
    builder.append(input(bad, 0, many + 4))
    const built = builder.finish()
    expect(built.coverage).toMatchObject([
      { partition: 0, written: 0, rejected: many + 4, control: 0 },
      { partition: 1, written: 3, rejected: 0 },
    ])
    expect(built.deadLetters?.recordCount).toBe(1)
    expect(await offsetsOf(built)).toEqual([0, 1, 2])
    // Once is enough: the next one is seen before it is used.
    expect(builder.append(input(bendRecord(good(), 2), 10, 15))).toMatchObject({ end: 15n, cut: undefined })
  })

  test('only offsets of the range are lost with it', async () => {
    const builder = new TableFileBuilder(makeConfig())
    builder.append(input(cutPayload(good('snappy')), 12, 14))
    const built = builder.finish()
    expect(built.coverage).toMatchObject([{ start: 12n, end: 14n, written: 0, rejected: 2 }])
    expect(await lettersOf(built, '"offset"::int o, reason')).toEqual([
      { o: 12, reason: expect.stringMatching(/^the record batch of offsets 12 to 13 cannot/) },
    ])
  })

  test('too many bytes of them cut in front of the one that would go beyond', () => {
    const batches = join(...[0, 1, 2].map(index => cutPayload(batch(index, [record('x'.repeat(1_000))]))))
    const builder = new TableFileBuilder(makeConfig({ deadLetterBytesMax: 2_500 }))
    expect(builder.append(input(batches, 0, 3))).toMatchObject({ end: 2n, cut: 'dead-letter-bytes' })
    expect(builder.finish()).toMatchObject({ deadLetters: { recordCount: 2 }, coverage: [{ end: 2n, rejected: 2 }] })
  })
})
