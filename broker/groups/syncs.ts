/**
 * What a SyncGroup request means for one classic group: refused, or answered with the member's assignment, at once or when the
 * leader has sent it.
 *
 * Invariant: every sync handed in is answered exactly once, here or, when it waits for the leader, through its member.
 *
 * Source: ClassicGroup and GroupMetadataManager of Apache Kafka 4.
 */
import type { Rebalance } from './rebalance.ts'
import type { Roster } from './roster.ts'
import { type GroupError, refuseSync, type SyncAnswer, type SyncRequest } from './types.ts'

export class Syncs {
  readonly #roster: Roster
  readonly #rebalance: Rebalance

  constructor(roster: Roster, rebalance: Rebalance) {
    this.#roster = roster
    this.#rebalance = rebalance
  }

  sync(request: SyncRequest, nowMs: number, answer: (answer: SyncAnswer) => void): void {
    const error = this.#check(request)
    if (error !== 'NONE') {
      answer(refuseSync(error))
      return
    }
    const member = this.#roster.get(request.memberId)
    this.#rebalance.onMemberSynced(member.memberId)
    if (this.#rebalance.state === 'Stable') {
      member.expiresMs = nowMs + member.sessionTimeoutMs
      answer(this.#rebalance.syncAnswerFor(member))
      return
    }
    // A sync that is sent again takes the place of the first one.
    member.answerSync?.(refuseSync('REBALANCE_IN_PROGRESS'))
    member.answerSync = answer
    if (member.memberId === this.#roster.leaderId) this.#rebalance.complete(request.assignments, nowMs)
  }

  #check(request: SyncRequest): GroupError {
    const { state, generationId } = this.#rebalance
    if (state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    const error = this.#roster.check(request)
    if (error !== 'NONE') return error
    if (request.generationId !== generationId) return 'ILLEGAL_GENERATION'
    if (!this.#matchesProtocol(request)) return 'INCONSISTENT_GROUP_PROTOCOL'
    if (state === 'Empty') return 'UNKNOWN_MEMBER_ID'
    return state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** What a request leaves out matches. */
  #matchesProtocol(request: SyncRequest): boolean {
    const { protocolType, protocolName } = this.#rebalance
    if (request.protocolType !== undefined && request.protocolType !== protocolType) return false
    if (request.protocolName === undefined || protocolName === undefined) return true
    return request.protocolName === protocolName
  }
}
