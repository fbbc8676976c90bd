/**
 * Replaces AbortSignal.any in this process: Node keeps a signal that it made alive, with all that hangs on it, for as long as anybody
 * listens to it, and the code of a crashed host listens for ever. Ten thousand lives need ten thousand worlds' memory otherwise.
 */
AbortSignal.any = signals => {
  const any = new AbortController()
  for (const signal of signals) {
    if (signal.aborted) any.abort(signal.reason)
    else signal.addEventListener('abort', () => any.abort(signal.reason), { once: true })
  }
  return any.signal
}
