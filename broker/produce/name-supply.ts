/**
 * Names for segment objects, taken from blocks that the catalog grants. A refill starts before the block is used up, so that a
 * flush seldom waits for it, and only when names are used: an idle broker asks for none.
 *
 * Invariants: a name is given out once. Names whose grant ends soon are dropped: their commit would be refused.
 */
import type { LogCommands, NameGrant } from '../../catalog/client.ts'
import type { Clock } from '../../core/clock.ts'
import { brokerLimits } from '../options.ts'

export interface SegmentName {
  readonly grantId: number
  readonly nameIndex: number
}

/** A put and its commit must fit into what is left of a grant. */
const remainingMsMin = 60_000

export class NameSupply {
  readonly #catalog: Pick<LogCommands, 'grantNames'>
  readonly #clock: Clock
  #grant: NameGrant | undefined
  #nextIndex = 0
  #ahead: Promise<NameGrant> | undefined

  constructor(catalog: Pick<LogCommands, 'grantNames'>, clock: Clock) {
    this.#catalog = catalog
    this.#clock = clock
  }

  /** errors  unavailable: the catalog did not answer */
  async take(): Promise<SegmentName> {
    for (;;) {
      const grant = this.#grant
      if (grant !== undefined && this.#nextIndex < grant.count && this.#isFresh(grant)) {
        const nameIndex = this.#nextIndex++
        if (grant.count - this.#nextIndex <= brokerLimits.segmentNamesRefillAt) this.#refill().catch(() => {})
        return { grantId: grant.grantId, nameIndex }
      }
      const fresh = await this.#refill()
      // Several flushes may have waited for the same block: the first one installs it.
      if (this.#ahead !== undefined && this.#grant !== fresh) {
        this.#ahead = undefined
        this.#grant = fresh
        this.#nextIndex = 0
      }
    }
  }

  #isFresh(grant: NameGrant): boolean {
    return grant.deadlineMs - this.#clock.nowMs() > remainingMsMin
  }

  /** A block asked for ahead of need; a failed one is forgotten, and the next taker asks again. */
  #refill(): Promise<NameGrant> {
    if (this.#ahead === undefined) {
      const { segmentNamesPerGrant, segmentNameTtlMs } = brokerLimits
      this.#ahead = this.#catalog.grantNames('segment', segmentNamesPerGrant, segmentNameTtlMs)
      this.#ahead.catch(() => {
        this.#ahead = undefined
      })
    }
    return this.#ahead
  }
}
