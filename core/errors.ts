/**
 * One error type. The kind tells the caller what to do, the code is stable and can be searched for, the context says where.
 *
 *   invalid      the request or the input is wrong: mend it, retrying cannot help
 *   conflict     somebody else changed it first: read again and decide
 *   fenced       a newer owner exists: stop
 *   unavailable  it may work later: retry with backoff
 *   exhausted    a named limit was reached
 *   corrupt      stored bytes are not what was written
 *   unsupported  a valid request that Floe does not serve
 *   internal     our mistake
 *
 * Outcomes that are expected, such as losing a commit race, are returned as unions and are not errors.
 */
export type ErrorKind =
  | 'invalid'
  | 'conflict'
  | 'fenced'
  | 'unavailable'
  | 'exhausted'
  | 'corrupt'
  | 'unsupported'
  | 'internal'

export type ErrorContext = Readonly<Record<string, string | number | bigint | boolean | undefined>>

export class FloeError extends Error {
  override readonly name = 'FloeError'
  readonly kind: ErrorKind
  /** Stable, kebab-case, for example `object-store-unreachable`. */
  readonly code: string
  readonly context: ErrorContext

  constructor(kind: ErrorKind, code: string, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.context = context
  }
}

/** The innermost useful message of anything that was thrown, on one line. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0) {
    return errorMessage(error.errors[0])
  }
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.replaceAll(/\s+/g, ' ').trim()
}

export function isFloeError(error: unknown, kind?: ErrorKind): error is FloeError {
  return error instanceof FloeError && (kind === undefined || error.kind === kind)
}
