/**
 * One classic consumer group as its coordinator sees it: what members may do, who expires, and what there is to tell. Joins and
 * syncs have files of their own; what they lead to is in rebalance.ts.
 *
 * Invariants
 *   - Pure: time is an argument, answers leave through the functions handed in, timers are the caller's: it calls `tick` at
 *     `nextDeadlineMs()`.
 *   - Every join and sync handed in is answered exactly once, also when its member leaves, expires or is replaced.
 *   - A member whose join or sync waits never expires: its client cannot heartbeat meanwhile. A member that joins for the first
 *     time is the exception after `newMemberJoinMsMax`, since its client may have given up without anybody noticing.
 *
 * Source: ClassicGroup and GroupMetadataManager of Apache Kafka 4; KIP-62 (heartbeats), KIP-345 (static members).
 */
import { Joins } from './joins.ts'
import { findMetadata, type Member } from './member.ts'
import { PendingMembers } from './pending-members.ts'
import { Rebalance } from './rebalance.ts'
import { answerWaiting, Roster } from './roster.ts'
import { Syncs } from './syncs.ts'
import {
  type GroupDescription,
  type GroupError,
  type GroupLimits,
  type GroupState,
  type JoinAnswer,
  type JoinRequest,
  type MemberIdentity,
  noBytes,
  type SyncAnswer,
  type SyncRequest,
} from './types.ts'

export class Group {
  readonly groupId: string
  readonly #roster = new Roster()
  readonly #pendingMembers = new PendingMembers()
  readonly #rebalance: Rebalance
  readonly #joins: Joins
  readonly #syncs: Syncs

  constructor(groupId: string, limits: GroupLimits, nowMs: number) {
    this.groupId = groupId
    const roster = this.#roster
    const pendingMembers = this.#pendingMembers
    const { initialRebalanceDelayMs } = limits
    const rebalance = new Rebalance({ roster, pendingMembers, initialRebalanceDelayMs, nowMs })
    this.#rebalance = rebalance
    this.#joins = new Joins({ roster, pendingMembers, rebalance, limits })
    this.#syncs = new Syncs(roster, rebalance)
  }

  get state(): GroupState {
    return this.#rebalance.state
  }
  get generationId(): number {
    return this.#rebalance.generationId
  }
  get memberCount(): number {
    return this.#roster.size
  }
  get hasPendingMembers(): boolean {
    return this.#pendingMembers.size > 0
  }
  get emptySinceMs(): number {
    return this.#rebalance.emptySinceMs
  }
  get rebalanceCount(): number {
    return this.#rebalance.count
  }

  // ── What members ask ───────────────────────────────────────────────────────────────────────────────────────────────

  /** `newMemberId` is used when the member has no id yet: unique, made by the caller. */
  join(request: JoinRequest, newMemberId: string, nowMs: number, answer: (answer: JoinAnswer) => void): void {
    this.#joins.join(request, newMemberId, nowMs, answer)
  }

  sync(request: SyncRequest, nowMs: number, answer: (answer: SyncAnswer) => void): void {
    this.#syncs.sync(request, nowMs, answer)
  }

  heartbeat(identity: MemberIdentity, generationId: number, nowMs: number): GroupError {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    const error = this.#checkMember(identity, generationId)
    if (error !== 'NONE') return error
    if (this.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
    this.#keepAlive(identity.memberId, nowMs)
    return this.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** By member id, or by instance id alone (KIP-345). */
  leave(identity: MemberIdentity, nowMs: number): GroupError {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (identity.memberId === '' && identity.groupInstanceId !== undefined) {
      const member = this.#roster.findStatic(identity.groupInstanceId)
      if (member === undefined) return 'UNKNOWN_MEMBER_ID'
      this.#rebalance.removeMember(member, nowMs)
      return 'NONE'
    }
    if (this.#pendingMembers.delete(identity.memberId)) {
      this.#rebalance.maybeCompleteJoin(nowMs)
      return 'NONE'
    }
    const error = this.#roster.check(identity)
    if (error !== 'NONE') return error
    this.#rebalance.removeMember(this.#roster.get(identity.memberId), nowMs)
    return 'NONE'
  }

  /** Whether offsets may be committed under this identity. A good one counts as a heartbeat. */
  checkCommit(identity: MemberIdentity, generationId: number, nowMs: number): GroupError {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (generationId < 0 && this.state === 'Empty') return 'NONE'
    if (generationId < 0 && identity.memberId === '' && identity.groupInstanceId === undefined) {
      return 'UNKNOWN_MEMBER_ID'
    }
    const error = this.#checkMember(identity, generationId)
    if (error !== 'NONE') return error
    if (this.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
    this.#keepAlive(identity.memberId, nowMs)
    return 'NONE'
  }

  /** Whether the member (if one is named) may read offsets; only fences (OffsetFetch v9). */
  checkFetch(identity: MemberIdentity, generationId: number): GroupError {
    if (identity.memberId === '' && generationId < 0) return 'NONE'
    if (!this.#roster.has(identity.memberId)) return 'UNKNOWN_MEMBER_ID'
    return generationId === this.generationId ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #checkMember(identity: MemberIdentity, generationId: number): GroupError {
    const error = this.#roster.check(identity)
    if (error !== 'NONE') return error
    return generationId === this.generationId ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #keepAlive(memberId: string, nowMs: number): void {
    const member = this.#roster.get(memberId)
    member.expiresMs = nowMs + member.sessionTimeoutMs
  }

  // ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** When `tick` has something to do; Infinity: never. */
  nextDeadlineMs(): number {
    let next = Math.min(this.#rebalance.nextDeadlineMs(), this.#pendingMembers.nextDeadlineMs())
    for (const member of this.#roster.all()) if (canExpire(member)) next = Math.min(next, member.expiresMs)
    return next
  }

  tick(nowMs: number): void {
    if (this.#pendingMembers.deleteExpired(nowMs)) this.#rebalance.maybeCompleteJoin(nowMs)
    for (const member of this.#roster.all()) {
      // Who expired before may have completed a phase that removed this one, or gave it more time.
      if (canExpire(member) && member.expiresMs <= nowMs && this.#roster.find(member.memberId) === member) {
        this.#rebalance.removeMember(member, nowMs)
      }
    }
    this.#rebalance.tick(nowMs)
  }

  // ── Views and the end ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Topics are subscribed while any member's metadata names them; undefined: not a consumer group, nothing is known. */
  memberMetadata(): readonly Uint8Array[] | undefined {
    if (this.#rebalance.protocolType !== 'consumer') return undefined
    return this.#roster.all().flatMap(member => member.protocols.map(protocol => protocol.metadata))
  }

  describe(): GroupDescription {
    const { state, protocolType, protocolName } = this.#rebalance
    const isStable = state === 'Stable'
    return {
      groupId: this.groupId,
      state,
      protocolType: protocolType ?? '',
      protocolName: isStable ? (protocolName ?? '') : '',
      members: this.#roster.all().map(member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: isStable ? findMetadata(member, protocolName) : noBytes,
        assignment: isStable ? member.assignment : noBytes,
      })),
    }
  }

  /** Only an empty group can be deleted. Afterwards every call is answered COORDINATOR_NOT_AVAILABLE. */
  kill(): boolean {
    if (this.state !== 'Empty' || this.#roster.size > 0) return false
    this.#rebalance.die()
    return true
  }

  /** Answers everything that waits, at shutdown. */
  abandon(): void {
    for (const member of this.#roster.all()) answerWaiting(member, 'COORDINATOR_NOT_AVAILABLE')
    this.#rebalance.die()
  }
}

/** While a join or a sync waits its client cannot heartbeat; see the file header for new members. */
function canExpire(member: Member): boolean {
  if (member.isNew) return member.answerJoin !== undefined
  return member.answerJoin === undefined && member.answerSync === undefined
}
