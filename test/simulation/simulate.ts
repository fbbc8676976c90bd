/**
 * One simulated life of a cluster: a few hosts, one store, one network, producers, and whatever goes wrong. Each seed draws its own
 * mix of faults, sizes and limits (swarm testing: Groce et al., 2012). Afterwards everything is healed, and within bounded time
 * the cluster must be at rest with nothing lost, doubled, reordered or left behind.
 */
import type { CatalogClient } from '../../catalog/client.ts'
import { errorMessage } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { type FaultOptions, FaultyStore, type StoreFault, storeFaults } from '../../storage/faulty-store.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { collectLog } from '../support/collect-log.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { numberedTable } from '../support/numbered-table.ts'
import {
  describeTopicRows,
  findDisagreements,
  findMissingObjects,
  readTableRows,
  rowsToRecords,
} from '../support/published-rows.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { FloeHost } from './floe-host.ts'
import { Host } from './host.ts'
import { ModelCommitter } from './model-committer.ts'
import { ModelProducer } from './model-producer.ts'
import { Network } from './network.ts'
import { readLog } from './read-log.ts'
import { World } from './world.ts'

export interface SimulationResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly traceHash: string
  readonly events: number
  readonly virtualMs: number
  readonly acknowledged: number
  readonly blows: Readonly<Record<string, number>>
  /** What the processes complained of, newest last. */
  readonly complaints: readonly string[]
}

const topics = [
  { topic: 'orders', partitionCount: 3 },
  { topic: 'clicks', partitionCount: 2 },
]
const settleMsMax = 180_000
const checkIntervalMs = 500
const restMs = 8_000

/** What one seed is made of. */
interface Mix {
  readonly hostCount: number
  readonly producerCount: number
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

type Blow = 'crash' | 'crashLeader' | 'pause' | 'pauseLeader' | 'cut' | 'storeSilence' | 'end'
const allBlows: readonly Blow[] = ['crash', 'crashLeader', 'pause', 'pauseLeader', 'cut', 'storeSilence', 'end']
function drawMix(world: World): Mix {
  const probabilities: Partial<Record<StoreFault, number>> = {}
  for (const name of storeFaults) if (world.chance(0.4)) probabilities[name] = world.random.fraction() * 0.03
  return {
    hostCount: world.between(1, 4),
    producerCount: world.between(1, 3),
    turmoilMs: world.between(5_000, 25_000),
    storeLatencyMsMax: world.pick([1, 5, 30, 100]),
    networkLatencyMsMax: world.pick([1, 3, 20]),
    silentCrash: world.pick([0, 0.5, 1]),
    storeFaults: { probabilities, lateMsMax: world.pick([200, 2_000, 20_000]) },
    snapshotEntryCount: world.pick([10, 40, 200]),
    wallSkewMsMax: world.pick([0, 50, 5_000]),
    blowIntervalMs: world.pick([800, 2_000, 6_000]),
    blows: allBlows.filter(() => world.chance(0.5)),
  }
}

export async function simulate(seed: number): Promise<SimulationResult> {
  const world = new World(seed)
  const mix = drawMix(world)
  const inner = new MemoryStore({ ...new Host(world, 'store').clock })
  const storeHost = new Host(world, 'store')
  const store = new FaultyStore(inner, { clock: storeHost.clock, random: seededRandom(seed + 1) }, mix.storeFaults)
  const network = new Network(world, { latencyMsMax: mix.networkLatencyMsMax, silentCrash: mix.silentCrash })
  const log = collectLog()
  const ledger = new RecordLedger()
  const violations: string[] = []
  const hosts = Array.from(
    { length: mix.hostCount },
    (_, index) =>
      new FloeHost({
        world,
        network,
        store,
        storeLatencyMsMax: mix.storeLatencyMsMax,
        tables: topics.map(({ topic }) => numberedTable(topic, { freshnessMs: 300 })),
        name: `host-${index}`,
        mayLead: index < 3,
        snapshotEntryCount: mix.snapshotEntryCount,
        log: log.with({ host: index }),
        wallSkewMs: (world.random.fraction() - 0.5) * 2 * mix.wallSkewMsMax,
      }),
  )
  for (const host of hosts) host.start()
  const checker = new Checker(hosts, violations)
  checker.watch(world)
  const blows: Record<string, number> = {}
  let isHealed = false
  const result = (): SimulationResult => ({
    seed,
    violations,
    traceHash: world.traceHash(),
    events: world.eventCount,
    virtualMs: Math.round(world.nowMs),
    acknowledged: ledger.acknowledgedCount,
    blows,
    complaints: log.complaints,
  })

  try {
    if (!(await createTopics(world, hosts))) violations.push('no topics could be created within 120 s')
    else {
      const parts = { world, ledger, hosts, topics }
      const producers = Array.from(
        { length: mix.producerCount },
        (_, index) => new ModelProducer({ ...parts, name: `producer-${index}` }),
      )
      const committers = ['group-a', 'group-b'].map(
        group => new ModelCommitter({ world, group, topic: topics[0]!.topic, hosts, violations }),
      )
      const trimmer = new Trimmer(world, hosts)
      const endMs = world.nowMs + mix.turmoilMs
      while (world.nowMs < endMs && violations.length === 0) {
        await world.run(mix.blowIntervalMs * (0.5 + world.random.fraction()), () => violations.length > 0)
        if (mix.blows.length > 0) {
          const blow = world.pick(mix.blows)
          if (strike(blow, world, hosts, network, store, mix, () => isHealed)) blows[blow] = (blows[blow] ?? 0) + 1
        }
      }
      trimmer.stop()
      isHealed = true
      heal(world, hosts, network, store)
      await checkAtRest(world, hosts, inner, producers, committers, ledger, violations)
    }
  } catch (error) {
    violations.push(`the simulation broke: ${error instanceof Error ? error.stack : errorMessage(error)}`)
  }
  checker.stop()
  for (const host of hosts) {
    host.isOff = true
    host.crash()
  }
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

function findLeader(hosts: readonly FloeHost[]): FloeHost | undefined {
  return hosts.find(({ catalog, host }) => !host.isCrashed && catalog?.status().role === 'leading')
}

/** Returns whether there was anything to strike. */
function strike(
  blow: Blow,
  world: World,
  hosts: readonly FloeHost[],
  network: Network,
  store: FaultyStore,
  mix: Mix,
  isHealed: () => boolean,
): boolean {
  const alive = hosts.filter(({ host }) => !host.isCrashed && !host.isPaused)
  const target = blow.endsWith('Leader') ? findLeader(hosts) : alive.length === 0 ? undefined : world.pick(alive)
  switch (blow) {
    case 'crash':
    case 'crashLeader':
      target?.crash()
      return target !== undefined
    case 'pause':
    case 'pauseLeader': {
      if (target === undefined) return false
      const { host } = target
      world.note(`${target.name} pauses`)
      host.pause()
      world.schedule(world.between(100, 12_000), () => host.resume())
      return true
    }
    case 'cut': {
      const other = world.pick(hosts)
      if (target === undefined || other === target) return false
      network.cut(target.name, other.name)
      world.schedule(world.between(500, 10_000), () => network.heal())
      return true
    }
    case 'storeSilence':
      store.setOptions({ probabilities: { failBefore: 0.4, lostAnswer: 0.3, late: 0.2 }, lateMsMax: 3_000 })
      world.schedule(world.between(500, 9_000), () => store.setOptions(isHealed() ? {} : mix.storeFaults))
      return true
    case 'end':
      target?.end()
      return target !== undefined
  }
}

function heal(world: World, hosts: readonly FloeHost[], network: Network, store: FaultyStore): void {
  world.note('healed')
  network.heal()
  for (const { host } of hosts) host.resume()
  store.setOptions({})
}

async function checkAtRest(
  world: World,
  hosts: readonly FloeHost[],
  inner: MemoryStore,
  producers: readonly ModelProducer[],
  committers: readonly ModelCommitter[],
  ledger: RecordLedger,
  violations: string[],
): Promise<void> {
  // Processes that were just asked to end do so, and are started again.
  await world.run(restMs, () => violations.length > 0)
  const committedBefore = committers.map(committer => committer.acknowledged)
  const acknowledgedBefore = ledger.acknowledgedCount
  const goesOn = await world.run(
    settleMsMax,
    () => ledger.acknowledgedCount > acknowledgedBefore + 20 || violations.length > 0,
  )
  if (violations.length > 0) return
  if (!goesOn) {
    violations.push(`no progress: producers were not answered within ${settleMsMax / 1000} s of healing`)
    return
  }
  const commitsGoOn = await world.run(
    settleMsMax,
    () =>
      committers.every(({ acknowledged }, index) => acknowledged > committedBefore[index]!) || violations.length > 0,
  )
  if (violations.length > 0) return
  if (!commitsGoOn) {
    violations.push(`no progress: offsets could not be committed within ${settleMsMax / 1000} s of healing`)
    for (const host of hosts) violations.push(...(await host.describe()))
    return
  }
  for (const committer of committers) committer.stop()
  for (const producer of producers) producer.stop()
  if (!(await world.run(settleMsMax, () => producers.every(producer => producer.isDone)))) {
    violations.push(`producers did not finish within ${settleMsMax / 1000} s of healing`)
    return
  }
  let isPublished = false
  let isOver = false
  const look = async (): Promise<void> => {
    while (!isPublished && !isOver) {
      const catalog = hosts.find(host => host.isServing)?.catalog?.client
      if (catalog !== undefined) {
        const asked = catalog.readBarrier().then(() => isEverythingPublished(catalog, topics))
        // A process that ends meanwhile does not answer.
        isPublished = await Promise.race([asked.catch(() => false), world.delay(5_000).then(() => false)])
      }
      await world.delay(200)
    }
  }
  void look()
  await world.run(settleMsMax, () => isPublished || violations.length > 0)
  isOver = true
  if (!isPublished) {
    violations.push(`tables were not published to the end within ${settleMsMax / 1000} s of healing`)
    for (const host of hosts) violations.push(...(await host.describe()))
    return
  }
  const checked = checkContents(world, hosts, inner, ledger, violations).catch((error: unknown) => {
    violations.push(`contents could not be checked: ${error instanceof Error ? error.stack : String(error)}`)
  })
  let isChecked = false
  void checked.then(() => {
    isChecked = true
  })
  if (!(await world.run(settleMsMax, () => isChecked))) violations.push('contents could not be read in time')
}

async function checkContents(
  world: World,
  hosts: readonly FloeHost[],
  inner: MemoryStore,
  ledger: RecordLedger,
  violations: string[],
): Promise<void> {
  const { catalog, broker } = hosts.find(host => host.isServing)!
  const client = catalog!.client
  for (const { topic, partitionCount } of topics) {
    const table = `floe__${topic}`
    const report = await verifyTable({ catalog: client, store: inner }, table)
    violations.push(...report.problems.map(problem => `${table}: ${problem}`))
    if (!report.proved) violations.push(`${table} is not proved`)
    let disagreements = await findDisagreements(client, inner, table)
    // A hint that was overtaken is put right once no put can be on its way.
    for (let tries = 0; disagreements.length > 0 && tries < 20; tries++) {
      await world.delay(5_000)
      disagreements = await findDisagreements(client, inner, table)
    }
    violations.push(...disagreements)
    // The table has every record there ever was, the topic those that were not deleted since.
    const rows = await readTableRows(client, inner, table)
    const records = rowsToRecords(rows, partitionCount)
    violations.push(...ledger.findBreaches(topic, records))
    const { topicId } = (await client.topicByName(topic))!
    for (const [partition, stored] of (await readLog(broker!, topic, partitionCount)).entries()) {
      const [state] = await client.partitionStates([{ topicId, partition }])
      const kept = records[partition]!.slice(Number(state!.logStartOffset))
      if (describeTopicRows([stored]).join('\n') !== describeTopicRows([kept]).join('\n')) {
        violations.push(
          `${topic}/${partition} has ${stored.length} records, its table ${kept.length} of them, and they differ`,
        )
      }
    }
  }
  violations.push(...(await findMissingObjects(client, inner)))
}

/** Deletes records that are in their tables, as retention does, so that segments become garbage and are collected. */
class Trimmer {
  readonly #world: World
  readonly #hosts: readonly FloeHost[]
  #isStopped = false

  constructor(world: World, hosts: readonly FloeHost[]) {
    this.#world = world
    this.#hosts = hosts
    this.#next()
  }

  stop(): void {
    this.#isStopped = true
  }

  #next(): void {
    this.#world.schedule(this.#world.between(500, 3_000), () => {
      if (this.#isStopped) return
      const client = this.#world.pick(this.#hosts).catalog?.client
      if (client !== undefined) this.#trim(client).catch(() => {})
      this.#next()
    })
  }

  async #trim(client: CatalogClient): Promise<void> {
    const { topic } = this.#world.pick(topics)
    const found = await client.topicByName(topic)
    const table = await client.tableByName(`floe__${topic}`)
    if (found === undefined || table === undefined) return
    for (const { partition, end } of await client.sourceCoverage(table.tableId)) {
      if (end > 0n) await client.advanceLogStart(found.topicId, partition, end)
    }
  }
}

/** What must hold at every moment, looked at now and then. */
class Checker {
  readonly #hosts: readonly FloeHost[]
  readonly #violations: string[]
  readonly #hashes = new Map<number, string>()
  readonly #sequences = new Map<object, number>()
  readonly #highWatermarks = new Map<object, Map<string, bigint>>()
  #isStopped = false

  constructor(hosts: readonly FloeHost[], violations: string[]) {
    this.#hosts = hosts
    this.#violations = violations
  }

  watch(world: World): void {
    world.schedule(checkIntervalMs, () => {
      if (this.#isStopped) return
      this.#look()
      this.watch(world)
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  #look(): void {
    for (const { name, catalog } of this.#hosts) {
      if (catalog === undefined) continue
      const { sequence } = catalog.status()
      const before = this.#sequences.get(catalog) ?? 0
      if (sequence < before) this.#violations.push(`${name} went back from entry ${before} to ${sequence}`)
      this.#sequences.set(catalog, sequence)
      const hash = catalog.state.hash()
      const known = this.#hashes.get(sequence)
      if (known !== undefined && known !== hash) {
        this.#violations.push(`${name} has another state at entry ${sequence} than others had`)
      }
      this.#hashes.set(sequence, hash)
      this.#checkLogs(name, catalog)
    }
  }

  #checkLogs(name: string, catalog: NonNullable<FloeHost['catalog']>): void {
    const seen = this.#highWatermarks.get(catalog) ?? new Map<string, bigint>()
    this.#highWatermarks.set(catalog, seen)
    for (const topic of catalog.state.topics.all()) {
      for (const [partition, log] of topic.partitions.entries()) {
        const place = `${topic.name}/${partition}`
        const highWatermark = BigInt(log.highWatermark)
        if (highWatermark < (seen.get(place) ?? 0n))
          this.#violations.push(`${name}: high watermark of ${place} went back`)
        seen.set(place, highWatermark)
      }
    }
  }
}
