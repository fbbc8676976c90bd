/**
 * A condition variable: `notify` wakes everybody who waits. Waiters hold a promise, not a closure per event, and a wait ends at
 * its deadline through the caller's clock.
 */
import type { Clock } from './clock.ts'

export class Signal {
  #waiters: (() => void)[] = []

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** Resolves true at the next notify, false after `timeoutMs` or when `abort` fires. */
  wait(clock: Clock, timeoutMs: number, abort?: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      if (abort?.aborted) return resolve(false)
      const finish = (notified: boolean): void => {
        timer.cancel()
        abort?.removeEventListener('abort', onAbort)
        if (!notified) this.#waiters = this.#waiters.filter(waiter => waiter !== wake)
        resolve(notified)
      }
      const wake = (): void => finish(true)
      const onAbort = (): void => finish(false)
      const timer = clock.startTimer(timeoutMs, () => finish(false))
      abort?.addEventListener('abort', onAbort)
      this.#waiters.push(wake)
    })
  }
}
