/**
 * All classic groups of this agent: finds the group, keeps one timer per group, and checks what needs no group.
 *
 * Membership lives in memory: after a restart members get UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION and join again, while
 * committed offsets are in the catalog. A group without members, pending ids and offsets is forgotten after a while.
 */
import type { CatalogClient, CommittedOffset } from '../../catalog/client.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { type Random, randomUuid } from '../../core/random.ts'
import type { BrokerMetrics } from '../metrics.ts'
import { type BrokerOptions, brokerLimits } from '../options.ts'
import { Group } from './group.ts'
import {
  type GroupDescription,
  type GroupError,
  type JoinAnswer,
  type JoinRequest,
  type MemberIdentity,
  refuseJoin,
  refuseSync,
  type SyncAnswer,
  type SyncRequest,
} from './types.ts'

interface Entry {
  readonly group: Group
  timer: TimerHandle | undefined
  timerDueMs: number
}

export interface GroupCoordinatorParts {
  readonly catalog: CatalogClient
  readonly clock: Clock
  readonly random: Random
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
}

export class GroupCoordinator {
  readonly #catalog: CatalogClient
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: BrokerOptions
  readonly #metrics: BrokerMetrics
  readonly #groups: Map<string, Entry> = new Map()
  readonly #startedWallMs: number
  #closed = false

  constructor({ catalog, clock, random, options, metrics }: GroupCoordinatorParts) {
    this.#catalog = catalog
    this.#clock = clock
    this.#random = random
    this.#options = options
    this.#metrics = metrics
    this.#startedWallMs = clock.nowMs()
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    const refusal = this.#refuseJoin(request)
    if (refusal !== undefined) return Promise.resolve(refusal)
    const entry = this.#findOrCreate(request.groupId)
    const prefix = request.groupInstanceId ?? request.clientId
    const newMemberId = request.memberId === '' ? `${prefix}-${randomUuid(this.#random)}` : request.memberId
    return new Promise(resolve => {
      const { rebalanceCount } = entry.group
      entry.group.join(request, newMemberId, this.#clock.monotonicMs(), resolve)
      this.#metrics.groupRebalances += entry.group.rebalanceCount - rebalanceCount
      this.#settle(entry)
    })
  }

  #refuseJoin(request: JoinRequest): JoinAnswer | undefined {
    const { groupId, memberId, sessionTimeoutMs } = request
    if (this.#closed) return refuseJoin('COORDINATOR_NOT_AVAILABLE', memberId)
    if (groupId === '') return refuseJoin('INVALID_GROUP_ID', memberId)
    const { groupSessionTimeoutMsMin, groupSessionTimeoutMsMax } = this.#options
    if (sessionTimeoutMs < groupSessionTimeoutMsMin || sessionTimeoutMs > groupSessionTimeoutMsMax) {
      return refuseJoin('INVALID_SESSION_TIMEOUT', memberId)
    }
    if (this.#groups.has(groupId)) return undefined
    if (memberId !== '') return refuseJoin('UNKNOWN_MEMBER_ID', memberId)
    if (this.#groups.size >= brokerLimits.groupsMax) return refuseJoin('COORDINATOR_NOT_AVAILABLE', memberId)
    return undefined
  }

  sync(request: SyncRequest): Promise<SyncAnswer> {
    if (request.groupId === '') return Promise.resolve(refuseSync('INVALID_GROUP_ID'))
    const entry = this.#groups.get(request.groupId)
    if (entry === undefined) return Promise.resolve(refuseSync('UNKNOWN_MEMBER_ID'))
    return new Promise(resolve => {
      entry.group.sync(request, this.#clock.monotonicMs(), resolve)
      this.#settle(entry)
    })
  }

  heartbeat(groupId: string, identity: MemberIdentity, generationId: number): GroupError {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const entry = this.#groups.get(groupId)
    // Deadlines only move later here: the timer finds that out by itself.
    return entry?.group.heartbeat(identity, generationId, this.#clock.monotonicMs()) ?? 'UNKNOWN_MEMBER_ID'
  }

  leave(groupId: string, members: readonly MemberIdentity[]): readonly GroupError[] {
    const entry = this.#groups.get(groupId)
    if (entry === undefined) return members.map(() => (groupId === '' ? 'INVALID_GROUP_ID' : 'UNKNOWN_MEMBER_ID'))
    const nowMs = this.#clock.monotonicMs()
    const results = members.map(member => entry.group.leave(member, nowMs))
    this.#settle(entry)
    return results
  }

  /** `unknownGroupError`: what a commit with a generation gets when the group is unknown; it depends on the version. */
  checkCommit(
    groupId: string,
    identity: MemberIdentity,
    generationId: number,
    unknownGroupError: GroupError,
  ): GroupError {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const entry = this.#groups.get(groupId)
    if (entry === undefined) return generationId < 0 ? 'NONE' : unknownGroupError
    return entry.group.checkCommit(identity, generationId, this.#clock.monotonicMs())
  }

  checkFetch(groupId: string, identity: MemberIdentity, generationId: number): GroupError {
    if (identity.memberId === '' && generationId < 0) return 'NONE'
    return this.#groups.get(groupId)?.group.checkFetch(identity, generationId) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** Groups with members and groups with offsets. */
  async list(): Promise<readonly GroupDescription[]> {
    const described = new Map<string, GroupDescription>()
    for (const groupId of await this.#catalog.groups()) described.set(groupId, emptyGroup(groupId))
    for (const { group } of this.#groups.values()) described.set(group.groupId, group.describe())
    return [...described.values()]
  }

  /** Undefined: there is no such group. */
  async describe(groupId: string): Promise<GroupDescription | undefined> {
    const entry = this.#groups.get(groupId)
    if (entry !== undefined) return entry.group.describe()
    return (await this.#catalog.groupOffsets(groupId)).length > 0 ? emptyGroup(groupId) : undefined
  }

  async delete(groupId: string): Promise<GroupError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const entry = this.#groups.get(groupId)
    if (entry !== undefined && entry.group.memberCount > 0) return 'NON_EMPTY_GROUP'
    const hasOffsets = (await this.#catalog.groupOffsets(groupId)).length > 0
    if (entry === undefined && !hasOffsets) return 'GROUP_ID_NOT_FOUND'
    // Somebody may have joined while the catalog was asked.
    const current = this.#groups.get(groupId)
    if (current !== undefined) {
      if (!current.group.kill()) return 'NON_EMPTY_GROUP'
      this.#forget(current)
    }
    if (hasOffsets) await this.#catalog.deleteGroupOffsets(groupId, 'all')
    return 'NONE'
  }

  /** Metadata of the members of a consumer group; undefined when it has none that could be read. */
  memberMetadata(groupId: string): readonly Uint8Array[] | undefined {
    const group = this.#groups.get(groupId)?.group
    return group === undefined || group.memberCount === 0 ? [] : group.memberMetadata()
  }

  /** Whether the group's offsets are old enough to go: it has no members, and neither commits nor members since. */
  isExpired(groupId: string, offsets: readonly CommittedOffset[], retentionMs: number): boolean {
    const group = this.#groups.get(groupId)?.group
    if (group !== undefined && (group.memberCount > 0 || group.hasPendingMembers)) return false
    // Membership before our start is not known, so the clock starts there at the earliest.
    const nowMs = this.#clock.nowMs()
    let lastUsedMs = this.#startedWallMs
    if (group !== undefined) {
      lastUsedMs = Math.max(lastUsedMs, nowMs - (this.#clock.monotonicMs() - group.emptySinceMs))
    }
    for (const { committedMs } of offsets) lastUsedMs = Math.max(lastUsedMs, committedMs)
    return nowMs - lastUsedMs >= retentionMs
  }

  /** Forgets groups that have been empty for a while and have no offsets. */
  sweepEmpty(groupsWithOffsets: ReadonlySet<string>): void {
    const nowMs = this.#clock.monotonicMs()
    for (const entry of [...this.#groups.values()]) {
      const { group } = entry
      if (group.state !== 'Empty' || group.hasPendingMembers || groupsWithOffsets.has(group.groupId)) continue
      if (nowMs - group.emptySinceMs >= brokerLimits.emptyGroupKeptMs) this.#forget(entry)
    }
  }

  close(): void {
    this.#closed = true
    for (const entry of this.#groups.values()) {
      entry.timer?.cancel()
      entry.group.abandon()
    }
    this.#groups.clear()
  }

  #findOrCreate(groupId: string): Entry {
    const existing = this.#groups.get(groupId)
    if (existing !== undefined) return existing
    const { groupInitialRebalanceDelayMs, groupSizeMax } = this.#options
    const limits = {
      initialRebalanceDelayMs: groupInitialRebalanceDelayMs,
      sizeMax: groupSizeMax,
      newMemberJoinMsMax: brokerLimits.newMemberJoinMsMax,
    }
    const group = new Group(groupId, limits, this.#clock.monotonicMs())
    const entry: Entry = { group, timer: undefined, timerDueMs: Number.POSITIVE_INFINITY }
    this.#groups.set(groupId, entry)
    return entry
  }

  /** After every step that may have brought a deadline nearer. */
  #settle(entry: Entry): void {
    if (this.#closed) return
    const { group } = entry
    const dueMs = group.nextDeadlineMs()
    if (dueMs === Number.POSITIVE_INFINITY) {
      entry.timer?.cancel()
      entry.timer = undefined
      entry.timerDueMs = dueMs
      // Made for a join that was refused: there is no such group.
      if (group.memberCount === 0 && group.generationId === 0) this.#forget(entry)
      return
    }
    if (entry.timer !== undefined && entry.timerDueMs <= dueMs) return
    entry.timer?.cancel()
    entry.timerDueMs = dueMs
    entry.timer = this.#clock.startTimer(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#onTimer(entry))
  }

  #onTimer(entry: Entry): void {
    entry.timer = undefined
    entry.timerDueMs = Number.POSITIVE_INFINITY
    const { rebalanceCount } = entry.group
    entry.group.tick(this.#clock.monotonicMs())
    this.#metrics.groupRebalances += entry.group.rebalanceCount - rebalanceCount
    this.#settle(entry)
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel()
    if (this.#groups.get(entry.group.groupId) === entry) this.#groups.delete(entry.group.groupId)
  }
}

function emptyGroup(groupId: string): GroupDescription {
  return { groupId, state: 'Empty', protocolType: '', protocolName: '', members: [] }
}
