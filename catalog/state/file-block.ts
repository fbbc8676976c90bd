/**
 * A full block of a table's data files. It never changes again, so it is kept packed once somebody had the time to do that
 * (replica/pack-files.ts): all its columns in one zstd frame, a third of the bytes or less, since what is told of one file of a table is
 * much like what is told of the next.
 *
 * Whether a block is packed is a matter of memory alone: it says the same either way.
 */
import { zstdDecompressSync } from 'node:zlib'
import { FloeError } from '../../core/errors.ts'
import { commandBytesMax } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { FileColumns, fileRowBytes } from './file-columns.ts'

/** A block is full at so many rows, or so many bytes of details; a single row may have more. */
export const blockRowsMax = 1024
export const blockDetailBytesMax = 1 << 20
/** The row that fills a block came in one command. */
const unpackedBytesMax = blockRowsMax * fileRowBytes + blockDetailBytesMax + commandBytesMax

interface PackedColumns {
  readonly frame: Uint8Array
  readonly unpackedBytes: number
}

export class FileBlock {
  /** Of the table's rows. */
  readonly firstRow: number
  readonly length: number
  readonly firstSequence: number
  readonly lastSequence: number
  #content: FileColumns | PackedColumns

  private constructor(
    firstRow: number,
    length: number,
    firstSequence: number,
    lastSequence: number,
    content: FileColumns | PackedColumns,
  ) {
    this.firstRow = firstRow
    this.length = length
    this.firstSequence = firstSequence
    this.lastSequence = lastSequence
    this.#content = content
  }

  /** `columns` has at least one row, and is not changed any more. */
  static of(firstRow: number, columns: FileColumns): FileBlock {
    const { length, fileSequences } = columns
    return new FileBlock(firstRow, length, fileSequences[0]!, fileSequences[length - 1]!, columns)
  }

  get isPacked(): boolean {
    return !(this.#content instanceof FileColumns)
  }

  /** Unpacked for the caller if need be: about a millisecond. errors  corrupt */
  columns(): FileColumns {
    if (this.#content instanceof FileColumns) return this.#content
    const { frame, unpackedBytes } = this.#content
    const columns = FileColumns.fromBytes(unpack(frame, unpackedBytes), this.length)
    if (columns === undefined) throw damaged('its columns do not add up')
    return columns
  }

  /** `frame` is the zstd frame of what `columns().toBytes()` returns. */
  becomePacked(frame: Uint8Array, unpackedBytes: number): void {
    this.#content = { frame, unpackedBytes }
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    const content = writer.keepsPacked ? this.#content : this.columns()
    if (content instanceof FileColumns) {
      scalars.bool(false)
      content.encode(writer)
      return
    }
    scalars.bool(true)
    scalars.uvarint(this.length)
    scalars.uvarint(this.firstSequence)
    scalars.uvarint(this.lastSequence)
    scalars.uvarint(content.unpackedBytes)
    writer.bytesColumn(content.frame)
  }

  static decode(reader: SnapshotReader, firstRow: number): FileBlock {
    if (!reader.bool()) {
      const columns = FileColumns.decode(reader)
      if (columns.length === 0) throw reader.corrupt('a block of data files is empty')
      return FileBlock.of(firstRow, columns)
    }
    const length = reader.uvarint()
    const firstSequence = reader.uvarint()
    const lastSequence = reader.uvarint()
    const unpackedBytes = reader.uvarint()
    const frame = reader.bytesColumn()
    const isPossible = unpackedBytes >= length * fileRowBytes && unpackedBytes <= unpackedBytesMax
    if (length === 0 || length > blockRowsMax || !isPossible) {
      throw reader.corrupt('a block of data files has an impossible length')
    }
    return new FileBlock(firstRow, length, firstSequence, lastSequence, { frame, unpackedBytes })
  }
}

function unpack(frame: Uint8Array, unpackedBytes: number): Uint8Array<ArrayBuffer> {
  let bytes: Buffer<ArrayBuffer>
  try {
    bytes = zstdDecompressSync(frame, { maxOutputLength: unpackedBytes, chunkSize: Math.max(64, unpackedBytes) })
  } catch (error) {
    throw damaged('it does not unpack', error)
  }
  if (bytes.length !== unpackedBytes) throw damaged(`it unpacks to ${bytes.length} bytes instead of ${unpackedBytes}`)
  // Columns of eight bytes lie at multiples of eight.
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
}

function damaged(problem: string, cause?: unknown): FloeError {
  return new FloeError('corrupt', 'catalog-file-block-corrupt', `a block of data files: ${problem}`, {}, cause)
}
