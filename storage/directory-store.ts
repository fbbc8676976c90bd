/**
 * Objects as files below one local directory.
 *
 *   ROOT/journal/0000000000000001    the object `journal/0000000000000001`
 *   ROOT/.tmp/<run>-<count>          bytes on their way to an object; invisible, removed at open once an hour old
 *
 * An object appears whole or not at all: its bytes are written to a temporary file, made durable, and only then named, with
 * `rename` (put) or `link` (put-if-absent, which the file system lets exactly one writer do, also between processes). The call
 * returns after the directory was synced. Several processes may share a directory. The exception is `putOwned`, which writes under
 * the key itself.
 *
 * Nothing outside the root is touched: keys are validated and symbolic links below the root are refused. Directories that
 * become empty stay: removing one could race with a writer that is about to name a file in it.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import { type FileSystem, openFlags } from '../core/file-system.ts'
import type { Random } from '../core/random.ts'
import { listKeys } from './directory-list.ts'
import { DirectorySync, knownDirectoryCountMax, parentOf } from './directory-sync.ts'
import { chunksOf, closeLater, readBytes, writeChunks } from './file-bytes.ts'
import { errnoOf, fileError, makeErrno } from './file-errors.ts'
import { checkRange, MultipartRules } from './object-body.ts'
import { checkKey, checkPrefix } from './object-key.ts'
import {
  type ByteRange,
  listPageObjectCountMax,
  type MultipartUpload,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  type WriteOutcome,
} from './object-store.ts'

export interface DirectoryStoreDeps {
  readonly fileSystem: FileSystem
  readonly random: Random
  readonly clock: Clock
}

/** A temporary file untouched for so long belongs to nobody: its writer died. */
export const temporaryFileAgeMsMax = 60 * 60 * 1000

const temporaryDirectory = '.tmp'
/** Up to this size a ranged read asks for its bytes without asking for the object's size first. */
const readUnsizedBytesMax = 1024 * 1024
const statConcurrencyMax = 16

/**
 * root    absolute path; created when it does not exist
 * errors  invalid: not absolute, not usable in a URI, no permission; exhausted: disk full
 */
export async function openDirectoryStore(root: string, deps: DirectoryStoreDeps): Promise<ObjectStore> {
  const trimmed = root.replace(/\/+$/, '')
  // Table readers disagree on whether a file URI is percent-decoded, so a path that would need it is refused.
  if (!trimmed.startsWith('/') || !/^[^%?#\\\p{Cc}]+$/u.test(trimmed)) {
    throw new FloeError(
      'invalid',
      'directory-path-invalid',
      `directory ${JSON.stringify(root)} cannot hold an object store: give an absolute path without % ? # \\ and control characters`,
    )
  }
  const { fileSystem } = deps
  try {
    await fileSystem.makeDirectories(`${trimmed}/${temporaryDirectory}`)
    const realRoot = await fileSystem.realPath(trimmed)
    await removeOldTemporaryFiles(fileSystem, `${realRoot}/${temporaryDirectory}`, deps.clock.nowMs())
    return new DirectoryStore(`file://${trimmed}`, realRoot, fileSystem, deps.random)
  } catch (error) {
    throw fileError(`cannot use directory ${trimmed} as object store`, error)
  }
}

async function removeOldTemporaryFiles(fileSystem: FileSystem, directory: string, nowMs: number): Promise<void> {
  for await (const entry of await fileSystem.openDirectory(directory)) {
    if (!entry.isFile()) continue
    try {
      const { mtimeMs } = await fileSystem.stat(`${directory}/${entry.name}`)
      if (nowMs - mtimeMs > temporaryFileAgeMsMax) await fileSystem.unlink(`${directory}/${entry.name}`)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
}

class DirectoryStore implements ObjectStore {
  readonly uri: string
  readonly #root: string
  readonly #fileSystem: FileSystem
  readonly #directories: DirectorySync
  /** Directories that were seen to lie inside the root. */
  readonly #inside = new Set<string>()
  readonly #run: string
  #temporaryFileCount = 0

  constructor(uri: string, root: string, fileSystem: FileSystem, random: Random) {
    this.uri = uri
    this.#root = root
    this.#fileSystem = fileSystem
    this.#directories = new DirectorySync(fileSystem, root)
    this.#run = Buffer.from(random.bytes(12)).toString('hex')
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    const path = this.#path(key)
    await this.#during('write', key, async () => {
      await this.#withTemporaryFile(body, temporary => this.#rename(temporary, path))
      await this.#directories.sync(parentOf(path))
    })
  }

  async putOwned(key: string, body: ObjectBody): Promise<void> {
    const path = this.#path(key)
    const directory = parentOf(path)
    await this.#during('write', key, async () => {
      const file = await this.#inDirectory(directory, () => this.#fileSystem.open(path, openFlags.createDurable))
      // The name is there already, so the two syncs may run side by side; the caller tells of the object after both.
      const [written, synced] = await Promise.allSettled([
        writeChunks(file, chunksOf(body), 0),
        this.#directories.sync(directory),
      ])
      closeLater(file)
      if (written.status === 'rejected') {
        // A disk that is full needs the room.
        await this.#fileSystem.unlink(path).catch(() => {})
        throw written.reason
      }
      if (synced.status === 'rejected') throw synced.reason
    })
  }

  async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
    const path = this.#path(key)
    return this.#during('create', key, () =>
      this.#withTemporaryFile(body, async temporary => {
        const outcome = await this.#link(temporary, path)
        // After a refusal too: whoever acts on the other writer's object must not lose it in a power cut.
        const sync = this.#directories.sync(parentOf(path))
        const [synced] = await Promise.allSettled([sync, this.#fileSystem.unlink(temporary)])
        if (synced.status === 'fulfilled') return outcome
        if (outcome === 'refused') throw synced.reason
        return 'unknown'
      }),
    )
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const path = this.#path(key)
    checkRange(range)
    return this.#during('read', key, () =>
      this.#withFile(path, async file => {
        const start = range?.start ?? 0
        let end = range?.end ?? Number.POSITIVE_INFINITY
        if (end - start > readUnsizedBytesMax || end === start) {
          const stats = await file.stat()
          if (!stats.isFile()) return undefined
          end = Math.min(end, stats.size)
        }
        return readBytes(file, start, Math.max(0, end - start))
      }),
    )
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key)
    return this.#during('read', key, () =>
      this.#withFile(path, async file => {
        const stats = await file.stat()
        return stats.isFile() ? { key, bytes: stats.size, modifiedMs: Math.floor(stats.mtimeMs) } : undefined
      }),
    )
  }

  async list(prefix: string, after?: string): Promise<ObjectPage> {
    checkPrefix(prefix)
    return this.#during('list', prefix === '' ? 'all keys' : prefix, async () => {
      if (prefix.includes('/') && !(await this.#checkInside(parentOf(`${this.#root}/${prefix}`)))) return emptyPage
      const keys = await listKeys(this.#fileSystem, this.#root, {
        prefix,
        after,
        limit: listPageObjectCountMax + 1,
        hidden: `${temporaryDirectory}/`,
      })
      const more = keys.length > listPageObjectCountMax
      if (more) keys.pop()
      const objects: ObjectInfo[] = []
      for (let at = 0; at < keys.length; at += statConcurrencyMax) {
        const infos = await Promise.all(keys.slice(at, at + statConcurrencyMax).map(key => this.#stat(key)))
        for (const info of infos) if (info !== undefined) objects.push(info)
      }
      return { objects, next: more ? keys.at(-1) : undefined }
    })
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map(key => this.#path(key))
    const directories = new Set<string>()
    for (let at = 0; at < paths.length; at += statConcurrencyMax) {
      const some = paths.slice(at, at + statConcurrencyMax)
      const unlink = async (path: string, key: string): Promise<void> => {
        if (await this.#during('delete', key, () => this.#unlink(path))) directories.add(parentOf(path))
      }
      await Promise.all(some.map((path, index) => unlink(path, keys[at + index]!)))
    }
    for (const directory of directories) {
      await this.#during('delete', keys[0]!, () => this.#directories.sync(directory))
    }
  }

  async startMultipart(key: string): Promise<MultipartUpload> {
    const path = this.#path(key)
    const rules = new MultipartRules(key)
    const temporary = this.#temporaryPath()
    const file = await this.#during('write', key, () => this.#fileSystem.open(temporary, 'wx'))
    let bytes = 0
    const writes = new Set<Promise<void>>()
    const discard = async (): Promise<void> => {
      await file.close().catch(() => {})
      await this.#fileSystem.unlink(temporary).catch(() => {})
    }
    return {
      writePart: async body => {
        const chunks = chunksOf(body)
        const at = bytes
        for (const chunk of chunks) bytes += chunk.length
        rules.addPart(bytes - at)
        const write = this.#during('write', key, () => writeChunks(file, chunks, at))
        writes.add(write)
        await write
      },
      complete: async () => {
        rules.complete()
        await this.#during('write', key, async () => {
          try {
            await Promise.all(writes)
            await file.datasync()
            await file.close()
            await this.#rename(temporary, path)
          } catch (error) {
            await discard()
            throw error
          }
          await this.#directories.sync(parentOf(path))
        })
      },
      abort: async () => {
        if (!rules.abort()) return
        await Promise.allSettled(writes)
        await discard()
      },
    }
  }

  #path(key: string): string {
    checkKey(key)
    if (key === temporaryDirectory || key.startsWith(`${temporaryDirectory}/`)) {
      throw new FloeError('invalid', 'object-key-reserved', `object key ${key} is reserved for temporary files`, {
        key,
      })
    }
    return `${this.#root}/${key}`
  }

  async #during<T>(doing: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw fileError(`cannot ${doing} ${key} in ${this.uri}`, error)
    }
  }

  #temporaryPath(): string {
    return `${this.#root}/${temporaryDirectory}/${this.#run}-${this.#temporaryFileCount++}`
  }

  /** Runs `name` with the path of a durable file that holds the body; `name` moves or removes it, or it is removed on failure. */
  async #withTemporaryFile<T>(body: ObjectBody, name: (temporary: string) => Promise<T>): Promise<T> {
    const temporary = this.#temporaryPath()
    try {
      const file = await this.#fileSystem.open(temporary, openFlags.createDurable)
      try {
        await writeChunks(file, chunksOf(body), 0)
      } finally {
        closeLater(file)
      }
      return await name(temporary)
    } catch (error) {
      await this.#fileSystem.unlink(temporary).catch(() => {})
      throw error
    }
  }

  async #rename(temporary: string, path: string): Promise<void> {
    await this.#inDirectory(parentOf(path), () => this.#fileSystem.rename(temporary, path))
  }

  async #link(temporary: string, path: string): Promise<'applied' | 'refused'> {
    let outcome: 'applied' | 'refused' = 'applied'
    try {
      await this.#inDirectory(parentOf(path), () => this.#fileSystem.link(temporary, path))
    } catch (error) {
      if (withoutHardLinks.has(errnoOf(error))) throw this.#hardLinksMissing(error)
      if (errnoOf(error) !== 'EEXIST') throw error
      // A network file system may repeat a link whose answer was lost and then report its own success as a refusal.
      const { nlink } = await this.#fileSystem.stat(temporary)
      if (nlink < 2) outcome = await this.#refuse(path)
    }
    return outcome
  }

  #hardLinksMissing(cause: unknown): FloeError {
    const message = `the file system of ${this.uri} has no hard links, which put-if-absent needs; use another one, such as ext4, XFS, APFS or NFS`
    return new FloeError('unsupported', 'hard-links-missing', message, { errno: errnoOf(cause) }, cause)
  }

  async #refuse(path: string): Promise<'refused'> {
    const existing = await this.#fileSystem.stat(path).catch(() => undefined)
    if (!existing?.isDirectory()) return 'refused'
    throw makeErrno('EISDIR')
  }

  /** Runs `work`, which names a file in the directory; creates and checks the directory first where needed. */
  async #inDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
    const known = this.#directories.isKnown(directory)
    await this.#enter(directory)
    try {
      return await work()
    } catch (error) {
      if (!known || errnoOf(error) !== 'ENOENT') throw error
      this.#directories.forget(directory)
      await this.#enter(directory)
      return await work()
    }
  }

  async #enter(directory: string): Promise<void> {
    if (this.#directories.isKnown(directory) || directory === this.#root) return
    await this.#checkInside(directory)
    await this.#directories.create(directory)
  }

  /** Refuses a directory that symbolic links lead elsewhere; one that does not exist yet is judged by its parent. */
  async #checkInside(directory: string): Promise<boolean> {
    if (directory === this.#root || this.#inside.has(directory)) return true
    let real: string
    try {
      real = await this.#fileSystem.realPath(directory)
    } catch (error) {
      if (!absent.has(errnoOf(error))) throw error
      await this.#checkInside(parentOf(directory))
      return false
    }
    if (real === directory) {
      if (this.#inside.size >= knownDirectoryCountMax) this.#inside.clear()
      this.#inside.add(directory)
      return true
    }
    throw new FloeError(
      'invalid',
      'symbolic-link',
      `${directory} leads to ${real} through a symbolic link; the object store needs a real directory there`,
    )
  }

  async #withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    try {
      if (!(await this.#checkInside(parentOf(path)))) return undefined
      const file = await this.#fileSystem.open(path, openFlags.readNoFollow)
      try {
        return await work(file)
      } finally {
        closeLater(file)
      }
    } catch (error) {
      if (absent.has(errnoOf(error))) return undefined
      throw error
    }
  }

  async #stat(key: string): Promise<ObjectInfo | undefined> {
    try {
      const stats = await this.#fileSystem.stat(`${this.#root}/${key}`)
      return { key, bytes: stats.size, modifiedMs: Math.floor(stats.mtimeMs) }
    } catch (error) {
      if (absent.has(errnoOf(error))) return undefined
      throw error
    }
  }

  /** Whether there was something to remove. */
  async #unlink(path: string): Promise<boolean> {
    try {
      if (!(await this.#checkInside(parentOf(path)))) return false
      await this.#fileSystem.unlink(path)
      return true
    } catch (error) {
      if (!absent.has(errnoOf(error))) throw error
      return false
    }
  }
}

/** What the file system says when there is no such object: nothing there, a file further up, or a directory of that name. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/** What `link` answers where there are none. */
const withoutHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

const emptyPage: ObjectPage = { objects: [], next: undefined }
