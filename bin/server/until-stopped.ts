/** Waits for Ctrl-C or SIGTERM, then ends the work in time; a second signal ends the process at once. */

/** From the signal to the end of the process. */
export const stopMsMax = 4_500
const lingerMsMax = 300

export interface Stopping {
  /** Aborts at the first signal, or when `stop` is called. */
  readonly signal: AbortSignal
  stop(): void
}

export function watchStopSignals(): Stopping {
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { signal: controller.signal, stop: () => controller.abort() }
}

/** Runs `close`; after `stopMsMax` says what was left and ends the process with 1. Nothing is lost by that: it is read again. */
export async function closeInTime(close: () => Promise<void>): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write('floe: not everything was drained in time; the next start continues from what is committed\n')
    process.exit(1)
  }, stopMsMax)
  try {
    await close()
  } finally {
    clearTimeout(timer)
    // A handle that something left open must not keep the process.
    setTimeout(() => process.exit(), lingerMsMax).unref()
  }
}

/** For a process that another one started: it ends when its parent tells it to, or is gone. Ctrl-C is the parent's to pass on. */
export function watchParent(): Stopping {
  const controller = new AbortController()
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => controller.abort())
  // The parent holds the other end; nothing is ever written to it.
  process.stdin.on('end', () => controller.abort())
  process.stdin.on('error', () => controller.abort())
  process.stdin.resume()
  process.stdin.unref?.()
  return { signal: controller.signal, stop: () => controller.abort() }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
