/**
 * Parquet's footer (FileMetaData in Thrift): reading it, and putting the row groups of several files into one.
 *
 *   file   "PAR1" | row groups | FileMetaData | FileMetaData length: uint32 LE | "PAR1"
 *
 * source  parquet-format, parquet.thrift
 */
import { FloeError } from '../../core/errors.ts'
import { readThriftStruct, ThriftStruct, thriftType, writeThriftStruct } from './thrift.ts'

export const parquetMagic = new TextEncoder().encode('PAR1')
const tailBytes = 8

/** Field ids of the footer's structs. */
export const fileField = {
  version: 1,
  schema: 2,
  numRows: 3,
  rowGroups: 4,
  keyValues: 5,
  createdBy: 6,
  columnOrders: 7,
}
export const rowGroupField = { columns: 1, totalBytes: 2, numRows: 3, fileOffset: 5, compressedBytes: 6, ordinal: 7 }
export const chunkField = {
  fileOffset: 2,
  metadata: 3,
  offsetIndex: 4,
  offsetIndexLength: 5,
  columnIndex: 6,
  columnIndexLength: 7,
}
export const columnField = {
  type: 1,
  encodings: 2,
  path: 3,
  codec: 4,
  numValues: 5,
  uncompressedBytes: 6,
  compressedBytes: 7,
  dataPageOffset: 9,
  dictionaryPageOffset: 11,
  statistics: 12,
  encodingStats: 13,
}
export const statisticsField = { nullCount: 3, maxValue: 5, minValue: 6, maxIsExact: 7, minIsExact: 8 }

/**
 * errors  corrupt: no Parquet file
 */
export function readFooter(file: Uint8Array): ThriftStruct {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const length = file.length >= 12 ? view.getUint32(file.length - tailBytes, true) : 0
  const isParquet = parquetMagic.every((byte, index) => file[file.length - 4 + index] === byte)
  if (!isParquet || length === 0 || length > file.length - 12) {
    throw new FloeError('corrupt', 'malformed-parquet', `${file.length} bytes are not a Parquet file`)
  }
  return readThriftStruct(file.subarray(file.length - tailBytes - length, file.length - tailBytes))
}

/** The footer's bytes with length and magic. */
export function writeFooter(footer: ThriftStruct): Uint8Array {
  const metadata = writeThriftStruct(footer)
  const bytes = new Uint8Array(metadata.length + tailBytes)
  bytes.set(metadata)
  new DataView(bytes.buffer).setUint32(metadata.length, metadata.length, true)
  bytes.set(parquetMagic, metadata.length + 4)
  return bytes
}

export interface LeafChunk {
  readonly compressedBytes: number
  readonly metadata: ThriftStruct
}

/** The column chunks of a row group, in column order. */
export function listChunks(rowGroup: ThriftStruct): LeafChunk[] {
  return rowGroup.structs(rowGroupField.columns).map(chunk => {
    const metadata = chunk.struct(chunkField.metadata)
    const compressedBytes = metadata?.number(columnField.compressedBytes)
    if (metadata === undefined || compressedBytes === undefined) throw malformed('a column chunk has no metadata')
    return { compressedBytes, metadata }
  })
}

/** First byte and end of a row group's pages. */
export function findPages(rowGroup: ThriftStruct): { start: number; end: number } {
  let start = Number.MAX_SAFE_INTEGER
  let end = 0
  for (const { metadata, compressedBytes } of listChunks(rowGroup)) {
    const data = metadata.number(columnField.dataPageOffset)
    if (data === undefined) throw malformed('a column chunk has no pages')
    const first = metadata.number(columnField.dictionaryPageOffset) ?? data
    start = Math.min(start, first)
    end = Math.max(end, first + compressedBytes)
  }
  return { start, end }
}

/** Moves every offset of a row group by `shift`, drops what points outside its pages, and numbers it. */
export function moveRowGroup(rowGroup: ThriftStruct, shift: number, ordinal: number): void {
  for (const chunk of rowGroup.structs(rowGroupField.columns)) {
    for (const id of [
      chunkField.offsetIndex,
      chunkField.offsetIndexLength,
      chunkField.columnIndex,
      chunkField.columnIndexLength,
    ]) {
      chunk.fields.delete(id)
    }
    chunk.setInt64(chunkField.fileOffset, 0)
    const metadata = chunk.struct(chunkField.metadata)!
    for (const id of [columnField.dataPageOffset, columnField.dictionaryPageOffset]) {
      const offset = metadata.number(id)
      if (offset !== undefined) metadata.setInt64(id, offset + shift)
    }
  }
  rowGroup.setInt64(rowGroupField.fileOffset, findPages(rowGroup).start)
  rowGroup.set(rowGroupField.ordinal, thriftType.i16, ordinal)
}

function malformed(problem: string): FloeError {
  return new FloeError('corrupt', 'malformed-parquet', `Parquet footer: ${problem}`)
}

/**
 * Says that dates and timestamps are in the proleptic Gregorian calendar, in the one form Spark understands: without it Spark 3
 * refuses dates before 1582 and timestamps before 1900 in files it did not write, since files of Spark 2 meant another calendar.
 */
export const calendarKeyValues: readonly ThriftStruct[] = [
  new ThriftStruct().setText(1, 'org.apache.spark.version').setText(2, '3.5.0'),
]
