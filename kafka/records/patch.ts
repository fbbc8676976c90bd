/**
 * Changes to the part of a batch's header that the checksum covers, in place. `batch` starts at the base offset and ends where
 * the batch ends; it must have been walked or validated before, these functions do not check it.
 *
 * Base offset and partition leader epoch lie outside the checksum: broker/fetch/read-run.ts sets them in what it reads.
 */
import { crc32c } from '../../core/crc32c.ts'
import { attributeBits, fieldAt } from './batch.ts'

function viewOf(batch: Uint8Array): DataView {
  return new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
}

/**
 * For topics with `message.timestamp.type=LogAppendTime`: every record then has this timestamp, whatever its delta says.
 * Computes a new checksum.
 */
export function setLogAppendTime(batch: Uint8Array, timestampMs: bigint): void {
  const view = viewOf(batch)
  view.setInt16(fieldAt.attributes, view.getInt16(fieldAt.attributes) | attributeBits.logAppendTime)
  view.setBigInt64(fieldAt.maxTimestamp, timestampMs)
  setCrc(batch)
}

/** Mends a maximum that a producer set wrongly; time lookups rely on it. Computes a new checksum. */
export function setMaxTimestamp(batch: Uint8Array, maxTimestamp: bigint): void {
  viewOf(batch).setBigInt64(fieldAt.maxTimestamp, maxTimestamp)
  setCrc(batch)
}

/** Computes the checksum over everything from the attributes on. */
export function setCrc(batch: Uint8Array): void {
  viewOf(batch).setUint32(fieldAt.crc, crc32c(batch.subarray(fieldAt.attributes)))
}
