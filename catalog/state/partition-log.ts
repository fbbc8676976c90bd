/**
 * One partition's log as the catalog sees it: which offsets lie in which bytes of which segment object.
 *
 * A run is a stretch of whole record batches that lie back to back in one object with contiguous offsets. Runs ascend and
 * touch: a run ends where the next begins, the last one at the high watermark. Runs leave at the front only.
 *
 *   logStartOffset <= first run's end; every offset in [logStartOffset, highWatermark) lies in exactly one run
 *
 * Columns are append-only (a run is extended only by the command that added it); dropping runs moves `#head`, and now and then
 * copies the rest into new arrays. A catalog snapshot may therefore keep references to the arrays.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { findFirstGreater, growFloat64, growUint32, nextCapacity } from './columns.ts'
import type { Garbage } from './garbage.ts'
import type { SegmentObjects } from './segment-objects.ts'

export class PartitionLog {
  logStartOffset = 0
  highWatermark = 0
  /** Producer id -> row in ProducerStates. */
  readonly producers = new Map<number, number>()
  #head = 0
  #length = 0
  #baseOffsets: Float64Array = emptyFloat64
  #maxTimestamps: Float64Array = emptyFloat64
  #objects: Uint32Array = emptyUint32
  #byteOffsets: Uint32Array = emptyUint32
  #byteLengths: Uint32Array = emptyUint32

  get runCount(): number {
    return this.#length - this.#head
  }
  /** Rows are [firstRow, endRow). */
  get firstRow(): number {
    return this.#head
  }
  get endRow(): number {
    return this.#length
  }
  baseOffset(row: number): number {
    return this.#baseOffsets[row]!
  }
  endOffset(row: number): number {
    return row + 1 < this.#length ? this.#baseOffsets[row + 1]! : this.highWatermark
  }
  maxTimestampMs(row: number): number {
    return this.#maxTimestamps[row]!
  }
  object(row: number): number {
    return this.#objects[row]!
  }
  byteOffset(row: number): number {
    return this.#byteOffsets[row]!
  }
  byteLength(row: number): number {
    return this.#byteLengths[row]!
  }

  /** Appends a batch of the segment `object`; returns its base offset. */
  append(
    objects: SegmentObjects,
    object: number,
    byteOffset: number,
    byteLength: number,
    offsetCount: number,
    maxTimestampMs: number,
  ): number {
    const baseOffset = this.highWatermark
    const last = this.#length - 1
    const extends_ =
      last >= this.#head &&
      this.#objects[last] === object &&
      this.#byteOffsets[last]! + this.#byteLengths[last]! === byteOffset
    if (extends_) {
      this.#byteLengths[last]! += byteLength
      if (maxTimestampMs > this.#maxTimestamps[last]!) this.#maxTimestamps[last] = maxTimestampMs
    } else {
      if (this.#length === this.#baseOffsets.length) this.#grow()
      const row = this.#length++
      this.#baseOffsets[row] = baseOffset
      this.#maxTimestamps[row] = maxTimestampMs
      this.#objects[row] = object
      this.#byteOffsets[row] = byteOffset
      this.#byteLengths[row] = byteLength
    }
    objects.retain(object, extends_ ? 0 : 1, byteLength)
    this.highWatermark = baseOffset + offsetCount
    return baseOffset
  }

  #grow(): void {
    const capacity = nextCapacity(this.#baseOffsets.length, this.#length + 1)
    this.#baseOffsets = growFloat64(this.#baseOffsets, capacity)
    this.#maxTimestamps = growFloat64(this.#maxTimestamps, capacity)
    this.#objects = growUint32(this.#objects, capacity)
    this.#byteOffsets = growUint32(this.#byteOffsets, capacity)
    this.#byteLengths = growUint32(this.#byteLengths, capacity)
  }

  /** Moves the start up to `offset`, which is at most the high watermark, and lets go of the runs below it. */
  advanceStart(offset: number, objects: SegmentObjects, nowMs: number, garbage: Garbage): void {
    if (offset <= this.logStartOffset) return
    this.logStartOffset = offset
    while (this.#head < this.#length && this.endOffset(this.#head) <= offset) this.#dropFirst(objects, nowMs, garbage)
    this.#compact()
  }

  dropAll(objects: SegmentObjects, nowMs: number, garbage: Garbage): void {
    while (this.#head < this.#length) this.#dropFirst(objects, nowMs, garbage)
  }

  #dropFirst(objects: SegmentObjects, nowMs: number, garbage: Garbage): void {
    objects.release(this.#objects[this.#head]!, this.#byteLengths[this.#head]!, nowMs, garbage)
    this.#head++
  }

  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#length) return
    this.#baseOffsets = this.#baseOffsets.slice(this.#head, this.#length)
    this.#maxTimestamps = this.#maxTimestamps.slice(this.#head, this.#length)
    this.#objects = this.#objects.slice(this.#head, this.#length)
    this.#byteOffsets = this.#byteOffsets.slice(this.#head, this.#length)
    this.#byteLengths = this.#byteLengths.slice(this.#head, this.#length)
    this.#length -= this.#head
    this.#head = 0
  }

  /** The row that holds `offset`; endRow when the offset is at or beyond the high watermark. */
  findRow(offset: number): number {
    if (offset >= this.highWatermark) return this.#length
    return Math.max(this.#head, findFirstGreater(this.#baseOffsets, this.#head, this.#length, offset) - 1)
  }

  findRowByTimestamp(timestampMs: number): number {
    let row = this.#head
    while (row < this.#length && this.#maxTimestamps[row]! < timestampMs) row++
    return row
  }

  /** The first of those with the largest timestamp; endRow when there is none. */
  findRowOfMaxTimestamp(): number {
    let best = this.#head
    for (let row = this.#head + 1; row < this.#length; row++) {
      if (this.#maxTimestamps[row]! > this.#maxTimestamps[best]!) best = row
    }
    return best
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(this.logStartOffset)
    scalars.uvarint(this.highWatermark)
    scalars.uvarint(this.producers.size)
    for (const [producerId, row] of this.producers) {
      scalars.uvarint(producerId)
      scalars.uvarint(row)
    }
    scalars.uvarint(this.runCount)
    if (this.runCount === 0) return
    writer.float64Column(this.#baseOffsets, this.#head, this.#length)
    writer.float64Column(this.#maxTimestamps, this.#head, this.#length)
    writer.uint32Column(this.#objects, this.#head, this.#length)
    writer.uint32Column(this.#byteOffsets, this.#head, this.#length)
    writer.uint32Column(this.#byteLengths, this.#head, this.#length)
  }

  static decode(reader: SnapshotReader): PartitionLog {
    const log = new PartitionLog()
    log.logStartOffset = reader.uvarint()
    log.highWatermark = reader.uvarint()
    const producerCount = reader.count(2)
    for (let index = 0; index < producerCount; index++) log.producers.set(reader.uvarint(), reader.uvarint())
    const length = reader.count(28)
    if (length === 0) return log
    log.#length = length
    log.#baseOffsets = reader.float64Column(length)
    log.#maxTimestamps = reader.float64Column(length)
    log.#objects = reader.uint32Column(length)
    log.#byteOffsets = reader.uint32Column(length)
    log.#byteLengths = reader.uint32Column(length)
    return log
  }
}

const emptyFloat64 = new Float64Array(0)
const emptyUint32 = new Uint32Array(0)
