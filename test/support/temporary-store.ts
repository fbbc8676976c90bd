import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'

/** A directory of its own, removed afterwards. */
export async function withTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'floe-test-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export function openDirectory(directory: string): Promise<ObjectStore> {
  return openStore(`file://${directory}`, { clock: systemClock, random: systemRandom, fileSystem: nodeFileSystem })
}

export function withTemporaryStore<T>(use: (store: ObjectStore) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async directory => use(await openDirectory(directory)))
}
