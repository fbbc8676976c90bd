/**
 * Floe's own Parquet encoder: pages straight from columns, compressed as they come. It holds compressed bytes and dictionaries
 * only, which is what keeps many open files cheap, and it is about twice as fast as the way over Arrow and WebAssembly
 * (wasm-encoder.ts), which serves as its measure.
 */
import { listLeaves, type SchemaLeaf } from '../schema.ts'
import type { Field } from '../types.ts'
import { ColumnChunkWriter } from './column-chunk-writer.ts'
import type { ColumnBatch } from './column-data.ts'
import type { EncodedParquetFile, ParquetEncoder, ParquetFileOptions, ParquetFileWriter } from './encoder.ts'
import { calendarKeyValues, fileField, parquetMagic, rowGroupField, writeFooter } from './footer.ts'
import { type LeafPath, listLeafPaths } from './levels.ts'
import { createSchemaElements, listLeafNames } from './schema-elements.ts'
import { LeafStatistics } from './statistics.ts'
import { ThriftStruct, thriftType } from './thrift.ts'

const createdBy = 'floe version 0.1.0'

export const pageParquetEncoder: ParquetEncoder = {
  createFile: (fields, options) => new PageFileWriter(fields, options),
}

class PageFileWriter implements ParquetFileWriter {
  readonly #fields: readonly Field[]
  readonly #options: ParquetFileOptions
  readonly #leaves: readonly SchemaLeaf[]
  readonly #paths: readonly LeafPath[]
  readonly #names: readonly (readonly string[])[]
  #openChunks: ColumnChunkWriter[] | undefined
  #openRows = 0
  readonly #chunks: Uint8Array[] = [parquetMagic]
  #fileBytes = parquetMagic.length
  readonly #rowGroups: ThriftStruct[] = []
  readonly #splitOffsets: number[] = []
  readonly #statistics: LeafStatistics[]
  readonly #columnBytes: number[]
  rowCount = 0

  constructor(fields: readonly Field[], options: ParquetFileOptions) {
    this.#fields = fields
    this.#options = options
    this.#leaves = listLeaves({ fields })
    this.#paths = listLeafPaths(fields)
    this.#names = listLeafNames(fields)
    this.#statistics = this.#leaves.map(leaf => new LeafStatistics(leaf))
    this.#columnBytes = this.#leaves.map(() => 0)
  }

  get heldBytes(): number {
    return this.estimatedBytes()
  }

  estimatedBytes(): number {
    return this.#fileBytes + (this.#openChunks?.reduce((sum, chunk) => sum + chunk.compressedBytes, 0) ?? 0)
  }

  append(batch: ColumnBatch): void {
    if (batch.rowCount === 0) return
    this.#openChunks ??= this.#leaves.map(
      (leaf, index) => new ColumnChunkWriter(leaf, this.#paths[index]!, this.#names[index]!, this.#options.codec),
    )
    let uncompressedBytes = 0
    for (const chunk of this.#openChunks) {
      chunk.append(batch)
      uncompressedBytes += chunk.uncompressedBytes
    }
    this.#openRows += batch.rowCount
    this.rowCount += batch.rowCount
    const { rowGroupBytesTarget, rowGroupRowsMax } = this.#options
    if (uncompressedBytes >= rowGroupBytesTarget || this.#openRows >= rowGroupRowsMax) this.#endRowGroup()
  }

  #endRowGroup(): void {
    if (this.#openChunks === undefined) return
    const start = this.#fileBytes
    const columns: ThriftStruct[] = []
    let uncompressedBytes = 0
    for (const [index, writer] of this.#openChunks.entries()) {
      const chunk = writer.finish()
      columns.push(chunk.describe(this.#fileBytes))
      this.#chunks.push(...chunk.pages)
      this.#fileBytes += chunk.compressedBytes
      this.#columnBytes[index]! += chunk.compressedBytes
      this.#statistics[index]!.merge(chunk.statistics)
      uncompressedBytes += writer.uncompressedBytes
    }
    const rowGroup = new ThriftStruct()
      .setList(rowGroupField.columns, thriftType.struct, columns)
      .setInt64(rowGroupField.totalBytes, uncompressedBytes)
      .setInt64(rowGroupField.numRows, this.#openRows)
      .setInt64(rowGroupField.fileOffset, start)
      .setInt64(rowGroupField.compressedBytes, this.#fileBytes - start)
      .set(rowGroupField.ordinal, thriftType.i16, this.#rowGroups.length)
    this.#rowGroups.push(rowGroup)
    this.#splitOffsets.push(start)
    this.#openChunks = undefined
    this.#openRows = 0
  }

  finish(): EncodedParquetFile {
    this.#endRowGroup()
    const typeDefinedOrder = new ThriftStruct().setStruct(1, new ThriftStruct())
    const footer = new ThriftStruct()
      .setInt32(fileField.version, 1)
      .setList(fileField.schema, thriftType.struct, createSchemaElements(this.#fields))
      .setInt64(fileField.numRows, this.rowCount)
      .setList(fileField.rowGroups, thriftType.struct, this.#rowGroups)
      .setList(fileField.keyValues, thriftType.struct, [...calendarKeyValues])
      .setText(fileField.createdBy, createdBy)
      .setList(
        fileField.columnOrders,
        thriftType.struct,
        this.#leaves.map(() => typeDefinedOrder),
      )
    const tail = writeFooter(footer)
    this.#chunks.push(tail)
    return {
      chunks: this.#chunks,
      fileBytes: this.#fileBytes + tail.length,
      recordCount: this.rowCount,
      splitOffsets: this.#splitOffsets,
      columns: this.#statistics.map((statistics, index) => statistics.toColumnStatistics(this.#columnBytes[index]!)),
    }
  }
}
