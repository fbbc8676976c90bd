/** A file system of its own that a test can fill. It needs the right to mount one. */
import { execFileSync } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { withTemporaryDirectory } from './temporary-store.ts'

export interface SmallDisk {
  readonly directory: string
  /** Nothing more can be written. */
  fill(): Promise<void>
  /** There is room again. */
  clear(): Promise<void>
}

/** More than any test writes. It is in memory, of which it takes what is written. */
const bytesMax = 4 * 1024 ** 3

/** `use` is given undefined where mounting is not allowed. */
export function withSmallDisk<T>(use: (disk: SmallDisk | undefined) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async directory => {
    if (!tryMount(directory)) return use(undefined)
    try {
      return await use({
        directory,
        fill: () => shrinkToWhatIsUsed(directory),
        clear: async () => resize(directory, bytesMax),
      })
    } finally {
      execFileSync('umount', ['-l', directory])
    }
  })
}

function tryMount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytesMax}`, 'floe-test', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function resize(directory: string, bytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${bytes}`, directory], { stdio: 'pipe' })
}

/** A ballast would take memory, and time to write. Others write meanwhile, so that the size found may be too small at once. */
async function shrinkToWhatIsUsed(directory: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { blocks, bfree, bsize } = await statfs(directory)
    try {
      resize(directory, (blocks - bfree) * bsize)
      return
    } catch (error) {
      if (attempt === 100) throw error
    }
  }
}
