/** How a command fails: one line that says what, where and what to do; the stack only with `--debug`. Exit code 1. */
import { errorMessage, isFloeError } from '../../core/errors.ts'

/** A failure whose story was already told on standard error or in the result. */
export class ToldFailure extends Error {
  override readonly name = 'ToldFailure'
}

export function formatFailure(error: unknown, debug: boolean): string {
  const message = `floe: ${errorMessage(error)}`
  if (!debug) return message
  const lines = [message]
  let cause: unknown = error
  for (let depth = 0; cause !== undefined && depth < 8; depth++) {
    if (isFloeError(cause)) lines.push(`  ${cause.kind} ${cause.code} ${formatContext(cause.context)}`)
    if (cause instanceof Error && cause.stack !== undefined) lines.push(cause.stack)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return lines.join('\n')
}

function formatContext(context: Readonly<Record<string, unknown>>): string {
  return Object.entries(context)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
}
