/** The wrappers keep the contract of what they wrap. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'
import { openDirectoryStore } from '../../storage/directory-store.ts'
import { FaultyStore } from '../../storage/faulty-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { MeteredStore } from '../../storage/metered-store.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore({
  name: 'metered store',
  open: async () => {
    const root = await mkdtemp(join(tmpdir(), 'floe-metered-store-'))
    const deps = { fileSystem: nodeFileSystem, random: systemRandom, clock: systemClock }
    return {
      store: new MeteredStore(await openDirectoryStore(root, deps), [{ prefix: 'j/', purpose: 'journal' }]),
      close: () => rm(root, { recursive: true, force: true }),
    }
  },
})

describeObjectStore({
  name: 'faulty store without faults',
  open: async () => ({
    store: new FaultyStore(new MemoryStore(systemClock), { clock: systemClock, random: seededRandom(1) }),
    close: async () => {},
  }),
})
