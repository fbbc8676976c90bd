import type { Clock } from '../../../core/clock.ts'

/**
 * A clock that jumps: whoever sleeps wakes in order of the time slept for, without waiting. Timers fire only when a sleep goes
 * past them.
 */
export function makeInstantClock(startMs = 1_700_000_000_000): Clock {
  let nowMs = startMs
  let order = 0
  const pending: { atMs: number; order: number; wake: () => void; sleep: boolean }[] = []
  const step = (): void => {
    if (!pending.some(entry => entry.sleep)) return
    pending.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    const next = pending.shift()!
    nowMs = Math.max(nowMs, next.atMs)
    next.wake()
    setImmediate(step)
  }
  const add = (delayMs: number, wake: () => void, sleep: boolean): { cancel(): void } => {
    const entry = { atMs: nowMs + delayMs, order: order++, wake, sleep }
    pending.push(entry)
    if (sleep) setImmediate(step)
    return {
      cancel: () => {
        const at = pending.indexOf(entry)
        if (at >= 0) pending.splice(at, 1)
      },
    }
  }
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    startTimer: (delayMs, callback) => add(delayMs, callback, false),
    sleep: (delayMs, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const entry = add(delayMs, resolve, true)
        signal?.addEventListener('abort', () => {
          entry.cancel()
          resolve()
        })
      }),
    yield: () => new Promise(resolve => setImmediate(resolve)),
  }
}
