/** Turns errors of the file system into what the caller should do, in one line that names the place. */
import { errorMessage, FloeError } from '../core/errors.ts'

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** As the file system would throw it. */
export function makeErrno(errno: 'ENOTDIR' | 'EISDIR'): Error {
  return Object.assign(new Error(errno), { code: errno })
}

/** `doing` reads like `cannot write journal/7 in file:///data`. */
export function fileError(doing: string, error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const errno = errnoOf(error)
  const rule = rules[errno]
  const problem = rule === undefined ? errorMessage(error) : rule.problem
  const context = { errno }
  return new FloeError(
    rule?.kind ?? 'unavailable',
    rule?.code ?? 'file-system-failed',
    `${doing}: ${problem}`,
    context,
    error,
  )
}

const keyUnderKeyAdvice = 'no key may continue another one with /'

const denied = {
  kind: 'invalid',
  code: 'file-access-denied',
  problem: 'permission denied; give the user that runs Floe read and write access',
} as const
const full = { kind: 'exhausted', code: 'disk-full', problem: 'the disk is full; free some space' } as const
const tooManyFiles = {
  kind: 'unavailable',
  code: 'too-many-open-files',
  problem: 'too many open files; raise the limit (ulimit -n)',
} as const
const notADirectory = {
  kind: 'invalid',
  code: 'file-in-the-way',
  problem: `a file stands where a directory is needed; ${keyUnderKeyAdvice}`,
} as const

const rules: Readonly<
  Record<string, { readonly kind: FloeError['kind']; readonly code: string; readonly problem: string } | undefined>
> = {
  ENOSPC: full,
  EDQUOT: { ...full, problem: 'the disk quota is used up; free some space or raise it' },
  EACCES: denied,
  EPERM: denied,
  EROFS: { ...denied, problem: 'the file system is mounted read-only' },
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  ENOTDIR: notADirectory,
  EISDIR: {
    ...notADirectory,
    problem: `a directory stands where the object is needed; ${keyUnderKeyAdvice}`,
  },
  ELOOP: { kind: 'invalid', code: 'symbolic-link', problem: 'symbolic links are not followed; put a real file there' },
  ENAMETOOLONG: { kind: 'invalid', code: 'file-name-too-long', problem: 'the path is too long for this file system' },
  EFBIG: { kind: 'exhausted', code: 'file-too-large', problem: 'the file is too large for this file system' },
}
