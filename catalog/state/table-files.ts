/**
 * Data files of one table in columns, in commit order, so by ascending file sequence. What only a renderer or a query planner
 * reads (partition tuple, split offsets, column statistics) is one opaque piece in the arena (data-file-codec.ts). The path is
 * not kept: it follows from (grant id, name index).
 *
 * Append-only: catalog snapshots refer to these columns without copying.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint32, nextCapacity } from './columns.ts'

export class TableFiles {
  length = 0
  grantIds: Float64Array = new Float64Array(0)
  nameIndexes: Uint32Array = new Uint32Array(0)
  recordCounts: Float64Array = new Float64Array(0)
  fileBytes: Float64Array = new Float64Array(0)
  fileSequences: Float64Array = new Float64Array(0)
  /** Address and length in the arena. */
  details: Float64Array = new Float64Array(0)
  detailBytes: Uint32Array = new Uint32Array(0)

  add(
    grantId: number,
    nameIndex: number,
    recordCount: number,
    fileBytes: number,
    fileSequence: number,
    details: number,
    detailBytes: number,
  ): void {
    const row = this.length
    if (row === this.grantIds.length) this.#grow()
    this.grantIds[row] = grantId
    this.nameIndexes[row] = nameIndex
    this.recordCounts[row] = recordCount
    this.fileBytes[row] = fileBytes
    this.fileSequences[row] = fileSequence
    this.details[row] = details
    this.detailBytes[row] = detailBytes
    this.length = row + 1
  }

  #grow(): void {
    const capacity = nextCapacity(this.length, this.length + 1)
    this.grantIds = growFloat64(this.grantIds, capacity)
    this.nameIndexes = growUint32(this.nameIndexes, capacity)
    this.recordCounts = growFloat64(this.recordCounts, capacity)
    this.fileBytes = growFloat64(this.fileBytes, capacity)
    this.fileSequences = growFloat64(this.fileSequences, capacity)
    this.details = growFloat64(this.details, capacity)
    this.detailBytes = growUint32(this.detailBytes, capacity)
  }

  encode(writer: SnapshotWriter): void {
    const { length } = this
    writer.scalars.uvarint(length)
    writer.float64Column(this.grantIds, 0, length)
    writer.uint32Column(this.nameIndexes, 0, length)
    writer.float64Column(this.recordCounts, 0, length)
    writer.float64Column(this.fileBytes, 0, length)
    writer.float64Column(this.fileSequences, 0, length)
    writer.float64Column(this.details, 0, length)
    writer.uint32Column(this.detailBytes, 0, length)
  }

  static decode(reader: SnapshotReader): TableFiles {
    const files = new TableFiles()
    const length = reader.count(48)
    files.length = length
    files.grantIds = reader.float64Column(length)
    files.nameIndexes = reader.uint32Column(length)
    files.recordCounts = reader.float64Column(length)
    files.fileBytes = reader.float64Column(length)
    files.fileSequences = reader.float64Column(length)
    files.details = reader.float64Column(length)
    files.detailBytes = reader.uint32Column(length)
    return files
  }
}
