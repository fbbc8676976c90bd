/**
 * One simulated life of a cluster: a few hosts, one store, one network, clients, and whatever goes wrong (mix.ts, blows.ts). Afterwards
 * everything is healed, and within bounded time the cluster must be at rest with nothing lost, doubled, reordered or left behind.
 */
import { journalKey } from '../../catalog/journal/journal-keys.ts'
import { errorMessage } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import type { TableIngestConfig } from '../../ingest/table-config.ts'
import { FaultyStore } from '../../storage/faulty-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { collectLog } from '../support/collect-log.ts'
import type { DatabaseFault } from '../support/faulty-database.ts'
import { numberedTable } from '../support/numbered-table.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { Blows } from './blows.ts'
import { checkAtRest } from './check-at-rest.ts'
import { Checker } from './checker.ts'
import { DatabaseServer } from './database-server.ts'
import { FencingWatch, type ReadEntry } from './fencing-watch.ts'
import { FloeHost } from './floe-host.ts'
import { Host } from './host.ts'
import { drawMix } from './mix.ts'
import { ModelAdmin } from './model-admin.ts'
import { ModelCommitter } from './model-committer.ts'
import { ModelGroup } from './model-group.ts'
import { ModelProducer } from './model-producer.ts'
import { ModelReader } from './model-reader.ts'
import { ModelRebornTopic } from './model-reborn-topic.ts'
import { ModelTrimmer } from './model-trimmer.ts'
import { ModelWorkers } from './model-worker.ts'
import { Network } from './network.ts'
import './plain-signals.ts'
import { Spared } from './spared.ts'
import { type Fault, World } from './world.ts'

export interface SimulationResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly traceHash: string
  readonly events: number
  readonly virtualMs: number
  readonly acknowledged: number
  readonly blows: Readonly<Record<string, number>>
  /** All that went wrong, in order. */
  readonly faults: readonly Fault[]
  /** What the processes complained of, newest last. */
  readonly complaints: readonly string[]
}

/** Records of the one are deleted once they are in its table, those of the other are read by a group. */
const trimmed = { topic: 'orders', partitionCount: 3 }
const read = { topic: 'clicks', partitionCount: 2 }
const topics = [trimmed, read]
const reborn = { topic: 'visits', partitionCount: 1 }

/** `spared`: numbers of faults that the life is lived without; the later ones are then others than before. */
export async function simulate(seed: number, spared: Spared = new Spared()): Promise<SimulationResult> {
  const world = new World(seed, spared)
  const mix = drawMix(world)
  const inner = new MemoryStore({ ...new Host(world, 'store').clock })
  const storeHost = new Host(world, 'store')
  const storeParts = {
    clock: storeHost.clock,
    random: seededRandom(seed + 1),
    permits: (fault: string, operation: string, key: string) =>
      blows.isStoreSpoilt || world.fault(`${fault} befalls ${operation} of ${key}`),
  }
  const store = new FaultyStore(inner, storeParts, mix.storeFaults)
  const network = new Network(world, { latencyMsMax: mix.networkLatencyMsMax, silentCrash: mix.silentCrash })
  const permitsDatabase = (fault: DatabaseFault, operation: string): boolean =>
    blows.isDatabaseSpoilt || world.fault(`${fault} befalls ${operation} in the database`)
  const database = mix.database && new DatabaseServer({ world, network, ...mix.database, permits: permitsDatabase })
  const log = collectLog()
  const ledger = new RecordLedger()
  const violations: string[] = []
  const readEntry: ReadEntry = (epoch, sequence) =>
    database?.readEntry(epoch, sequence) ?? inner.get(journalKey(epoch, sequence))
  const fencing = new FencingWatch(readEntry, violations)
  const tables: TableIngestConfig[] = topics.map(({ topic }) => numberedTable(topic, mix))
  if (mix.hasRebornTopic) tables.push({ ...numberedTable(reborn.topic, mix), onGap: 'record' })
  const hosts = Array.from(
    { length: mix.hostCount },
    (_, index) =>
      new FloeHost({
        world,
        network,
        store,
        storeLatencyMsMax: mix.storeLatencyMsMax,
        database,
        tables,
        name: `host-${index}`,
        mayLead: index === 0 || world.chance(0.7),
        snapshotEntryCount: mix.snapshotEntryCount,
        mayHang: mix.blows.some(blow => blow.startsWith('hang')),
        log: fencing.listen(log.with({ host: index }), `host-${index}`),
        wallSkewMs: (world.random.fraction() - 0.5) * 2 * mix.wallSkewMsMax,
      }),
  )
  for (const host of hosts) host.start()
  const checker = new Checker(hosts, violations)
  checker.watch(world)
  const blows = new Blows({ world, hosts, network, store, storeFaults: mix.storeFaults, database })
  const result = (): SimulationResult => ({
    seed,
    violations,
    traceHash: world.traceHash(),
    events: world.eventCount,
    virtualMs: Math.round(world.nowMs),
    acknowledged: ledger.acknowledgedCount,
    blows: blows.counts,
    faults: world.faults,
    complaints: log.complaints,
  })

  try {
    if (!(await createTopics(world, hosts))) violations.push('no topics could be created within 120 s')
    else {
      const parts = { world, ledger, hosts, topics }
      const common = { isIdempotent: true, pauseMsMax: mix.producerPauseMsMax }
      const producers = Array.from(
        { length: mix.producerCount + 1 },
        (_, index) => new ModelProducer({ ...parts, ...common, name: `producer-${index}`, isIdempotent: index > 0 }),
      )
      const rebornTopic = mix.hasRebornTopic ? new ModelRebornTopic({ world, ...reborn, hosts }) : undefined
      if (rebornTopic !== undefined) {
        const { ledger: lives } = rebornTopic
        producers.push(new ModelProducer({ ...parts, ...common, name: 'visitor', ledger: lives, topics: [reborn] }))
      }
      const committers = ['group-a', 'group-b'].map(
        group => new ModelCommitter({ world, group, topic: trimmed.topic, hosts, violations }),
      )
      const group = new ModelGroup({ world, group: 'readers', ...read, hosts, violations })
      const others = [
        new ModelTrimmer(world, trimmed.topic, hosts),
        new ModelAdmin({ world, name: 'admin', hosts, violations }),
        new ModelWorkers({ world, hosts, violations }),
        new ModelReader({
          world,
          tables: tables.map(({ definition }) => definition.name),
          store: inner,
          hosts,
          violations,
        }),
      ]
      const endMs = world.nowMs + mix.turmoilMs
      while (world.nowMs < endMs && violations.length === 0) {
        await world.run(mix.blowIntervalMs * (0.5 + world.random.fraction()), () => violations.length > 0)
        if (mix.blows.length > 0) blows.strike(world.pick(mix.blows))
      }
      for (const each of others) each.stop()
      rebornTopic?.stop()
      blows.heal()
      await checkAtRest({ ...parts, store: inner, producers, committers, group, rebornTopic, violations })
    }
  } catch (error) {
    violations.push(`the simulation broke: ${error instanceof Error ? error.stack : errorMessage(error)}`)
  }
  checker.stop()
  for (const host of hosts) {
    host.isOff = true
    host.crash()
  }
  database?.close()
  return result()
}

async function createTopics(world: World, hosts: readonly FloeHost[]): Promise<boolean> {
  let created = 0
  const create = async (): Promise<void> => {
    while (created < topics.length) {
      const client = world.pick(hosts).catalog?.client
      const { topic, partitionCount } = topics[created]!
      try {
        if (client !== undefined) {
          await client.createTopic(topic, partitionCount, {})
          created++
          continue
        }
      } catch {
        // Tried again, elsewhere.
      }
      await world.delay(100)
    }
  }
  void create()
  return world.run(120_000, () => created === topics.length)
}
