/**
 * Hands out object names one by one from ranges the catalog granted. The next range is asked for before one is used up, so that
 * a writer seldom waits for it, and only when names are used: an idle writer asks for none.
 *
 * A name is given once; one that is never committed is known to the catalog and removed after its deadline. Names whose grant
 * ends soon are dropped, since their commit would be refused.
 */
import type { Clock } from '../core/clock.ts'
import type { GrantPurpose, LogCommands, NameGrant } from './client.ts'

export interface GrantedName {
  readonly grantId: number
  readonly nameIndex: number
}

export interface NamePoolOptions {
  readonly purpose: GrantPurpose
  /** Whose data files the names are for. */
  readonly tableId?: number
  readonly namesPerGrant: number
  /** Names left of a grant at which the next one is asked for. */
  readonly refillAt: number
  readonly grantTtlMs: number
  /** A put and its commit must fit into what is left of a grant. */
  readonly remainingMsMin: number
}

export class NamePool {
  readonly #catalog: Pick<LogCommands, 'grantNames'>
  readonly #clock: Clock
  readonly #options: NamePoolOptions
  #grant: NameGrant | undefined
  #nextIndex = 0
  /** A range asked for and not yet in use. */
  #ahead: Promise<NameGrant> | undefined

  constructor(catalog: Pick<LogCommands, 'grantNames'>, clock: Clock, options: NamePoolOptions) {
    this.#catalog = catalog
    this.#clock = clock
    this.#options = options
  }

  /** errors  what grantNames throws */
  async take(): Promise<GrantedName> {
    for (;;) {
      const grant = this.#grant
      if (grant !== undefined && this.#nextIndex < grant.count && this.#isFresh(grant)) {
        const nameIndex = this.#nextIndex++
        if (grant.count - this.#nextIndex <= this.#options.refillAt) this.#refill().catch(() => {})
        return { grantId: grant.grantId, nameIndex }
      }
      const next = await this.#refill()
      // Several takers may have waited for the same range: the first one installs it.
      if (this.#ahead !== undefined && this.#grant !== next) {
        this.#ahead = undefined
        this.#grant = next
        this.#nextIndex = 0
      }
    }
  }

  /** Drops the rest of a grant that the catalog refused. */
  discard(grantId: number): void {
    if (this.#grant?.grantId === grantId) this.#grant = undefined
  }

  #isFresh(grant: NameGrant): boolean {
    return grant.deadlineMs - this.#clock.nowMs() > this.#options.remainingMsMin
  }

  /** A failed request is forgotten, and the next taker asks again. */
  #refill(): Promise<NameGrant> {
    if (this.#ahead === undefined) {
      const { purpose, namesPerGrant, grantTtlMs, tableId } = this.#options
      this.#ahead = this.#catalog.grantNames(purpose, namesPerGrant, grantTtlMs, tableId)
      this.#ahead.catch(() => {
        this.#ahead = undefined
      })
    }
    return this.#ahead
  }
}
