/**
 * The state machine of one classic consumer group (Kafka's ClassicGroup and the classic half of its GroupMetadataManager).
 *
 *   Empty ──join──> PreparingRebalance ──all joined, or deadline──> CompletingRebalance ──leader syncs──> Stable
 *     ^                   ^                                              │                                  │
 *     └── last one gone ──┴────────── join with new metadata, leave, expiry, missing sync ──────────────────┘
 *
 * Invariants
 *   - Pure: time is an argument, answers leave through the functions handed in, timers are the caller's: it calls `tick` at
 *     `nextDeadlineMs()`.
 *   - Every join and sync handed in is answered exactly once, also when its member leaves, expires or is replaced.
 *   - The generation only grows, and only when a join phase completes.
 *   - A member whose join or sync waits never expires: its client cannot heartbeat meanwhile. A member that joins for the first
 *     time is the exception after `newMemberJoinMsMax`, since its client may have given up without anybody noticing.
 *   - Only the leader gets the member list.
 *
 * Source: reference behaviour of Apache Kafka 4 as listed in docs/compatibility.md; KIP-62, KIP-345, KIP-394, KIP-814.
 */
import { createMember, findMetadata, type Member, matchesProtocols, ownProtocols } from './member.ts'
import { answerWaiting, Roster } from './roster.ts'
import {
  type GroupDescription,
  type GroupError,
  type GroupState,
  type JoinAnswer,
  type JoinRequest,
  type MemberIdentity,
  noBytes,
  refuseJoin,
  refuseSync,
  type SyncAnswer,
  type SyncRequest,
} from './types.ts'

export interface GroupLimits {
  readonly initialRebalanceDelayMs: number
  readonly sizeMax: number
  readonly newMemberJoinMsMax: number
}

export class Group {
  readonly groupId: string
  readonly #limits: GroupLimits
  readonly #roster = new Roster()
  /** Ids handed out with MEMBER_ID_REQUIRED and not yet used, with when they are forgotten. */
  readonly #pendingMembers: Map<string, number> = new Map()
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
  /** Of the first join phase of an empty group: it is not cut short when all are there, and extends while members arrive. */
  #initialDelayLeftMs: number | undefined
  #memberAddedDuringInitialDelay = false
  emptySinceMs: number
  rebalanceCount = 0

  constructor(groupId: string, limits: GroupLimits, nowMs: number) {
    this.groupId = groupId
    this.#limits = limits
    this.emptySinceMs = nowMs
  }

  get state(): GroupState {
    return this.#state
  }
  get generationId(): number {
    return this.#generationId
  }
  get memberCount(): number {
    return this.#roster.size
  }
  get protocolType(): string | undefined {
    return this.#protocolType
  }
  get hasPendingMembers(): boolean {
    return this.#pendingMembers.size > 0
  }

  // ── Join ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `newMemberId` is used when the member has no id yet: unique, made by the caller. */
  join(request: JoinRequest, newMemberId: string, nowMs: number, answer: (answer: JoinAnswer) => void): void {
    if (!this.#acceptsMember(request.memberId)) {
      answer(refuseJoin('GROUP_MAX_SIZE_REACHED', ''))
      return
    }
    if (this.#state === 'Dead') {
      answer(refuseJoin('COORDINATOR_NOT_AVAILABLE', request.memberId))
      return
    }
    if (!this.#supportsProtocols(request)) {
      answer(refuseJoin('INCONSISTENT_GROUP_PROTOCOL', request.memberId))
      return
    }
    if (request.memberId === '') this.#joinWithoutId(request, newMemberId, nowMs, answer)
    else this.#joinWithId(request, nowMs, answer)
  }

  #joinWithoutId(request: JoinRequest, newMemberId: string, nowMs: number, answer: (answer: JoinAnswer) => void): void {
    if (request.groupInstanceId !== undefined) {
      const oldMemberId = this.#roster.findStatic(request.groupInstanceId)?.memberId
      if (oldMemberId === undefined) this.#addMember(request, newMemberId, nowMs, answer)
      else this.#replaceStaticMember(request, oldMemberId, newMemberId, nowMs, answer)
      return
    }
    if (request.requiresKnownMemberId) {
      if (this.#pendingMembers.size >= this.#limits.sizeMax) {
        answer(refuseJoin('GROUP_MAX_SIZE_REACHED', ''))
        return
      }
      this.#pendingMembers.set(newMemberId, nowMs + request.sessionTimeoutMs)
      answer(refuseJoin('MEMBER_ID_REQUIRED', newMemberId))
      return
    }
    this.#addMember(request, newMemberId, nowMs, answer)
  }

  #joinWithId(request: JoinRequest, nowMs: number, answer: (answer: JoinAnswer) => void): void {
    const { memberId } = request
    if (this.#pendingMembers.has(memberId) && request.groupInstanceId === undefined) {
      this.#addMember(request, memberId, nowMs, answer)
      return
    }
    const error = this.#roster.check(request)
    if (error !== 'NONE') {
      answer(refuseJoin(error, memberId))
      return
    }
    const member = this.#roster.get(memberId)
    const unchanged = matchesProtocols(member, request.protocols)
    if (this.#state === 'CompletingRebalance' && unchanged) {
      // The first answer was lost: give it again.
      answer(this.#joinAnswerFor(member))
      return
    }
    if (this.#state === 'Stable' && unchanged && this.#roster.leaderId !== memberId) {
      answer({ ...this.#joinAnswerFor(member), members: [] })
      return
    }
    if (this.#state === 'Empty') {
      answer(refuseJoin('UNKNOWN_MEMBER_ID', memberId))
      return
    }
    this.#updateMember(member, request, answer)
    this.#rebalanceOrCompleteJoin(nowMs)
  }

  #addMember(request: JoinRequest, memberId: string, nowMs: number, answer: (answer: JoinAnswer) => void): void {
    this.#pendingMembers.delete(memberId)
    const member = createMember(request, memberId)
    member.answerJoin = answer
    member.expiresMs = nowMs + this.#limits.newMemberJoinMsMax
    if (this.#roster.size === 0) this.#protocolType = request.protocolType
    this.#roster.add(member)
    if (this.#state === 'PreparingRebalance' && this.#initialDelayLeftMs !== undefined) {
      this.#memberAddedDuringInitialDelay = true
    }
    this.#rebalanceOrCompleteJoin(nowMs)
  }

  #updateMember(member: Member, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    // A client that gave up on its first join and sent it again: the first one must not wait for ever.
    member.answerJoin?.(refuseJoin('REBALANCE_IN_PROGRESS', member.memberId))
    member.protocols = ownProtocols(request.protocols)
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.answerJoin = answer
  }

  /** A static member came back without its member id: the new id takes the old one's place, and the old one is fenced. */
  #replaceStaticMember(
    request: JoinRequest,
    oldMemberId: string,
    newMemberId: string,
    nowMs: number,
    answer: (answer: JoinAnswer) => void,
  ): void {
    const oldLeaderId = this.#roster.leaderId
    const member = this.#roster.get(oldMemberId)
    this.#roster.replaceStatic(member, newMemberId)
    if (this.#pendingSyncs.delete(oldMemberId)) this.#pendingSyncs.add(newMemberId)
    member.expiresMs = nowMs + request.sessionTimeoutMs
    this.#updateMember(member, request, answer)

    if (this.#state !== 'Stable') {
      this.#rebalanceOrCompleteJoin(nowMs)
      return
    }
    if (this.#roster.selectProtocol() !== this.#protocolName) {
      this.#prepareRebalance(nowMs)
      return
    }
    // Nothing changes for the others. A leader that knows KIP-814 is told that it leads and to skip the assignment; an older
    // one is told the old leader's id, so that it takes itself for a follower and does not assign anew.
    const isLeader = this.#roster.leaderId === newMemberId
    member.answerJoin = undefined
    const full = this.#joinAnswerFor(member)
    if (request.supportsSkippingAssignment) answer({ ...full, skipAssignment: isLeader })
    else answer({ ...full, leader: oldLeaderId ?? '', members: [] })
  }

  #acceptsMember(memberId: string): boolean {
    const member = this.#roster.find(memberId)
    switch (this.#state) {
      case 'Empty':
      case 'Dead':
        return true
      case 'PreparingRebalance':
        // Members that have not rejoined may be gone: whoever comes first gets the places.
        return member?.answerJoin !== undefined || this.#roster.awaitingJoinCount() < this.#limits.sizeMax
      default:
        return member !== undefined || this.#roster.size < this.#limits.sizeMax
    }
  }

  #supportsProtocols(request: JoinRequest): boolean {
    if (request.protocolType === '' || request.protocols.length === 0) return false
    if (this.#roster.size === 0) return true
    if (request.protocolType !== this.#protocolType) return false
    return this.#roster.supportsAny(request.protocols)
  }

  #joinAnswerFor(member: Member): JoinAnswer {
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

  // ── Rebalance ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #rebalanceOrCompleteJoin(nowMs: number): void {
    if (this.#state === 'PreparingRebalance') this.#maybeCompleteJoin(nowMs)
    else if (this.#state !== 'Dead') this.#prepareRebalance(nowMs)
  }

  #prepareRebalance(nowMs: number): void {
    if (this.#state === 'CompletingRebalance') {
      for (const member of this.#roster.all()) {
        member.assignment = noBytes
        this.#finishSync(member, refuseSync('REBALANCE_IN_PROGRESS'), nowMs)
      }
    }
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = Number.POSITIVE_INFINITY
    const isInitial = this.#state === 'Empty'
    this.#state = 'PreparingRebalance'
    this.rebalanceCount++
    if (isInitial && this.#limits.initialRebalanceDelayMs > 0) {
      const delayMs = this.#limits.initialRebalanceDelayMs
      this.#initialDelayLeftMs = Math.max(this.#roster.rebalanceTimeoutMs() - delayMs, 0)
      this.#memberAddedDuringInitialDelay = false
      this.#joinDeadlineMs = nowMs + delayMs
      return
    }
    this.#initialDelayLeftMs = undefined
    this.#joinDeadlineMs = nowMs + this.#roster.rebalanceTimeoutMs()
    this.#maybeCompleteJoin(nowMs)
  }

  #maybeCompleteJoin(nowMs: number): void {
    if (this.#state !== 'PreparingRebalance' || this.#initialDelayLeftMs !== undefined) return
    if (this.#pendingMembers.size > 0) return
    if (this.#roster.awaitingJoinCount() < this.#roster.size) return
    this.#completeJoin(nowMs)
  }

  #onJoinDeadline(nowMs: number): void {
    if (this.#initialDelayLeftMs !== undefined) {
      if (this.#memberAddedDuringInitialDelay && this.#initialDelayLeftMs > 0) {
        const delayMs = Math.min(this.#limits.initialRebalanceDelayMs, this.#initialDelayLeftMs)
        this.#memberAddedDuringInitialDelay = false
        this.#initialDelayLeftMs = Math.max(this.#initialDelayLeftMs - delayMs, 0)
        this.#joinDeadlineMs = nowMs + delayMs
        return
      }
      this.#initialDelayLeftMs = undefined
    }
    this.#completeJoin(nowMs)
  }

  #completeJoin(nowMs: number): void {
    this.#initialDelayLeftMs = undefined
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
    if (this.#roster.size === 0) {
      this.#becomeEmpty(nowMs)
      return
    }
    this.#protocolName = this.#roster.selectProtocol()
    this.#state = 'CompletingRebalance'
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = nowMs + this.#roster.rebalanceTimeoutMs()
    for (const member of this.#roster.all()) this.#pendingSyncs.add(member.memberId)
    for (const member of this.#roster.all()) {
      const { answerJoin } = member
      member.answerJoin = undefined
      member.isNew = false
      member.expiresMs = nowMs + member.sessionTimeoutMs
      answerJoin?.(this.#joinAnswerFor(member))
    }
  }

  #becomeEmpty(nowMs: number): void {
    this.#state = 'Empty'
    this.#protocolName = undefined
    this.#pendingSyncs.clear()
    this.#joinDeadlineMs = Number.POSITIVE_INFINITY
    this.#syncDeadlineMs = Number.POSITIVE_INFINITY
    this.emptySinceMs = nowMs
  }

  // ── Sync, heartbeat, leave ─────────────────────────────────────────────────────────────────────────────────────────

  sync(request: SyncRequest, nowMs: number, answer: (answer: SyncAnswer) => void): void {
    if (this.#state === 'Dead') {
      answer(refuseSync('COORDINATOR_NOT_AVAILABLE'))
      return
    }
    const error = this.#roster.check(request)
    if (error !== 'NONE') {
      answer(refuseSync(error))
      return
    }
    if (request.generationId !== this.#generationId) {
      answer(refuseSync('ILLEGAL_GENERATION'))
      return
    }
    if (
      (request.protocolType !== undefined && request.protocolType !== this.#protocolType) ||
      (request.protocolName !== undefined &&
        this.#protocolName !== undefined &&
        request.protocolName !== this.#protocolName)
    ) {
      answer(refuseSync('INCONSISTENT_GROUP_PROTOCOL'))
      return
    }
    const member = this.#roster.get(request.memberId)
    switch (this.#state) {
      case 'Empty':
        answer(refuseSync('UNKNOWN_MEMBER_ID'))
        return
      case 'PreparingRebalance':
        answer(refuseSync('REBALANCE_IN_PROGRESS'))
        return
      case 'CompletingRebalance':
        this.#removePendingSync(member.memberId)
        member.answerSync?.(refuseSync('REBALANCE_IN_PROGRESS'))
        member.answerSync = answer
        if (member.memberId === this.#roster.leaderId) this.#takeAssignment(request, nowMs)
        return
      case 'Stable':
        this.#removePendingSync(member.memberId)
        member.expiresMs = nowMs + member.sessionTimeoutMs
        answer(this.#syncAnswerFor(member))
        return
    }
  }

  #takeAssignment(request: SyncRequest, nowMs: number): void {
    const assignments = new Map(request.assignments.map(each => [each.memberId, each.assignment]))
    this.#state = 'Stable'
    for (const member of this.#roster.all()) {
      member.assignment = new Uint8Array(assignments.get(member.memberId) ?? noBytes)
      this.#finishSync(member, this.#syncAnswerFor(member), nowMs)
    }
  }

  #finishSync(member: Member, answer: SyncAnswer, nowMs: number): void {
    const { answerSync } = member
    if (answerSync === undefined) return
    member.answerSync = undefined
    member.expiresMs = nowMs + member.sessionTimeoutMs
    answerSync(answer)
  }

  #syncAnswerFor(member: Member): SyncAnswer {
    return {
      error: 'NONE',
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    }
  }

  #removePendingSync(memberId: string): void {
    this.#pendingSyncs.delete(memberId)
    if (this.#pendingSyncs.size === 0) this.#syncDeadlineMs = Number.POSITIVE_INFINITY
  }

  heartbeat(identity: MemberIdentity, generationId: number, nowMs: number): GroupError {
    if (this.#state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    const error = this.#roster.check(identity)
    if (error !== 'NONE') return error
    if (generationId !== this.#generationId) return 'ILLEGAL_GENERATION'
    if (this.#state === 'Empty') return 'UNKNOWN_MEMBER_ID'
    const member = this.#roster.get(identity.memberId)
    member.expiresMs = nowMs + member.sessionTimeoutMs
    return this.#state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** By member id, or by instance id alone (KIP-345). */
  leave(identity: MemberIdentity, nowMs: number): GroupError {
    if (this.#state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (identity.memberId === '' && identity.groupInstanceId !== undefined) {
      const member = this.#roster.findStatic(identity.groupInstanceId)
      if (member === undefined) return 'UNKNOWN_MEMBER_ID'
      this.#removeMember(member, nowMs)
      return 'NONE'
    }
    if (this.#pendingMembers.delete(identity.memberId)) {
      this.#maybeCompleteJoin(nowMs)
      return 'NONE'
    }
    const error = this.#roster.check(identity)
    if (error !== 'NONE') return error
    this.#removeMember(this.#roster.get(identity.memberId), nowMs)
    return 'NONE'
  }

  /** Whether offsets may be committed under this identity (reference table 3.6). A good one counts as a heartbeat. */
  checkCommit(identity: MemberIdentity, generationId: number, nowMs: number): GroupError {
    if (this.#state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (generationId < 0 && this.#state === 'Empty') return 'NONE'
    if (generationId < 0 && identity.memberId === '' && identity.groupInstanceId === undefined) {
      return 'UNKNOWN_MEMBER_ID'
    }
    const error = this.#roster.check(identity)
    if (error !== 'NONE') return error
    if (generationId !== this.#generationId) return 'ILLEGAL_GENERATION'
    if (this.#state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
    const member = this.#roster.get(identity.memberId)
    member.expiresMs = nowMs + member.sessionTimeoutMs
    return 'NONE'
  }

  /** Whether the member (if one is named) may read offsets; only fences (OffsetFetch v9). */
  checkFetch(identity: MemberIdentity, generationId: number): GroupError {
    if (identity.memberId === '' && generationId < 0) return 'NONE'
    if (!this.#roster.has(identity.memberId)) return 'UNKNOWN_MEMBER_ID'
    return generationId === this.#generationId ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #removeMember(member: Member, nowMs: number): void {
    this.#forgetMember(member)
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#prepareRebalance(nowMs)
    else this.#maybeCompleteJoin(nowMs)
  }

  #forgetMember(member: Member): void {
    this.#roster.forget(member)
    this.#pendingSyncs.delete(member.memberId)
  }

  // ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** When `tick` has something to do; Infinity: never. */
  nextDeadlineMs(): number {
    let next = Math.min(this.#joinDeadlineMs, this.#syncDeadlineMs)
    for (const deadlineMs of this.#pendingMembers.values()) next = Math.min(next, deadlineMs)
    for (const member of this.#roster.all()) if (canExpire(member)) next = Math.min(next, member.expiresMs)
    return next
  }

  tick(nowMs: number): void {
    for (const [memberId, deadlineMs] of [...this.#pendingMembers]) {
      if (deadlineMs > nowMs) continue
      this.#pendingMembers.delete(memberId)
      this.#maybeCompleteJoin(nowMs)
    }
    for (const member of this.#roster.all()) {
      if (canExpire(member) && member.expiresMs <= nowMs && this.#roster.find(member.memberId) === member) {
        this.#removeMember(member, nowMs)
      }
    }
    if (this.#syncDeadlineMs <= nowMs) {
      this.#syncDeadlineMs = Number.POSITIVE_INFINITY
      const late = [...this.#pendingSyncs]
      for (const memberId of late) {
        const member = this.#roster.find(memberId)
        if (member !== undefined) this.#forgetMember(member)
      }
      if (late.length > 0) this.#prepareRebalance(nowMs)
    }
    if (this.#joinDeadlineMs <= nowMs && this.#state === 'PreparingRebalance') this.#onJoinDeadline(nowMs)
  }

  // ── Views and the end ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Topics are subscribed while any member's metadata names them; undefined: not a consumer group, nothing is known. */
  memberMetadata(): readonly Uint8Array[] | undefined {
    if (this.#protocolType !== 'consumer') return undefined
    return this.#roster.all().flatMap(member => member.protocols.map(protocol => protocol.metadata))
  }

  describe(): GroupDescription {
    const isStable = this.#state === 'Stable'
    return {
      groupId: this.groupId,
      state: this.#state,
      protocolType: this.#protocolType ?? '',
      protocolName: isStable ? (this.#protocolName ?? '') : '',
      members: this.#roster.all().map(member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: isStable ? findMetadata(member, this.#protocolName) : noBytes,
        assignment: isStable ? member.assignment : noBytes,
      })),
    }
  }

  /** Only an empty group can be deleted. Afterwards every call is answered COORDINATOR_NOT_AVAILABLE. */
  kill(): boolean {
    if (this.#state !== 'Empty' || this.#roster.size > 0) return false
    this.#state = 'Dead'
    return true
  }

  /** Answers everything that waits, at shutdown. */
  abandon(): void {
    for (const member of this.#roster.all()) {
      answerWaiting(member, 'COORDINATOR_NOT_AVAILABLE')
    }
    this.#state = 'Dead'
  }
}

/** While a join or a sync waits its client cannot heartbeat; see the file header for new members. */
function canExpire(member: Member): boolean {
  if (member.isNew) return member.answerJoin !== undefined
  return member.answerJoin === undefined && member.answerSync === undefined
}
