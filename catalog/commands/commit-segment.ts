/**
 * commitSegment: sequences what one segment object holds. Batches are judged and appended in their order; those of one
 * partition that lie back to back become one run. An object none of whose batches was appended is garbage at once.
 *
 *   grant id, name index, segment bytes, topic count, topic ids of 16 bytes each, batch count,
 *   per batch: topic index, partition, byte offset, byte length, offset count, max timestamp (zigzag),
 *              producer id + 1 (0: none); if any: epoch, base sequence
 */
import { FloeError } from '../../core/errors.ts'
import { formatUuid } from '../../core/random.ts'
import type { CommitSegment, CommitSegmentResult, SegmentBatchResult } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { segmentBatchesMax, segmentBytesMax } from '../limits.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { grantPurposes } from '../state/name-grants.ts'
import type { PartitionLog } from '../state/partition-log.ts'
import { type Command, checkCount, expectEnd, offsetNumber, uuidBytes } from './command.ts'

/** Persisted in receipts. */
const outcomes = [
  'appended',
  'duplicate',
  'unknown-topic-or-partition',
  'out-of-order-sequence',
  'invalid-producer-epoch',
  'unknown-producer-id',
] as const

const stride = 9

export const commitSegment: Command<CommitSegment, CommitSegmentResult> = {
  id: commandIds.commitSegment,
  name: 'commitSegment',

  encode(writer, { grantId, nameIndex, segmentBytes, batches }) {
    checkCount(grantId, Number.MAX_SAFE_INTEGER, 'grant id')
    checkCount(nameIndex, 0xffff_ffff, 'name index')
    checkCount(segmentBytes, segmentBytesMax, 'segment bytes')
    checkCount(batches.length, segmentBatchesMax, 'number of batches')
    writer.uvarint(grantId)
    writer.uvarint(nameIndex)
    writer.uvarint(segmentBytes)
    const topicIndexes = new Map<string, number>()
    for (const { topicId } of batches) if (!topicIndexes.has(topicId)) topicIndexes.set(topicId, topicIndexes.size)
    writer.uvarint(topicIndexes.size)
    for (const topicId of topicIndexes.keys()) writer.raw(uuidBytes(topicId) ?? nilUuid)
    writer.uvarint(batches.length)
    for (const batch of batches) {
      checkCount(batch.partition, 0x7fff_ffff, 'partition')
      checkCount(batch.byteOffset, segmentBytesMax, 'byte offset')
      checkCount(batch.byteLength, segmentBytesMax, 'byte length')
      checkCount(batch.offsetCount, 0x7fff_ffff, 'offset count')
      writer.uvarint(topicIndexes.get(batch.topicId)!)
      writer.uvarint(batch.partition)
      writer.uvarint(batch.byteOffset)
      writer.uvarint(batch.byteLength)
      writer.uvarint(batch.offsetCount)
      writer.int53(clampTimestamp(batch.maxTimestampMs))
      const producerId = batch.producerId < 0n ? -1 : clampProducerId(batch.producerId)
      writer.uvarint(producerId + 1)
      if (producerId >= 0) {
        checkCount(batch.producerEpoch, 0x7fff, 'producer epoch')
        checkCount(batch.baseSequence, 0x7fff_ffff, 'base sequence')
        writer.uvarint(batch.producerEpoch)
        writer.uvarint(batch.baseSequence)
      }
    }
  },

  apply(state, reader, out) {
    const grantId = reader.uvarint()
    const nameIndex = reader.uvarint()
    const segmentBytes = reader.uvarint()
    const topics: (readonly PartitionLog[] | undefined)[] = []
    const topicCount = reader.boundedCount(16)
    for (let index = 0; index < topicCount; index++) {
      topics.push(state.topics.byId(formatUuid(reader.raw(16)))?.partitions)
    }
    const batchCount = reader.boundedCount(13)
    checkCount(segmentBytes, segmentBytesMax, 'segment bytes')
    checkCount(batchCount, segmentBatchesMax, 'number of batches')
    const rows = new Float64Array(batchCount * stride)
    for (let row = 0; row < rows.length; row += stride) {
      rows[row] = reader.uvarint()
      rows[row + 1] = reader.uvarint()
      rows[row + 2] = reader.uvarint()
      rows[row + 3] = reader.uvarint()
      rows[row + 4] = reader.uvarint()
      rows[row + 5] = reader.int53()
      const producerId = reader.uvarint() - 1
      rows[row + 6] = producerId
      rows[row + 7] = producerId < 0 ? 0 : reader.uvarint()
      rows[row + 8] = producerId < 0 ? 0 : reader.uvarint()
      checkRow(rows, row, topicCount, segmentBytes)
    }
    expectEnd(reader)
    if (!state.producers.hasRoom) {
      throw new FloeError('exhausted', 'too-many-producers', 'too many idempotent producers wrote within 24 hours')
    }
    if (!state.grants.use(grantPurposes.segment, grantId, nameIndex, state.nowMs)) return out.uint8(1)
    out.uint8(0)
    out.uvarint(batchCount)
    const object = state.objects.add(grantId, nameIndex, segmentBytes)
    let appendedCount = 0
    for (let row = 0; row < rows.length; row += stride) {
      const log = topics[rows[row]!]?.[rows[row + 1]!]
      const outcome = log === undefined ? 2 : judge(state, log, rows, row)
      out.uint8(outcome)
      if (log === undefined || outcome > 1) continue
      const baseOffset = outcome === 0 ? append(state, log, object, rows, row) : state.producers.duplicateBaseOffset
      out.uvarint(baseOffset)
      out.uvarint(log.logStartOffset)
      if (outcome === 0) appendedCount++
    }
    if (appendedCount === 0) state.objects.discard(object, state.nowMs, state.garbage)
    state.appendPosition += appendedCount
  },

  decodeResult(reader) {
    if (reader.uint8() !== 0) return { outcome: 'grant-expired' }
    const count = reader.boundedCount()
    const batches: SegmentBatchResult[] = []
    for (let index = 0; index < count; index++) {
      const outcome = outcomes[reader.uint8()]
      if (outcome === undefined) throw reader.corrupt('unknown batch outcome')
      if (outcome === 'appended' || outcome === 'duplicate') {
        batches.push({ outcome, baseOffset: BigInt(reader.uvarint()), logStartOffset: BigInt(reader.uvarint()) })
      } else batches.push({ outcome })
    }
    return { outcome: 'committed', batches }
  },
}

function checkRow(rows: Float64Array, row: number, topicCount: number, segmentBytes: number): void {
  const byteLength = rows[row + 3]!
  const offsetCount = rows[row + 4]!
  if (
    rows[row]! < topicCount &&
    byteLength > 0 &&
    rows[row + 2]! + byteLength <= segmentBytes &&
    offsetCount > 0 &&
    offsetCount <= 0x7fff_ffff &&
    rows[row + 7]! <= 0x7fff &&
    rows[row + 8]! <= 0x7fff_ffff
  ) {
    return
  }
  throw new FloeError(
    'invalid',
    'segment-batch-invalid',
    `batch ${row / stride} of the segment is not valid: it must have offsets and lie within the segment's ${segmentBytes} bytes`,
  )
}

/** Index into `outcomes`. */
function judge(state: CatalogState, log: PartitionLog, rows: Float64Array, row: number): number {
  const producerId = rows[row + 6]!
  if (producerId < 0) return 0
  if (producerId >= state.producers.nextProducerId) return 5
  const verdict = state.producers.judge(log, producerId, rows[row + 7]!, rows[row + 8]!, rows[row + 4]!, state.nowMs)
  return verdict === 'append' ? 0 : verdict === 'duplicate' ? 1 : verdict === 'out-of-order-sequence' ? 3 : 4
}

function append(state: CatalogState, log: PartitionLog, object: number, rows: Float64Array, row: number): number {
  const count = rows[row + 4]!
  const baseOffset = log.append(state.objects, object, rows[row + 2]!, rows[row + 3]!, count, rows[row + 5]!)
  const producerId = rows[row + 6]!
  if (producerId >= 0) {
    state.producers.record(log, producerId, rows[row + 7]!, rows[row + 8]!, count, baseOffset, state.nowMs)
  }
  return baseOffset
}

/** Producers may write any int64; beyond 2^53 milliseconds the order no longer matters. */
function clampTimestamp(timestampMs: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(timestampMs)))
}

/** Ids beyond 2^53 were never handed out; the largest number that was not either stands for them. */
function clampProducerId(producerId: bigint): number {
  return producerId >= 2n ** 53n - 1n ? Number.MAX_SAFE_INTEGER - 1 : offsetNumber(producerId, 'producer id')
}

const nilUuid = new Uint8Array(16)
