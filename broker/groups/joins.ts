/**
 * What a JoinGroup request means for one classic group: refused, given an id first, admitted, or taken as the return of a
 * member that is there already.
 *
 * Invariant: every join handed in is answered exactly once, here or, when it waits for the others, through its member.
 *
 * Source: ClassicGroup and GroupMetadataManager of Apache Kafka 4; KIP-345 (static members), KIP-394 (ids first),
 * KIP-814 (a returning leader skips the assignment).
 */
import { createMember, type Member, matchesProtocols, ownProtocols } from './member.ts'
import type { PendingMembers } from './pending-members.ts'
import { selectProtocol, supportsAny } from './protocol-selection.ts'
import type { Rebalance } from './rebalance.ts'
import type { Roster } from './roster.ts'
import { type GroupLimits, type JoinAnswer, type JoinRequest, refuseJoin } from './types.ts'

type Answer = (answer: JoinAnswer) => void

export interface JoinsParts {
  readonly roster: Roster
  readonly pendingMembers: PendingMembers
  readonly rebalance: Rebalance
  readonly limits: GroupLimits
}

export class Joins {
  readonly #roster: Roster
  readonly #pendingMembers: PendingMembers
  readonly #rebalance: Rebalance
  readonly #limits: GroupLimits

  constructor({ roster, pendingMembers, rebalance, limits }: JoinsParts) {
    this.#roster = roster
    this.#pendingMembers = pendingMembers
    this.#rebalance = rebalance
    this.#limits = limits
  }

  /** `newMemberId` is used when the member has no id yet: unique, made by the caller. */
  join(request: JoinRequest, newMemberId: string, nowMs: number, answer: Answer): void {
    if (!this.#acceptsMember(request.memberId)) answer(refuseJoin('GROUP_MAX_SIZE_REACHED', ''))
    else if (this.#rebalance.state === 'Dead') answer(refuseJoin('COORDINATOR_NOT_AVAILABLE', request.memberId))
    else if (!this.#supportsProtocols(request)) answer(refuseJoin('INCONSISTENT_GROUP_PROTOCOL', request.memberId))
    else if (request.memberId !== '') this.#joinWithId(request, nowMs, answer)
    else if (request.groupInstanceId !== undefined) {
      this.#joinStatic(request, request.groupInstanceId, newMemberId, nowMs, answer)
    } else this.#joinWithoutId(request, newMemberId, nowMs, answer)
  }

  #acceptsMember(memberId: string): boolean {
    const member = this.#roster.find(memberId)
    switch (this.#rebalance.state) {
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
    if (request.protocolType !== this.#rebalance.protocolType) return false
    return supportsAny(this.#roster.all(), request.protocols)
  }

  #joinWithoutId(request: JoinRequest, newMemberId: string, nowMs: number, answer: Answer): void {
    if (!request.requiresKnownMemberId) {
      this.#addMember(request, newMemberId, nowMs, answer)
      return
    }
    if (this.#pendingMembers.size >= this.#limits.sizeMax) {
      answer(refuseJoin('GROUP_MAX_SIZE_REACHED', ''))
      return
    }
    this.#pendingMembers.add(newMemberId, nowMs + request.sessionTimeoutMs)
    answer(refuseJoin('MEMBER_ID_REQUIRED', newMemberId))
  }

  #joinStatic(request: JoinRequest, groupInstanceId: string, newMemberId: string, nowMs: number, answer: Answer): void {
    const member = this.#roster.findStatic(groupInstanceId)
    if (member === undefined) this.#addMember(request, newMemberId, nowMs, answer)
    else this.#replaceStaticMember(request, member, newMemberId, nowMs, answer)
  }

  #joinWithId(request: JoinRequest, nowMs: number, answer: Answer): void {
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
    const { state } = this.#rebalance
    const member = this.#roster.get(memberId)
    const unchanged = matchesProtocols(member, request.protocols)
    if (state === 'CompletingRebalance' && unchanged) {
      // The first answer was lost: give it again.
      answer(this.#rebalance.joinAnswerFor(member))
      return
    }
    if (state === 'Stable' && unchanged && this.#roster.leaderId !== memberId) {
      answer({ ...this.#rebalance.joinAnswerFor(member), members: [] })
      return
    }
    if (state === 'Empty') {
      answer(refuseJoin('UNKNOWN_MEMBER_ID', memberId))
      return
    }
    updateMember(member, request, answer)
    this.#rebalance.onMemberJoined(nowMs)
  }

  #addMember(request: JoinRequest, memberId: string, nowMs: number, answer: Answer): void {
    this.#pendingMembers.delete(memberId)
    const member = createMember(request, memberId)
    member.answerJoin = answer
    member.expiresMs = nowMs + this.#limits.newMemberJoinMsMax
    this.#rebalance.addMember(member, request.protocolType, nowMs)
  }

  /** A static member came back without its member id: the new id takes the old one's place, and the old one is fenced. */
  #replaceStaticMember(request: JoinRequest, member: Member, newMemberId: string, nowMs: number, answer: Answer): void {
    const oldLeaderId = this.#roster.leaderId
    this.#rebalance.replaceStaticMember(member, newMemberId)
    member.expiresMs = nowMs + request.sessionTimeoutMs
    updateMember(member, request, answer)

    if (this.#rebalance.state !== 'Stable') {
      this.#rebalance.onMemberJoined(nowMs)
      return
    }
    if (selectProtocol(this.#roster.all()) !== this.#rebalance.protocolName) {
      this.#rebalance.prepare(nowMs)
      return
    }
    // Nothing changes for the others. A leader that knows KIP-814 is told that it leads and to skip the assignment; an older
    // one is told the old leader's id, so that it takes itself for a follower and does not assign anew.
    const isLeader = this.#roster.leaderId === newMemberId
    member.answerJoin = undefined
    const full = this.#rebalance.joinAnswerFor(member)
    if (request.supportsSkippingAssignment) answer({ ...full, skipAssignment: isLeader })
    else answer({ ...full, leader: oldLeaderId ?? '', members: [] })
  }
}

function updateMember(member: Member, request: JoinRequest, answer: Answer): void {
  // A client that gave up on its first join and sent it again: the first one must not wait for ever.
  member.answerJoin?.(refuseJoin('REBALANCE_IN_PROGRESS', member.memberId))
  member.protocols = ownProtocols(request.protocols)
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.answerJoin = answer
}
