/** Asserts are for our own mistakes and stop the process; bad input is a FloeError (errors.ts), never an assert. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message)
}

export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure'
}

/** For switch statements over unions: the compiler proves it is never reached. */
export function assertNever(value: never, what: string): never {
  throw new AssertionFailure(`${what}: unexpected ${JSON.stringify(value)}`)
}
