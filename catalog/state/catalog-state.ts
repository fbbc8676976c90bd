/**
 * The whole catalog: what the journal's commands add up to. It changes only by `applyBatch` (apply-batch.ts), so it is always
 * a durable prefix of the journal.
 */
import { createHash } from 'node:crypto'
import { checkFormatLevel, firstFormatLevel, formatLevelMax } from '../format-level.ts'
import { formatLevelsMax, sweepIntervalMs } from '../limits.ts'
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
/** Nodes and claims of groups came with version 2, the format level with 3, which is written once the catalog was raised. */
const sectionVersions = { withoutNodes: 1, withNodes: 2, withLevel: 3 } as const
const endMark = 0x464c4f45

export class CatalogState {
  readonly clusterId: Uint8Array
  /** What may be in the journal and in snapshots (format-level.ts): every registered process knows it. Never goes back. */
  formatLevel = firstFormatLevel
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
    const version = this.formatLevel > firstFormatLevel ? sectionVersions.withLevel : sectionVersions.withNodes
    scalars.uvarint(sectionId)
    scalars.uvarint(version)
    // First, so that a process that is too old says so before it meets a section that it cannot read.
    if (version === sectionVersions.withLevel) scalars.uvarint(this.formatLevel)
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

  /**
   * levelMax  the newest format level that this process knows
   * errors    corrupt: the bytes are not a state; unsupported: a newer Floe wrote them
   */
  static decode(reader: SnapshotReader, levelMax: number = formatLevelMax): CatalogState {
    const version = reader.section(sectionId, sectionVersions.withLevel, sectionVersions.withoutNodes)
    const formatLevel = version >= sectionVersions.withLevel ? readFormatLevel(reader) : firstFormatLevel
    checkFormatLevel(formatLevel, levelMax)
    const state = new CatalogState(reader.bytes(16), reader.uvarint())
    state.formatLevel = formatLevel
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
    if (version >= sectionVersions.withNodes) {
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

function readFormatLevel(reader: SnapshotReader): number {
  const formatLevel = reader.uvarint()
  if (formatLevel > firstFormatLevel && formatLevel <= formatLevelsMax) return formatLevel
  throw reader.corrupt(`there is no format level ${formatLevel} to be raised to`)
}
