/**
 * The classic groups that this agent coordinates: claims the group, finds it, keeps one timer per group, and checks what needs no
 * group.
 *
 * A group has one coordinator in the cluster: the agent that claimed it in the catalog. The claim has an epoch, which goes with
 * every commit, so that an agent that lost it without noticing cannot commit. Membership lives in memory: when the coordinator
 * changes or restarts, members get NOT_COORDINATOR or UNKNOWN_MEMBER_ID and join again, while committed offsets are in the catalog.
 * A group without members, pending ids and offsets is forgotten after a while.
 */
import type { CatalogClient } from '../../catalog/client.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { type Random, randomUuid } from '../../core/random.ts'
import type { ClusterView } from '../cluster-view.ts'
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
  /** Of this agent's claim of the group. */
  readonly claimEpoch: number
  timer: TimerHandle | undefined
  timerDueMs: number
}

export interface GroupCoordinatorParts {
  readonly catalog: CatalogClient
  readonly cluster: ClusterView
  readonly clock: Clock
  readonly random: Random
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
  readonly log: Log
}

/** What a commit may go on with: the epoch of this agent's claim. */
export type CommitCheck = { readonly error: 'NONE'; readonly claimEpoch: number } | { readonly error: GroupError }

export class GroupCoordinator {
  readonly #catalog: CatalogClient
  readonly #cluster: ClusterView
  readonly #log: Log
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: BrokerOptions
  readonly #metrics: BrokerMetrics
  readonly #groups: Map<string, Entry> = new Map()
  #closed = false

  constructor({ catalog, cluster, clock, random, options, metrics, log }: GroupCoordinatorParts) {
    this.#catalog = catalog
    this.#cluster = cluster
    this.#log = log
    this.#clock = clock
    this.#random = random
    this.#options = options
    this.#metrics = metrics
  }

  // ── Whose group it is ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The epoch of this agent's claim of the group, undefined when nobody has claimed it, or why it is not this agent's. Forgets what
   * it knows of a group that it lost.
   */
  async #findClaim(groupId: string): Promise<number | undefined | GroupError> {
    if (this.#closed) return 'COORDINATOR_NOT_AVAILABLE'
    const owner = await this.#catalog.groupOwner(groupId)
    const isOurs = owner?.nodeId === this.#cluster.own.nodeId
    const entry = this.#groups.get(groupId)
    if (entry !== undefined && (!isOurs || owner.epoch !== entry.claimEpoch)) {
      this.#log.info('a group moved to another agent', { groupId, nodeId: owner?.nodeId })
      entry.group.abandon()
      this.#remove(entry)
    }
    if (owner === undefined) return undefined
    return isOurs ? owner.epoch : 'NOT_COORDINATOR'
  }

  async #claim(groupId: string): Promise<number | GroupError> {
    const claim = await this.#findClaim(groupId)
    if (claim !== undefined) return claim
    const result = await this.#catalog.claimGroup(groupId, this.#cluster.own.instanceId)
    if (result.outcome === 'claimed') return result.epoch
    return result.outcome === 'owned' ? 'NOT_COORDINATOR' : 'COORDINATOR_NOT_AVAILABLE'
  }

  /** The group's entry, if this agent coordinates it; why it does not. Undefined: nobody has members of it. */
  async #findOwned(groupId: string): Promise<Entry | undefined | GroupError> {
    const claim = await this.#findClaim(groupId)
    return typeof claim === 'string' ? claim : this.#groups.get(groupId)
  }

  // ── What members ask ─────────────────────────────────────────────────────────────────────────────────────────────────

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, memberId } = request
    const refusal = this.#refuseJoin(request)
    if (refusal !== undefined) return refuseJoin(refusal, memberId)
    const claimEpoch = await this.#claim(groupId)
    if (typeof claimEpoch === 'string') return refuseJoin(claimEpoch, memberId)
    if (!this.#groups.has(groupId)) {
      if (memberId !== '') return refuseJoin('UNKNOWN_MEMBER_ID', memberId)
      if (this.#groups.size >= brokerLimits.groupsMax) return refuseJoin('COORDINATOR_NOT_AVAILABLE', memberId)
    }
    const entry = this.#findOrCreate(groupId, claimEpoch)
    const prefix = request.groupInstanceId ?? request.clientId
    const newMemberId = memberId === '' ? `${prefix}-${randomUuid(this.#random)}` : memberId
    return new Promise(resolve => {
      const { rebalanceCount } = entry.group
      entry.group.join(request, newMemberId, this.#clock.monotonicMs(), resolve)
      this.#metrics.groupRebalances += entry.group.rebalanceCount - rebalanceCount
      this.#settle(entry)
    })
  }

  #refuseJoin({ groupId, sessionTimeoutMs }: JoinRequest): GroupError | undefined {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { groupSessionTimeoutMsMin, groupSessionTimeoutMsMax } = this.#options
    if (sessionTimeoutMs < groupSessionTimeoutMsMin || sessionTimeoutMs > groupSessionTimeoutMsMax) {
      return 'INVALID_SESSION_TIMEOUT'
    }
    return undefined
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    if (request.groupId === '') return refuseSync('INVALID_GROUP_ID')
    const entry = await this.#findOwned(request.groupId)
    if (typeof entry === 'string') return refuseSync(entry)
    if (entry === undefined) return refuseSync('UNKNOWN_MEMBER_ID')
    return new Promise(resolve => {
      entry.group.sync(request, this.#clock.monotonicMs(), resolve)
      this.#settle(entry)
    })
  }

  async heartbeat(groupId: string, identity: MemberIdentity, generationId: number): Promise<GroupError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const entry = await this.#findOwned(groupId)
    if (typeof entry === 'string') return entry
    // Deadlines only move later here: the timer finds that out by itself.
    return entry?.group.heartbeat(identity, generationId, this.#clock.monotonicMs()) ?? 'UNKNOWN_MEMBER_ID'
  }

  async leave(groupId: string, members: readonly MemberIdentity[]): Promise<readonly GroupError[] | GroupError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const entry = await this.#findOwned(groupId)
    if (typeof entry === 'string') return entry
    if (entry === undefined) return members.map(() => 'UNKNOWN_MEMBER_ID')
    const nowMs = this.#clock.monotonicMs()
    const results = members.map(member => entry.group.leave(member, nowMs))
    this.#settle(entry)
    return results
  }

  /**
   * Whether a commit may go on. To be asked before `checkCommit`, which is synchronous so that commits keep their order; claims the
   * group for a consumer that is no member of it.
   */
  async claimForCommit(groupId: string, generationId: number): Promise<CommitCheck> {
    if (groupId === '') return { error: 'INVALID_GROUP_ID' }
    const claim = generationId < 0 ? await this.#claim(groupId) : await this.#findClaim(groupId)
    if (typeof claim === 'string') return { error: claim }
    // A generation that nobody coordinates any more: what is unknown is told by `checkCommit`.
    return { error: 'NONE', claimEpoch: claim ?? 0 }
  }

  /** `unknownGroupError`: what a commit with a generation gets when the group is unknown; it depends on the version. */
  checkCommit(
    groupId: string,
    identity: MemberIdentity,
    generationId: number,
    unknownGroupError: GroupError,
  ): GroupError {
    const entry = this.#groups.get(groupId)
    if (entry === undefined) return generationId < 0 ? 'NONE' : unknownGroupError
    return entry.group.checkCommit(identity, generationId, this.#clock.monotonicMs())
  }

  /** Whoever names no member may read offsets from any agent. */
  async checkFetch(groupId: string, identity: MemberIdentity, generationId: number): Promise<GroupError> {
    if (identity.memberId === '' && generationId < 0) return 'NONE'
    const entry = await this.#findOwned(groupId)
    if (typeof entry === 'string') return entry
    return entry?.group.checkFetch(identity, generationId) ?? 'UNKNOWN_MEMBER_ID'
  }

  // ── What administrators ask ──────────────────────────────────────────────────────────────────────────────────────────

  /** Groups with members here, and groups with offsets that no other agent coordinates. */
  async list(): Promise<readonly GroupDescription[]> {
    const described = new Map<string, GroupDescription>()
    for (const groupId of await this.#catalog.groups()) {
      const owner = await this.#catalog.groupOwner(groupId)
      if (owner === undefined || owner.nodeId === this.#cluster.own.nodeId) described.set(groupId, emptyGroup(groupId))
    }
    for (const { group } of this.#groups.values()) described.set(group.groupId, group.describe())
    return [...described.values()]
  }

  /** Undefined: there is no such group. */
  async describe(groupId: string): Promise<GroupDescription | undefined | GroupError> {
    const entry = await this.#findOwned(groupId)
    if (typeof entry === 'string') return entry
    if (entry !== undefined) return entry.group.describe()
    return (await this.#catalog.groupOffsets(groupId)).length > 0 ? emptyGroup(groupId) : undefined
  }

  async delete(groupId: string): Promise<GroupError> {
    if (groupId === '') return 'INVALID_GROUP_ID'
    // Claiming it keeps others from beginning it anew meanwhile.
    const claimEpoch = await this.#claim(groupId)
    if (typeof claimEpoch === 'string') return claimEpoch
    const entry = this.#groups.get(groupId)
    if (entry !== undefined && !entry.group.kill()) return 'NON_EMPTY_GROUP'
    if (entry !== undefined) this.#remove(entry)
    const hasOffsets = (await this.#catalog.groupOffsets(groupId)).length > 0
    const outcome = hasOffsets ? await this.#catalog.deleteGroupOffsets(groupId, 'all', claimEpoch) : 'deleted'
    if (!this.#groups.has(groupId)) this.#release(groupId, claimEpoch)
    if (outcome === 'fenced') return 'NOT_COORDINATOR'
    return entry === undefined && !hasOffsets ? 'GROUP_ID_NOT_FOUND' : 'NONE'
  }

  /** Deletes offsets of some partitions. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<GroupError> {
    const claimEpoch = await this.#claim(groupId)
    if (typeof claimEpoch === 'string') return claimEpoch
    const outcome = await this.#catalog.deleteGroupOffsets(groupId, partitions, claimEpoch)
    return outcome === 'fenced' ? 'NOT_COORDINATOR' : 'NONE'
  }

  /** Metadata of the members of a consumer group; undefined when it has none that could be read. */
  memberMetadata(groupId: string): readonly Uint8Array[] | undefined {
    const group = this.#groups.get(groupId)?.group
    return group === undefined || group.memberCount === 0 ? [] : group.memberMetadata()
  }

  // ── Expiry ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Since when the group has had no members here, by the wall clock; undefined when it has some, -Infinity when it is unknown. */
  emptySinceMs(groupId: string): number | undefined {
    const group = this.#groups.get(groupId)?.group
    if (group === undefined) return Number.NEGATIVE_INFINITY
    if (group.memberCount > 0 || group.hasPendingMembers) return undefined
    return this.#clock.nowMs() - (this.#clock.monotonicMs() - group.emptySinceMs)
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

  #findOrCreate(groupId: string, claimEpoch: number): Entry {
    const existing = this.#groups.get(groupId)
    if (existing !== undefined) return existing
    const { groupInitialRebalanceDelayMs, groupSizeMax } = this.#options
    const limits = {
      initialRebalanceDelayMs: groupInitialRebalanceDelayMs,
      sizeMax: groupSizeMax,
      newMemberJoinMsMax: brokerLimits.newMemberJoinMsMax,
    }
    const group = new Group(groupId, limits, this.#clock.monotonicMs())
    const entry: Entry = { group, claimEpoch, timer: undefined, timerDueMs: Number.POSITIVE_INFINITY }
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

  /** There is nothing of the group any more: another agent may have it. */
  #forget(entry: Entry): void {
    this.#remove(entry)
    this.#release(entry.group.groupId, entry.claimEpoch)
  }

  #remove(entry: Entry): void {
    entry.timer?.cancel()
    if (this.#groups.get(entry.group.groupId) === entry) this.#groups.delete(entry.group.groupId)
  }

  #release(groupId: string, epoch: number): void {
    this.#catalog.releaseGroup(groupId, epoch).catch((error: unknown) => {
      // It goes with this process, or when the group is used again.
      this.#log.debug('a claim of a group was not given back', { groupId, reason: errorMessage(error) })
    })
  }
}

function emptyGroup(groupId: string): GroupDescription {
  return { groupId, state: 'Empty', protocolType: '', protocolName: '', members: [] }
}
