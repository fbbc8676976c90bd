import type { ErrorContext } from './errors.ts'

/** Structured logging as a parameter; `bin/` binds it to pino. Fields are flat and never hold record payloads or secrets. */
export interface Log {
  debug(message: string, fields?: ErrorContext): void
  info(message: string, fields?: ErrorContext): void
  warn(message: string, fields?: ErrorContext): void
  error(message: string, fields?: ErrorContext): void
  /** The same log with `fields` added to every line. */
  with(fields: ErrorContext): Log
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
}
