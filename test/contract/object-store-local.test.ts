import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { systemRandom } from '../../core/random.ts'
import { openDirectoryStore } from '../../storage/directory-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore({
  name: 'memory store',
  open: async () => ({ store: new MemoryStore(systemClock), close: async () => {} }),
})

describeObjectStore({
  name: 'directory store',
  open: async () => {
    const root = await mkdtemp(join(tmpdir(), 'floe-object-store-'))
    const deps = { fileSystem: nodeFileSystem, random: systemRandom, clock: systemClock }
    return {
      store: await openDirectoryStore(join(root, 'store'), deps),
      close: () => rm(root, { recursive: true, force: true }),
    }
  },
})
