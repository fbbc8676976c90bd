/**
 * The whole catalog: what the journal's commands add up to. It changes only by `applyBatch` (apply-batch.ts), so it is always
 * a durable prefix of the journal.
 */
import { createHash } from 'node:crypto'
import { sweepIntervalMs } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { ClientSessions } from './client-sessions.ts'
import { Garbage } from './garbage.ts'
import { GroupClaims } from './group-claims.ts'
import { GroupOffsets } from './group-offsets.ts'
import { NameGrants } from './name-grants.ts'
import { Nodes } from './nodes.ts'
import { ProducerStates } from './producer-states.ts'
import { SegmentObjects } from './segment-objects.ts'
import { Tables } from './tables.ts'
import { Topics } from './topics.ts'

const sectionId = 0
/** Version 2 added nodes and claims of groups. */
const sectionVersion = 2
const endMark = 0x464c4f45

export class CatalogState {
  readonly clusterId: Uint8Array
  /** Time of the last batch; never goes back. */
  nowMs: number
  #nextSweepMs = 0
  /** Batches appended to any partition so far. */
  appendPosition = 0
  /** Commits that added files to any table so far. */
  commitPosition = 0
  sessions = new ClientSessions()
  garbage = new Garbage()
  grants = new NameGrants()
  objects = new SegmentObjects()
  producers = new ProducerStates()
  topics = new Topics()
  groups = new GroupOffsets()
  nodes = new Nodes()
  groupClaims = new GroupClaims()
  tables = new Tables()

  constructor(clusterId: Uint8Array, nowMs: number) {
    this.clusterId = new Uint8Array(clusterId)
    this.nowMs = nowMs
  }

  /** The time of the next commands; what ran out by then goes. */
  advanceTime(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs)
    if (this.nowMs < this.#nextSweepMs) return
    this.#nextSweepMs = this.nowMs + sweepIntervalMs
    this.sessions.sweep(this.nowMs)
    this.grants.sweep(this.nowMs, this.garbage)
    for (const topic of this.topics.all()) {
      for (const partition of topic.partitions) {
        if (partition.producers.size > 0) this.producers.sweepPartition(partition, this.nowMs)
      }
    }
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.raw(this.clusterId)
    scalars.uvarint(this.nowMs)
    scalars.uvarint(this.#nextSweepMs)
    scalars.uvarint(this.appendPosition)
    this.sessions.encode(writer)
    this.garbage.encode(writer)
    this.grants.encode(writer)
    this.objects.encode(writer)
    this.producers.encode(writer)
    this.topics.encode(writer)
    this.groups.encode(writer)
    this.tables.encode(writer)
    scalars.uvarint(this.commitPosition)
    this.nodes.encode(writer)
    this.groupClaims.encode(writer)
    scalars.uvarint(endMark)
  }

  /** errors  corrupt: the bytes are not a state; unsupported: a newer Floe wrote them */
  static decode(reader: SnapshotReader): CatalogState {
    const version = reader.section(sectionId, sectionVersion, 1)
    const state = new CatalogState(reader.bytes(16), reader.uvarint())
    state.#nextSweepMs = reader.uvarint()
    state.appendPosition = reader.uvarint()
    state.sessions = ClientSessions.decode(reader)
    state.garbage = Garbage.decode(reader)
    state.grants = NameGrants.decode(reader)
    state.objects = SegmentObjects.decode(reader)
    state.producers = ProducerStates.decode(reader)
    state.topics = Topics.decode(reader)
    state.groups = GroupOffsets.decode(reader)
    state.tables = Tables.decode(reader)
    if (version >= 2) {
      state.commitPosition = reader.uvarint()
      state.nodes = Nodes.decode(reader)
      state.groupClaims = GroupClaims.decode(reader)
    }
    if (reader.uvarint() !== endMark || reader.remaining !== 0) throw reader.corrupt('it does not end where it should')
    return state
  }

  /** SHA-256 of the encoded state: equal states have equal hashes. */
  hash(): string {
    const hash = createHash('sha256')
    const writer = SnapshotWriter.forComparison(piece => {
      hash.update(piece)
    })
    this.encode(writer)
    writer.finish()
    return hash.digest('hex')
  }
}
