/**
 * Puts finished files into the store under granted names. A put whose answer was lost is simply repeated: the name is ours
 * alone and the bytes are the same.
 */
import type { NewDataFile, NewDeadLetterFile } from '../catalog/client.ts'
import type { NamePool } from '../catalog/name-pool.ts'
import { dataFilePath, deadLetterFilePath } from '../catalog/object-names.ts'
import type { Clock } from '../core/clock.ts'
import { isFloeError } from '../core/errors.ts'
import { releaseMemory } from '../core/release-memory.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { BuiltFiles } from './worker/builder-types.ts'

const putAttemptsMax = 8
const retryDelayMsFirst = 100
const retryDelayMsMax = 5_000

export interface PutFiles {
  readonly files: readonly NewDataFile[]
  readonly deadLetterFiles: readonly NewDeadLetterFile[]
  /** Gives the memory of what was built back; for when it is committed, and will not be put again. */
  readonly giveBack: () => void
}

export class FilePutter {
  readonly #store: ObjectStore
  readonly #names: NamePool
  readonly #clock: Clock
  /** The table's folder in the store. */
  readonly #folder: string

  constructor(store: ObjectStore, names: NamePool, clock: Clock, folder: string) {
    this.#store = store
    this.#names = names
    this.#clock = clock
    this.#folder = folder
  }

  /** errors  what the store throws after the last attempt */
  async put(built: BuiltFiles): Promise<PutFiles> {
    const written: Uint8Array[] = []
    const files: NewDataFile[] = []
    for (const { partition, recordCount, fileBytes, splitOffsets, columns, chunks } of built.files) {
      const name = await this.#names.take()
      if (await this.#putOne(dataFilePath(name.grantId, name.nameIndex), chunks)) written.push(...chunks)
      files.push({ ...name, partition, recordCount, fileBytes, splitOffsets, columns })
    }
    const deadLetterFiles: NewDeadLetterFile[] = []
    if (built.deadLetters !== undefined) {
      const { chunks, recordCount, fileBytes } = built.deadLetters
      const name = await this.#names.take()
      if (await this.#putOne(deadLetterFilePath(name.grantId, name.nameIndex), chunks)) written.push(...chunks)
      deadLetterFiles.push({ ...name, recordCount, fileBytes })
    }
    return { files, deadLetterFiles, giveBack: () => written.forEach(releaseMemory) }
  }

  discardGrant(grantId: number): void {
    this.#names.discard(grantId)
  }

  /** Whether the first attempt succeeded: one that failed may still be looking at the chunks. */
  async #putOne(path: string, chunks: readonly Uint8Array[]): Promise<boolean> {
    let delayMs = retryDelayMsFirst
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store.put(`${this.#folder}/${path}`, chunks)
        return attempt === 1
      } catch (error) {
        if (!isFloeError(error, 'unavailable') || attempt >= putAttemptsMax) throw error
        await this.#clock.sleep(delayMs)
        delayMs = Math.min(delayMs * 2, retryDelayMsMax)
      }
    }
  }
}
