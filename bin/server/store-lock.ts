/**
 * A clear word to whoever starts a second server on the same directory. It guards comfort, not data: the catalog fences the
 * older of two leaders whatever this lock says.
 *
 *   <store directory>.lock    process id, a space, and the process's start time where the system tells it
 *
 * A lock whose process is gone is taken over. The start time tells a process from a later one with the same id, which is the
 * rule rather than the exception in containers.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorMessage, FloeError } from '../../core/errors.ts'

export interface StoreLock {
  release(): void
}

const attemptsMax = 3

/** errors  invalid: another live process holds it, or the place cannot be written */
export function lockStore(directory: string): StoreLock {
  const path = `${directory.replace(/\/+$/, '')}.lock`
  const own = `${process.pid} ${readStartTime(process.pid)}\n`
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, own, { flag: 'wx' })
      return { release: () => releaseOwn(path, own) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === attemptsMax) {
        throw new FloeError('invalid', 'store-lock-failed', `cannot write ${path}: ${errorMessage(error)}`, {}, error)
      }
    }
    const holder = findHolder(path)
    if (holder !== undefined) {
      throw new FloeError(
        'invalid',
        'store-in-use',
        `process ${holder} serves ${directory} already: stop it first, or use another data_dir`,
      )
    }
    rmSync(path, { force: true })
  }
}

/** The id of the live process that holds the lock. */
function findHolder(path: string): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const match = /^(\d{1,10}) (\S+)\n$/.exec(text)
  const pid = Number(match?.[1])
  if (match === null || pid === process.pid || !isAlive(pid)) return undefined
  return readStartTime(pid) === match[2] ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** In the system's ticks since it booted (proc(5), stat, field 22), or `-` where there is no /proc. */
function readStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
  } catch {
    return '-'
  }
}

function releaseOwn(path: string, own: string): void {
  try {
    if (readFileSync(path, 'utf8') === own) rmSync(path, { force: true })
  } catch {
    // Gone already, or unreadable: a stale lock is taken over by the next start.
  }
}
