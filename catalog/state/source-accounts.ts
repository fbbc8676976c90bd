/**
 * The offset accounts of one table: a row per source partition, indexed by partition number.
 *
 *   written + filtered + rejected + control + gap = end - start
 *
 * `claimed`: the partition has an owner epoch. `begun`: a first commit, or a new generation (closed-generations.ts), fixed where
 * the account starts.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint8, growUint32, nextCapacity } from './columns.ts'

/** Bits of `flags`. */
export const accountFlags = { begun: 1, hasTopicId: 2 } as const

export class SourceAccounts {
  /** Partitions [0, length). */
  length = 0
  flags: Uint8Array = new Uint8Array(0)
  /** 0: never claimed. */
  ownerEpochs: Float64Array = new Float64Array(0)
  starts: Float64Array = new Float64Array(0)
  ends: Float64Array = new Float64Array(0)
  written: Float64Array = new Float64Array(0)
  filtered: Float64Array = new Float64Array(0)
  rejected: Float64Array = new Float64Array(0)
  control: Float64Array = new Float64Array(0)
  gaps: Float64Array = new Float64Array(0)
  maxTimestampsMs: Float64Array = new Float64Array(0)
  /** 16 bytes per partition. */
  topicIds: Uint8Array = new Uint8Array(0)
  /** Number of the command that last named the partition; not persisted. Finds a partition named twice. */
  visits: Uint32Array = new Uint32Array(0)
  #visit = 0

  reserve(length: number): void {
    if (length <= this.length) return
    if (length > this.flags.length) this.#grow(nextCapacity(this.flags.length, length))
    this.length = length
  }

  #grow(capacity: number): void {
    this.flags = growUint8(this.flags, capacity)
    this.ownerEpochs = growFloat64(this.ownerEpochs, capacity)
    this.starts = growFloat64(this.starts, capacity)
    this.ends = growFloat64(this.ends, capacity)
    this.written = growFloat64(this.written, capacity)
    this.filtered = growFloat64(this.filtered, capacity)
    this.rejected = growFloat64(this.rejected, capacity)
    this.control = growFloat64(this.control, capacity)
    this.gaps = growFloat64(this.gaps, capacity)
    this.maxTimestampsMs = growFloat64(this.maxTimestampsMs, capacity)
    this.topicIds = growUint8(this.topicIds, capacity * 16)
    this.visits = growUint32(this.visits, capacity)
  }

  /** A fresh account for a partition, whatever stood there; its owner stays. */
  begin(partition: number, start: number, topicId: Uint8Array | undefined): void {
    this.flags[partition] = accountFlags.begun
    this.starts[partition] = start
    this.ends[partition] = start
    this.written[partition] = 0
    this.filtered[partition] = 0
    this.rejected[partition] = 0
    this.control[partition] = 0
    this.gaps[partition] = 0
    this.maxTimestampsMs[partition] = -1
    this.topicIds.fill(0, partition * 16, partition * 16 + 16)
    if (topicId === undefined) return
    this.topicIds.set(topicId, partition * 16)
    this.flags[partition]! |= accountFlags.hasTopicId
  }

  startVisit(): number {
    if (this.#visit === 0xffff_ffff) {
      this.visits.fill(0)
      this.#visit = 0
    }
    return ++this.#visit
  }

  encode(writer: SnapshotWriter): void {
    const { length } = this
    writer.scalars.uvarint(length)
    writer.mutableBytesColumn(this.flags.subarray(0, length))
    for (const column of this.#float64Columns()) writer.mutableFloat64Column(column, 0, length)
    writer.mutableBytesColumn(this.topicIds.subarray(0, length * 16))
  }

  #float64Columns(): readonly Float64Array[] {
    return [
      this.ownerEpochs,
      this.starts,
      this.ends,
      this.written,
      this.filtered,
      this.rejected,
      this.control,
      this.gaps,
      this.maxTimestampsMs,
    ]
  }

  static decode(reader: SnapshotReader): SourceAccounts {
    const accounts = new SourceAccounts()
    const length = reader.count(89)
    accounts.length = length
    accounts.flags = reader.bytesColumn()
    accounts.ownerEpochs = reader.float64Column(length)
    accounts.starts = reader.float64Column(length)
    accounts.ends = reader.float64Column(length)
    accounts.written = reader.float64Column(length)
    accounts.filtered = reader.float64Column(length)
    accounts.rejected = reader.float64Column(length)
    accounts.control = reader.float64Column(length)
    accounts.gaps = reader.float64Column(length)
    accounts.maxTimestampsMs = reader.float64Column(length)
    accounts.topicIds = reader.bytesColumn()
    accounts.visits = new Uint32Array(length)
    if (accounts.flags.length !== length || accounts.topicIds.length !== length * 16) {
      throw reader.corrupt('account columns differ in length')
    }
    return accounts
  }
}
