/**
 * The Parquet encoder as a parameter: whoever builds table files picks one. Writers are synchronous, take column batches and
 * hold only encoded bytes of finished row groups, so the memory of one open file is bounded by a row group.
 */
import type { ColumnStatistics, Field } from '../types.ts'
import type { ColumnBatch } from './column-data.ts'

export type ParquetCodec = 'zstd' | 'snappy' | 'gzip' | 'lz4' | 'none'

export interface ParquetFileOptions {
  readonly codec: ParquetCodec
  /** A row group ends when its uncompressed columns reach about this size, or `rowGroupRowsMax`. */
  readonly rowGroupBytesTarget: number
  readonly rowGroupRowsMax: number
}

export interface EncodedParquetFile {
  /** In order; owned by the caller. */
  readonly chunks: readonly Uint8Array[]
  readonly fileBytes: number
  readonly recordCount: number
  /** Byte offset of each row group. */
  readonly splitOffsets: readonly number[]
  /** One per leaf, in column order. */
  readonly columns: readonly ColumnStatistics[]
}

export interface ParquetFileWriter {
  /** Takes what it needs before it returns: the batch can be reused. Its columns are those of the writer's fields, in order. */
  append(batch: ColumnBatch): void
  readonly rowCount: number
  /** Bytes held in memory. */
  readonly heldBytes: number
  /** About the size of the file if it were finished now. */
  estimatedBytes(): number
  /** Ends the file. The writer must not be used afterwards. */
  finish(): EncodedParquetFile
}

export interface ParquetEncoder {
  createFile(fields: readonly Field[], options: ParquetFileOptions): ParquetFileWriter
}
