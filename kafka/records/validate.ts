import { isFloeError } from '../../core/errors.ts'
import type { CompressionCodec } from '../compression/codecs.ts'
import { compressionCodecs, decompressedBytesMaxDefault } from '../compression/codecs.ts'
import { decompress } from '../compression/compression.ts'
import type { KafkaErrorName } from '../errors.ts'
import { attributeBits, BatchCursor } from './batch.ts'
import { RecordCursor } from './record-cursor.ts'

/**
 * What a produce request may bring for one partition: exactly one v2 batch that is whole, has the right checksum and agrees with
 * itself. Answers are Kafka's (reference: Kafka's LogValidator and ProduceRequest), returned as outcomes and not thrown.
 *
 * Invariant: a batch found valid with `checkRecords` can be decompressed and walked record by record later, its offset deltas
 * are 0, 1, 2..., so that every reader numbers the records alike. Kafka renumbers compressed batches with other deltas and
 * stores uncompressed ones as they are; no known client sends either, so they are refused here.
 */
export interface ProduceRules {
  /** Largest batch, prefix included: `max.message.bytes` of the topic. */
  readonly batchBytesMax: number
  /** Walks the records, decompressing them first. */
  readonly checkRecords: boolean
  /** Produce before v7 must not carry zstd. */
  readonly isZstdAllowed: boolean
  /** A compacted topic takes no record without a key; seen only with `checkRecords`. */
  readonly isKeyRequired?: boolean
  /** Inclusive bounds on the timestamps of CreateTime topics; seen only with `checkRecords`. A record with -1 has none. */
  readonly timestampMin?: bigint
  readonly timestampMax?: bigint
  readonly decompressedBytesMax?: number
}

export interface ValidBatch {
  readonly outcome: 'valid'
  /** The whole batch, a view of the input. */
  readonly batch: Uint8Array
  readonly recordCount: number
  readonly codec: CompressionCodec
  readonly isTransactional: boolean
  /** -1: not idempotent. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly baseTimestamp: bigint
  /** With `checkRecords` the true maximum, which may differ from the header's (setMaxTimestamp mends that); else the header's. */
  readonly maxTimestamp: bigint
  /** The header's word for it. */
  readonly claimedMaxTimestamp: bigint
}

export interface RefusedBatch {
  readonly outcome: 'refused'
  readonly error: KafkaErrorName
  readonly message: string
  /** Records at fault, for Produce v8 and later; at most `recordErrorsMax`. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]
}

/** Enough to find the mistake; a batch may have a million records. */
export const recordErrorsMax = 100

/** `bytes` is the records field of one partition; null or empty is refused. */
export function validateProducedBatch(bytes: Uint8Array | null, rules: ProduceRules): ValidBatch | RefusedBatch {
  if (bytes === null || bytes.length === 0) return refuse('INVALID_RECORD', 'there is no record batch')
  const batch = new BatchCursor(bytes)
  try {
    if (!batch.next()) return refuse('CORRUPT_MESSAGE', `the record batch is cut short after ${bytes.length} bytes`)
  } catch (error) {
    if (isFloeError(error, 'unsupported')) return refuse('INVALID_RECORD', error.message)
    if (isFloeError(error, 'corrupt')) return refuse('CORRUPT_MESSAGE', error.message)
    throw error
  }
  if (batch.byteLength > rules.batchBytesMax) {
    return refuse(
      'MESSAGE_TOO_LARGE',
      `the record batch has ${batch.byteLength} bytes, the topic allows ${rules.batchBytesMax}`,
    )
  }
  if (batch.trailingBytes > 0) return refuse('INVALID_RECORD', 'there is more than one record batch')
  if (!batch.isCrcValid()) return refuse('CORRUPT_MESSAGE', 'the checksum of the record batch is wrong')
  return checkHeader(batch, rules) ?? checkRecords(batch, rules)
}

function checkHeader(batch: BatchCursor, rules: ProduceRules): RefusedBatch | undefined {
  const { recordCount, lastOffsetDelta } = batch
  if (recordCount <= 0) return refuse('INVALID_RECORD', `the record batch counts ${recordCount} records`)
  if (lastOffsetDelta !== recordCount - 1) {
    return refuse('INVALID_RECORD', `last offset delta ${lastOffsetDelta} does not fit ${recordCount} records`)
  }
  if (batch.isControl) return refuse('INVALID_RECORD', 'clients must not write control batches')
  if (batch.isLogAppendTime) return refuse('INVALID_TIMESTAMP', 'clients must not set log append time')
  const isIdempotent = batch.producerId >= 0n
  if (isIdempotent && batch.baseSequence < 0) {
    return refuse('INVALID_RECORD', `sequence ${batch.baseSequence} with producer id ${batch.producerId}`)
  }
  if (batch.isTransactional && !isIdempotent) {
    return refuse('INVALID_RECORD', 'a transactional batch needs a producer id')
  }
  const codec = compressionCodecs[batch.attributes & attributeBits.codec]
  if (codec === undefined) return refuse('UNSUPPORTED_COMPRESSION_TYPE', 'the compression codec is not known')
  if (codec === 'zstd' && !rules.isZstdAllowed) {
    return refuse('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce v7 or later')
  }
  return undefined
}

function checkRecords(batch: BatchCursor, rules: ProduceRules): ValidBatch | RefusedBatch {
  const claimedMaxTimestamp = batch.maxTimestamp
  let maxTimestamp = claimedMaxTimestamp
  if (rules.checkRecords) {
    let walked: bigint | RefusedBatch
    try {
      walked = walkRecords(batch, rules)
    } catch (error) {
      if (isFloeError(error, 'corrupt')) return refuse('INVALID_RECORD', error.message)
      if (isFloeError(error, 'exhausted')) return refuse('MESSAGE_TOO_LARGE', error.message)
      throw error
    }
    if (typeof walked !== 'bigint') return walked
    maxTimestamp = walked
  }
  return {
    outcome: 'valid',
    batch: batch.batch,
    recordCount: batch.recordCount,
    codec: batch.codec,
    isTransactional: batch.isTransactional,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp,
    claimedMaxTimestamp,
  }
}

// One cursor serves every call: validation is synchronous and never nests.
const records = new RecordCursor()

/** Returns the largest timestamp of the records. */
function walkRecords(batch: BatchCursor, rules: ProduceRules): bigint | RefusedBatch {
  const payload = decompress(batch.codec, batch.payload, rules.decompressedBytesMax ?? decompressedBytesMaxDefault)
  const baseTimestamp = batch.baseTimestamp
  // Bounds become deltas once, so that the loop compares numbers.
  const deltaMin = rules.timestampMin === undefined ? -Infinity : Number(rules.timestampMin - baseTimestamp)
  const deltaMax = rules.timestampMax === undefined ? Infinity : Number(rules.timestampMax - baseTimestamp)
  const deltaOfNone = Number(-1n - baseTimestamp)
  const isKeyRequired = rules.isKeyRequired === true
  let deltaLargest = -Infinity
  let withoutKey: RecordProblem[] | undefined
  let outOfTime: RecordProblem[] | undefined
  records.reset(payload, batch.recordCount)
  while (records.next()) {
    if (records.offsetDelta !== records.index) {
      return refuse('INVALID_RECORD', `record ${records.index} has offset delta ${records.offsetDelta}`)
    }
    const delta = records.timestampDelta
    if (!Number.isSafeInteger(delta))
      return refuse('INVALID_TIMESTAMP', `record ${records.index} has timestamp delta ${delta}`)
    if (delta > deltaLargest) deltaLargest = delta
    if (isKeyRequired && records.keyBytes < 0) {
      withoutKey = addProblem(withoutKey, records.index, 'a compacted topic takes no record without a key')
    } else if ((delta < deltaMin || delta > deltaMax) && delta !== deltaOfNone) {
      const timestamp = baseTimestamp + BigInt(delta)
      outOfTime = addProblem(outOfTime, records.index, `timestamp ${timestamp} is outside the allowed range`)
    }
  }
  // Kafka answers with one error per batch and lists the records of that error.
  if (withoutKey !== undefined) return refuse('INVALID_RECORD', withoutKey[0]!.message, withoutKey)
  if (outOfTime !== undefined) return refuse('INVALID_TIMESTAMP', outOfTime[0]!.message, outOfTime)
  const largest = baseTimestamp + BigInt(deltaLargest)
  return BigInt.asIntN(64, largest) === largest
    ? largest
    : refuse('INVALID_TIMESTAMP', `timestamp ${largest} is no int64`)
}

interface RecordProblem {
  readonly batchIndex: number
  readonly message: string
}

function addProblem(problems: RecordProblem[] | undefined, batchIndex: number, message: string): RecordProblem[] {
  if (problems === undefined) return [{ batchIndex, message }]
  if (problems.length < recordErrorsMax) problems.push({ batchIndex, message })
  return problems
}

function refuse(error: KafkaErrorName, message: string, recordErrors: readonly RecordProblem[] = []): RefusedBatch {
  return { outcome: 'refused', error, message, recordErrors }
}
