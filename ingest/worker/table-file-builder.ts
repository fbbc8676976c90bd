/**
 * Record batches in, Parquet files out: decodes the values of fetched batches into columns and the columns into the files of one
 * commit. Synchronous, without a clock and without I/O, so it runs on any thread.
 *
 *   record batches ─ decompress ─ walk ─▶ decoder ─▶ staging columns ─▶ one sink per partition tuple ─▶ Parquet
 *                                            └ rejected ─▶ dead letters
 *
 * Invariants
 *   - Rows are all or nothing: a record is a row, a dead letter, or in front of the cut.
 *   - Every offset of an appended range is counted once (coverage-account.ts).
 *   - A batch that cannot be read is rejected as a whole. Rows of it may be in a file before that is known: then everything is
 *     undone, and from then on batches are walked before they are used. Good batches of good sources are walked once.
 *   - Memory is bounded: staging by batchRowsMax and batchBytesMax, open files by openPartitionsMax, dead letters by
 *     deadLetterBytesMax, encoded bytes by fileBytesTarget plus one batch.
 *   - After `append` threw, the builder must be reset or dropped: part of the range may be in it.
 */
import { FloeError } from '../../core/errors.ts'
import { releaseMemory } from '../../core/release-memory.ts'
import { decompressedBytesMaxDefault } from '../../kafka/compression/codecs.ts'
import { decompress } from '../../kafka/compression/compression.ts'
import { BatchCursor } from '../../kafka/records/batch.ts'
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import type { ParquetEncoder } from '../../table/parquet/encoder.ts'
import { pageParquetEncoder } from '../../table/parquet/page-encoder.ts'
import { provenanceFieldIdBase } from '../../table/provenance.ts'
import { ColumnSet } from '../columns/column-set.ts'
import { createDecoder } from '../decode/create-decoder.ts'
import type { ValueDecoder } from '../decode/decoder.ts'
import { describeReject, type RejectCode, reject, rejectCodeOf } from '../decode/reject.ts'
import { AbortedFilter } from './aborted-filter.ts'
import type {
  AppendInput,
  AppendResult,
  BuiltFiles,
  CutReason,
  Rejection,
  TableFileBuilderApi,
  TableFileBuilderConfig,
} from './builder-types.ts'
import { CoverageAccounts, type PartitionAccount } from './coverage-account.ts'
import { DeadLetterCollector } from './dead-letters.ts'
import { batchBytesMax, batchRowsMax, FileSink } from './file-sink.ts'
import { PartitionRouter, routeRefused } from './partition-router.ts'
import { ProvenanceColumn } from './provenance-column.ts'
import { checkRecords, describeUnreadableBatch, isUnreadableBatch, refuseOffsetDelta } from './unreadable-batch.ts'

/** A byte of a record may take ten in columns (lists of small numbers): a larger record could take all memory there is. */
export const valueBytesMax = 32 * 1024 * 1024

export class TableFileBuilder implements TableFileBuilderApi {
  readonly #config: TableFileBuilderConfig
  readonly #encoder: ParquetEncoder
  readonly #staging: ColumnSet
  /** Value bytes of the staged rows. */
  #stagedBytes = 0
  /** Partition index of each staged row. */
  readonly #rowPartitions = new Int32Array(batchRowsMax)
  readonly #decoder: ValueDecoder
  readonly #provenance: ProvenanceColumn
  readonly #router: PartitionRouter
  /** By partition index. */
  #sinks: FileSink[] = []
  readonly #deadLetters = new DeadLetterCollector()
  readonly #accounts = new CoverageAccounts()
  #rejectCounts: Partial<Record<RejectCode, number>> = {}
  #valueBytes = 0
  readonly #cursor = new RecordCursor()
  /** Why the record at hand ends the append. */
  #cut: CutReason | undefined
  #rejection: Rejection | undefined
  /** A batch went bad half-way: its source may have more, and undoing once is enough. */
  #walksFirst = false

  /**
   * errors  invalid: a schema without provenance column, a spec that does not fit it, a writer schema that cannot be used
   */
  constructor(config: TableFileBuilderConfig, encoder: ParquetEncoder = pageParquetEncoder) {
    const { schema, spec, format, options } = config
    this.#config = config
    this.#encoder = encoder
    this.#staging = new ColumnSet(schema.fields)
    const { columns } = this.#staging
    const isUserField = (_: unknown, index: number): boolean => schema.fields[index]!.id !== provenanceFieldIdBase
    this.#decoder = createDecoder(format, schema.fields.filter(isUserField), columns.filter(isUserField))
    this.#provenance = new ProvenanceColumn(schema, columns)
    this.#router = new PartitionRouter(schema, spec, columns, options.openPartitionsMax)
  }

  get rowCount(): number {
    return this.#sinks.reduce((sum, sink) => sum + sink.rowCount, this.#staging.rowCount)
  }

  estimatedBytes(): number {
    const open = this.#sinks.reduce((sum, sink) => sum + sink.estimatedBytes(), 0)
    return open + Math.floor(this.#stagedBytes / 4)
  }

  /**
   * errors  invalid: the range does not go on where the partition ended; corrupt: a batch with a wrong checksum or a header
   *         that cannot be; unsupported: old message formats
   */
  append(input: AppendInput): AppendResult {
    const account = this.#accounts.continueAt(input.partition, input.start)
    this.#cut = undefined
    this.#rejection = undefined
    const batch = new BatchCursor(input.batches)
    const aborted = new AbortedFilter(input.aborted)
    while (batch.next()) {
      if (batch.baseOffset >= input.end) break
      const isExcluded = aborted.isExcluded(batch)
      if (batch.endOffset <= input.start || isExcluded) continue
      const cutAt = this.#appendBatch(batch, input, account)
      if (cutAt !== undefined) {
        account.end = cutAt
        return { end: cutAt, cut: this.#cut, rejection: this.#rejection }
      }
      const { endOffset } = batch
      if (endOffset < input.end && this.estimatedBytes() >= this.#config.options.fileBytesTarget) {
        account.end = endOffset
        return { end: endOffset, cut: 'file-bytes', rejection: undefined }
      }
    }
    account.end = input.end
    const isFull = this.estimatedBytes() >= this.#config.options.fileBytesTarget
    return { end: input.end, cut: isFull ? 'file-bytes' : undefined, rejection: undefined }
  }

  /** Returns the offset in front of which it was cut, or undefined. */
  #appendBatch(batch: BatchCursor, input: AppendInput, account: PartitionAccount): bigint | undefined {
    if (!batch.isCrcValid()) {
      throw new FloeError(
        'corrupt',
        'record-batch-checksum',
        `the record batch at offset ${batch.baseOffset} of partition ${input.partition} has a wrong checksum`,
        { partition: input.partition, offset: batch.baseOffset },
      )
    }
    const { written, rejected } = account
    try {
      const records = decompress(batch.codec, batch.payload, decompressedBytesMaxDefault)
      // Never a Buffer: decoders that meet both kinds run a good deal slower.
      const payload = new Uint8Array(records.buffer, records.byteOffset, records.length)
      if (this.#walksFirst) checkRecords(this.#cursor, payload, batch)
      return this.#appendRecords(batch, payload, input, account)
    } catch (error) {
      if (!isUnreadableBatch(error)) throw error
      if (account.written === written && account.rejected === rejected) {
        return this.#rejectBatch(batch, input, account, error)
      }
      this.reset()
      this.#walksFirst = true
      this.#cut = 'undone'
      return input.start
    }
  }

  /** As `#appendBatch`. */
  #appendRecords(
    batch: BatchCursor,
    payload: Uint8Array,
    input: AppendInput,
    account: PartitionAccount,
  ): bigint | undefined {
    const base = toOffsetNumber(batch.baseOffset)
    const start = toOffsetNumber(input.start)
    const end = Number(input.end)
    const baseTimestamp = Number(batch.baseTimestamp)
    const appendTime = batch.isLogAppendTime ? Number(batch.maxTimestamp) : undefined
    const { lastOffsetDelta } = batch
    let deltaMin = 0
    const cursor = this.#cursor
    cursor.reset(payload, batch.recordCount)
    while (cursor.next()) {
      const { offsetDelta } = cursor
      if (offsetDelta < deltaMin || offsetDelta > lastOffsetDelta) throw refuseOffsetDelta(cursor, batch)
      deltaMin = offsetDelta + 1
      const offset = base + offsetDelta
      if (offset < start) continue
      if (offset >= end) break
      const timestampMs = appendTime ?? baseTimestamp + cursor.timestampDelta
      if (!this.#appendRecord(account, offset, timestampMs, payload)) return BigInt(offset)
      if (timestampMs > account.maxTimestampMs) account.maxTimestampMs = timestampMs
    }
    // Columns and dead letters hold copies.
    if (payload.buffer !== input.batches.buffer) releaseMemory(payload)
    return undefined
  }

  /** False: the record was left out and #cut says why. */
  #appendRecord(account: PartitionAccount, offset: number, timestampMs: number, payload: Uint8Array): boolean {
    const cursor = this.#cursor
    const staging = this.#staging
    const { valueAt, valueBytes } = cursor
    let result: number = reject.nullValue
    if (valueBytes > valueBytesMax) result = reject.recordTooLarge
    else if (valueBytes >= 0) result = this.#decoder.decode(payload, valueAt, valueAt + valueBytes)
    if (result !== reject.ok) {
      staging.rollback()
      const isUnread = result === reject.nullValue || result === reject.recordTooLarge
      const path = isUnread ? '' : this.#decoder.rejectPath
      return this.#reject(rejectCodeOf(result), path, account, offset, timestampMs, payload)
    }
    this.#provenance.push(account.partition, offset, timestampMs, cursor, payload)
    const row = staging.rowCount
    const partition = this.#router.route(row)
    if (partition < 0) {
      staging.rollback()
      if (partition === routeRefused.tooMany) {
        this.#cut = 'open-partitions'
        return false
      }
      return this.#reject('out-of-range', 'partition value', account, offset, timestampMs, payload)
    }
    this.#rowPartitions[row] = partition
    staging.rowCount = row + 1
    account.written++
    this.#valueBytes += valueBytes
    this.#stagedBytes += cursor.recordBytes
    if (staging.rowCount === batchRowsMax || this.#stagedBytes >= batchBytesMax) this.#flushStaging()
    return true
  }

  #reject(
    code: RejectCode,
    path: string,
    account: PartitionAccount,
    offset: number,
    timestampMs: number,
    payload: Uint8Array,
  ): boolean {
    const { deadLetterMode, deadLetterBytesMax } = this.#config.options
    const cursor = this.#cursor
    const reason = describeReject(code, path)
    if (deadLetterMode === 'stop') {
      this.#cut = 'rejected'
      this.#rejection = { partition: account.partition, offset: BigInt(offset), code, reason }
      return false
    }
    if (deadLetterMode === 'capture') {
      const heldBytes = this.#deadLetters.heldBytes + cursor.recordBytes
      if (this.#deadLetters.recordCount > 0 && heldBytes > deadLetterBytesMax) {
        this.#cut = 'dead-letter-bytes'
        return false
      }
      this.#deadLetters.add(account.partition, offset, timestampMs, cursor, payload, code, reason)
    }
    account.rejected++
    this.#rejectCounts[code] = (this.#rejectCounts[code] ?? 0) + 1
    return true
  }

  /** All offsets of the batch that are wanted are rejected. Returns the offset in front of which it was cut, or undefined. */
  #rejectBatch(
    batch: BatchCursor,
    input: AppendInput,
    account: PartitionAccount,
    error: FloeError,
  ): bigint | undefined {
    const { deadLetterMode, deadLetterBytesMax } = this.#config.options
    const first = batch.baseOffset > input.start ? batch.baseOffset : input.start
    const end = batch.endOffset < input.end ? batch.endOffset : input.end
    const code = 'unreadable-batch'
    const reason = describeUnreadableBatch(batch, first, end - 1n, error)
    if (deadLetterMode === 'stop') {
      this.#cut = 'rejected'
      this.#rejection = { partition: account.partition, offset: first, code, reason }
      return first
    }
    if (deadLetterMode === 'capture') {
      const heldBytes = this.#deadLetters.heldBytes + batch.byteLength
      if (this.#deadLetters.recordCount > 0 && heldBytes > deadLetterBytesMax) {
        this.#cut = 'dead-letter-bytes'
        return first
      }
      const timestampMs = Number(batch.maxTimestamp)
      this.#deadLetters.addBatch(account.partition, toOffsetNumber(first), timestampMs, batch.batch, code, reason)
    }
    const offsetCount = Number(end - first)
    account.rejected += offsetCount
    this.#rejectCounts[code] = (this.#rejectCounts[code] ?? 0) + offsetCount
    return undefined
  }

  #flushStaging(): void {
    const staging = this.#staging
    const { rowCount } = staging
    if (rowCount === 0) return
    const { schema, options } = this.#config
    for (let index = this.#sinks.length; index < this.#router.partitionCount; index++) {
      this.#sinks.push(new FileSink(schema.fields, this.#router.tuples[index]!, this.#encoder, options))
    }
    const first = this.#rowPartitions[0]!
    if (this.#router.partitionCount === 1) this.#sinks[first]!.appendAll(staging)
    else this.#scatter(rowCount)
    staging.reset()
    this.#stagedBytes = 0
  }

  /** Rows to their sinks, each sink's in order. */
  #scatter(rowCount: number): void {
    const counts = new Int32Array(this.#sinks.length)
    for (let row = 0; row < rowCount; row++) counts[this.#rowPartitions[row]!]!++
    const starts = new Int32Array(this.#sinks.length)
    for (let index = 1; index < starts.length; index++) starts[index] = starts[index - 1]! + counts[index - 1]!
    const rows = new Int32Array(rowCount)
    const next = starts.slice()
    for (let row = 0; row < rowCount; row++) rows[next[this.#rowPartitions[row]!]!++] = row
    for (const [index, sink] of this.#sinks.entries()) {
      const count = counts[index]!
      if (count === rowCount && sink.takesDirectly(rowCount)) sink.appendAll(this.#staging)
      else if (count > 0) sink.appendRows(this.#staging, rows.subarray(starts[index], starts[index]! + count), count)
    }
  }

  finish(): BuiltFiles {
    this.#flushStaging()
    const files = this.#sinks.map(sink => sink.finish())
    const deadLetters = this.#deadLetters.finish(this.#encoder, this.#config.options)
    const built: BuiltFiles = {
      files,
      deadLetters,
      coverage: this.#accounts.take(),
      rejectCounts: this.#rejectCounts,
      valueBytes: this.#valueBytes,
    }
    this.reset()
    return built
  }

  /** Forgets everything appended. */
  reset(): void {
    this.#staging.rowCount = 0
    this.#staging.rollback()
    this.#staging.reset()
    this.#stagedBytes = 0
    this.#sinks = []
    this.#router.reset()
    this.#deadLetters.reset()
    this.#accounts.take()
    this.#rejectCounts = {}
    this.#valueBytes = 0
  }
}

/** Offsets are int64 on the wire; beyond 2^53, which no log reaches, they are surely corrupt. */
function toOffsetNumber(offset: bigint): number {
  if (offset < 0n || offset > offsetMax) {
    throw new FloeError('corrupt', 'offset-out-of-range', `offset ${offset} cannot be`, { offset })
  }
  return Number(offset)
}

const offsetMax = 2n ** 52n
