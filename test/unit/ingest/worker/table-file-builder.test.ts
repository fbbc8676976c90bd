/** Record batches in, files and an account of every offset out. */
import { describe, expect, test } from 'vitest'
import type { AppendInput, BuiltFiles } from '../../../../ingest/worker/builder-types.ts'
import { TableFileBuilder, valueBytesMax } from '../../../../ingest/worker/table-file-builder.ts'
import { buildTransactionMarker } from '../../../../kafka/records/build.ts'
import { decodeSingleValue } from '../../../../table/single-value.ts'
import { type PartitionSpec, primitive } from '../../../../table/types.ts'
import { queryWithDuckdb } from '../../table/parquet/read-parquet.ts'
import { batch, eventFields, events, join, makeConfig, record } from './fixtures.ts'

const input = (batches: Uint8Array, start: number, end: number, extra: Partial<AppendInput> = {}): AppendInput => ({
  partition: 0,
  batches,
  start: BigInt(start),
  end: BigInt(end),
  aborted: [],
  ...extra,
})

const rowsOf = async (built: BuiltFiles, columns = 'id::int id, floe.offset::int o'): Promise<unknown[]> => {
  const rows = await Promise.all(
    built.files.map(file => queryWithDuckdb(file.chunks, `select ${columns} from $file order by floe.offset`)),
  )
  return rows.flat()
}

describe('TableFileBuilder', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'rows and provenance arrive from %s batches',
    async codec => {
      const builder = new TableFileBuilder(makeConfig())
      const records = [
        record(
          { id: 1, kind: 'a', ts: '2024-01-01T00:00:00Z' },
          { key: Buffer.from('k'), timestampMs: 1_700_000_000_123n },
        ),
        record({ id: 2 }, { timestampMs: -1n }),
      ]
      expect(builder.append(input(batch(10, records, { codec }), 10, 12, { partition: 3 }))).toEqual({
        end: 12n,
        cut: undefined,
        rejection: undefined,
      })
      const built = builder.finish()
      expect(await rowsOf(built, 'id, kind, ts, floe')).toEqual([
        {
          id: '1',
          kind: 'a',
          ts: '2024-01-01 00:00:00+00',
          floe: { partition: 3, offset: '10', timestamp: '2023-11-14 22:13:20.123+00', key: 'k' },
        },
        { id: '2', kind: null, ts: null, floe: { partition: 3, offset: '11', timestamp: null, key: null } },
      ])
      expect(built.coverage).toEqual([
        {
          partition: 3,
          start: 10n,
          end: 12n,
          written: 2,
          filtered: 0,
          rejected: 0,
          control: 0,
          maxTimestampMs: 1_700_000_000_123,
        },
      ])
      expect(built.files[0]).toMatchObject({ partition: [], recordCount: 2 })
      expect(built.deadLetters).toBeUndefined()
    },
  )

  test('only offsets of the range count, and those without a record are control', async () => {
    const builder = new TableFileBuilder(makeConfig())
    // 5..9, then 15..19: 10..14 were compacted away.
    const batches = join(batch(5, events(5, 5)), batch(15, events(15, 5)))
    builder.append(input(batches, 7, 18))
    const built = builder.finish()
    expect((await rowsOf(built)).map(row => (row as { o: number }).o)).toEqual([7, 8, 9, 15, 16, 17])
    expect(built.coverage[0]).toMatchObject({ start: 7n, end: 18n, written: 6, control: 5 })
  })

  test('control batches and aborted transactions leave no rows', async () => {
    const transactional = { isTransactional: true, producerId: 7n, producerEpoch: 0, baseSequence: 0 }
    const marker = (outcome: 'commit' | 'abort', offset: number, producerId: bigint): Uint8Array =>
      buildTransactionMarker({
        outcome,
        producerId,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        timestampMs: 0n,
        baseOffset: BigInt(offset),
      })
    const batches = join(
      batch(0, events(0, 2), transactional),
      batch(2, events(2, 1), { ...transactional, producerId: 8n }),
      batch(3, events(3, 1)),
      marker('abort', 4, 7n),
      batch(5, events(5, 1), transactional),
      marker('commit', 6, 7n),
      marker('commit', 7, 8n),
    )
    const builder = new TableFileBuilder(makeConfig())
    builder.append(input(batches, 0, 8, { aborted: [{ producerId: 7n, firstOffset: 0n }] }))
    const built = builder.finish()
    expect(await rowsOf(built, 'id::int id')).toEqual([{ id: 2 }, { id: 3 }, { id: 5 }])
    expect(built.coverage[0]).toMatchObject({ written: 3, control: 5 })
  })

  test('an abort before the range is still an abort', async () => {
    const transactional = { isTransactional: true, producerId: 7n, producerEpoch: 0, baseSequence: 0 }
    const builder = new TableFileBuilder(makeConfig())
    const batches = batch(0, events(0, 4), transactional)
    builder.append(input(batches, 2, 4, { aborted: [{ producerId: 7n, firstOffset: 0n }] }))
    expect(builder.finish()).toMatchObject({ files: [], coverage: [{ written: 0, control: 2 }] })
  })

  test('rejected records become dead letters, whole, with the reason', async () => {
    const builder = new TableFileBuilder(makeConfig())
    const records = [
      record({ id: 1 }),
      record('{"id":"x"}', {
        key: Buffer.from([0xff]),
        headers: [
          { key: 'trace', value: Buffer.from('t1') },
          { key: 'n', value: null },
        ],
      }),
      record(null, { key: Buffer.from('gone') }),
      record('not json', { timestampMs: -1n }),
    ]
    builder.append(input(batch(100, records), 100, 104, { partition: 2 }))
    const built = builder.finish()
    expect(built.coverage[0]).toMatchObject({ written: 1, rejected: 3, control: 0 })
    expect(built.rejectCounts).toEqual({ 'type-mismatch': 1, 'null-value': 1, 'malformed-json': 1 })
    expect(built.deadLetters).toMatchObject({ recordCount: 3 })
    const rows = await queryWithDuckdb(built.deadLetters!.chunks, 'select * from $file order by "offset"')
    expect(rows).toEqual([
      {
        partition: 2,
        offset: '101',
        timestamp: '2023-11-14 22:13:20+00',
        key: '\\xFF',
        value: '{\\x22id\\x22:\\x22x\\x22}',
        headers: [
          { key: 'trace', value: 't1' },
          { key: 'n', value: null },
        ],
        reason_code: 'type-mismatch',
        reason: 'field "id": the value does not have the type of the column',
      },
      {
        partition: 2,
        offset: '102',
        timestamp: '2023-11-14 22:13:20+00',
        key: 'gone',
        value: null,
        headers: [],
        reason_code: 'null-value',
        reason: 'the record has no value (a tombstone)',
      },
      {
        partition: 2,
        offset: '103',
        timestamp: null,
        key: null,
        value: 'not json',
        headers: [],
        reason_code: 'malformed-json',
        reason: 'the value is not well-formed JSON',
      },
    ])
  })

  test('deadLetterMode skip only counts, stop ends in front of the record', () => {
    const batches = batch(0, [...events(0, 2), record('x'), ...events(3, 1)])
    const skipping = new TableFileBuilder(makeConfig({ deadLetterMode: 'skip' }))
    skipping.append(input(batches, 0, 4))
    expect(skipping.finish()).toMatchObject({ deadLetters: undefined, coverage: [{ written: 3, rejected: 1 }] })

    const stopping = new TableFileBuilder(makeConfig({ deadLetterMode: 'stop' }))
    expect(stopping.append(input(batches, 0, 4))).toEqual({
      end: 2n,
      cut: 'rejected',
      rejection: { partition: 0, offset: 2n, code: 'malformed-json', reason: 'the value is not well-formed JSON' },
    })
    expect(stopping.finish().coverage[0]).toMatchObject({ start: 0n, end: 2n, written: 2, rejected: 0, control: 0 })
  })

  test('too many dead letters cut in front of the one that would go beyond, and one alone always fits', () => {
    const batches = batch(
      0,
      Array.from({ length: 10 }, () => record('x'.repeat(1000))),
    )
    const builder = new TableFileBuilder(makeConfig({ deadLetterBytesMax: 3500 }))
    expect(builder.append(input(batches, 0, 10))).toMatchObject({ end: 3n, cut: 'dead-letter-bytes' })
    expect(builder.finish()).toMatchObject({ deadLetters: { recordCount: 3 }, coverage: [{ end: 3n, rejected: 3 }] })
    const tiny = new TableFileBuilder(makeConfig({ deadLetterBytesMax: 10 }))
    expect(tiny.append(input(batches, 0, 10))).toMatchObject({ end: 1n, cut: 'dead-letter-bytes' })
  })

  test('a full file cuts between batches, and reading on gives every row once', async () => {
    const batches = join(...Array.from({ length: 40 }, (_, index) => batch(index * 500, events(index * 500, 500))))
    const builder = new TableFileBuilder(makeConfig({ fileBytesTarget: 30_000 }))
    const offsets: number[] = []
    let start = 0n
    let fileCount = 0
    while (start < 20_000n) {
      const result = builder.append({ partition: 0, batches, start, end: 20_000n, aborted: [] })
      expect(result.end).toBeGreaterThan(start)
      const built = builder.finish()
      expect(built.coverage[0]).toMatchObject({ start, end: result.end, written: Number(result.end - start) })
      offsets.push(...(await rowsOf(built)).map(row => (row as { o: number }).o))
      start = result.end
      fileCount++
    }
    expect(offsets).toEqual(Array.from({ length: 20_000 }, (_, offset) => offset))
    expect(fileCount).toBeGreaterThan(1)
  })

  test('several source partitions are accounted for apart', () => {
    const builder = new TableFileBuilder(makeConfig())
    builder.append(input(batch(0, events(0, 3)), 0, 3, { partition: 9 }))
    builder.append(input(batch(7, events(0, 2)), 7, 9, { partition: 1 }))
    builder.append(input(batch(3, events(0, 1)), 3, 4, { partition: 9 }))
    expect(builder.rowCount).toBe(6)
    expect(builder.finish().coverage).toMatchObject([
      { partition: 1, start: 7n, end: 9n, written: 2 },
      { partition: 9, start: 0n, end: 4n, written: 4 },
    ])
    expect(builder.rowCount).toBe(0)
  })

  test('a gap between appends is refused', () => {
    const builder = new TableFileBuilder(makeConfig())
    builder.append(input(batch(0, events(0, 3)), 0, 3))
    expect(() => builder.append(input(batch(4, events(0, 3)), 4, 7))).toThrow('up to offset 3')
  })

  test('a wrong checksum is corrupt', () => {
    const bent = batch(0, events(0, 3))
    bent[bent.length - 1]! ^= 1
    const builder = new TableFileBuilder(makeConfig())
    expect(() => builder.append(input(bent, 0, 3))).toThrow('wrong checksum')
  })

  test('a record beyond the limit is rejected unread', () => {
    const builder = new TableFileBuilder(makeConfig({ deadLetterMode: 'skip' }))
    const huge = record(`{"id":1,"kind":"${'x'.repeat(valueBytesMax)}"}`)
    builder.append(input(batch(0, [huge, record({ id: 2 })], { codec: 'zstd' }), 0, 2))
    expect(builder.finish()).toMatchObject({
      rejectCounts: { 'record-too-large': 1 },
      coverage: [{ written: 1, rejected: 1 }],
    })
  })

  test('after reset the builder is as new', async () => {
    const builder = new TableFileBuilder(makeConfig())
    builder.append(input(batch(0, [...events(0, 3), record('x')]), 0, 4))
    builder.reset()
    builder.append(input(batch(8, events(8, 1)), 8, 9))
    const built = builder.finish()
    expect(await rowsOf(built)).toEqual([{ id: 8, o: 8 }])
    expect(built).toMatchObject({ deadLetters: undefined, rejectCounts: {}, coverage: [{ start: 8n, end: 9n }] })
  })
})

describe('partitioned tables', () => {
  const spec = (...fields: PartitionSpec['fields']): PartitionSpec => ({ specId: 0, fields })
  const byKind = { sourceId: 2, fieldId: 1000, name: 'kind', transform: 'identity' } as const
  const byDay = { sourceId: 3, fieldId: 1001, name: 'ts_day', transform: 'day' } as const
  const byHour = { sourceId: 3, fieldId: 1001, name: 'ts_hour', transform: 'hour' } as const

  test('rows go to the file of their tuple, in offset order', async () => {
    const kinds = ['a', 'b', null, 'null', 'a', 'ü']
    const records = Array.from({ length: 9000 }, (_, id) =>
      record({
        id,
        kind: kinds[id % kinds.length],
        ts: id % 2 === 0 ? '1969-12-31T23:59:59.999Z' : '2024-02-29T12:00:00Z',
      }),
    )
    const builder = new TableFileBuilder(makeConfig({}, spec(byKind, byDay)))
    builder.append(input(batch(0, records), 0, 9000))
    const built = builder.finish()
    const tuples = built.files.map(({ partition: [kind, day] }) => [
      kind === null ? null : decodeSingleValue(primitive('string'), kind!),
      decodeSingleValue(primitive('date'), day!),
    ])
    expect(tuples).toEqual([
      ['a', -1],
      ['b', 19782],
      [null, -1],
      ['null', 19782],
      ['ü', 19782],
    ])
    expect(built.files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(9000)
    for (const [index, file] of built.files.entries()) {
      const rows = await queryWithDuckdb(
        file.chunks,
        'select kind, epoch(ts)::bigint // 86400 as day, floe.offset::int o, id::int id from $file',
      )
      const [kind] = tuples[index]!
      expect(new Set(rows.map(row => row.kind))).toEqual(new Set([kind]))
      const offsets = rows.map(row => Number(row.o))
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
      expect(rows.every(row => row.o === row.id)).toBe(true)
    }
  })

  test('tuples differ whatever their texts hold', () => {
    const byOther = { sourceId: 4, fieldId: 1001, name: 'other', transform: 'identity' } as const
    const fields = [...eventFields, { id: 4, name: 'other', required: false, type: primitive('string') }]
    const pairs = [
      ['x\0"y', 'z'],
      ['x', 'y\0"z'],
      ['x"1:', ''],
      ['x', '"1:'],
      ['1:a', 'b'],
      ['1', ':ab'],
      [null, 'null'],
      ['null', null],
    ]
    const builder = new TableFileBuilder(makeConfig({}, spec(byKind, byOther), fields))
    const records = pairs.map(([kind, other], id) => record({ id, kind, other }))
    builder.append(input(batch(0, records), 0, records.length))
    const tuples = builder
      .finish()
      .files.map(file => file.partition.map(value => value && decodeSingleValue(primitive('string'), value)))
    expect(tuples).toEqual(pairs)
  })

  test('hours and nested sources', () => {
    const builder = new TableFileBuilder(
      makeConfig({}, spec(byHour, { ...byKind, sourceId: 1_000_000_001, name: 'p' })),
    )
    builder.append(input(batch(0, [record({ id: 1, ts: '1970-01-01T01:59:59Z' })]), 0, 1, { partition: 4 }))
    builder.append(input(batch(0, [record({ id: 1, ts: '1969-12-31T23:00:00Z' })]), 0, 1, { partition: 5 }))
    const tuples = builder
      .finish()
      .files.map(file => file.partition.map(value => decodeSingleValue(primitive('int'), value!)))
    expect(tuples).toEqual([
      [1, 4],
      [-1, 5],
    ])
  })

  test('one tuple too many cuts in front of its record', async () => {
    const records = ['a', 'b', 'a', 'c', 'a'].map((kind, id) => record({ id, kind }))
    const builder = new TableFileBuilder(makeConfig({ openPartitionsMax: 2 }, spec(byKind)))
    expect(builder.append(input(batch(0, records), 0, 5))).toMatchObject({ end: 3n, cut: 'open-partitions' })
    const built = builder.finish()
    expect(built.coverage[0]).toMatchObject({ start: 0n, end: 3n, written: 3 })
    expect(built.files.map(file => file.recordCount)).toEqual([2, 1])
    expect(builder.append(input(batch(0, records), 3, 5))).toMatchObject({ end: 5n, cut: undefined })
    expect(builder.finish().files).toHaveLength(2)
  })

  test('a partition value that cannot be is rejected', () => {
    const builder = new TableFileBuilder(makeConfig({}, spec(byKind)))
    builder.append(input(batch(0, [record({ id: 1, kind: 'x'.repeat(2000) }), record({ id: 2, kind: 'x' })]), 0, 2))
    expect(builder.finish()).toMatchObject({
      rejectCounts: { 'out-of-range': 1 },
      coverage: [{ written: 1, rejected: 1 }],
    })
  })

  test('a spec on an unknown column is refused', () => {
    expect(() => new TableFileBuilder(makeConfig({}, spec({ ...byKind, sourceId: 99 }), eventFields))).toThrow(/99/)
  })
})
