/**
 * What one seed is made of: its own sizes, limits and faults (swarm testing: Groce et al., 2012). Lives that lack a fault reach places
 * that those with all of them never do.
 */
import { type FaultOptions, type StoreFault, storeFaults } from '../../storage/faulty-store.ts'
import { allBlows, type Blow } from './blows.ts'
import type { World } from './world.ts'

export interface Mix {
  readonly hostCount: number
  /** Idempotent ones; one that is not comes to them. */
  readonly producerCount: number
  /** How long producers wait between two records at most. */
  readonly producerPauseMsMax: number
  /** Whether one topic is deleted and created again and again. */
  readonly hasRebornTopic: boolean
  readonly freshnessMs: number
  readonly turmoilMs: number
  readonly storeLatencyMsMax: number
  readonly networkLatencyMsMax: number
  readonly silentCrash: number
  readonly storeFaults: FaultOptions
  readonly snapshotEntryCount: number
  readonly wallSkewMsMax: number
  readonly blowIntervalMs: number
  readonly blows: readonly Blow[]
}

/** More often than others: most of them meet a checksum, and the rest must be met by those few who trust what they read. */
const badReads: ReadonlySet<StoreFault> = new Set(['corruptBytes', 'truncatedBytes'])

export function drawMix(world: World): Mix {
  const probabilities: Partial<Record<StoreFault, number>> = {}
  for (const name of storeFaults) {
    if (world.chance(0.4)) probabilities[name] = world.random.fraction() * (badReads.has(name) ? 0.15 : 0.03)
  }
  return {
    hostCount: world.between(1, 4),
    producerCount: world.between(1, 3),
    producerPauseMsMax: world.pick([100, 400, 1_500]),
    hasRebornTopic: world.chance(0.4),
    freshnessMs: world.pick([200, 1_000, 3_000]),
    turmoilMs: world.between(5_000, 25_000),
    storeLatencyMsMax: world.pick([1, 5, 30, 100]),
    networkLatencyMsMax: world.pick([1, 3, 20]),
    silentCrash: world.pick([0, 0.5, 1]),
    storeFaults: { probabilities, lateMsMax: world.pick([200, 2_000, 20_000]) },
    snapshotEntryCount: world.pick([5, 20, 200]),
    wallSkewMsMax: world.pick([0, 50, 5_000]),
    blowIntervalMs: world.pick([800, 2_000, 6_000]),
    blows: allBlows.filter(() => world.chance(0.5)),
  }
}
