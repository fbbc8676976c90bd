/**
 * Record batches that are what their sender wrote (the checksum is right) and still cannot be read: the records do not
 * decompress, or are not records. Reading one again gives the same, so it is rejected as a whole; other trouble is thrown on.
 */
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { BatchCursor } from '../../kafka/records/batch.ts'
import type { RecordCursor } from '../../kafka/records/record-cursor.ts'

const recordCode = 'corrupt-record'

const unreadableCodes: ReadonlySet<string> = new Set([
  recordCode,
  'corrupt-compressed-records',
  'decompressed-records-too-large',
  'unknown-compression-codec',
])

export function isUnreadableBatch(error: unknown): error is FloeError {
  return isFloeError(error) && unreadableCodes.has(error.code)
}

/** One sentence; `first` and `last` are the offsets that are lost with it. */
export function describeUnreadableBatch(batch: BatchCursor, first: bigint, last: bigint, error: FloeError): string {
  const offsets = first === last ? `offset ${first}` : `offsets ${first} to ${last}`
  // Everything but the walk over records names the codec itself.
  const problem = error.code === recordCode ? `${batch.codec} records: ${error.message}` : error.message
  return `the record batch of ${offsets} cannot be read: ${problem}`
}

/**
 * Walks all records of a batch and uses none.
 *
 * errors  corrupt: what reading it for its rows would throw half-way
 */
export function checkRecords(cursor: RecordCursor, payload: Uint8Array, batch: BatchCursor): void {
  const { lastOffsetDelta } = batch
  let deltaMin = 0
  cursor.reset(payload, batch.recordCount)
  while (cursor.next()) {
    if (cursor.offsetDelta < deltaMin || cursor.offsetDelta > lastOffsetDelta) throw refuseOffsetDelta(cursor, batch)
    deltaMin = cursor.offsetDelta + 1
  }
}

/** Two records with one offset, or one beyond the batch, would be counted wrong. */
export function refuseOffsetDelta(cursor: RecordCursor, batch: BatchCursor): FloeError {
  const problem = `offset delta ${cursor.offsetDelta} does not ascend within 0 to ${batch.lastOffsetDelta}`
  return new FloeError('corrupt', recordCode, `record ${cursor.index}: ${problem}`, { record: cursor.index })
}
