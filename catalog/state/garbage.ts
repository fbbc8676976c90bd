/**
 * Objects that nothing refers to any more, waiting to be deleted: known from the state alone, never from a listing.
 *
 * A row enters when the last live byte of a segment object goes, or when a granted name was never committed and its grant ran
 * out. It leaves only when somebody says that the object is gone (`forgetGarbage`). Row ids ascend.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { findFirstGreater, growFloat64, growUint8, growUint32, nextCapacity } from './columns.ts'

const sectionId = 2
const sectionVersion = 1

/** Persisted. */
export const garbageKinds = { segment: 0, dataFileName: 1 } as const

export interface GarbageRow {
  readonly garbageId: number
  readonly kind: number
  readonly grantId: number
  readonly nameIndex: number
  /** 0: unknown. */
  readonly tableId: number
  readonly sinceMs: number
}

export class Garbage {
  #nextId = 1
  #length = 0
  #deadCount = 0
  #ids = new Float64Array(0)
  #kinds = new Uint8Array(0)
  #dead = new Uint8Array(0)
  #grantIds = new Float64Array(0)
  #nameIndexes = new Uint32Array(0)
  #tableIds = new Uint32Array(0)
  #sinceMs = new Float64Array(0)

  get count(): number {
    return this.#length - this.#deadCount
  }

  add(kind: number, grantId: number, nameIndex: number, tableId: number, sinceMs: number): void {
    if (this.#length === this.#ids.length) this.#resize(nextCapacity(this.#length, this.#length + 1))
    const row = this.#length++
    this.#ids[row] = this.#nextId++
    this.#kinds[row] = kind
    this.#dead[row] = 0
    this.#grantIds[row] = grantId
    this.#nameIndexes[row] = nameIndex
    this.#tableIds[row] = tableId
    this.#sinceMs[row] = sinceMs
  }

  #resize(capacity: number): void {
    this.#ids = growFloat64(this.#ids, capacity)
    this.#kinds = growUint8(this.#kinds, capacity)
    this.#dead = growUint8(this.#dead, capacity)
    this.#grantIds = growFloat64(this.#grantIds, capacity)
    this.#nameIndexes = growUint32(this.#nameIndexes, capacity)
    this.#tableIds = growUint32(this.#tableIds, capacity)
    this.#sinceMs = growFloat64(this.#sinceMs, capacity)
  }

  /** Forgetting what is not there is fine; returns whether it was. */
  forget(garbageId: number): boolean {
    const row = findFirstGreater(this.#ids, 0, this.#length, garbageId) - 1
    if (row < 0 || this.#ids[row] !== garbageId || this.#dead[row] === 1) return false
    this.#dead[row] = 1
    this.#deadCount++
    if (this.#deadCount > 1024 && this.#deadCount * 2 > this.#length) this.#compact()
    return true
  }

  #compact(): void {
    let to = 0
    for (let row = 0; row < this.#length; row++) {
      if (this.#dead[row] === 1) continue
      this.#ids[to] = this.#ids[row]!
      this.#kinds[to] = this.#kinds[row]!
      this.#dead[to] = 0
      this.#grantIds[to] = this.#grantIds[row]!
      this.#nameIndexes[to] = this.#nameIndexes[row]!
      this.#tableIds[to] = this.#tableIds[row]!
      this.#sinceMs[to] = this.#sinceMs[row]!
      to++
    }
    this.#length = to
    this.#deadCount = 0
    this.#resize(Math.max(to, 1024))
  }

  /** Oldest first, those that became garbage before `beforeMs`, with ids above `afterId`. */
  list(beforeMs: number, afterId: number, limit: number): GarbageRow[] {
    const rows: GarbageRow[] = []
    const from = findFirstGreater(this.#ids, 0, this.#length, afterId)
    for (let row = from; row < this.#length && rows.length < limit; row++) {
      if (this.#sinceMs[row]! >= beforeMs) break
      if (this.#dead[row] === 1) continue
      rows.push({
        garbageId: this.#ids[row]!,
        kind: this.#kinds[row]!,
        grantId: this.#grantIds[row]!,
        nameIndex: this.#nameIndexes[row]!,
        tableId: this.#tableIds[row]!,
        sinceMs: this.#sinceMs[row]!,
      })
    }
    return rows
  }

  /** The rows are rewritten in place by compaction and therefore copied. */
  encode(writer: SnapshotWriter): void {
    if (this.#deadCount > 0) this.#compact()
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#nextId)
    scalars.uvarint(this.#length)
    writer.mutableFloat64Column(this.#ids, 0, this.#length)
    writer.mutableBytesColumn(this.#kinds.subarray(0, this.#length))
    writer.mutableFloat64Column(this.#grantIds, 0, this.#length)
    writer.mutableUint32Column(this.#nameIndexes, 0, this.#length)
    writer.mutableUint32Column(this.#tableIds, 0, this.#length)
    writer.mutableFloat64Column(this.#sinceMs, 0, this.#length)
  }

  static decode(reader: SnapshotReader): Garbage {
    reader.section(sectionId, sectionVersion)
    const garbage = new Garbage()
    garbage.#nextId = reader.uvarint()
    const length = reader.count(33)
    garbage.#length = length
    garbage.#ids = reader.float64Column(length)
    garbage.#kinds = reader.bytesColumn()
    garbage.#dead = new Uint8Array(length)
    garbage.#grantIds = reader.float64Column(length)
    garbage.#nameIndexes = reader.uint32Column(length)
    garbage.#tableIds = reader.uint32Column(length)
    garbage.#sinceMs = reader.float64Column(length)
    if (garbage.#kinds.length !== length) throw reader.corrupt('garbage columns differ in length')
    return garbage
  }
}
