/**
 * The Parquet encoder on apache-arrow and parquet-wasm. Each row group is written by itself, as a Parquet file of one row group,
 * and its pages are taken over under one footer: so a file needs the memory of a row group and the writer stays synchronous.
 *
 *   column batches ─ Arrow IPC ─▶ pending messages ─ row group full ─ parquet-wasm ─▶ pages + footer ─▶ pages | pages | … | footer
 *
 * Statistics are ours (statistics.ts) and go into the footer too; parquet-wasm computes none. Page indexes are dropped.
 */
import { type Schema as ArrowSchema, type RecordBatch, RecordBatchStreamWriter } from 'apache-arrow'
import {
  Compression,
  EnabledStatistics,
  Table,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm'
import { listLeaves, type SchemaLeaf } from '../schema.ts'
import type { Field } from '../types.ts'
import { createArrowBatch, createArrowSchema } from './arrow-batch.ts'
import { isWorthDictionary } from './cardinality.ts'
import { createChunkStatistics } from './chunk-statistics.ts'
import type { ColumnBatch } from './column-data.ts'
import type {
  EncodedParquetFile,
  ParquetCodec,
  ParquetEncoder,
  ParquetFileOptions,
  ParquetFileWriter,
} from './encoder.ts'
import {
  calendarKeyValues,
  columnField,
  fileField,
  findPages,
  listChunks,
  moveRowGroup,
  parquetMagic,
  readFooter,
  writeFooter,
} from './footer.ts'
import { LeafStatistics, listLeafColumns } from './statistics.ts'
import { type ThriftStruct, thriftType } from './thrift.ts'

const compressions: Record<ParquetCodec, Compression> = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  lz4: Compression.LZ4_RAW,
  none: Compression.UNCOMPRESSED,
}
/** End of an Arrow IPC stream: continuation marker and length zero. */
const streamEndBytes = 8
/** Typical compression of row groups, until this file has shown its own. */
const compressionGuess = 0.25

export const wasmParquetEncoder: ParquetEncoder = {
  createFile: (fields, options) => new WasmFileWriter(fields, options),
}

class WasmFileWriter implements ParquetFileWriter {
  readonly #options: ParquetFileOptions
  readonly #fields: readonly Field[]
  readonly #leaves: readonly SchemaLeaf[]
  readonly #arrowSchema: ArrowSchema
  /** The IPC stream's beginning: the schema message. */
  readonly #head: Uint8Array
  #dictionaryColumns: readonly string[] | undefined

  #messages: Uint8Array[] = []
  #pendingBytes = 0
  #pendingRows = 0
  #pendingStatistics: LeafStatistics[] = []

  readonly #chunks: Uint8Array[] = [parquetMagic]
  #fileBytes = parquetMagic.length
  /** Uncompressed bytes behind the finished row groups. */
  #encodedBytes = 0
  readonly #rowGroups: ThriftStruct[] = []
  readonly #splitOffsets: number[] = []
  readonly #statistics: LeafStatistics[]
  readonly #columnBytes: number[]
  #footer: ThriftStruct | undefined
  rowCount = 0

  constructor(fields: readonly Field[], options: ParquetFileOptions) {
    this.#fields = fields
    this.#options = options
    this.#leaves = listLeaves({ fields })
    this.#arrowSchema = createArrowSchema(fields)
    const empty = new RecordBatchStreamWriter()
    empty.reset(undefined, this.#arrowSchema)
    this.#head = empty.finish().toUint8Array(true).slice(0, -streamEndBytes)
    this.#statistics = this.#leaves.map(leaf => new LeafStatistics(leaf))
    this.#pendingStatistics = this.#leaves.map(leaf => new LeafStatistics(leaf))
    this.#columnBytes = this.#leaves.map(() => 0)
  }

  get heldBytes(): number {
    return this.#fileBytes + this.#pendingBytes
  }

  estimatedBytes(): number {
    const written = this.#fileBytes - parquetMagic.length
    const ratio = this.#encodedBytes === 0 ? compressionGuess : written / this.#encodedBytes
    return this.#fileBytes + Math.round(this.#pendingBytes * ratio)
  }

  append(batch: ColumnBatch): void {
    if (batch.rowCount === 0) return
    const leafColumns = listLeafColumns(batch.columns)
    for (const [index, column] of leafColumns.entries()) this.#pendingStatistics[index]!.add(column)
    this.#dictionaryColumns ??= this.#chooseDictionaries(batch)
    const stream = writeStream(createArrowBatch(this.#arrowSchema, batch))
    // The schema message is the same every time; what is kept is a copy, since the batch's arrays are reused.
    const message = stream.slice(this.#head.length, stream.length - streamEndBytes)
    this.#messages.push(message)
    this.#pendingBytes += message.length
    this.#pendingRows += batch.rowCount
    this.rowCount += batch.rowCount
    const { rowGroupBytesTarget, rowGroupRowsMax } = this.#options
    if (this.#pendingBytes >= rowGroupBytesTarget || this.#pendingRows >= rowGroupRowsMax) this.#writeRowGroup()
  }

  finish(): EncodedParquetFile {
    if (this.#pendingRows > 0 || this.#footer === undefined) this.#writeRowGroup()
    const footer = this.#footer!
    footer.setInt64(fileField.numRows, this.rowCount)
    footer.setList(fileField.rowGroups, thriftType.struct, this.#rowGroups)
    footer.setText(fileField.createdBy, 'floe (parquet-wasm)')
    // In place of the Arrow schema that parquet-rs stores, which repeats the Parquet schema.
    footer.setList(fileField.keyValues, thriftType.struct, [...calendarKeyValues])
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

  /** Top-level columns only: parquet-wasm cannot name nested ones. */
  #chooseDictionaries(batch: ColumnBatch): string[] {
    const names: string[] = []
    for (const [index, column] of batch.columns.entries()) {
      if (column.kind === 'struct' || column.kind === 'list' || column.kind === 'map') continue
      if (isWorthDictionary(column)) names.push(this.#fields[index]!.name)
    }
    return names
  }

  #createProperties(): WriterProperties {
    let builder = new WriterPropertiesBuilder()
      .setCompression(compressions[this.#options.codec])
      .setStatisticsEnabled(EnabledStatistics.None)
      .setMaxRowGroupSize(Math.max(1, this.#pendingRows))
      .setDictionaryEnabled(false)
    for (const name of this.#dictionaryColumns ?? []) builder = builder.setColumnDictionaryEnabled(name, true)
    return builder.build()
  }

  #writeRowGroup(): void {
    const file = writeParquet(Table.fromIPCStream(this.#joinStream()), this.#createProperties())
    const footer = readFooter(file)
    this.#footer ??= footer
    for (const rowGroup of footer.structs(fileField.rowGroups)) this.#takeRowGroup(file, rowGroup)
    this.#encodedBytes += this.#pendingBytes
    this.#messages = []
    this.#pendingBytes = 0
    this.#pendingRows = 0
    this.#pendingStatistics = this.#leaves.map(leaf => new LeafStatistics(leaf))
  }

  #joinStream(): Uint8Array {
    const stream = new Uint8Array(this.#head.length + this.#pendingBytes + streamEndBytes)
    stream.set(this.#head)
    let at = this.#head.length
    for (const message of this.#messages) {
      stream.set(message, at)
      at += message.length
    }
    stream.fill(0xff, at, at + 4)
    return stream
  }

  #takeRowGroup(file: Uint8Array, rowGroup: ThriftStruct): void {
    const { start, end } = findPages(rowGroup)
    for (const [index, { metadata, compressedBytes }] of listChunks(rowGroup).entries()) {
      this.#columnBytes[index]! += compressedBytes
      const statistics = this.#pendingStatistics[index]!
      this.#statistics[index]!.merge(statistics)
      metadata.setStruct(columnField.statistics, createChunkStatistics(statistics))
    }
    moveRowGroup(rowGroup, this.#fileBytes - start, this.#rowGroups.length)
    this.#rowGroups.push(rowGroup)
    this.#splitOffsets.push(this.#fileBytes)
    this.#chunks.push(file.slice(start, end))
    this.#fileBytes += end - start
  }
}

function writeStream(batch: RecordBatch): Uint8Array {
  return RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
}
