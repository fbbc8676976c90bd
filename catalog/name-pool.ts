/**
 * Hands out object names one by one from ranges the catalog granted, fetching the next range when one runs out or nears its
 * deadline. A name is given once; one that is never committed is known to the catalog and removed after its deadline.
 */
import type { Clock } from '../core/clock.ts'
import type { CatalogClient, GrantPurpose, NameGrant } from './client.ts'

export interface GrantedName {
  readonly grantId: number
  readonly nameIndex: number
}

export interface NamePoolOptions {
  /** Whose data files the names are for. */
  readonly tableId?: number
  readonly namesPerGrant: number
  readonly grantTtlMs: number
  /** A name must be committed this long before its grant's deadline, so younger grants only. */
  readonly remainingMsMin: number
}

export const namePoolDefaults: NamePoolOptions = {
  namesPerGrant: 200,
  grantTtlMs: 6 * 3600_000,
  remainingMsMin: 3600_000,
}

export class NamePool {
  readonly #catalog: CatalogClient
  readonly #clock: Clock
  readonly #purpose: GrantPurpose
  readonly #options: NamePoolOptions
  #grant: NameGrant | undefined
  #nextIndex = 0
  #refill: Promise<void> | undefined

  constructor(
    catalog: CatalogClient,
    clock: Clock,
    purpose: GrantPurpose,
    options: NamePoolOptions = namePoolDefaults,
  ) {
    this.#catalog = catalog
    this.#clock = clock
    this.#purpose = purpose
    this.#options = options
  }

  /** errors  what grantNames throws */
  async next(): Promise<GrantedName> {
    for (;;) {
      const grant = this.#grant
      if (
        grant !== undefined &&
        this.#nextIndex < grant.count &&
        grant.deadlineMs - this.#clock.nowMs() > this.#options.remainingMsMin
      ) {
        return { grantId: grant.grantId, nameIndex: this.#nextIndex++ }
      }
      this.#refill ??= this.#fetchGrant().finally(() => {
        this.#refill = undefined
      })
      await this.#refill
    }
  }

  /** Drops the rest of a grant that the catalog refused. */
  discard(grantId: number): void {
    if (this.#grant?.grantId === grantId) this.#grant = undefined
  }

  async #fetchGrant(): Promise<void> {
    const { namesPerGrant, grantTtlMs, tableId } = this.#options
    this.#grant = await this.#catalog.grantNames(this.#purpose, namesPerGrant, grantTtlMs, tableId)
    this.#nextIndex = 0
  }
}
