/**
 * A segment object: the record batches of one flush, of all topics and partitions.
 *
 *   0   magic          8 bytes  "FLOESEG\n"
 *   8   version        uint32   1
 *   12  batch count    uint32
 *   16  batches, back to back, ordered by topic, partition, arrival: v2 wire bytes
 *
 * Invariants
 *   - Where a batch lies and which offsets it got is the catalog's knowledge. Base offset and partition leader epoch of a stored
 *     batch mean nothing (neither is covered by its CRC): whoever reads fills them in (fetch/read-run.ts).
 *   - Batches of one partition lie together, so that a read of it is one range.
 *
 * Source: Kafka message format v2.
 */
import { setLogAppendTime } from '../../kafka/records/patch.ts'

export const segmentHeaderBytes = 16
const segmentVersion = 1
const magic = new TextEncoder().encode('FLOESEG\n')

/** What the layout needs to know of a batch. */
export interface SegmentEntry {
  readonly topicName: string
  readonly topicId: string
  readonly partition: number
  /** One whole v2 batch; not changed. */
  readonly bytes: Uint8Array
  /** The topic stamps records at append. */
  readonly usesLogAppendTime: boolean
  /** Set by `buildSegment`. */
  byteOffset: number
}

/** Orders entries as they lie in the object. Sorting is stable: arrival order stays within a partition. */
export function orderEntries<T extends SegmentEntry>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => {
    if (a.topicId !== b.topicId)
      return a.topicName < b.topicName || (a.topicName === b.topicName && a.topicId < b.topicId) ? -1 : 1
    return a.partition - b.partition
  })
}

/**
 * Copies the batches, in the given order, into one new buffer and notes where each lies. This is the only copy of record bytes
 * on the produce path: the buffer is what is put, and afterwards what the cache serves.
 */
export function buildSegment(entries: readonly SegmentEntry[], appendTimeMs: number): Buffer {
  let total = segmentHeaderBytes
  for (const { bytes } of entries) total += bytes.length
  const segment = Buffer.allocUnsafeSlow(total)
  segment.set(magic, 0)
  segment.writeUInt32BE(segmentVersion, 8)
  segment.writeUInt32BE(entries.length, 12)
  let at = segmentHeaderBytes
  for (const entry of entries) {
    segment.set(entry.bytes, at)
    if (entry.usesLogAppendTime) {
      setLogAppendTime(segment.subarray(at, at + entry.bytes.length), BigInt(appendTimeMs))
    }
    entry.byteOffset = at
    at += entry.bytes.length
  }
  return segment
}
