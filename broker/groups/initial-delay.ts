/**
 * The delay of the first join phase of an empty group (Kafka's group.initial.rebalance.delay.ms): members that start together
 * land in one generation.
 *
 * While it runs, the phase is not cut short when all are there. It is prolonged while members arrive, to the largest rebalance
 * timeout at most.
 */
export class InitialDelay {
  readonly #delayMs: number
  /** What it may still be prolonged by; undefined: it does not run. */
  #leftMs: number | undefined
  #memberAdded = false

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  get isRunning(): boolean {
    return this.#leftMs !== undefined
  }

  /** Returns for how long, undefined when groups start without a delay. */
  start(rebalanceTimeoutMs: number): number | undefined {
    if (this.#delayMs <= 0) return undefined
    this.#leftMs = Math.max(rebalanceTimeoutMs - this.#delayMs, 0)
    this.#memberAdded = false
    return this.#delayMs
  }

  stop(): void {
    this.#leftMs = undefined
  }

  onMemberAdded(): void {
    this.#memberAdded = true
  }

  /** When it is over: for how long it goes on, undefined when it ends. */
  prolong(): number | undefined {
    if (this.#leftMs === undefined || this.#leftMs === 0 || !this.#memberAdded) return undefined
    const delayMs = Math.min(this.#delayMs, this.#leftMs)
    this.#leftMs -= delayMs
    this.#memberAdded = false
    return delayMs
  }
}
