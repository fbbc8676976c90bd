/**
 * Objects of the store as files that an embedded engine can open: a local directory's as they lie there, others copied into a
 * temporary directory that `close` removes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FloeError } from '../../core/errors.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

export interface StoredFile {
  readonly key: string
  readonly bytes: number
}

const readBytesMax = 16 * 1024 * 1024

export class LocalFiles {
  readonly #store: ObjectStore
  #folder: string | undefined
  #copiedCount = 0

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** Paths in the order of `files`. */
  async open(files: readonly StoredFile[], onProgress: (text: string) => void): Promise<string[]> {
    const { uri } = this.#store
    if (uri.startsWith('file://')) return files.map(file => `${uri.slice('file://'.length)}/${file.key}`)
    const paths: string[] = []
    for (const [index, file] of files.entries()) {
      onProgress(`reading file ${index + 1} of ${files.length} from ${uri}`)
      paths.push(await this.#copy(file))
    }
    return paths
  }

  async #copy({ key, bytes }: StoredFile): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'floe-sql-'))
    const path = join(this.#folder, `${this.#copiedCount++}.parquet`)
    const file = await nodeFileSystem.open(path, 'wx')
    try {
      for (let start = 0; start < bytes; start += readBytesMax) {
        const part = await this.#store.get(key, { start, end: Math.min(bytes, start + readBytesMax) })
        if (part === undefined)
          throw new FloeError('corrupt', 'data-file-missing', `${key} is not in the store`, { key })
        await file.writeFile(part)
      }
    } finally {
      await file.close()
    }
    return path
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }
}
