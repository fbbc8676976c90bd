/**
 * Time as a parameter. `core/` and `bin/` alone touch the real clock and timers (lint), so that a whole cluster can run on a
 * virtual clock under a seed.
 */
export interface TimerHandle {
  cancel(): void
}

export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number
  /** Monotonic, milliseconds since an arbitrary start. For durations and deadlines. */
  monotonicMs(): number
  /** Calls `callback` once after `delayMs`. The timer alone does not keep the process alive. */
  startTimer(delayMs: number, callback: () => void): TimerHandle
  /** Resolves after `delayMs`, or at once (without error) when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Resolves in a later turn of the event loop: lets sockets and timers run between batches of work. */
  yield(): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  startTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep(delayMs, signal) {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, delayMs)
      signal?.addEventListener('abort', finish)
    })
  },
  yield: () => new Promise(resolve => setImmediate(resolve)),
}
