/**
 * Rows of data files in columns: what the catalog itself looks at. What only a renderer or a query planner reads (partition tuple,
 * split offsets, column statistics) is one opaque piece per row (data-file-codec.ts). The path is not kept: it follows from grant id
 * and name index.
 *
 * Append-only: catalog snapshots refer to these columns without copying.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint8, growUint32, nextCapacity } from './columns.ts'

/** Of a row without its details: four Float64, two Uint32. */
export const fileRowBytes = 4 * 8 + 2 * 4

export class FileColumns {
  length = 0
  grantIds: Float64Array = new Float64Array(0)
  recordCounts: Float64Array = new Float64Array(0)
  fileBytes: Float64Array = new Float64Array(0)
  /** Ascending. */
  fileSequences: Float64Array = new Float64Array(0)
  nameIndexes: Uint32Array = new Uint32Array(0)
  /** Where the details of a row end; they begin where those of the row before end. */
  detailEnds: Uint32Array = new Uint32Array(0)
  details: Uint8Array = new Uint8Array(0)

  /** With room for so many rows, and so many bytes of their details, before anything has to grow. */
  static withRoom(rows: number, detailBytes: number): FileColumns {
    const columns = new FileColumns()
    columns.details = new Uint8Array(detailBytes)
    columns.#growTo(rows)
    return columns
  }

  get detailBytes(): number {
    return this.length === 0 ? 0 : this.detailEnds[this.length - 1]!
  }

  /** Copies the details, `bytes[start, end)`. */
  add(
    grantId: number,
    nameIndex: number,
    recordCount: number,
    fileBytes: number,
    fileSequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const row = this.length
    const detailsAt = this.detailBytes
    const detailsEnd = detailsAt + end - start
    if (row === this.grantIds.length) this.#growTo(nextCapacity(row, row + 1))
    if (detailsEnd > this.details.length) {
      this.details = growUint8(this.details, nextCapacity(this.details.length, detailsEnd))
    }
    this.grantIds[row] = grantId
    this.nameIndexes[row] = nameIndex
    this.recordCounts[row] = recordCount
    this.fileBytes[row] = fileBytes
    this.fileSequences[row] = fileSequence
    this.detailEnds[row] = detailsEnd
    this.details.set(bytes.subarray(start, end), detailsAt)
    this.length = row + 1
  }

  #growTo(capacity: number): void {
    this.grantIds = growFloat64(this.grantIds, capacity)
    this.nameIndexes = growUint32(this.nameIndexes, capacity)
    this.recordCounts = growFloat64(this.recordCounts, capacity)
    this.fileBytes = growFloat64(this.fileBytes, capacity)
    this.fileSequences = growFloat64(this.fileSequences, capacity)
    this.detailEnds = growUint32(this.detailEnds, capacity)
  }

  /** A view; not to be changed. */
  detailsOf(row: number): Uint8Array {
    return this.details.subarray(row === 0 ? 0 : this.detailEnds[row - 1]!, this.detailEnds[row]!)
  }

  encode(writer: SnapshotWriter): void {
    const { length } = this
    writer.scalars.uvarint(length)
    writer.float64Column(this.grantIds, 0, length)
    writer.float64Column(this.recordCounts, 0, length)
    writer.float64Column(this.fileBytes, 0, length)
    writer.float64Column(this.fileSequences, 0, length)
    writer.uint32Column(this.nameIndexes, 0, length)
    writer.uint32Column(this.detailEnds, 0, length)
    writer.bytesColumn(this.details.subarray(0, this.detailBytes))
  }

  static decode(reader: SnapshotReader): FileColumns {
    const columns = new FileColumns()
    const length = reader.count(fileRowBytes)
    columns.length = length
    columns.grantIds = reader.float64Column(length)
    columns.recordCounts = reader.float64Column(length)
    columns.fileBytes = reader.float64Column(length)
    columns.fileSequences = reader.float64Column(length)
    columns.nameIndexes = reader.uint32Column(length)
    columns.detailEnds = reader.uint32Column(length)
    columns.details = reader.bytesColumn()
    if (!columns.#fits()) throw reader.corrupt('the details of data files do not end where they should')
    return columns
  }

  #fits(): boolean {
    let end = 0
    for (let row = 0; row < this.length; row++) {
      if (this.detailEnds[row]! < end) return false
      end = this.detailEnds[row]!
    }
    return end === this.details.length
  }

  /** All of it in one piece, as `decode` of a snapshot would read it but for the lengths of the columns. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const { length, detailBytes } = this
    const bytes = new Uint8Array(length * fileRowBytes + detailBytes)
    let at = 0
    for (const column of [this.grantIds, this.recordCounts, this.fileBytes, this.fileSequences]) {
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, length * 8), at)
      at += length * 8
    }
    for (const column of [this.nameIndexes, this.detailEnds]) {
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, length * 4), at)
      at += length * 4
    }
    bytes.set(this.details.subarray(0, detailBytes), at)
    return bytes
  }

  /** Takes over what `toBytes` returned, of `length` rows. Undefined: these are no such bytes. */
  static fromBytes(bytes: Uint8Array<ArrayBuffer>, length: number): FileColumns | undefined {
    const rowsEnd = length * fileRowBytes
    if (bytes.length < rowsEnd || bytes.byteOffset % 8 !== 0) return undefined
    const float64 = (index: number) => new Float64Array(bytes.buffer, bytes.byteOffset + index * length * 8, length)
    const uint32 = (index: number) =>
      new Uint32Array(bytes.buffer, bytes.byteOffset + (32 + index * 4) * length, length)
    const columns = new FileColumns()
    columns.length = length
    columns.grantIds = float64(0)
    columns.recordCounts = float64(1)
    columns.fileBytes = float64(2)
    columns.fileSequences = float64(3)
    columns.nameIndexes = uint32(0)
    columns.detailEnds = uint32(1)
    columns.details = bytes.subarray(rowsEnd)
    return columns.#fits() ? columns : undefined
  }
}
