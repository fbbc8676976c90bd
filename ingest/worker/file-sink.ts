/** One open Parquet file: rows of one partition tuple, buffered until they make a worthwhile batch. */
import type { ParquetEncoder, ParquetFileOptions, ParquetFileWriter } from '../../table/parquet/encoder.ts'
import type { Field, SingleValue } from '../../table/types.ts'
import { ColumnSet } from '../columns/column-set.ts'
import type { BuiltFile } from './builder-types.ts'

/** A batch goes to the encoder at this many rows, or bytes. */
export const batchRowsMax = 16_384
export const batchBytesMax = 4 * 1024 * 1024
/** As many rows of one partition go straight to its encoder instead of through the buffer. */
const directRowsMin = 1_024

export class FileSink {
  readonly #fields: readonly Field[]
  readonly #partition: readonly SingleValue[]
  readonly #writer: ParquetFileWriter
  /** Made when first needed: an unpartitioned table never needs it. */
  #buffer: ColumnSet | undefined
  #bufferBytes = 0

  constructor(
    fields: readonly Field[],
    partition: readonly SingleValue[],
    encoder: ParquetEncoder,
    options: ParquetFileOptions,
  ) {
    this.#fields = fields
    this.#partition = partition
    this.#writer = encoder.createFile(fields, options)
  }

  get rowCount(): number {
    return this.#writer.rowCount + (this.#buffer?.rowCount ?? 0)
  }

  estimatedBytes(): number {
    return this.#writer.estimatedBytes() + Math.floor(this.#bufferBytes / 4)
  }

  /** All rows of the set, after those in the buffer. */
  appendAll(set: ColumnSet): void {
    this.#flush()
    this.#writer.append(set)
  }

  appendRows(set: ColumnSet, rows: Int32Array, rowCount: number): void {
    this.#buffer ??= new ColumnSet(this.#fields)
    this.#buffer.gather(set, rows, rowCount)
    this.#bufferBytes = this.#buffer.measureBytes()
    if (this.#buffer.rowCount >= batchRowsMax || this.#bufferBytes >= batchBytesMax) this.#flush()
  }

  /** Whether so many rows are better appended with appendAll. */
  takesDirectly(rowCount: number): boolean {
    return rowCount >= directRowsMin || this.#buffer === undefined
  }

  #flush(): void {
    if (this.#buffer === undefined || this.#buffer.rowCount === 0) return
    this.#writer.append(this.#buffer)
    this.#buffer.reset()
    this.#bufferBytes = 0
  }

  finish(): BuiltFile {
    this.#flush()
    const { chunks, fileBytes, recordCount, splitOffsets, columns } = this.#writer.finish()
    return { partition: this.#partition, chunks, fileBytes, recordCount, splitOffsets, columns }
  }
}
