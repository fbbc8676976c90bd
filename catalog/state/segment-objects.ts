/**
 * Segment objects that hold live runs: a row per object, reused after the object became garbage. A run refers to its row.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint32, nextCapacity } from './columns.ts'
import { type Garbage, garbageKinds } from './garbage.ts'

const sectionId = 4
const sectionVersion = 1

export class SegmentObjects {
  #length = 0
  /** Free rows, the last one is used first. */
  #free: number[] = []
  #grantIds = new Float64Array(0)
  #nameIndexes = new Uint32Array(0)
  #bytes = new Uint32Array(0)
  #liveRuns = new Uint32Array(0)
  #liveBytes = new Uint32Array(0)

  get count(): number {
    return this.#length - this.#free.length
  }

  /** Returns the row, without runs. */
  add(grantId: number, nameIndex: number, bytes: number): number {
    const row = this.#free.pop() ?? this.#length++
    if (row >= this.#grantIds.length) {
      const capacity = nextCapacity(this.#grantIds.length, this.#length)
      this.#grantIds = growFloat64(this.#grantIds, capacity)
      this.#nameIndexes = growUint32(this.#nameIndexes, capacity)
      this.#bytes = growUint32(this.#bytes, capacity)
      this.#liveRuns = growUint32(this.#liveRuns, capacity)
      this.#liveBytes = growUint32(this.#liveBytes, capacity)
    }
    this.#grantIds[row] = grantId
    this.#nameIndexes[row] = nameIndex
    this.#bytes[row] = bytes
    this.#liveRuns[row] = 0
    this.#liveBytes[row] = 0
    return row
  }

  grantId(row: number): number {
    return this.#grantIds[row]!
  }
  nameIndex(row: number): number {
    return this.#nameIndexes[row]!
  }
  bytes(row: number): number {
    return this.#bytes[row]!
  }
  liveBytes(row: number): number {
    return this.#liveBytes[row]!
  }

  /** `runs` is 0 when bytes join a run that is there. */
  retain(row: number, runs: number, bytes: number): void {
    this.#liveRuns[row]! += runs
    this.#liveBytes[row]! += bytes
  }

  /** One run less; the last one makes the object garbage. */
  release(row: number, bytes: number, nowMs: number, garbage: Garbage): void {
    this.#liveRuns[row]! -= 1
    this.#liveBytes[row]! -= bytes
    if (this.#liveRuns[row] === 0) this.discard(row, nowMs, garbage)
  }

  /** For an object without runs. */
  discard(row: number, nowMs: number, garbage: Garbage): void {
    garbage.add(garbageKinds.segment, this.#grantIds[row]!, this.#nameIndexes[row]!, 0, nowMs)
    this.#grantIds[row] = 0
    this.#nameIndexes[row] = 0
    this.#bytes[row] = 0
    this.#liveBytes[row] = 0
    this.#free.push(row)
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#length)
    scalars.uvarint(this.#free.length)
    for (const row of this.#free) scalars.uvarint(row)
    writer.mutableFloat64Column(this.#grantIds, 0, this.#length)
    writer.mutableUint32Column(this.#nameIndexes, 0, this.#length)
    writer.mutableUint32Column(this.#bytes, 0, this.#length)
    writer.mutableUint32Column(this.#liveRuns, 0, this.#length)
    writer.mutableUint32Column(this.#liveBytes, 0, this.#length)
  }

  static decode(reader: SnapshotReader): SegmentObjects {
    reader.section(sectionId, sectionVersion)
    const objects = new SegmentObjects()
    const length = reader.uvarint()
    const freeCount = reader.count(1)
    objects.#length = length
    for (let index = 0; index < freeCount; index++) {
      const row = reader.uvarint()
      if (row >= length) throw reader.corrupt('a free object row lies outside the table')
      objects.#free.push(row)
    }
    objects.#grantIds = reader.float64Column(length)
    objects.#nameIndexes = reader.uint32Column(length)
    objects.#bytes = reader.uint32Column(length)
    objects.#liveRuns = reader.uint32Column(length)
    objects.#liveBytes = reader.uint32Column(length)
    return objects
  }
}
