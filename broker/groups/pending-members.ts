/**
 * The member ids that were handed out with MEMBER_ID_REQUIRED and not used yet (KIP-394), with when each is forgotten.
 *
 * While there is one the join phase does not complete: its client is about to join.
 */
export class PendingMembers {
  /** Member id to the moment when it is forgotten. */
  readonly #deadlinesMs: Map<string, number> = new Map()

  get size(): number {
    return this.#deadlinesMs.size
  }

  has(memberId: string): boolean {
    return this.#deadlinesMs.has(memberId)
  }

  add(memberId: string, deadlineMs: number): void {
    this.#deadlinesMs.set(memberId, deadlineMs)
  }

  /** False: it was not there. */
  delete(memberId: string): boolean {
    return this.#deadlinesMs.delete(memberId)
  }

  /** Infinity: there is none. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const deadlineMs of this.#deadlinesMs.values()) next = Math.min(next, deadlineMs)
    return next
  }

  /** False: none was due. */
  deleteExpired(nowMs: number): boolean {
    const sizeBefore = this.#deadlinesMs.size
    for (const [memberId, deadlineMs] of this.#deadlinesMs) {
      if (deadlineMs <= nowMs) this.#deadlinesMs.delete(memberId)
    }
    return this.#deadlinesMs.size < sizeBefore
  }
}
