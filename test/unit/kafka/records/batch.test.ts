import { describe, expect, test } from 'vitest'
import { compressionCodecs } from '../../../../kafka/compression/codecs.ts'
import { decompress } from '../../../../kafka/compression/compression.ts'
import { BatchCursor } from '../../../../kafka/records/batch.ts'
import type { RecordInput } from '../../../../kafka/records/build.ts'
import { BatchBuilder, buildBatch, buildEmptyBatch, buildTransactionMarker } from '../../../../kafka/records/build.ts'
import { setLogAppendTime, setMaxTimestamp } from '../../../../kafka/records/patch.ts'
import { RecordCursor } from '../../../../kafka/records/record-cursor.ts'
import { readControlType } from '../../../../kafka/records/transaction-marker.ts'

const sample: readonly RecordInput[] = [
  { key: Buffer.from('a'), value: Buffer.from('one'), timestampMs: 1_000n },
  { key: null, value: Buffer.alloc(0), timestampMs: 400n },
  {
    key: Buffer.alloc(0),
    value: null,
    timestampMs: 1_700_000_000_000n,
    headers: [
      { key: 'h', value: Buffer.from('v') },
      { key: '', value: null },
      { key: 'ключ', value: Buffer.alloc(0) },
    ],
  },
]

/** Everything a batch says, as plain objects. */
function readBack(bytes: Uint8Array) {
  const batch = new BatchCursor(bytes)
  const records = new RecordCursor()
  const out: unknown[] = []
  while (batch.next()) {
    const payload = decompress(batch.codec, batch.payload, 1_000_000)
    const text = (at: number, count: number) =>
      count < 0 ? null : Buffer.from(payload.subarray(at, at + count)).toString()
    records.reset(payload, batch.recordCount)
    while (records.next()) {
      const headers: [string | null, string | null][] = []
      while (records.nextHeader()) {
        headers.push([
          text(records.headerKeyAt, records.headerKeyBytes),
          text(records.headerValueAt, records.headerValueBytes),
        ])
      }
      out.push({
        offset: batch.baseOffset + BigInt(records.offsetDelta),
        timestamp: batch.baseTimestamp + BigInt(records.timestampDelta),
        key: text(records.keyAt, records.keyBytes),
        value: text(records.valueAt, records.valueBytes),
        headers,
      })
    }
  }
  expect(batch.trailingBytes).toBe(0)
  return out
}

const sampleRead = [
  { offset: 7n, timestamp: 1_000n, key: 'a', value: 'one', headers: [] },
  { offset: 8n, timestamp: 400n, key: null, value: '', headers: [] },
  {
    offset: 9n,
    timestamp: 1_700_000_000_000n,
    key: '',
    value: null,
    headers: [
      ['h', 'v'],
      ['', null],
      ['ключ', ''],
    ],
  },
]

describe('batches', () => {
  test.each(compressionCodecs)('records come back through %s', codec => {
    const batch = buildBatch(sample, { codec, baseOffset: 7n })
    expect(readBack(batch)).toEqual(sampleRead)
    const cursor = new BatchCursor(batch)
    cursor.next()
    expect(cursor.codec).toBe(codec)
    expect(cursor.isCrcValid()).toBe(true)
  })

  test('a batch written by hand has every field where the format says', () => {
    const batch = buildBatch([{ key: null, value: Buffer.from('v'), timestampMs: 5n }], {
      baseOffset: 0x0102n,
      partitionLeaderEpoch: 3,
      producerId: 4n,
      producerEpoch: 6,
      baseSequence: 8,
      isTransactional: true,
    })
    const hex = Buffer.from(batch).toString('hex')
    expect(hex.slice(0, 34)).toBe('0000000000000102' + '00000039' + '00000003' + '02')
    // The checksum is checked against the library by isCrcValid; the rest is literal.
    expect(hex.slice(42)).toBe(
      '0010' +
        '00000000' +
        '0000000000000005' +
        '0000000000000005' +
        '0000000000000004' +
        '0006' +
        '00000008' +
        '00000001' +
        '0e' +
        '00' +
        '00' +
        '00' +
        '01' +
        '02' +
        '76' +
        '00',
    )
  })

  test('concatenated batches are walked with one cursor, a cut tail is left', () => {
    const first = buildBatch(sample, { baseOffset: 10n, producerId: 1n, producerEpoch: 2, baseSequence: 30 })
    const second = buildBatch(sample.slice(0, 1), { baseOffset: 13n, codec: 'gzip' })
    const bytes = Buffer.concat([first, second, first.subarray(0, 40)])
    const batch = new BatchCursor(bytes)
    const seen: unknown[] = []
    while (batch.next()) {
      seen.push([batch.at, batch.byteLength, batch.baseOffset, batch.lastOffset, batch.endOffset, batch.recordCount])
    }
    expect(seen).toEqual([
      [0, first.length, 10n, 12n, 13n, 3],
      [first.length, second.length, 13n, 13n, 14n, 1],
    ])
    expect(batch.trailingBytes).toBe(40)
  })

  test('a walk can be bounded to a part of the bytes', () => {
    const one = buildBatch(sample)
    const batch = new BatchCursor(Buffer.concat([one, one, one]), one.length, 2 * one.length)
    expect(batch.next()).toBe(true)
    expect(batch.at).toBe(one.length)
    expect(batch.next()).toBe(false)
    expect(batch.trailingBytes).toBe(0)
  })

  test('sizes that cannot be and old formats are refused', () => {
    const small = Buffer.from(buildBatch(sample))
    small.writeInt32BE(48, 8)
    expect(() => new BatchCursor(small).next()).toThrow('record batch of 60 bytes at byte 0')
    const negative = Buffer.from(buildBatch(sample))
    negative.writeInt32BE(-1, 8)
    expect(() => new BatchCursor(negative).next()).toThrow('record batch of 11 bytes at byte 0')
    const old = Buffer.from(buildBatch(sample))
    old.writeInt8(1, 16)
    expect(() => new BatchCursor(old).next()).toThrow(/message format v1 at byte 0: only record batches \(v2/)
    const strange = Buffer.from(buildBatch(sample))
    strange.writeInt8(9, 16)
    expect(() => new BatchCursor(strange).next()).toThrow('record batch with magic 9 at byte 0')
  })

  test('a builder can be used again', () => {
    const builder = new BatchBuilder()
    for (const record of sample) builder.append(record)
    expect(builder.recordCount).toBe(3)
    const first = builder.build({ baseOffset: 7n })
    expect(builder.recordCount).toBe(0)
    for (const record of sample) builder.append(record)
    expect(builder.uncompressedBytes).toBe(first.length)
    expect(Buffer.compare(builder.build({ baseOffset: 7n }), first)).toBe(0)
  })
})

describe('patches', () => {
  test('log append time sets attribute, maximum and checksum, and keeps the other attributes', () => {
    const batch = buildBatch(sample, { codec: 'lz4', isTransactional: true, producerId: 1n, baseSequence: 0 })
    const cursor = new BatchCursor(batch)
    cursor.next()
    expect(cursor.isLogAppendTime).toBe(false)
    setLogAppendTime(batch, 99n)
    expect([cursor.isLogAppendTime, cursor.maxTimestamp, cursor.codec, cursor.isTransactional]).toEqual([
      true,
      99n,
      'lz4',
      true,
    ])
    expect(cursor.isCrcValid()).toBe(true)
  })

  test('a maximum timestamp can be mended', () => {
    const batch = buildBatch(sample)
    setMaxTimestamp(batch, 5n)
    const cursor = new BatchCursor(batch)
    cursor.next()
    expect([cursor.maxTimestamp, cursor.isCrcValid()]).toEqual([5n, true])
  })
})

describe('control and empty batches', () => {
  test.each(['commit', 'abort'] as const)('a %s marker takes one offset and says what it is', outcome => {
    const bytes = buildTransactionMarker({
      outcome,
      producerId: 9n,
      producerEpoch: 3,
      coordinatorEpoch: 5,
      timestampMs: 77n,
      baseOffset: 40n,
    })
    const batch = new BatchCursor(bytes)
    batch.next()
    expect(batch).toMatchObject({
      isControl: true,
      isTransactional: true,
      producerId: 9n,
      producerEpoch: 3,
      baseOffset: 40n,
      endOffset: 41n,
      recordCount: 1,
      maxTimestamp: 77n,
    })
    expect(batch.isCrcValid()).toBe(true)
    expect(readControlType(batch)).toBe(outcome)
    expect(Buffer.from(batch.payload).toString('hex')).toBe(
      `${'20000000'}${'08'}${outcome === 'commit' ? '00000001' : '00000000'}${'0c'}${'000000000005'}${'00'}`,
    )
  })

  test('a control batch without a type is corrupt', () => {
    const bytes = buildBatch([{ key: null, value: null, timestampMs: 0n }])
    const batch = new BatchCursor(bytes)
    batch.next()
    expect(() => readControlType(batch)).toThrow('control batch at offset 0 has no type')
  })

  test('an empty batch spans its offsets and has no record', () => {
    const batch = new BatchCursor(buildEmptyBatch({ baseOffset: 100n, lastOffset: 250n, maxTimestamp: 3n }))
    expect(batch.next()).toBe(true)
    expect(batch).toMatchObject({ baseOffset: 100n, endOffset: 251n, recordCount: 0, maxTimestamp: 3n })
    expect(batch.isCrcValid()).toBe(true)
    const records = new RecordCursor()
    records.reset(batch.payload, batch.recordCount)
    expect(records.next()).toBe(false)
  })
})
