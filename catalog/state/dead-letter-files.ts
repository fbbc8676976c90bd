/** Dead letter files of one table in columns, in commit order; append-only. */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint32, nextCapacity } from './columns.ts'

export class DeadLetterFiles {
  length = 0
  grantIds: Float64Array = new Float64Array(0)
  nameIndexes: Uint32Array = new Uint32Array(0)
  recordCounts: Float64Array = new Float64Array(0)
  fileBytes: Float64Array = new Float64Array(0)
  committedMs: Float64Array = new Float64Array(0)

  add(grantId: number, nameIndex: number, recordCount: number, fileBytes: number, committedMs: number): void {
    const row = this.length
    if (row === this.grantIds.length) {
      const capacity = nextCapacity(row, row + 1)
      this.grantIds = growFloat64(this.grantIds, capacity)
      this.nameIndexes = growUint32(this.nameIndexes, capacity)
      this.recordCounts = growFloat64(this.recordCounts, capacity)
      this.fileBytes = growFloat64(this.fileBytes, capacity)
      this.committedMs = growFloat64(this.committedMs, capacity)
    }
    this.grantIds[row] = grantId
    this.nameIndexes[row] = nameIndex
    this.recordCounts[row] = recordCount
    this.fileBytes[row] = fileBytes
    this.committedMs[row] = committedMs
    this.length = row + 1
  }

  encode(writer: SnapshotWriter): void {
    const { length } = this
    writer.scalars.uvarint(length)
    writer.float64Column(this.grantIds, 0, length)
    writer.uint32Column(this.nameIndexes, 0, length)
    writer.float64Column(this.recordCounts, 0, length)
    writer.float64Column(this.fileBytes, 0, length)
    writer.float64Column(this.committedMs, 0, length)
  }

  static decode(reader: SnapshotReader): DeadLetterFiles {
    const files = new DeadLetterFiles()
    const length = reader.count(36)
    files.length = length
    files.grantIds = reader.float64Column(length)
    files.nameIndexes = reader.uint32Column(length)
    files.recordCounts = reader.float64Column(length)
    files.fileBytes = reader.float64Column(length)
    files.committedMs = reader.float64Column(length)
    return files
  }
}
