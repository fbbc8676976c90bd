/** The replica that a process of a cluster begins with. */
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { type Random, randomUuidBytes } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { CommandTable } from '../commands/all-commands.ts'
import type { Journal } from '../journal/journal.ts'
import { checkNamesAreFree } from '../replica/check-store.ts'
import { createGenesis, loadReplica } from '../replica/load-replica.ts'
import { readOn } from '../replica/read-on.ts'
import type { Replica } from '../replica/replica.ts'
import type { CatalogNodeOptions, Peers } from './node-options.ts'

/** Reads of journal and store are persistent. */
export interface LoadOrCreateParts {
  readonly journal: Journal
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly commands: CommandTable
  readonly options: CatalogNodeOptions
  readonly peers: Peers | undefined
}

/** The catalog as it lies in the store; whoever may lead creates it, the others wait for that. */
export async function loadOrCreate(parts: LoadOrCreateParts): Promise<Replica> {
  const { clock, random, log, options, peers } = parts
  for (;;) {
    const loaded = await loadReplica(parts)
    if (loaded === undefined && peers?.mayLead === true) {
      return createGenesis(parts, random.bytes(16), randomUuidBytes(random), options.appendTimeoutMs)
    }
    if (loaded !== undefined && loaded !== 'restart') {
      const isWhole = (await readOn(loaded, parts)) === 'end' && (await checkNamesAreFree(loaded, parts)) === undefined
      if (isWhole) return loaded
    }
    if (loaded === undefined) log.info('waiting for a process that may lead to create the catalog')
    await clock.sleep(options.seekIntervalMs * 4)
  }
}
