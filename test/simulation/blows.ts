/** What befalls a cluster from outside: one blow after the other, each drawn by the world and passed over when it is to be spared. */
import type { FaultOptions, FaultyStore } from '../../storage/faulty-store.ts'
import type { FloeHost } from './floe-host.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

export type Blow = (typeof allBlows)[number]
export const allBlows = [
  'crash',
  'crashLeader',
  'pause',
  'pauseLeader',
  'cut',
  'stall',
  'reset',
  'slowStore',
  'storeSilence',
  'diskFull',
  'clockJump',
  'end',
] as const

export interface BlowParts {
  readonly world: World
  readonly hosts: readonly FloeHost[]
  readonly network: Network
  readonly store: FaultyStore
  /** The store's own faults, which come back after its silence. */
  readonly storeFaults: FaultOptions
}

/** From the right time. Agents refuse records of more than an hour ahead of their own clock. */
const clockErrorMsMax = 50 * 60_000

export class Blows {
  readonly #parts: BlowParts
  #isHealed = false
  /** A blow to the store is one fault, whatever it does to each call. */
  isStoreSpoilt = false
  /** How often each fell. */
  readonly counts: Record<string, number> = {}

  constructor(parts: BlowParts) {
    this.#parts = parts
  }

  strike(blow: Blow): void {
    if (this.#fall(blow)) this.counts[blow] = (this.counts[blow] ?? 0) + 1
  }

  /** Nothing is broken any more, and nothing breaks; but whoever is paused wakes in its own time. */
  heal(): void {
    const { world, network, hosts, store } = this.#parts
    world.note('healed')
    this.#isHealed = true
    network.heal()
    for (const each of hosts) each.storeSlowness = 1
    store.setOptions({})
  }

  /** Returns whether there was anything to strike. */
  #fall(blow: Blow): boolean {
    const { world, hosts, network } = this.#parts
    const alive = hosts.filter(({ host }) => !host.isCrashed && !host.isPaused)
    const target = blow.endsWith('Leader') ? findLeader(alive) : alive.length === 0 ? undefined : world.pick(alive)
    // Half of them so long that the others give it up.
    const forMs = world.chance(0.5) ? world.between(100, 3_000) : world.between(4_000, 12_000)
    switch (blow) {
      case 'crash':
      case 'crashLeader':
        if (target === undefined || !world.fault(`${target.name} crashes`)) return false
        target.crash()
        return true
      case 'pause':
      case 'pauseLeader': {
        // A machine that sleeps is forgotten by those whom it was connected to.
        const isForgotten = world.chance(0.4)
        const how = isForgotten ? 'asleep' : 'paused'
        if (target === undefined || !world.fault(`${target.name} is ${how} for ${forMs} ms`)) return false
        const { host } = target
        host.pause()
        if (isForgotten) network.tearAll(host)
        world.schedule(forMs, () => host.resume())
        return true
      }
      case 'cut': {
        const other = world.pick(network.names())
        if (target === undefined || other === target.name) return false
        if (!world.fault(`${target.name} and ${other} are cut off from each other for ${forMs} ms`)) return false
        network.cut(target.name, other)
        world.schedule(forMs, () => network.join(target.name, other))
        return true
      }
      case 'stall':
        return network.stall(forMs / 2)
      case 'reset':
        return network.reset()
      case 'slowStore':
        if (target === undefined || !world.fault(`${target.name} reaches the store slowly for ${forMs} ms`))
          return false
        target.storeSlowness = world.pick([10, 50])
        world.schedule(forMs, () => {
          target.storeSlowness = 1
        })
        return true
      case 'storeSilence':
        if (!world.fault(`the store is silent for ${forMs} ms`)) return false
        this.#spoilStore({ probabilities: { failBefore: 0.4, lostAnswer: 0.3, late: 0.2 }, lateMsMax: 3_000 }, forMs)
        return true
      case 'diskFull':
        if (!world.fault(`the store is full for ${forMs} ms`)) return false
        this.#spoilStore({ probabilities: { diskFull: 0.9 } }, forMs)
        return true
      case 'clockJump': {
        const errorMs = Math.round((world.random.fraction() * 2 - 1) * world.pick([5_000, 60_000, clockErrorMsMax]))
        if (target === undefined || !world.fault(`the clock of ${target.name} jumps to ${errorMs} ms off`)) return false
        target.setClock(errorMs)
        return true
      }
      case 'end':
        if (target === undefined || !world.fault(`${target.name} is asked to end`)) return false
        target.end()
        return true
    }
  }

  /** In place of its own faults. */
  #spoilStore(options: FaultOptions, forMs: number): void {
    const { world, store, storeFaults } = this.#parts
    store.setOptions(options)
    this.isStoreSpoilt = true
    world.schedule(forMs, () => {
      store.setOptions(this.#isHealed ? {} : storeFaults)
      this.isStoreSpoilt = false
    })
  }
}

function findLeader(hosts: readonly FloeHost[]): FloeHost | undefined {
  return hosts.find(({ catalog }) => catalog?.status().role === 'leading')
}
