import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockStore } from '../../../bin/server/store-lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'floe-lock-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** The start time of a process as the lock writes it. */
function startTimeOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? ''
}

test('a lock is written beside the store, and released', () => {
  const lock = lockStore(join(folder, 'store'))
  expect(readFileSync(join(folder, 'store.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\S+\\n$`))
  lock.release()
  expect(() => readFileSync(join(folder, 'store.lock'))).toThrow('ENOENT')
})

test.each([
  ['of a process that is gone', '999999999 5\n'],
  ['of an earlier process with a living one’s id', `${process.ppid} 1\n`],
  ['that is damaged', 'x'],
])('a lock %s is taken over', (_, content) => {
  writeFileSync(join(folder, 'store.lock'), content)
  const lock = lockStore(join(folder, 'store'))
  expect(readFileSync(join(folder, 'store.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `))
  lock.release()
})

test.runIf(process.platform === 'linux')('a lock of a living process is respected', () => {
  writeFileSync(join(folder, 'store.lock'), `${process.ppid} ${startTimeOf(process.ppid)}\n`)
  expect(() => lockStore(join(folder, 'store'))).toThrow(
    `process ${process.ppid} serves ${join(folder, 'store')} already: stop it first, or use another data_dir`,
  )
})
