import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../../core/byte-writer.ts'
import { BatchCursor } from '../../../../kafka/records/batch.ts'
import { buildBatch } from '../../../../kafka/records/build.ts'
import { RecordCursor } from '../../../../kafka/records/record-cursor.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex')

function walk(payload: Uint8Array, recordCount: number): number {
  const records = new RecordCursor()
  records.reset(payload, recordCount)
  let seen = 0
  while (records.next()) {
    seen++
    while (records.nextHeader());
  }
  return seen
}

describe('record cursor', () => {
  test('any records come back as they were built', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null })
    const record = fc.record({
      key: bytes,
      value: bytes,
      // Deltas stay exact within 2^52, the reach of the builder.
      timestampMs: fc.bigInt({ min: -(2n ** 50n), max: 2n ** 50n }),
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 90 }), value: bytes }), { maxLength: 3 }),
    })
    const copy = (payload: Uint8Array, at: number, count: number) =>
      count < 0 ? null : [...payload.subarray(at, at + count)]
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 80 }), inputs => {
        const batch = new BatchCursor(buildBatch(inputs))
        expect(batch.next()).toBe(true)
        const payload = batch.payload
        const records = new RecordCursor()
        records.reset(payload, batch.recordCount)
        for (const [index, input] of inputs.entries()) {
          expect(records.next()).toBe(true)
          expect(records.index).toBe(index)
          expect(records.offsetDelta).toBe(index)
          expect(batch.baseTimestamp + BigInt(records.timestampDelta)).toBe(input.timestampMs)
          expect(copy(payload, records.keyAt, records.keyBytes)).toEqual(input.key === null ? null : [...input.key])
          expect(copy(payload, records.valueAt, records.valueBytes)).toEqual(
            input.value === null ? null : [...input.value],
          )
          expect(records.headerCount).toBe(input.headers.length)
          for (const header of input.headers) {
            expect(records.nextHeader()).toBe(true)
            expect(copy(payload, records.headerKeyAt, records.headerKeyBytes)).toEqual([...Buffer.from(header.key)])
            expect(copy(payload, records.headerValueAt, records.headerValueBytes)).toEqual(
              header.value === null ? null : [...header.value],
            )
          }
          expect(records.nextHeader()).toBe(false)
        }
        expect(records.next()).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  test.each([
    0n,
    -1n,
    1n,
    2n ** 27n,
    2n ** 28n - 1n,
    -(2n ** 28n),
    2n ** 53n - 1n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('timestamp delta %s is read, beyond 2^53 as the nearest double', delta => {
    const body = new ByteWriter()
    body.int8(0)
    let zigzag = BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n))
    while (zigzag >= 0x80n) {
      body.uint8(Number(zigzag & 0x7fn) | 0x80)
      zigzag >>= 7n
    }
    body.uint8(Number(zigzag))
    body.raw(bytesOf('00 01 01 00'))
    const payload = Buffer.concat([Buffer.from([body.length * 2]), body.view()])
    const records = new RecordCursor()
    records.reset(payload, 1)
    expect(records.next()).toBe(true)
    expect(records.timestampDelta).toBe(Number(delta))
  })

  test('a negative length other than -1 is null too', () => {
    // Key length -2, value length -1.
    const records = new RecordCursor()
    records.reset(bytesOf('0c 00 00 00 03 01 00'), 1)
    expect(records.next()).toBe(true)
    expect([records.keyBytes, records.valueBytes]).toEqual([-1, -1])
  })

  const malformed: readonly (readonly [string, string, number, string])[] = [
    ['more records than bytes', '0c000000010100', 2, 'record -1: 2 records cannot fit in 7 bytes'],
    ['a negative record count', '', -1, 'record -1: -1 records cannot fit in 0 bytes'],
    ['bytes without a record', '00', 0, 'record -1: 1 bytes but no record'],
    ['a record longer than the payload', '0e 00 00 00 01 01 00', 1, 'record 0: record of 7 bytes at byte 1'],
    ['a negative record length', '01 00 00 00 01 01 00', 1, 'record 0: record of -1 bytes at byte 1'],
    [
      'a key longer than the record',
      '0c 00 00 00 64 01 00',
      1,
      'record 0: the fields of the record end at 57 instead of 7',
    ],
    [
      'a value longer than the record',
      '0c 00 00 00 01 7e 00',
      1,
      'record 0: the fields of the record end at 70 instead of 7',
    ],
    [
      'fields shorter than the record',
      '0e 00 00 00 01 01 00 00',
      1,
      'record 0: the fields of the record end at 7 instead of 8',
    ],
    ['too many headers', '0c 00 00 00 01 01 64', 1, 'record 0: 50 headers at byte 7'],
    ['a negative header count', '0c 00 00 00 01 01 01', 1, 'record 0: -1 headers at byte 7'],
    ['a header key of null', '10 00 00 00 01 01 02 01 01', 1, 'record 0: header key is null at byte 8'],
    ['a header beyond the record', '10 00 00 00 01 01 02 04 01', 1, 'record 0: header beyond the end of the record'],
    ['bytes after the last record', '0c 00 00 00 01 01 00 00', 1, 'record 0: 1 bytes after the last record at byte 7'],
    ['a number of six bytes', '16 00 00 ffffffffff01 01 01 00', 1, 'record 0: number longer than 32 bits'],
    [
      'a timestamp of eleven bytes',
      '1e 00 ffffffffffffffffffff 01 00 01 01 00',
      1,
      'record 0: number longer than 64 bits',
    ],
    [
      'a payload that ends inside a record',
      '0c 00 00 00 01 01 00 0c 00 00 00 01 01',
      1,
      'record 0: 6 bytes after the last record',
    ],
  ]
  test.each(malformed)('%s is corrupt', (_, hex, recordCount, message) => {
    expect(() => walk(bytesOf(hex), recordCount)).toThrow(message)
    try {
      walk(bytesOf(hex), recordCount)
    } catch (error) {
      expect(error).toMatchObject({ kind: 'corrupt', code: 'corrupt-record' })
    }
  })

  test('the shortest records fit', () => {
    expect(walk(bytesOf('0c000000010100 0c000002010100'), 2)).toBe(2)
  })
})
