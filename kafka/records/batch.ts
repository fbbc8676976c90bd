import { crc32c } from '../../core/crc32c.ts'
import { FloeError } from '../../core/errors.ts'
import type { CompressionCodec } from '../compression/codecs.ts'
import { codecOfId } from '../compression/codecs.ts'

/**
 * Record batches of message format v2 (Kafka documentation, "Record Batch"; all integers big-endian).
 *
 *    0  int64   base offset                          not covered by the checksum
 *    8  int32   batch length: bytes after this field  "
 *   12  int32   partition leader epoch                "
 *   16  int8    magic = 2                             "
 *   17  uint32  CRC-32C of everything from 21 on
 *   21  int16   attributes: bits 0-2 codec, 3 log append time, 4 transactional, 5 control, 6 delete horizon
 *   23  int32   last offset delta
 *   27  int64   base timestamp
 *   35  int64   max timestamp
 *   43  int64   producer id, -1 none
 *   51  int16   producer epoch
 *   53  int32   base sequence
 *   57  int32   record count
 *   61  records, compressed as a whole by the codec
 *
 * Offset, length and leader epoch lie outside the checksum, so they can be patched (patch.ts) without touching the rest.
 */
export const batchHeaderBytes = 61
/** Base offset and batch length: what `batch length` does not count. */
export const batchPrefixBytes = 12

export const fieldAt = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

export const attributeBits = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/**
 * Walks concatenated batches, one after the other, without an object per batch:
 *
 *   const batch = new BatchCursor(bytes)
 *   while (batch.next()) use(batch.baseOffset, batch.recordCount)
 *
 * The getters speak of the current batch; none may be used before `next()` returned true. A fetch may cut the last batch short:
 * `next()` then returns false and `trailingBytes` counts what is left. Bytes are hostile: sizes are checked, contents are not
 * (`isCrcValid`, validate.ts).
 */
export class BatchCursor {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #next: number
  /** Where the current batch starts in `bytes`. */
  at = 0
  /** Size of the current batch with its 12 bytes of prefix. */
  byteLength = 0

  /** From `offset` to `end` of the bytes; they must stay unchanged, views are handed out. */
  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#next = offset
    this.#end = end
  }

  /**
   * Moves to the next batch that is there in full.
   *
   * errors  corrupt: a size that cannot be; unsupported: a message format older than v2
   */
  next(): boolean {
    const at = this.#next
    if (this.#end - at < batchPrefixBytes) return false
    const length = this.#view.getInt32(at + fieldAt.batchLength)
    const byteLength = length + batchPrefixBytes
    if (this.#end - at > fieldAt.magic) {
      const magic = this.#view.getInt8(at + fieldAt.magic)
      if (magic !== 2) throw refuseMagic(magic, at)
    }
    if (byteLength < batchHeaderBytes) {
      throw new FloeError('corrupt', 'corrupt-record-batch', `record batch of ${byteLength} bytes at byte ${at}`, {
        at,
      })
    }
    if (byteLength > this.#end - at) return false
    this.at = at
    this.byteLength = byteLength
    this.#next = at + byteLength
    return true
  }

  /** Bytes after the last batch that was there in full; of use once `next()` returned false. */
  get trailingBytes(): number {
    return this.#end - this.#next
  }

  get baseOffset(): bigint {
    return this.#view.getBigInt64(this.at)
  }
  get partitionLeaderEpoch(): number {
    return this.#view.getInt32(this.at + fieldAt.partitionLeaderEpoch)
  }
  get crc(): number {
    return this.#view.getUint32(this.at + fieldAt.crc)
  }
  get attributes(): number {
    return this.#view.getInt16(this.at + fieldAt.attributes)
  }
  get lastOffsetDelta(): number {
    return this.#view.getInt32(this.at + fieldAt.lastOffsetDelta)
  }
  /** Inclusive. */
  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta)
  }
  /** Exclusive: where a reader of this batch goes on. */
  get endOffset(): bigint {
    return this.lastOffset + 1n
  }
  get baseTimestamp(): bigint {
    return this.#view.getBigInt64(this.at + fieldAt.baseTimestamp)
  }
  get maxTimestamp(): bigint {
    return this.#view.getBigInt64(this.at + fieldAt.maxTimestamp)
  }
  /** -1: not from an idempotent producer. */
  get producerId(): bigint {
    return this.#view.getBigInt64(this.at + fieldAt.producerId)
  }
  get producerEpoch(): number {
    return this.#view.getInt16(this.at + fieldAt.producerEpoch)
  }
  get baseSequence(): number {
    return this.#view.getInt32(this.at + fieldAt.baseSequence)
  }
  get recordCount(): number {
    return this.#view.getInt32(this.at + fieldAt.recordCount)
  }
  /** errors  unsupported: an unknown codec id */
  get codec(): CompressionCodec {
    return codecOfId(this.attributes & attributeBits.codec)
  }
  get isLogAppendTime(): boolean {
    return (this.attributes & attributeBits.logAppendTime) !== 0
  }
  get isTransactional(): boolean {
    return (this.attributes & attributeBits.transactional) !== 0
  }
  get isControl(): boolean {
    return (this.attributes & attributeBits.control) !== 0
  }
  get hasDeleteHorizon(): boolean {
    return (this.attributes & attributeBits.deleteHorizon) !== 0
  }

  /** The whole batch, a view. */
  get batch(): Uint8Array {
    return this.bytes.subarray(this.at, this.at + this.byteLength)
  }
  /** The records, still compressed, a view. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.at + batchHeaderBytes, this.at + this.byteLength)
  }

  isCrcValid(): boolean {
    return crc32c(this.bytes.subarray(this.at + fieldAt.attributes, this.at + this.byteLength)) === this.crc
  }
}

function refuseMagic(magic: number, at: number): FloeError {
  if (magic === 0 || magic === 1) {
    return new FloeError(
      'unsupported',
      'old-message-format',
      `message format v${magic} at byte ${at}: only record batches (v2, Kafka 0.11 and later) can be read`,
      { magic, at },
    )
  }
  return new FloeError('corrupt', 'corrupt-record-batch', `record batch with magic ${magic} at byte ${at}`, {
    magic,
    at,
  })
}
