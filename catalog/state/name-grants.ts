/**
 * Every data object has an owner before it exists: names come from granted ranges (grant id, 0..count) with a deadline. A name
 * is committed at most once, and only before the deadline. After the deadline and a grace period (a slow put may still arrive)
 * the names that were not committed become garbage.
 */
import { FloeError } from '../../core/errors.ts'
import { grantGraceMs, grantsMax } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { type Garbage, garbageKinds } from './garbage.ts'

const sectionId = 3
const sectionVersion = 1

/** Persisted. */
export const grantPurposes = { segment: 0, 'data-file': 1 } as const

interface Grant {
  readonly purpose: number
  readonly count: number
  readonly deadlineMs: number
  /** 0: any table. */
  readonly tableId: number
  readonly used: Uint8Array
  usedCount: number
}

export class NameGrants {
  #nextId = 1
  readonly #grants = new Map<number, Grant>()
  /** No grant falls due earlier. */
  #nextDueMs = Number.POSITIVE_INFINITY

  /** Of the grant that comes next. */
  get nextId(): number {
    return this.#nextId
  }

  get count(): number {
    return this.#grants.size
  }

  grant(purpose: number, count: number, tableId: number, deadlineMs: number): number {
    if (this.#grants.size >= grantsMax) {
      throw new FloeError('exhausted', 'too-many-grants', `${grantsMax} name grants are open: wait until some run out`)
    }
    const grantId = this.#nextId++
    const used = new Uint8Array((count + 7) >>> 3)
    this.#grants.set(grantId, { purpose, count, deadlineMs, tableId, used, usedCount: 0 })
    this.#nextDueMs = Math.min(this.#nextDueMs, deadlineMs + grantGraceMs)
    return grantId
  }

  /** Uses up the name; false when there is no such name to use. Undone by `unuse` as long as no other call came between. */
  use(purpose: number, grantId: number, nameIndex: number, nowMs: number): boolean {
    const grant = this.#grants.get(grantId)
    if (grant === undefined || grant.purpose !== purpose || nameIndex >= grant.count || grant.deadlineMs <= nowMs) {
      return false
    }
    const at = nameIndex >>> 3
    const bit = 1 << (nameIndex & 7)
    if ((grant.used[at]! & bit) !== 0) return false
    grant.used[at]! |= bit
    grant.usedCount++
    return true
  }

  unuse(grantId: number, nameIndex: number): void {
    const grant = this.#grants.get(grantId)!
    grant.used[nameIndex >>> 3]! &= ~(1 << (nameIndex & 7))
    grant.usedCount--
  }

  sweep(nowMs: number, garbage: Garbage): void {
    if (nowMs < this.#nextDueMs) return
    this.#nextDueMs = Number.POSITIVE_INFINITY
    for (const [grantId, grant] of this.#grants) {
      const dueMs = grant.deadlineMs + grantGraceMs
      if (dueMs > nowMs) {
        this.#nextDueMs = Math.min(this.#nextDueMs, dueMs)
        continue
      }
      const kind = grant.purpose === grantPurposes.segment ? garbageKinds.segment : garbageKinds.dataFileName
      for (let index = 0; index < grant.count && grant.usedCount < grant.count; index++) {
        if ((grant.used[index >>> 3]! & (1 << (index & 7))) !== 0) continue
        garbage.add(kind, grantId, index, grant.tableId, nowMs)
      }
      this.#grants.delete(grantId)
    }
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#nextId)
    scalars.uvarint(this.#grants.size)
    for (const [grantId, grant] of this.#grants) {
      scalars.uvarint(grantId)
      scalars.uint8(grant.purpose)
      scalars.uvarint(grant.count)
      scalars.uvarint(grant.deadlineMs)
      scalars.uvarint(grant.tableId)
      scalars.raw(grant.used)
    }
  }

  static decode(reader: SnapshotReader): NameGrants {
    reader.section(sectionId, sectionVersion)
    const grants = new NameGrants()
    grants.#nextId = reader.uvarint()
    const grantCount = reader.count(5)
    for (let row = 0; row < grantCount; row++) {
      const grantId = reader.uvarint()
      const purpose = reader.uint8()
      const count = reader.uvarint()
      const deadlineMs = reader.uvarint()
      const tableId = reader.uvarint()
      const used = reader.bytes(Math.ceil(count / 8))
      let usedCount = 0
      for (const byte of used) for (let bits = byte; bits !== 0; bits &= bits - 1) usedCount++
      grants.#grants.set(grantId, { purpose, count, deadlineMs, tableId, used, usedCount })
      grants.#nextDueMs = Math.min(grants.#nextDueMs, deadlineMs + grantGraceMs)
    }
    return grants
  }
}
