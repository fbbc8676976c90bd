/**
 * Memory on loan: somebody looks at bytes that somebody else owns, and says once that it is done.
 *
 * Leases end exactly once; what ends them a second time does nothing. Whoever collects them in a `Leases` may end that at any moment:
 * what a straggler adds afterwards ends at once, so nothing stays lent because an answer was given up half-way.
 */
import { releaseMemory } from './release-memory.ts'

export interface Lease {
  /** Nobody looks at the bytes any more: their owner may reuse or free them. */
  giveBack(): void
  /** Somebody who cannot be asked may still look, as after a failed write: the memory is left to the collector. */
  abandon(): void
}

/** The lease of memory that has no other owner, such as a copy: it is freed when given back. */
export class OwnedLease implements Lease {
  #bytes: Uint8Array | undefined

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  giveBack(): void {
    if (this.#bytes !== undefined) releaseMemory(this.#bytes)
    this.#bytes = undefined
  }

  abandon(): void {
    this.#bytes = undefined
  }
}

/** All that one answer borrows. */
export class Leases implements Lease {
  readonly #held: Lease[] = []
  #ending: 'none' | 'given-back' | 'abandoned' = 'none'

  add(lease: Lease): void {
    if (this.#ending === 'none') this.#held.push(lease)
    else if (this.#ending === 'given-back') lease.giveBack()
    else lease.abandon()
  }

  giveBack(): void {
    if (this.#ending !== 'none') return
    this.#ending = 'given-back'
    for (const lease of this.#held) lease.giveBack()
    this.#held.length = 0
  }

  abandon(): void {
    if (this.#ending !== 'none') return
    this.#ending = 'abandoned'
    for (const lease of this.#held) lease.abandon()
    this.#held.length = 0
  }
}
