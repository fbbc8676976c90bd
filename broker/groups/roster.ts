/**
 * Who belongs to a classic group: members by id and by instance id, who leads, and who waits.
 *
 * Invariants: a static member's instance id points at exactly one member; the leader is a member, or nobody is one; whoever is
 * forgotten or replaced gets an answer to the join and sync it waits for.
 */
import { findMetadata, type Member } from './member.ts'
import { type GroupError, type JoinedMember, type MemberIdentity, refuseJoin, refuseSync } from './types.ts'

export class Roster {
  readonly #members: Map<string, Member> = new Map()
  /** Group instance id to member id. */
  readonly #staticMembers: Map<string, string> = new Map()
  #leaderId: string | undefined

  get size(): number {
    return this.#members.size
  }
  get leaderId(): string | undefined {
    return this.#leaderId
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId)
  }

  find(memberId: string): Member | undefined {
    return this.#members.get(memberId)
  }

  /** The member must be there. */
  get(memberId: string): Member {
    return this.#members.get(memberId)!
  }

  findStatic(groupInstanceId: string): Member | undefined {
    const memberId = this.#staticMembers.get(groupInstanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** A copy: members may be forgotten meanwhile. */
  all(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** Whether somebody with this identity belongs here now. */
  check({ memberId, groupInstanceId }: MemberIdentity): GroupError {
    if (groupInstanceId !== undefined) {
      const current = this.#staticMembers.get(groupInstanceId)
      if (current === undefined) return 'UNKNOWN_MEMBER_ID'
      if (current !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.#members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
  }

  /** The first one leads. */
  add(member: Member): void {
    this.#members.set(member.memberId, member)
    if (member.groupInstanceId !== undefined) this.#staticMembers.set(member.groupInstanceId, member.memberId)
    this.#leaderId ??= member.memberId
  }

  forget(member: Member): void {
    answerWaiting(member, 'UNKNOWN_MEMBER_ID')
    this.#members.delete(member.memberId)
    if (member.groupInstanceId !== undefined && this.#staticMembers.get(member.groupInstanceId) === member.memberId) {
      this.#staticMembers.delete(member.groupInstanceId)
    }
    if (this.#leaderId === member.memberId) this.#leaderId = this.#members.keys().next().value
  }

  /** Gives a static member a new id; whoever uses the old one is fenced. */
  replaceStatic(member: Member, newMemberId: string): void {
    const oldMemberId = member.memberId
    answerWaiting(member, 'FENCED_INSTANCE_ID')
    this.#members.delete(oldMemberId)
    member.memberId = newMemberId
    this.#members.set(newMemberId, member)
    this.#staticMembers.set(member.groupInstanceId!, newMemberId)
    if (this.#leaderId === oldMemberId) this.#leaderId = newMemberId
  }

  /** False: nobody has joined. */
  electLeaderAmongJoined(): boolean {
    const leader = this.#leaderId === undefined ? undefined : this.#members.get(this.#leaderId)
    if (leader?.answerJoin !== undefined) return true
    for (const member of this.#members.values()) {
      if (member.answerJoin === undefined) continue
      this.#leaderId = member.memberId
      return true
    }
    return false
  }

  awaitingJoinCount(): number {
    let count = 0
    for (const member of this.#members.values()) if (member.answerJoin !== undefined) count++
    return count
  }

  /** The largest of all members. */
  rebalanceTimeoutMs(): number {
    let largest = 0
    for (const member of this.#members.values()) largest = Math.max(largest, member.rebalanceTimeoutMs)
    return largest
  }

  listJoined(protocolName: string | undefined): readonly JoinedMember[] {
    return this.all().map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: findMetadata(member, protocolName),
    }))
  }
}

/** Ends what the member waits for, if anything. */
export function answerWaiting(member: Member, error: GroupError): void {
  member.answerJoin?.(refuseJoin(error, member.memberId))
  member.answerJoin = undefined
  member.answerSync?.(refuseSync(error))
  member.answerSync = undefined
}
