import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFloeError } from '../../core/errors.ts'
import type { CompressionCodec } from '../../kafka/compression/codecs.ts'
import { compressionCodecs } from '../../kafka/compression/codecs.ts'
import { compress, decompress } from '../../kafka/compression/compression.ts'
import { BatchCursor } from '../../kafka/records/batch.ts'
import { buildBatch } from '../../kafka/records/build.ts'
import { setCrc } from '../../kafka/records/patch.ts'
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import { readControlType } from '../../kafka/records/transaction-marker.ts'
import { validateProducedBatch } from '../../kafka/records/validate.ts'

/**
 * Damaged batches and compressed payloads into everything that reads them. The checksum is made right again after the damage:
 * it only guards against accidents, a hostile producer computes it too. Invariants: readers return or throw a FloeError of a
 * kind that says whose fault it is; a batch that validation let through can be walked to its end, and every view the cursors
 * hand out lies inside the payload; decompression never returns more than it was allowed.
 */
const kinds = ['corrupt', 'unsupported', 'exhausted'] as const

function readsOrRefuses<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (kinds.some(kind => isFloeError(error, kind))) return undefined
    throw error
  }
}

function sampleBatch(codec: CompressionCodec): Buffer {
  return Buffer.from(
    buildBatch(
      Array.from({ length: 5 }, (_, index) => ({
        key: index % 2 === 0 ? null : Buffer.from(`key ${index}`),
        value: Buffer.from('some value '.repeat(index)),
        timestampMs: 1_000_000n + BigInt(index * 1_000),
        headers:
          index === 3
            ? [
                { key: 'h', value: null },
                { key: 'header', value: Buffer.from('value') },
              ]
            : [],
      })),
      { codec, producerId: 3n, producerEpoch: 0, baseSequence: 0 },
    ),
  )
}

const changes = fc.array(
  fc.record({
    where: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff)),
  }),
  { minLength: 1, maxLength: 5 },
)

function walkAll(payload: Uint8Array, recordCount: number): number {
  const records = new RecordCursor()
  const inside = (at: number, count: number) => {
    if (count >= 0) expect(at >= 0 && at + count <= payload.length).toBe(true)
  }
  let seen = 0
  records.reset(payload, recordCount)
  while (records.next()) {
    seen++
    inside(records.keyAt, records.keyBytes)
    inside(records.valueAt, records.valueBytes)
    while (records.nextHeader()) {
      inside(records.headerKeyAt, records.headerKeyBytes)
      inside(records.headerValueAt, records.headerValueBytes)
    }
  }
  return seen
}

describe.each(compressionCodecs)('damaged %s batches', codec => {
  const sample = sampleBatch(codec)

  test('are refused, or valid and readable to the end', () => {
    fc.assert(
      fc.property(changes, fc.boolean(), (damages, isHeaderSpared) => {
        const bytes = Buffer.from(sample)
        for (const { where, byte } of damages) {
          const from = isHeaderSpared ? 61 : 0
          bytes[from + Math.floor(where * (bytes.length - from))] = byte
        }
        setCrc(bytes)
        const checked = validateProducedBatch(bytes, {
          batchBytesMax: 100_000,
          checkRecords: true,
          isZstdAllowed: true,
          decompressedBytesMax: 100_000,
        })
        readsOrRefuses(() => {
          const batch = new BatchCursor(bytes)
          while (batch.next()) readsOrRefuses(() => readControlType(batch))
        })
        if (checked.outcome === 'refused') return
        const batch = new BatchCursor(checked.batch)
        expect(batch.next()).toBe(true)
        const payload = decompress(batch.codec, batch.payload, 100_000)
        expect(walkAll(payload, batch.recordCount)).toBe(checked.recordCount)
      }),
      { numRuns: 300 },
    )
  })

  test('never decompress to more than allowed', () => {
    const compressed = compress(codec, Buffer.from('abcabcabc '.repeat(300)))
    fc.assert(
      fc.property(changes, fc.integer({ min: 0, max: 5_000 }), (damages, bytesMax) => {
        const bytes = Buffer.from(compressed)
        for (const { where, byte } of damages) bytes[Math.floor(where * bytes.length)] = byte
        const output = readsOrRefuses(() => decompress(codec, bytes, bytesMax))
        if (output !== undefined) expect(output.length).toBeLessThanOrEqual(bytesMax)
      }),
      { numRuns: 300 },
    )
  })

  test('noise is refused or decompresses within bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
        const output = readsOrRefuses(() => decompress(codec, bytes, 10_000))
        if (output !== undefined) expect(output.length).toBeLessThanOrEqual(10_000)
      }),
      { numRuns: 300 },
    )
  })
})

test('noise as concatenated batches is walked to its end or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (noise, at) => {
      const bytes = Buffer.concat([sampleBatch('none'), noise])
      bytes[at] = 0xff
      readsOrRefuses(() => {
        const batch = new BatchCursor(bytes)
        while (batch.next()) expect(batch.at + batch.byteLength).toBeLessThanOrEqual(bytes.length)
      })
    }),
    { numRuns: 500 },
  )
})

test('noise as records is walked to its end or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: -1, max: 20 }), (payload, recordCount) => {
      readsOrRefuses(() => walkAll(payload, recordCount))
    }),
    { numRuns: 3_000 },
  )
})
