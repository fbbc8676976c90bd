import { FloeError } from '../core/errors.ts'

const lengthAt = 8
const lastOffsetDeltaAt = 23
const headerBytes = 61
const bytesBeforeLength = 12

export interface WholeBatches {
  /** The whole batches: a view of the input without what was cut short at the end (Kafka may send such a tail). */
  readonly batches: Uint8Array
  /** The offset after the last one, at least the offset asked for. */
  readonly end: bigint
}

/**
 * Reads headers only.
 *
 * errors  corrupt: a header that cannot be
 */
export function findWholeBatches(fetched: Uint8Array, offset: bigint): WholeBatches {
  const view = new DataView(fetched.buffer, fetched.byteOffset, fetched.byteLength)
  let end = offset
  let at = 0
  while (at + headerBytes <= fetched.length) {
    const batchBytes = view.getInt32(at + lengthAt) + bytesBeforeLength
    const baseOffset = view.getBigInt64(at)
    const lastOffsetDelta = view.getInt32(at + lastOffsetDeltaAt)
    if (batchBytes < headerBytes || lastOffsetDelta < 0 || baseOffset < 0n) {
      throw new FloeError(
        'corrupt',
        'record-batch-malformed',
        `a record batch at byte ${at} of a fetch has a bad header`,
      )
    }
    if (at + batchBytes > fetched.length) break
    const batchEnd = baseOffset + BigInt(lastOffsetDelta) + 1n
    if (batchEnd > end) end = batchEnd
    at += batchBytes
  }
  return { batches: fetched.subarray(0, at), end }
}
