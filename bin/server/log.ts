/** The program's log: JSON lines (pino) on standard error, or short coloured lines where that is a terminal. */

import pc from 'picocolors'
import { destination, pino } from 'pino'
import type { ErrorContext } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function createLog(level: LogLevel): Log {
  return process.stderr.isTTY === true ? createTerminalLog(level, {}) : createJsonLog(level)
}

function createJsonLog(level: LogLevel): Log {
  // Written at once: what a process said before it was killed must not be lost in a buffer.
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: label => ({ level: label }) } },
    destination({ fd: 2, sync: true }),
  )
  return bindPino(logger)
}

function bindPino(logger: pino.Logger): Log {
  return {
    debug: (message, fields) => logger.debug(printable(fields), message),
    info: (message, fields) => logger.info(printable(fields), message),
    warn: (message, fields) => logger.warn(printable(fields), message),
    error: (message, fields) => logger.error(printable(fields), message),
    with: fields => bindPino(logger.child(printable(fields))),
  }
}

/** 64-bit numbers as digits: JSON has no bigint. */
function printable(fields: ErrorContext | undefined): Record<string, string | number | boolean> {
  const shown: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value !== undefined) shown[name] = typeof value === 'bigint' ? value.toString() : value
  }
  return shown
}

function createTerminalLog(level: LogLevel, bound: ErrorContext): Log {
  const write = (lineLevel: LogLevel, message: string, fields: ErrorContext | undefined): void => {
    if (levels.indexOf(lineLevel) < levels.indexOf(level)) return
    const pairs = Object.entries(printable({ ...bound, ...fields })).map(([name, value]) => `${name}=${value}`)
    const time = pc.dim(new Date().toISOString().slice(11, 23))
    process.stderr.write(
      `${time} ${levelColors[lineLevel](lineLevel.padEnd(5))} ${message} ${pc.dim(pairs.join(' '))}\n`,
    )
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    with: fields => createTerminalLog(level, { ...bound, ...fields }),
  }
}

const levelColors = { debug: pc.dim, info: pc.cyan, warn: pc.yellow, error: pc.red } as const
