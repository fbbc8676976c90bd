/**
 * What one seed is made of: its own sizes, limits and faults (swarm testing: Groce et al., 2012). Lives that lack a fault reach places
 * that those with all of them never do.
 */

import { seededRandom } from '../../core/random.ts'
import { type FaultOptions, type StoreFault, storeFaults } from '../../storage/faulty-store.ts'
import { type DatabaseFault, type DatabaseFaultOptions, databaseFaults } from '../support/faulty-database.ts'
import { type Blow, commonBlows, databaseBlows } from './blows.ts'
import { Draws } from './draws.ts'
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
  /** Where the catalog's journal lies; undefined: in the store. */
  readonly database: DatabaseMix | undefined
}

export interface DatabaseMix {
  readonly latencyMsMax: number
  readonly faults: DatabaseFaultOptions
}

/** More often than others: most of them meet a checksum, and the rest must be met by those few who trust what they read. */
const badReads: ReadonlySet<StoreFault> = new Set(['corruptBytes', 'truncatedBytes'])

/** Of lives whose journal lies in a database. */
const databaseShare = 0.35

export function drawMix(world: World): Mix {
  const mix = drawCommon(world)
  // From streams of their own: what a seed meant before there were these, it means without them.
  const ofDatabase = new Draws(seededRandom(world.seed + 2 ** 35))
  const ofTheme = new Draws(seededRandom(world.seed + 2 ** 49))
  const database = ofDatabase.chance(databaseShare) ? drawDatabase(ofDatabase) : undefined
  const theme = themes.find(({ share }) => ofTheme.chance(share))
  return withDatabaseBlows({ ...mix, database, ...theme?.shape(mix) }, ofDatabase)
}

function withDatabaseBlows(mix: Mix, draws: Draws): Mix {
  if (mix.database === undefined) return mix
  return { ...mix, blows: [...mix.blows, ...databaseBlows.filter(() => draws.chance(0.5))] }
}

interface Theme {
  /** Of lives that have none of those before it. */
  readonly share: number
  shape(mix: Omit<Mix, 'database'>): Partial<Mix>
}

const hanging = { snapshotEntryCount: 5, turmoilMs: 40_000, blowIntervalMs: 8_000 }

/** What comes about by chance too seldom gets lives that are made for it. */
const themes: readonly Theme[] = [
  {
    // What a publisher goes on from is read badly while it starts.
    share: 0.08,
    shape: ({ blows }) => ({ freshnessMs: 200, blowIntervalMs: 2_000, blows: ['badStart', ...blows.slice(0, 2)] }),
  },
  {
    // Others lead, take snapshots and trim meanwhile.
    share: 0.08,
    shape: ({ hostCount, blows }) => ({
      hostCount: Math.max(2, hostCount),
      snapshotEntryCount: 5,
      turmoilMs: 30_000,
      blowIntervalMs: 3_000,
      blows: ['longSleepFollower', 'longSleepLeader', 'crashLeader', ...blows.slice(-1)],
    }),
  },
  // A leader learns late what became of its last entry, when others lead already.
  { share: 0.08, shape: ({ hostCount }) => ({ ...hanging, hostCount: Math.max(2, hostCount), blows: ['hang'] }) },
  { share: 0.08, shape: ({ hostCount }) => ({ ...hanging, hostCount: Math.max(2, hostCount), blows: ['hangAsleep'] }) },
]

function drawDatabase(draws: Draws): DatabaseMix {
  const probabilities: Partial<Record<DatabaseFault, number>> = {}
  for (const name of databaseFaults) {
    if (draws.chance(0.4)) probabilities[name] = draws.random.fraction() * (name === 'conflict' ? 0.3 : 0.05)
  }
  return {
    latencyMsMax: draws.pick([1, 5, 30]),
    faults: { probabilities, lateMsMax: draws.pick([200, 2_000, 20_000]) },
  }
}

function drawCommon(world: World): Omit<Mix, 'database'> {
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
    blows: commonBlows.filter(() => world.chance(0.5)),
  }
}
