import { ByteWriter } from '../../core/byte-writer.ts'
import type { CompressionCodec } from '../compression/codecs.ts'
import { idOfCodec } from '../compression/codecs.ts'
import { compress } from '../compression/compression.ts'
import { attributeBits, batchHeaderBytes, batchPrefixBytes, fieldAt } from './batch.ts'
import { setCrc } from './patch.ts'

/** Builds record batches (layouts in batch.ts and record-cursor.ts): for producers, transaction markers and tests. */
export interface HeaderInput {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface RecordInput {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestampMs: bigint
  readonly headers?: readonly HeaderInput[]
}

export interface BatchOptions {
  readonly codec?: CompressionCodec
  /** 0 from producers: the broker assigns it. */
  readonly baseOffset?: bigint
  readonly partitionLeaderEpoch?: number
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
}

/**
 * Collects records and builds one batch of them. May be reused after `build()`.
 */
export class BatchBuilder {
  readonly #records = new ByteWriter(4_096)
  readonly #record = new ByteWriter(1_024)
  #recordCount = 0
  #baseTimestamp = 0n
  #maxTimestamp = 0n

  get recordCount(): number {
    return this.#recordCount
  }
  /** Size the batch would have uncompressed. */
  get uncompressedBytes(): number {
    return batchHeaderBytes + this.#records.length
  }

  append(record: RecordInput): void {
    if (this.#recordCount === 0) {
      this.#baseTimestamp = record.timestampMs
      this.#maxTimestamp = record.timestampMs
    } else if (record.timestampMs > this.#maxTimestamp) {
      this.#maxTimestamp = record.timestampMs
    }
    const body = this.#record
    body.reset()
    body.int8(0)
    body.varint(Number(record.timestampMs - this.#baseTimestamp))
    body.varint(this.#recordCount)
    writeNullable(body, record.key)
    writeNullable(body, record.value)
    const headers = record.headers ?? []
    body.varint(headers.length)
    for (const header of headers) {
      const key = Buffer.from(header.key)
      body.varint(key.length)
      body.raw(key)
      writeNullable(body, header.value)
    }
    this.#records.varint(body.length)
    this.#records.raw(body.view())
    this.#recordCount++
  }

  /** The batch in new memory; the builder is empty afterwards. At least one record must have been appended. */
  build(options: BatchOptions = {}): Uint8Array {
    const codec = options.codec ?? 'none'
    const batch = assembleBatch({
      ...options,
      attributes: idOfCodec(codec) | (options.isTransactional === true ? attributeBits.transactional : 0),
      lastOffsetDelta: this.#recordCount - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      recordCount: this.#recordCount,
      payload: compress(codec, this.#records.view()),
    })
    this.#records.reset()
    this.#recordCount = 0
    return batch
  }
}

function writeNullable(writer: ByteWriter, bytes: Uint8Array | null): void {
  if (bytes === null) {
    writer.varint(-1)
    return
  }
  writer.varint(bytes.length)
  writer.raw(bytes)
}

/** One batch of the records given, which must be at least one. */
export function buildBatch(records: Iterable<RecordInput>, options: BatchOptions = {}): Uint8Array {
  const builder = new BatchBuilder()
  for (const record of records) builder.append(record)
  return builder.build(options)
}

/**
 * The marker that ends a transaction in a partition: a control batch of one record, which takes one offset.
 *
 *   key   := int16 version 0, int16 type (0 abort, 1 commit)
 *   value := int16 version 0, int32 coordinator epoch
 */
export function buildTransactionMarker(marker: {
  readonly outcome: 'commit' | 'abort'
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestampMs: bigint
  readonly baseOffset?: bigint
  readonly partitionLeaderEpoch?: number
}): Uint8Array {
  const key = Uint8Array.of(0, 0, 0, marker.outcome === 'commit' ? 1 : 0)
  const value = new Uint8Array(6)
  new DataView(value.buffer).setInt32(2, marker.coordinatorEpoch)
  const records = new ByteWriter(32)
  const body = new ByteWriter(32)
  body.int8(0)
  body.varint(0)
  body.varint(0)
  writeNullable(body, key)
  writeNullable(body, value)
  body.varint(0)
  records.varint(body.length)
  records.raw(body.view())
  return assembleBatch({
    ...marker,
    attributes: attributeBits.transactional | attributeBits.control,
    lastOffsetDelta: 0,
    baseTimestamp: marker.timestampMs,
    maxTimestamp: marker.timestampMs,
    recordCount: 1,
    payload: records.view(),
  })
}

/**
 * A batch without records that spans offsets: what moves a consumer on where everything in a range was compacted away or
 * filtered. The protocol has no other way to say "nothing until here".
 *
 * lastOffset  inclusive; at most 2^31 - 1 after baseOffset
 */
export function buildEmptyBatch(span: {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly maxTimestamp?: bigint
  readonly partitionLeaderEpoch?: number
}): Uint8Array {
  return assembleBatch({
    baseOffset: span.baseOffset,
    ...(span.partitionLeaderEpoch === undefined ? {} : { partitionLeaderEpoch: span.partitionLeaderEpoch }),
    attributes: 0,
    lastOffsetDelta: Number(span.lastOffset - span.baseOffset),
    baseTimestamp: -1n,
    maxTimestamp: span.maxTimestamp ?? -1n,
    recordCount: 0,
    payload: new Uint8Array(0),
  })
}

function assembleBatch(parts: {
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly recordCount: number
  readonly payload: Uint8Array
  readonly baseOffset?: bigint
  readonly partitionLeaderEpoch?: number
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
}): Uint8Array {
  const batch = new Uint8Array(batchHeaderBytes + parts.payload.length)
  const view = new DataView(batch.buffer)
  view.setBigInt64(fieldAt.baseOffset, parts.baseOffset ?? 0n)
  view.setInt32(fieldAt.batchLength, batch.length - batchPrefixBytes)
  view.setInt32(fieldAt.partitionLeaderEpoch, parts.partitionLeaderEpoch ?? -1)
  view.setInt8(fieldAt.magic, 2)
  view.setInt16(fieldAt.attributes, parts.attributes)
  view.setInt32(fieldAt.lastOffsetDelta, parts.lastOffsetDelta)
  view.setBigInt64(fieldAt.baseTimestamp, parts.baseTimestamp)
  view.setBigInt64(fieldAt.maxTimestamp, parts.maxTimestamp)
  view.setBigInt64(fieldAt.producerId, parts.producerId ?? -1n)
  view.setInt16(fieldAt.producerEpoch, parts.producerEpoch ?? -1)
  view.setInt32(fieldAt.baseSequence, parts.baseSequence ?? -1)
  view.setInt32(fieldAt.recordCount, parts.recordCount)
  batch.set(parts.payload, batchHeaderBytes)
  setCrc(batch)
  return batch
}
