/**
 * Makes names in directories durable. A new name (by link or rename) survives a power cut only after its directory was synced,
 * and a directory only after its parent was.
 *
 * Writers that finish at the same time share one sync: a sync that began after a name appeared covers it, so at most one
 * runs and one waits per directory, however many writers there are.
 */
import type { FileSystem } from '../core/file-system.ts'
import { closeLater } from './file-bytes.ts'
import { errnoOf, makeErrno } from './file-errors.ts'

export const knownDirectoryCountMax = 10_000

export class DirectorySync {
  readonly #fileSystem: FileSystem
  readonly #running = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, Promise<void>>()
  /** Directories that exist durably inside the root. Forgotten as a whole when there are too many. */
  readonly #known = new Set<string>()
  readonly #root: string

  /** `root` exists, as an absolute path without symbolic links and without a trailing slash. */
  constructor(fileSystem: FileSystem, root: string) {
    this.#fileSystem = fileSystem
    this.#root = root
  }

  /** Resolves once every name that was in the directory at the time of the call is durable. */
  async sync(directory: string): Promise<void> {
    const running = this.#running.get(directory)
    if (running === undefined) return this.#start(directory)
    const waiting = this.#waiting.get(directory)
    if (waiting !== undefined) return waiting
    const next = running
      .catch(() => {})
      .then(() => {
        this.#waiting.delete(directory)
        return this.#start(directory)
      })
    this.#waiting.set(directory, next)
    return next
  }

  #start(directory: string): Promise<void> {
    const run = this.#syncOnce(directory).finally(() => this.#running.delete(directory))
    this.#running.set(directory, run)
    return run
  }

  async #syncOnce(directory: string): Promise<void> {
    const handle = await this.#fileSystem.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      closeLater(handle)
    }
  }

  isKnown(directory: string): boolean {
    return this.#known.has(directory)
  }

  /** For a directory that turned out not to exist after all. */
  forget(directory: string): void {
    this.#known.delete(directory)
  }

  remember(directory: string): void {
    if (this.#known.size >= knownDirectoryCountMax) this.#known.clear()
    this.#known.add(directory)
  }

  /** Creates the directory and its parents inside the root, durably. */
  async create(directory: string): Promise<void> {
    if (directory === this.#root || this.#known.has(directory)) return
    try {
      await this.#fileSystem.makeDirectories(directory)
    } catch (error) {
      // Lest the caller take it for the name it is about to create.
      throw errnoOf(error) === 'EEXIST' ? makeErrno('ENOTDIR') : error
    }
    const created: string[] = []
    for (let path = directory; path !== this.#root && !this.#known.has(path); path = parentOf(path)) created.push(path)
    await Promise.all(created.map(path => this.sync(parentOf(path))))
    for (const path of created) this.remember(path)
  }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
