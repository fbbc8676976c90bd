/** Record batches with a right checksum that cannot be read, and a way into a log of the included broker, which refuses them. */
import type { CatalogClient } from '../../catalog/client.ts'
import { segmentKey } from '../../catalog/object-names.ts'
import { compress, decompress } from '../../kafka/compression/compression.ts'
import { BatchCursor, batchHeaderBytes, batchPrefixBytes, fieldAt } from '../../kafka/records/batch.ts'
import { setCrc } from '../../kafka/records/patch.ts'
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

/** The batch with another payload, as it lies there. */
export function withPayload(batch: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(batchHeaderBytes + payload.length)
  bytes.set(batch.subarray(0, batchHeaderBytes))
  bytes.set(payload, batchHeaderBytes)
  new DataView(bytes.buffer).setInt32(fieldAt.batchLength, bytes.length - batchPrefixBytes)
  setCrc(bytes)
  return bytes
}

/** The last byte of its (compressed) payload is gone. */
export function cutPayload(batch: Uint8Array): Uint8Array {
  return withPayload(batch, batch.subarray(batchHeaderBytes, -1))
}

/** Its records up to `index` are as they were; the one there claims more bytes than there are. */
export function bendRecord(batch: Uint8Array, index: number): Uint8Array {
  const cursor = new BatchCursor(batch)
  cursor.next()
  const { codec, recordCount } = cursor
  const records = new Uint8Array(decompress(codec, cursor.payload, 2 ** 28))
  const walk = new RecordCursor()
  walk.reset(records, recordCount)
  let at = 0
  for (let skipped = 0; skipped < index; skipped++) {
    walk.next()
    at += walk.recordBytes
  }
  // As zigzag, 2^27 and more.
  records.set([0xff, 0xff, 0xff, 0x7f], at)
  return withPayload(batch, compress(codec, records))
}

/** Writes one-partition batches as a segment of their own, past everything that the broker checks. */
export async function appendToLog(
  { catalog, store }: { readonly catalog: CatalogClient; readonly store: ObjectStore },
  topicId: string,
  partition: number,
  batches: readonly Uint8Array[],
): Promise<void> {
  const { grantId } = await catalog.grantNames('segment', 1, 60_000)
  const bytes = new Uint8Array(Buffer.concat(batches))
  await store.put(segmentKey(grantId, 0), bytes)
  const cursor = new BatchCursor(bytes)
  const entries = batches.map(batch => {
    cursor.next()
    return {
      topicId,
      partition,
      byteOffset: cursor.at,
      byteLength: batch.length,
      offsetCount: cursor.lastOffsetDelta + 1,
      maxTimestampMs: Number(cursor.maxTimestamp),
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
    }
  })
  await catalog.commitSegment({ grantId, nameIndex: 0, segmentBytes: bytes.length, batches: entries })
}
