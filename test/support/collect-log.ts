import type { ErrorContext } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'

export interface CollectedLog extends Log {
  /** Warnings and errors, message and fields, newest last; the newest thousand. */
  readonly complaints: string[]
}

export function collectLog(complaints: string[] = [], bound: ErrorContext = {}): CollectedLog {
  const complain = (message: string, fields: ErrorContext = {}): void => {
    const pairs = Object.entries({ ...bound, ...fields }).map(([name, value]) => `${name}=${value}`)
    complaints.push([message, ...pairs].join(' '))
    if (complaints.length > 1_000) complaints.shift()
    if (process.env.FLOE_TEST_LOG !== undefined) process.stderr.write(`${complaints.at(-1)}\n`)
  }
  return {
    complaints,
    debug: () => {},
    info: () => {},
    warn: complain,
    error: complain,
    with: fields => collectLog(complaints, { ...bound, ...fields }),
  }
}
