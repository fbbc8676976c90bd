/**
 * The rebalances of one classic group: its state, the two phases that every member passes, and their deadlines.
 *
 *   Empty ──join──> PreparingRebalance ──all joined, or deadline──> CompletingRebalance ──leader syncs──> Stable
 *     ^                   ^                                              │                                  │
 *     └── last one gone ──┴────────── join with new metadata, leave, expiry, missing sync ──────────────────┘
 *
 * Invariants
 *   - The generation only grows, and only when a join phase completes.
 *   - Only the leader gets the member list.
 *   - Joins that wait are answered when the join phase completes, syncs when the leader's assignment comes or a new rebalance
 *     overtakes them; the roster answers those whose member goes.
 *
 * Source: ClassicGroup and GroupMetadataManager of Apache Kafka 4.
 */
import { InitialDelay } from './initial-delay.ts'
import type { Member } from './member.ts'
import type { PendingMembers } from './pending-members.ts'
import { selectProtocol } from './protocol-selection.ts'
import type { Roster } from './roster.ts'
import {
  type GroupState,
  type JoinAnswer,
  type MemberAssignment,
  noBytes,
  refuseSync,
  type SyncAnswer,
} from './types.ts'

export interface RebalanceParts {
  readonly roster: Roster
  readonly pendingMembers: PendingMembers
  readonly initialRebalanceDelayMs: number
  readonly nowMs: number
}

export class Rebalance {
  readonly #roster: Roster
  readonly #pendingMembers: PendingMembers
  readonly #initialDelay: InitialDelay
  /** Members that have the join answer and have not synced. */
  readonly #pendingSyncs: Set<string> = new Set()
  #state: GroupState = 'Empty'
  #generationId = 0
  #protocolType: string | undefined
  #protocolName: string | undefined
  /** When the join phase ends at the latest (PreparingRebalance). */
  #joinDeadlineMs = Number.POSITIVE_INFINITY
  /** When members that have not synced are removed (CompletingRebalance, Stable). */
  #syncDeadlineMs = Number.POSITIVE_INFINITY
  #emptySinceMs: number
  #count = 0

  constructor({ roster, pendingMembers, initialRebalanceDelayMs, nowMs }: RebalanceParts) {
    this.#roster = roster
    this.#pendingMembers = pendingMembers
    this.#initialDelay = new InitialDelay(initialRebalanceDelayMs)
    this.#emptySinceMs = nowMs
  }

  get state(): GroupState {
    return this.#state
  }
  get generationId(): number {
    return this.#generationId
  }
  get protocolType(): string | undefined {
    return this.#protocolType
  }
  /** What the members voted for; undefined while the group is empty. */
  get protocolName(): string | undefined {
    return this.#protocolName
  }
  get emptySinceMs(): number {
    return this.#emptySinceMs
  }
  /** How many have begun. */
  get count(): number {
    return this.#count
  }

  // ── Members come, change and go ────────────────────────────────────────────────────────────────────────────────────

  addMember(member: Member, protocolType: string, nowMs: number): void {
    if (this.#roster.size === 0) this.#protocolType = protocolType
    this.#roster.add(member)
    this.#initialDelay.onMemberAdded()
    this.onMemberJoined(nowMs)
  }

  /** A member that was here already joins again: the phase may be complete, or a new one begins. */
  onMemberJoined(nowMs: number): void {
    if (this.#state === 'PreparingRebalance') this.maybeCompleteJoin(nowMs)
    else if (this.#state !== 'Dead') this.prepare(nowMs)
  }

  /** Gives a static member a new id; whoever uses the old one is fenced. */
  replaceStaticMember(member: Member, newMemberId: string): void {
    const oldMemberId = member.memberId
    this.#roster.replaceStatic(member, newMemberId)
    if (this.#pendingSyncs.delete(oldMemberId)) this.#pendingSyncs.add(newMemberId)
  }

  removeMember(member: Member, nowMs: number): void {
    this.#forgetMember(member)
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.prepare(nowMs)
    else this.maybeCompleteJoin(nowMs)
  }

  #forgetMember(member: Member): void {
    this.#roster.forget(member)
    this.#pendingSyncs.delete(member.memberId)
  }

  // ── The join phase ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every member must join anew. */
  prepare(nowMs: number): void {
    if (this.#state === 'CompletingRebalance') {
      for (const member of this.#roster.all()) {
        member.assignment = noBytes
        finishSync(member, refuseSync('REBALANCE_IN_PROGRESS'), nowMs)
      }
    }
    this.#endSyncPhase()
    const isInitial = this.#state === 'Empty'
    this.#state = 'PreparingRebalance'
    this.#count++
    const rebalanceTimeoutMs = this.#roster.rebalanceTimeoutMs()
    const delayMs = isInitial ? this.#initialDelay.start(rebalanceTimeoutMs) : undefined
    this.#joinDeadlineMs = nowMs + (delayMs ?? rebalanceTimeoutMs)
    this.maybeCompleteJoin(nowMs)
  }

  maybeCompleteJoin(nowMs: number): void {
    if (this.#state !== 'PreparingRebalance' || this.#initialDelay.isRunning) return
    if (this.#pendingMembers.size > 0) return
    if (this.#roster.awaitingJoinCount() < this.#roster.size) return
    this.#completeJoin(nowMs)
  }

  #onJoinDeadline(nowMs: number): void {
    const delayMs = this.#initialDelay.prolong()
    if (delayMs === undefined) this.#completeJoin(nowMs)
    else this.#joinDeadlineMs = nowMs + delayMs
  }

  #completeJoin(nowMs: number): void {
    this.#initialDelay.stop()
    for (const member of this.#roster.all()) {
      // Static members may be restarting: they stay until their session ends.
      if (member.answerJoin === undefined && member.groupInstanceId === undefined) this.#forgetMember(member)
    }
    if (this.#roster.size > 0 && !this.#roster.electLeaderAmongJoined()) {
      // Nobody rejoined: wait again without a new generation, until sessions end.
      this.#joinDeadlineMs = nowMs + this.#roster.rebalanceTimeoutMs()
      return
    }
    this.#joinDeadlineMs = Number.POSITIVE_INFINITY
    this.#generationId++
    if (this.#roster.size === 0) this.#becomeEmpty(nowMs)
    else this.#beginSyncPhase(nowMs)
  }

  #becomeEmpty(nowMs: number): void {
    this.#state = 'Empty'
    this.#protocolName = undefined
    this.#endSyncPhase()
    this.#emptySinceMs = nowMs
  }

  joinAnswerFor(member: Member): JoinAnswer {
    return {
      error: 'NONE',
      memberId: member.memberId,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#roster.leaderId ?? '',
      skipAssignment: false,
      members: member.memberId === this.#roster.leaderId ? this.#roster.listJoined(this.#protocolName) : [],
    }
  }

  // ── The sync phase ─────────────────────────────────────────────────────────────────────────────────────────────────

  #beginSyncPhase(nowMs: number): void {
    const members = this.#roster.all()
    this.#protocolName = selectProtocol(members)
    this.#state = 'CompletingRebalance'
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = nowMs + this.#roster.rebalanceTimeoutMs()
    for (const member of members) this.#pendingSyncs.add(member.memberId)
    for (const member of members) {
      const { answerJoin } = member
      member.answerJoin = undefined
      member.isNew = false
      member.expiresMs = nowMs + member.sessionTimeoutMs
      answerJoin?.(this.joinAnswerFor(member))
    }
  }

  onMemberSynced(memberId: string): void {
    this.#pendingSyncs.delete(memberId)
    if (this.#pendingSyncs.size === 0) this.#syncDeadlineMs = Number.POSITIVE_INFINITY
  }

  /** The leader has decided: who waits gets its part now, everybody else when it asks. */
  complete(assignments: readonly MemberAssignment[], nowMs: number): void {
    const byMember = new Map(assignments.map(each => [each.memberId, each.assignment]))
    this.#state = 'Stable'
    for (const member of this.#roster.all()) {
      member.assignment = new Uint8Array(byMember.get(member.memberId) ?? noBytes)
      finishSync(member, this.syncAnswerFor(member), nowMs)
    }
  }

  #endSyncPhase(): void {
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = Number.POSITIVE_INFINITY
  }

  syncAnswerFor(member: Member): SyncAnswer {
    return {
      error: 'NONE',
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    }
  }

  // ── Time and the end ───────────────────────────────────────────────────────────────────────────────────────────────

  /** When `tick` has something to do; Infinity: never. */
  nextDeadlineMs(): number {
    return Math.min(this.#joinDeadlineMs, this.#syncDeadlineMs)
  }

  tick(nowMs: number): void {
    if (this.#syncDeadlineMs <= nowMs) this.#onSyncDeadline(nowMs)
    if (this.#joinDeadlineMs <= nowMs && this.#state === 'PreparingRebalance') this.#onJoinDeadline(nowMs)
  }

  #onSyncDeadline(nowMs: number): void {
    const late = [...this.#pendingSyncs]
    this.#syncDeadlineMs = Number.POSITIVE_INFINITY
    for (const memberId of late) {
      const member = this.#roster.find(memberId)
      if (member !== undefined) this.#forgetMember(member)
    }
    if (late.length > 0) this.prepare(nowMs)
  }

  /** Nothing begins any more. */
  die(): void {
    this.#state = 'Dead'
  }
}

function finishSync(member: Member, answer: SyncAnswer, nowMs: number): void {
  const { answerSync } = member
  if (answerSync === undefined) return
  member.answerSync = undefined
  member.expiresMs = nowMs + member.sessionTimeoutMs
  answerSync(answer)
}
