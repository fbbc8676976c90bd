/**
 * Generations of source partitions that are over, of one table, in the order in which they ended: what the account of the
 * partition was when its topic turned out to be another one, or truncated. docs/design/0002-source-generations.md
 *
 * Rows of a generation lie in files up to its `fileSequences`, and after that of the generation before; dead letters likewise
 * by the number of their file.
 *
 * Append-only: catalog snapshots refer to these columns without copying.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint8, growUint32, nextCapacity } from './columns.ts'
import { accountFlags, type SourceAccounts } from './source-accounts.ts'

const topicIdBytes = 16
/** Of a row in a snapshot: a partition, a flag, a topic id and eleven numbers. */
const rowBytes = 4 + 1 + topicIdBytes + 11 * 8

export class ClosedGenerations {
  length = 0
  partitions: Uint32Array = new Uint32Array(0)
  hasTopicId: Uint8Array = new Uint8Array(0)
  /** 16 bytes per row. */
  topicIds: Uint8Array = new Uint8Array(0)
  starts: Float64Array = new Float64Array(0)
  ends: Float64Array = new Float64Array(0)
  written: Float64Array = new Float64Array(0)
  filtered: Float64Array = new Float64Array(0)
  rejected: Float64Array = new Float64Array(0)
  control: Float64Array = new Float64Array(0)
  gaps: Float64Array = new Float64Array(0)
  maxTimestampsMs: Float64Array = new Float64Array(0)
  /** The table's when the generation ended. */
  fileSequences: Float64Array = new Float64Array(0)
  /** Dead letter files that the table had when the generation ended. */
  deadLetterFileCounts: Float64Array = new Float64Array(0)
  closedMs: Float64Array = new Float64Array(0)
  /** By partition, where it is not 0; follows from the rows. */
  readonly #counts = new Map<number, number>()

  /** Generations of the partition that are over. */
  countOf(partition: number): number {
    return this.#counts.get(partition) ?? 0
  }

  /** Takes over the account of a partition as it stands. */
  add(
    accounts: SourceAccounts,
    partition: number,
    fileSequence: number,
    deadLetterFileCount: number,
    closedMs: number,
  ): void {
    const row = this.length
    if (row === this.partitions.length) this.#grow()
    this.partitions[row] = partition
    this.hasTopicId[row] = (accounts.flags[partition]! & accountFlags.hasTopicId) === 0 ? 0 : 1
    const topicIdAt = partition * topicIdBytes
    this.topicIds.set(accounts.topicIds.subarray(topicIdAt, topicIdAt + topicIdBytes), row * topicIdBytes)
    this.starts[row] = accounts.starts[partition]!
    this.ends[row] = accounts.ends[partition]!
    this.written[row] = accounts.written[partition]!
    this.filtered[row] = accounts.filtered[partition]!
    this.rejected[row] = accounts.rejected[partition]!
    this.control[row] = accounts.control[partition]!
    this.gaps[row] = accounts.gaps[partition]!
    this.maxTimestampsMs[row] = accounts.maxTimestampsMs[partition]!
    this.fileSequences[row] = fileSequence
    this.deadLetterFileCounts[row] = deadLetterFileCount
    this.closedMs[row] = closedMs
    this.length = row + 1
    this.#counts.set(partition, this.countOf(partition) + 1)
  }

  #grow(): void {
    const capacity = nextCapacity(this.length, this.length + 1)
    this.partitions = growUint32(this.partitions, capacity)
    this.hasTopicId = growUint8(this.hasTopicId, capacity)
    this.topicIds = growUint8(this.topicIds, capacity * topicIdBytes)
    this.starts = growFloat64(this.starts, capacity)
    this.ends = growFloat64(this.ends, capacity)
    this.written = growFloat64(this.written, capacity)
    this.filtered = growFloat64(this.filtered, capacity)
    this.rejected = growFloat64(this.rejected, capacity)
    this.control = growFloat64(this.control, capacity)
    this.gaps = growFloat64(this.gaps, capacity)
    this.maxTimestampsMs = growFloat64(this.maxTimestampsMs, capacity)
    this.fileSequences = growFloat64(this.fileSequences, capacity)
    this.deadLetterFileCounts = growFloat64(this.deadLetterFileCounts, capacity)
    this.closedMs = growFloat64(this.closedMs, capacity)
  }

  encode(writer: SnapshotWriter): void {
    const { length } = this
    writer.scalars.uvarint(length)
    writer.uint32Column(this.partitions, 0, length)
    writer.bytesColumn(this.hasTopicId.subarray(0, length))
    writer.bytesColumn(this.topicIds.subarray(0, length * topicIdBytes))
    writer.float64Column(this.starts, 0, length)
    writer.float64Column(this.ends, 0, length)
    writer.float64Column(this.written, 0, length)
    writer.float64Column(this.filtered, 0, length)
    writer.float64Column(this.rejected, 0, length)
    writer.float64Column(this.control, 0, length)
    writer.float64Column(this.gaps, 0, length)
    writer.float64Column(this.maxTimestampsMs, 0, length)
    writer.float64Column(this.fileSequences, 0, length)
    writer.float64Column(this.deadLetterFileCounts, 0, length)
    writer.float64Column(this.closedMs, 0, length)
  }

  static decode(reader: SnapshotReader): ClosedGenerations {
    const closed = new ClosedGenerations()
    const length = reader.count(rowBytes)
    closed.length = length
    closed.partitions = reader.uint32Column(length)
    closed.hasTopicId = reader.bytesColumn()
    closed.topicIds = reader.bytesColumn()
    closed.starts = reader.float64Column(length)
    closed.ends = reader.float64Column(length)
    closed.written = reader.float64Column(length)
    closed.filtered = reader.float64Column(length)
    closed.rejected = reader.float64Column(length)
    closed.control = reader.float64Column(length)
    closed.gaps = reader.float64Column(length)
    closed.maxTimestampsMs = reader.float64Column(length)
    closed.fileSequences = reader.float64Column(length)
    closed.deadLetterFileCounts = reader.float64Column(length)
    closed.closedMs = reader.float64Column(length)
    if (closed.hasTopicId.length !== length || closed.topicIds.length !== length * topicIdBytes) {
      throw reader.corrupt('columns of closed generations differ in length')
    }
    for (const partition of closed.partitions) closed.#counts.set(partition, closed.countOf(partition) + 1)
    return closed
  }
}
