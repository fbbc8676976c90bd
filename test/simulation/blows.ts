/** What befalls a cluster from outside: one blow after the other, each drawn by the world and passed over when it is to be spared. */
import type { FaultOptions, FaultyStore } from '../../storage/faulty-store.ts'
import type { DatabaseFaultOptions } from '../support/faulty-database.ts'
import type { DatabaseServer } from './database-server.ts'
import type { FloeHost } from './floe-host.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

export type Blow = (typeof commonBlows)[number] | (typeof databaseBlows)[number] | (typeof themeBlows)[number]
export const commonBlows = [
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
/** Of lives that are about one thing (mix.ts). */
export const themeBlows = ['badStart', 'longSleepFollower', 'longSleepLeader', 'hang', 'hangAsleep'] as const
/** Where the journal lies in a database. */
export const databaseBlows = ['databaseDown', 'databaseCut', 'databaseSlow', 'databaseSilence', 'databaseFull'] as const

export interface BlowParts {
  readonly world: World
  readonly hosts: readonly FloeHost[]
  readonly network: Network
  readonly store: FaultyStore
  /** The store's own faults, which come back after its silence. */
  readonly storeFaults: FaultOptions
  /** Undefined: the journal lies in the store. */
  readonly database: DatabaseServer | undefined
}

/** From the right time. Agents refuse records of more than an hour ahead of their own clock. */
const clockErrorMsMax = 50 * 60_000

export class Blows {
  readonly #parts: BlowParts
  #isHealed = false
  /** A blow to the store is one fault, whatever it does to each call. */
  isStoreSpoilt = false
  isDatabaseSpoilt = false
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
    const { world, network, hosts, store, database } = this.#parts
    world.note('healed')
    this.#isHealed = true
    network.heal()
    for (const each of hosts) {
      each.storeSlowness = 1
      each.databaseSlowness = 1
    }
    store.setOptions({})
    database?.start()
    database?.setFaults({})
  }

  /** Returns whether there was anything to strike. */
  #fall(blow: Blow): boolean {
    const { world, hosts, network } = this.#parts
    const alive = hosts.filter(({ host }) => !host.isCrashed && !host.isPaused)
    const target = this.#pickTarget(blow, alive)
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
        const isForgotten = world.chance(0.4)
        const how = isForgotten ? 'asleep' : 'paused'
        if (target === undefined || !world.fault(`${target.name} is ${how} for ${forMs} ms`)) return false
        this.#pause(target, forMs, isForgotten)
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
      case 'badStart': {
        // What a publisher goes on from is read when it starts.
        const what = `${target?.name} crashes, and the store is read badly for ${forMs} ms`
        if (target === undefined || !world.fault(what)) return false
        target.crash()
        this.#spoilStore({ probabilities: { corruptBytes: 0.3, truncatedBytes: 0.05 } }, forMs)
        return true
      }
      case 'longSleepFollower':
      case 'longSleepLeader': {
        // Until others have taken snapshots and trimmed what it had not seen. Alone on waking, it may believe that nobody leads.
        const sleepMs = forMs + 4_000
        if (target === undefined || !world.fault(`${target.name} is asleep for ${sleepMs} ms`)) return false
        this.#pause(target, sleepMs, true)
        if (world.chance(0.5)) return true
        world.schedule(sleepMs, () => this.#cutOff(target, forMs))
        return true
      }
      case 'hang':
      case 'hangAsleep': {
        const way = blow === 'hangAsleep' ? 'back' : world.pick(['there', 'back'] as const)
        // Others look twice before they take over from a leader that is connected and says nothing.
        const hangMs = forMs + 8_000
        const leader = findLeader(alive)
        if (leader === undefined) return false
        if (!world.fault(`what ${leader.name} appends hangs on its way ${way} for ${hangMs} ms`)) return false
        leader.hang = { untilMs: world.nowMs + hangMs, way }
        // It sleeps until its entry was trimmed, and wakes before it is told of it.
        if (blow === 'hangAsleep') this.#pause(leader, hangMs - 3_000, true)
        return true
      }
      case 'databaseDown':
      case 'databaseCut':
      case 'databaseSlow':
      case 'databaseSilence':
      case 'databaseFull':
        return this.#strikeDatabase(blow, this.#parts.database!, target, forMs)
    }
  }

  #pickTarget(blow: Blow, alive: readonly FloeHost[]): FloeHost | undefined {
    const leader = findLeader(alive)
    if (blow.endsWith('Leader')) return leader
    const among = blow.endsWith('Follower') ? alive.filter(host => host !== leader) : alive
    return among.length === 0 ? undefined : this.#parts.world.pick(among)
  }

  /** A machine that sleeps is forgotten by those whom it was connected to. */
  #pause({ host }: FloeHost, forMs: number, isForgotten: boolean): void {
    const { world, network } = this.#parts
    host.pause()
    if (isForgotten) network.tearAll(host)
    world.schedule(forMs, () => host.resume())
  }

  /** From all other hosts, but not from store and database. */
  #cutOff(target: FloeHost, forMs: number): void {
    const { world, network, hosts } = this.#parts
    if (this.#isHealed) return
    for (const { name } of hosts) {
      if (name === target.name) continue
      network.cut(target.name, name)
      world.schedule(forMs, () => network.join(target.name, name))
    }
  }

  #strikeDatabase(
    blow: (typeof databaseBlows)[number],
    database: DatabaseServer,
    target: FloeHost | undefined,
    forMs: number,
  ): boolean {
    const { world, network } = this.#parts
    switch (blow) {
      case 'databaseDown': {
        const isSilent = world.chance(0.5)
        if (!world.fault(`the database is down for ${forMs} ms, ${isSilent ? 'silently' : 'and says so'}`)) return false
        database.stop(isSilent)
        world.schedule(forMs, () => database.start())
        return true
      }
      case 'databaseCut': {
        const { name } = database.host
        if (target === undefined) return false
        if (!world.fault(`${target.name} and the database are cut off from each other for ${forMs} ms`)) return false
        network.cut(target.name, name)
        world.schedule(forMs, () => network.join(target.name, name))
        return true
      }
      case 'databaseSlow':
        if (target === undefined || !world.fault(`${target.name} reaches the database slowly for ${forMs} ms`))
          return false
        target.databaseSlowness = world.pick([10, 50])
        world.schedule(forMs, () => {
          target.databaseSlowness = 1
        })
        return true
      case 'databaseSilence': {
        if (!world.fault(`the database is silent for ${forMs} ms`)) return false
        const probabilities = { failBefore: 0.3, lostAnswer: 0.3, late: 0.2, conflict: 0.1 }
        this.#spoilDatabase(database, { probabilities, lateMsMax: 3_000 }, forMs)
        return true
      }
      case 'databaseFull':
        if (!world.fault(`the database is full for ${forMs} ms`)) return false
        this.#spoilDatabase(database, { probabilities: { diskFull: 0.9 } }, forMs)
        return true
    }
  }

  /** In place of its own faults. */
  #spoilDatabase(database: DatabaseServer, faults: DatabaseFaultOptions, forMs: number): void {
    database.setFaults(faults)
    this.isDatabaseSpoilt = true
    this.#parts.world.schedule(forMs, () => {
      database.setFaults(this.#isHealed ? {} : database.faults)
      this.isDatabaseSpoilt = false
    })
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
