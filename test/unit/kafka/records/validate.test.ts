import { describe, expect, test } from 'vitest'
import { compressionCodecs } from '../../../../kafka/compression/codecs.ts'
import type { RecordInput } from '../../../../kafka/records/build.ts'
import { buildBatch, buildTransactionMarker } from '../../../../kafka/records/build.ts'
import { setCrc, setLogAppendTime, setMaxTimestamp } from '../../../../kafka/records/patch.ts'
import type { ProduceRules } from '../../../../kafka/records/validate.ts'
import { recordErrorsMax, validateProducedBatch } from '../../../../kafka/records/validate.ts'

const rules: ProduceRules = { batchBytesMax: 1_048_588, checkRecords: true, isZstdAllowed: true }

function recordsOf(count: number, change: (index: number) => Partial<RecordInput> = () => ({})): RecordInput[] {
  return Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`k${index}`),
    value: Buffer.from(`value ${index}`),
    timestampMs: 1_000n + BigInt(index),
    ...change(index),
  }))
}

/** A batch with some header bytes changed and the checksum right again. */
function tamper(change: (batch: Buffer) => void, batch: Uint8Array = buildBatch(recordsOf(3))): Uint8Array {
  const copy = Buffer.from(batch)
  change(copy)
  setCrc(copy)
  return copy
}

function verdict(bytes: Uint8Array | null, changed: Partial<ProduceRules> = {}) {
  const checked = validateProducedBatch(bytes, { ...rules, ...changed })
  return checked.outcome === 'valid' ? 'valid' : `${checked.error}: ${checked.message}`
}

describe('a valid batch', () => {
  test.each(compressionCodecs)('is described, compressed with %s', codec => {
    const batch = buildBatch(recordsOf(3), { codec, producerId: 5n, producerEpoch: 1, baseSequence: 20 })
    expect(validateProducedBatch(batch, rules)).toEqual({
      outcome: 'valid',
      batch,
      recordCount: 3,
      codec,
      isTransactional: false,
      producerId: 5n,
      producerEpoch: 1,
      baseSequence: 20,
      baseTimestamp: 1_000n,
      maxTimestamp: 1_002n,
      claimedMaxTimestamp: 1_002n,
    })
  })

  test('a maximum timestamp that the producer set wrongly is told apart from the true one', () => {
    const batch = buildBatch(recordsOf(3))
    setMaxTimestamp(batch, 5_000_000n)
    expect(validateProducedBatch(batch, rules)).toMatchObject({ maxTimestamp: 1_002n, claimedMaxTimestamp: 5_000_000n })
    expect(validateProducedBatch(batch, { ...rules, checkRecords: false })).toMatchObject({ maxTimestamp: 5_000_000n })
  })

  test('records without any timestamp pass every window', () => {
    const batch = buildBatch(recordsOf(2, () => ({ timestampMs: -1n })))
    expect(verdict(batch, { timestampMin: 10n, timestampMax: 20n })).toBe('valid')
  })
})

describe('refused with the code Kafka uses', () => {
  test('nothing at all', () => {
    expect(verdict(null)).toBe('INVALID_RECORD: there is no record batch')
    expect(verdict(new Uint8Array(0))).toBe('INVALID_RECORD: there is no record batch')
  })

  test('a batch cut short', () => {
    expect(verdict(buildBatch(recordsOf(1)).subarray(0, 50))).toBe(
      'CORRUPT_MESSAGE: the record batch is cut short after 50 bytes',
    )
  })

  test('a wrong checksum', () => {
    const batch = buildBatch(recordsOf(1))
    batch[batch.length - 2]! ^= 1
    expect(verdict(batch)).toBe('CORRUPT_MESSAGE: the checksum of the record batch is wrong')
  })

  test('an older message format', () => {
    expect(verdict(tamper(batch => batch.writeInt8(1, 16)))).toMatch(/^INVALID_RECORD: message format v1/)
  })

  test('two batches', () => {
    const one = buildBatch(recordsOf(1))
    expect(verdict(Buffer.concat([one, one]))).toBe('INVALID_RECORD: there is more than one record batch')
  })

  test('a batch larger than the topic allows', () => {
    const batch = buildBatch(recordsOf(3))
    expect(verdict(batch, { batchBytesMax: batch.length })).toBe('valid')
    expect(verdict(batch, { batchBytesMax: batch.length - 1 })).toBe(
      `MESSAGE_TOO_LARGE: the record batch has ${batch.length} bytes, the topic allows ${batch.length - 1}`,
    )
  })

  test('a record count that does not fit', () => {
    expect(verdict(tamper(batch => batch.writeInt32BE(0, 57)))).toBe(
      'INVALID_RECORD: the record batch counts 0 records',
    )
    expect(verdict(tamper(batch => batch.writeInt32BE(4, 57)))).toBe(
      'INVALID_RECORD: last offset delta 2 does not fit 4 records',
    )
    const both = tamper(batch => {
      batch.writeInt32BE(4, 57)
      batch.writeInt32BE(3, 23)
    })
    expect(verdict(both)).toMatch(/^INVALID_RECORD: record 3: /)
    expect(verdict(both, { checkRecords: false })).toBe('valid')
  })

  test('a control batch, log append time, a transaction or a sequence without a producer', () => {
    const marker = buildTransactionMarker({
      outcome: 'commit',
      producerId: 1n,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestampMs: 0n,
    })
    expect(verdict(marker)).toBe('INVALID_RECORD: clients must not write control batches')
    const stamped = buildBatch(recordsOf(1))
    setLogAppendTime(stamped, 5n)
    expect(verdict(stamped)).toBe('INVALID_TIMESTAMP: clients must not set log append time')
    expect(verdict(buildBatch(recordsOf(1), { producerId: 1n }))).toBe('INVALID_RECORD: sequence -1 with producer id 1')
    expect(verdict(buildBatch(recordsOf(1), { isTransactional: true }))).toBe(
      'INVALID_RECORD: a transactional batch needs a producer id',
    )
  })

  test('an unknown codec, and zstd before Produce v7', () => {
    expect(verdict(tamper(batch => batch.writeInt16BE(5, 21)))).toMatch(/^UNSUPPORTED_COMPRESSION_TYPE/)
    expect(verdict(buildBatch(recordsOf(1), { codec: 'zstd' }), { isZstdAllowed: false })).toBe(
      'UNSUPPORTED_COMPRESSION_TYPE: zstd needs Produce v7 or later',
    )
  })

  test('records that say they are compressed and are not', () => {
    for (const [id, codec] of compressionCodecs.entries()) {
      if (codec === 'none') continue
      expect(verdict(tamper(batch => batch.writeInt16BE(id, 21))), codec).toMatch(/^INVALID_RECORD: /)
    }
  })

  test('records that decompress beyond the limit', () => {
    const batch = buildBatch([{ key: null, value: Buffer.alloc(100_000), timestampMs: 0n }], { codec: 'gzip' })
    expect(verdict(batch, { decompressedBytesMax: 50_000 })).toBe(
      'MESSAGE_TOO_LARGE: gzip records decompress to more than 50000 bytes',
    )
  })

  test('offset deltas that do not count up', () => {
    // The second record's offset delta sits 3 bytes into it: length, attributes, timestamp delta.
    const batch = buildBatch([
      { key: null, value: null, timestampMs: 0n },
      { key: null, value: null, timestampMs: 0n },
    ])
    expect(verdict(tamper(copy => copy.writeInt8(4, 61 + 7 + 3), batch))).toBe(
      'INVALID_RECORD: record 1 has offset delta 2',
    )
  })

  test('records without a key on a compacted topic, each named', () => {
    const batch = buildBatch(recordsOf(4, index => (index % 2 === 1 ? { key: null } : {})))
    const message = 'a compacted topic takes no record without a key'
    expect(validateProducedBatch(batch, { ...rules, isKeyRequired: true })).toEqual({
      outcome: 'refused',
      error: 'INVALID_RECORD',
      message,
      recordErrors: [
        { batchIndex: 1, message },
        { batchIndex: 3, message },
      ],
    })
  })

  test('timestamps outside the window, each named up to a limit', () => {
    const batch = buildBatch(recordsOf(recordErrorsMax + 50))
    const checked = validateProducedBatch(batch, { ...rules, timestampMin: 1_002n, timestampMax: 1_010n })
    expect(checked).toMatchObject({
      outcome: 'refused',
      error: 'INVALID_TIMESTAMP',
      message: 'timestamp 1000 is outside the allowed range',
    })
    const errors = checked.outcome === 'refused' ? checked.recordErrors : []
    expect(errors.slice(0, 3).map(each => each.batchIndex)).toEqual([0, 1, 11])
    expect(errors).toHaveLength(recordErrorsMax)
    expect(verdict(batch, { timestampMin: 1_000n, timestampMax: 1_149n })).toBe('valid')
  })

  test('a timestamp beyond int64', () => {
    const batch = tamper(copy => copy.writeBigInt64BE(2n ** 63n - 2n, 27))
    expect(verdict(batch)).toMatch(/^INVALID_TIMESTAMP: timestamp 9223372036854775808 is no int64/)
  })
})
