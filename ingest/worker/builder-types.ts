/**
 * What goes into a table file builder and what comes out: the contract between the ingest loop (which fetches, puts and
 * commits) and the builders (which decode and encode), on the same thread (table-file-builder.ts) or on workers
 * (worker-pool.ts). Everything here can be posted between threads by structured clone.
 */
import type { AbortedTransaction } from '../../kafka/record-source.ts'
import type { ParquetCodec } from '../../table/parquet/encoder.ts'
import type { ColumnStatistics, PartitionSpec, Schema, SingleValue } from '../../table/types.ts'
import type { RejectCode } from '../decode/reject.ts'

/** How record values are encoded. Text is the writer's schema in its own language. */
export type RecordFormat =
  | { readonly kind: 'json' }
  | {
      readonly kind: 'avro'
      /** `confluent`: magic byte 0 and a 4-byte schema id come before the value. */
      readonly framing: 'raw' | 'confluent'
      /** An .avsc document; undefined: derived from the table's own columns, optional ones as `["null", T]`. */
      readonly schemaText: string | undefined
    }
  | {
      readonly kind: 'protobuf'
      /** `confluent`: as for Avro, then the message index array. */
      readonly framing: 'raw' | 'confluent'
      readonly schemaText: string
      /** Full or short name; undefined: the first message of the file. */
      readonly messageName: string | undefined
    }

export interface TableFileBuilderOptions {
  readonly codec: ParquetCodec
  /** A row group ends when its uncompressed columns reach about this size. */
  readonly rowGroupBytesTarget: number
  readonly rowGroupRowsMax: number
  /** Partition tuples with an open file at the same time; one more cuts (`open-partitions`). */
  readonly openPartitionsMax: number
  /** `capture` keeps rejected records whole, `skip` only counts them, `stop` ends in front of the first one. Batches likewise. */
  readonly deadLetterMode: 'capture' | 'skip' | 'stop'
  /** Captured records, in bytes; the record that would go beyond cuts (`dead-letter-bytes`). */
  readonly deadLetterBytesMax: number
  /** The estimated size of all files of the builder; reaching it cuts (`file-bytes`). */
  readonly fileBytesTarget: number
}

export const tableFileBuilderDefaults: TableFileBuilderOptions = {
  codec: 'zstd',
  rowGroupBytesTarget: 32 * 1024 * 1024,
  rowGroupRowsMax: 1_000_000,
  openPartitionsMax: 64,
  deadLetterMode: 'capture',
  deadLetterBytesMax: 16 * 1024 * 1024,
  fileBytesTarget: 64 * 1024 * 1024,
}

export interface TableFileBuilderConfig {
  /** Table schema: user columns, then the provenance column. */
  readonly schema: Schema
  readonly spec: PartitionSpec
  readonly format: RecordFormat
  readonly options: TableFileBuilderOptions
}

/** Fetched record batches of one source partition. */
export interface AppendInput {
  readonly partition: number
  /** Whole v2 record batches as fetched, maybe compressed; read only during the call. */
  readonly batches: Uint8Array
  /**
   * Only offsets in [start, end) count. All of them are accounted for: those without a record in `batches` as control. The
   * first append of a partition begins its coverage at `start`; later ones must continue where it ended.
   */
  readonly start: bigint
  readonly end: bigint
  readonly aborted: readonly AbortedTransaction[]
}

/**
 * Why an append ended before its range did. The caller finishes the builder, commits, and appends the rest to a new one.
 * `file-bytes` is also told when the range was done.
 *
 * After `undone` there is nothing to finish: the builder is empty, and everything since it was last empty must be appended again.
 */
export type CutReason = 'file-bytes' | 'open-partitions' | 'dead-letter-bytes' | 'rejected' | 'undone'

export interface AppendResult {
  /** Exclusive: offsets up to here are in the builder. Equals the input's `end` unless cut. */
  readonly end: bigint
  readonly cut: CutReason | undefined
  /** Under `deadLetterMode: 'stop'`, the record or record batch in front of which it stopped. */
  readonly rejection: Rejection | undefined
}

export interface Rejection {
  readonly partition: number
  readonly offset: bigint
  readonly code: RejectCode
  /** One sentence with the field's path, or what is wrong with the batch. */
  readonly reason: string
}

/** One finished Parquet data file. */
export interface BuiltFile {
  /** In spec order; empty for an unpartitioned table. */
  readonly partition: readonly SingleValue[]
  /** The file's bytes in order; owned by the caller. */
  readonly chunks: readonly Uint8Array[]
  readonly fileBytes: number
  readonly recordCount: number
  readonly splitOffsets: readonly number[]
  readonly columns: readonly ColumnStatistics[]
}

/** What became of the offsets [start, end): written + filtered + rejected + control = end - start. */
export interface BuiltCoverage {
  readonly partition: number
  readonly start: bigint
  readonly end: bigint
  readonly written: number
  readonly filtered: number
  readonly rejected: number
  readonly control: number
  /** Over all records in the range, -1 when there are none. */
  readonly maxTimestampMs: number
}

export interface BuiltDeadLetters {
  readonly chunks: readonly Uint8Array[]
  readonly fileBytes: number
  readonly recordCount: number
}

export interface BuiltFiles {
  /** Files without rows are not made: empty when nothing was written. */
  readonly files: readonly BuiltFile[]
  readonly deadLetters: BuiltDeadLetters | undefined
  /** By source partition, ascending. */
  readonly coverage: readonly BuiltCoverage[]
  /** Rejected records by reason. */
  readonly rejectCounts: Readonly<Partial<Record<RejectCode, number>>>
  /** Uncompressed bytes of the record values decoded, for rates. */
  readonly valueBytes: number
}

/** The synchronous builder. After `finish` it is empty and can be used again. */
export interface TableFileBuilderApi {
  append(input: AppendInput): AppendResult
  /** About the bytes that the files would have if finished now. */
  estimatedBytes(): number
  /** Rows held. */
  readonly rowCount: number
  finish(): BuiltFiles
}
