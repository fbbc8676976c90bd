/** Several catalogs in one process, over one store and a network in memory, each of which can be killed and paused. */
import { afterEach } from 'vitest'
import type { CommandTable } from '../../../catalog/commands/all-commands.ts'
import { type Catalog, type CatalogOptions, openCatalog } from '../../../catalog/open-catalog.ts'
import { systemClock } from '../../../core/clock.ts'
import type { FloeError } from '../../../core/errors.ts'
import { silentLog } from '../../../core/log.ts'
import { systemRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { interceptStore } from '../../contract/journal-harness.ts'
import { MemoryNetwork } from '../../support/memory-network.ts'
import { waitFor } from '../../support/wait-for.ts'

const secret = Buffer.from('a secret of the cluster')
export const quick: Partial<CatalogOptions> = {
  leaderTimeoutMs: 400,
  takeOverDelayMs: 20,
  connectTimeoutMs: 200,
  seekIntervalMs: 20,
  appendTimeoutMs: 2_000,
}

export interface MemberOptions {
  readonly mayLead?: boolean
  readonly secret?: Uint8Array
  readonly options?: Partial<CatalogOptions>
  readonly commands?: CommandTable
}

export interface Member {
  readonly host: string
  readonly catalog: Catalog
  /** Why it may not go on. */
  failure(): FloeError | undefined
  /** Its store calls never return again, and nobody hears of it. */
  kill(): void
  /** Store calls and messages wait until it is resumed. */
  pause(): void
  resume(): void
}

export class Cluster {
  readonly network = new MemoryNetwork()
  readonly store = new MemoryStore(systemClock)
  readonly members: Member[] = []

  async add(host: string, given: MemberOptions = {}): Promise<Member> {
    let gate: Promise<void> = Promise.resolve()
    let open: (() => void) | undefined
    const store: ObjectStore = interceptStore(this.store, async (_method, _target, call) => {
      await gate
      const result = await call()
      await gate
      return result
    })
    let catalog: Catalog | undefined
    let failure: FloeError | undefined
    this.network.listen(host, connection => {
      if (catalog === undefined) connection.close('not ready')
      else void catalog.accept(connection)
    })
    const { network } = this
    catalog = await openCatalog({
      store,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      options: { ...quick, ...given.options },
      ...(given.commands === undefined ? {} : { commands: given.commands }),
      onLost: error => {
        failure = error
      },
      peers: {
        network: network.from(host),
        address: host,
        secret: given.secret ?? secret,
        mayLead: given.mayLead ?? true,
      },
    })
    const close = (): void => {
      gate = new Promise(resolve => {
        open = resolve
      })
    }
    const member: Member = {
      host,
      catalog,
      failure: () => failure,
      kill() {
        close()
        network.kill(host)
      },
      pause() {
        close()
        network.setSilent(host, true)
      },
      resume() {
        open?.()
        network.setSilent(host, false)
      },
    }
    this.members.push(member)
    return member
  }

  leader(among: readonly Member[] = this.members): Member | undefined {
    return among.find(({ catalog }) => catalog.status().role === 'leading')
  }

  async waitForLeader(among: readonly Member[]): Promise<Member> {
    await waitFor(() => this.leader(among) !== undefined)
    return this.leader(among)!
  }
}

const clusters: Cluster[] = []
/** Closed after the test. */
export function newCluster(): Cluster {
  const cluster = new Cluster()
  clusters.push(cluster)
  return cluster
}

afterEach(async () => {
  for (const { members } of clusters.splice(0)) {
    for (const member of members) member.resume()
    await Promise.all(members.map(({ catalog }) => catalog.close()))
  }
})
