import { systemClock } from '../../core/clock.ts'

const pollMs = 10

/** Resolves once the condition holds; fails with the condition's text after `timeoutMs`. */
export async function waitFor(condition: () => Promise<boolean> | boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = systemClock.monotonicMs() + timeoutMs
  while (!(await condition())) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${condition}`)
    await systemClock.sleep(pollMs)
  }
}
