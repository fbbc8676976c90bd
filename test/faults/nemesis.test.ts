/**
 * Exactly once with several processes over an S3 server, everything between them failing: processes are killed, paused and ended, each
 * is cut off from the store or from the others, the store is killed and paused, while ordinary clients produce through whoever is
 * there and a consumer group goes on reading. Afterwards topics, catalog, Parquet files, Iceberg and Delta must tell the clients' story.
 *
 *   FLOE_NEMESIS_BLOWS   how many (7: each kind once); FLOE_NEMESIS_SEED   which (1)
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'vitest'
import { openCatalogReader } from '../../catalog/reader.ts'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { silentLog } from '../../core/log.ts'
import { type Random, seededRandom, systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { type S3, startS3 } from '../peers/index.ts'
import { checkTablesIn, type TopicStory } from '../support/check-stories.ts'
import { CuttableLink, type LinkState } from '../support/cuttable-link.ts'
import { findFreePort } from '../support/floe-process.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import { findDisagreements } from '../support/published-rows.ts'
import { withTemporaryDirectory } from '../support/temporary-store.ts'
import { liveThrough, Member } from './cluster-members.ts'

const blowCount = Number(process.env.FLOE_NEMESIS_BLOWS ?? 7)
const seed = Number(process.env.FLOE_NEMESIS_SEED ?? 1)
const processCount = 3
const topics = [
  { topic: 'orders', partitionCount: 6 },
  { topic: 'clicks', partitionCount: 2 },
]

it(`loses and repeats nothing over ${blowCount} blows to ${processCount} processes, their network and their store`, {
  timeout: 7_200_000,
}, async () => {
  await withTemporaryDirectory(async directory => {
    const store = await RestartedS3.start(join(directory, 's3'))
    const nodes: Node[] = []
    try {
      for (let index = 0; index < processCount; index++) nodes.push(await Node.create(directory, index, store))
      await liveThrough({
        members: nodes.map(({ member }) => member),
        topics,
        strike: () => strike(nodes, store, seededRandom(seed)),
        openCatalog: async () => openCatalogReader({ store: await store.open(), clock: systemClock, log: silentLog }),
        isSettled: () => areHintsRight(store),
        checkTables: stories => checkTables(store, nodes[0]!.member, stories),
      })
    } finally {
      for (const node of nodes) await node.close()
      await store.stop()
    }
  })
})

/** One that keeps its files, and its port, when it is killed. */
class RestartedS3 {
  readonly #dataDir: string
  #s3: S3

  private constructor(dataDir: string, s3: S3) {
    this.#dataDir = dataDir
    this.#s3 = s3
  }

  static async start(dataDir: string): Promise<RestartedS3> {
    return new RestartedS3(dataDir, await startS3({ dataDir }))
  }

  get port(): number {
    return this.#s3.port
  }

  get env(): Readonly<Record<string, string>> {
    return { STORE_KEY_ID: this.#s3.accessKeyId, STORE_KEY: this.#s3.secretAccessKey }
  }

  open(): Promise<ObjectStore> {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = this.#s3
    const deps = { clock: systemClock, random: systemRandom, fileSystem: nodeFileSystem }
    const credentials = { accessKeyId, secretAccessKey }
    return openStore(`s3://${bucket}/lake?endpoint=${endpoint}&path_style=true`, deps, { credentials })
  }

  signal(name: NodeJS.Signals): void {
    this.#s3.kill(name)
  }

  async killAndRestart(downMs: number): Promise<void> {
    const { port } = this.#s3
    this.#s3.kill('SIGKILL')
    await this.#s3.stop()
    await systemClock.sleep(downMs)
    this.#s3 = await startS3({ dataDir: this.#dataDir, port })
  }

  stop(): Promise<void> {
    return this.#s3.stop()
  }
}

/** A process, its way to the store, and the way of the others to it. */
class Node {
  readonly member: Member
  readonly toStore: CuttableLink
  readonly fromPeers: CuttableLink

  private constructor(member: Member, toStore: CuttableLink, fromPeers: CuttableLink) {
    this.member = member
    this.toStore = toStore
    this.fromPeers = fromPeers
  }

  static async create(directory: string, index: number, store: RestartedS3): Promise<Node> {
    const [kafkaPort, peerPort] = [await findFreePort(), await findFreePort()]
    const toStore = await CuttableLink.to(store.port)
    const fromPeers = await CuttableLink.to(peerPort)
    const configFile = join(directory, `floe-${index}.yaml`)
    await writeFile(
      configFile,
      `destination_bucket_url: s3://floe/lake
storage:
  endpoint: http://127.0.0.1:${toStore.port}
  region: us-east-1
  path_style: true
  access_key_id_env: STORE_KEY_ID
  secret_access_key_env: STORE_KEY
kafka: { port: ${kafkaPort} }
http: { port: 0 }
cluster: { secret_env: FLOE_CLUSTER_SECRET, port: ${peerPort}, advertised_port: ${fromPeers.port} }
broker: { flush_interval: 50ms }
tables:${topics.map(({ topic }) => numberedTableYaml(topic, '500ms')).join('')}
`,
    )
    const env = { ...store.env, FLOE_CLUSTER_SECRET: 'a secret that the test made up' }
    return new Node(new Member(configFile, `127.0.0.1:${kafkaPort}`, env), toStore, fromPeers)
  }

  async close(): Promise<void> {
    await this.toStore.close()
    await this.fromPeers.close()
  }
}

/** One blow after the other; each is over, and what it hit is back, before the next. */
async function strike(nodes: readonly Node[], store: RestartedS3, random: Random): Promise<string[]> {
  const between = (leastMs: number, mostMs: number): number =>
    Math.round(leastMs + random.fraction() * (mostMs - leastMs))
  const cut = async (link: CuttableLink): Promise<string> => {
    const state: LinkState = random.fraction() < 0.5 ? 'silent' : 'refused'
    const ms = between(500, 8_000)
    link.state = state
    await systemClock.sleep(ms)
    link.state = 'open'
    return `${state} for ${ms} ms`
  }
  const kinds: Readonly<Record<string, (node: Node) => Promise<string>>> = {
    kill: async ({ member }) => {
      const ms = between(0, 4_000)
      await member.end('SIGKILL')
      await systemClock.sleep(ms)
      await member.start()
      return `back after ${ms} ms`
    },
    pause: async ({ member }) => {
      const ms = between(500, 8_000)
      member.signal('SIGSTOP')
      await systemClock.sleep(ms)
      member.signal('SIGCONT')
      return `${ms} ms`
    },
    end: async ({ member }) => {
      await member.stop()
      await member.start()
      return 'started again'
    },
    'way to the store': ({ toStore }) => cut(toStore),
    'way of the others to it': ({ fromPeers }) => cut(fromPeers),
    'store killed': async () => {
      const ms = between(0, 4_000)
      await store.killAndRestart(ms)
      return `back after ${ms} ms`
    },
    'store paused': async () => {
      const ms = between(500, 5_000)
      store.signal('SIGSTOP')
      await systemClock.sleep(ms)
      store.signal('SIGCONT')
      return `${ms} ms`
    },
  }
  const names = Object.keys(kinds)
  const blows: string[] = []
  for (let blow = 0; blow < blowCount; blow++) {
    await systemClock.sleep(between(500, 3_000))
    // Every kind once, before chance decides.
    const name = names[blow < names.length ? blow : Math.floor(random.fraction() * names.length)]!
    const index = Math.floor(random.fraction() * nodes.length)
    const outcome = await kinds[name]!(nodes[index]!)
    blows.push(`${name}${name.startsWith('store') ? '' : ` ${index}`} (${outcome})`)
  }
  return blows
}

/**
 * A version hint that was on its way when its publisher was replaced may land after a later one, and is put right a minute after the
 * last version (ingest/publish/table-publisher.ts).
 */
async function areHintsRight(s3: RestartedS3): Promise<boolean> {
  const store = await s3.open()
  const catalog = await openCatalogReader({ store, clock: systemClock, log: silentLog })
  for (const { topic } of topics) {
    if ((await findDisagreements(catalog, store, `floe__${topic}`)).length > 0) return false
  }
  return true
}

async function checkTables(s3: RestartedS3, member: Member, stories: readonly TopicStory[]): Promise<void> {
  const store = await s3.open()
  const catalog = await openCatalogReader({ store, clock: systemClock, log: silentLog })
  await checkTablesIn(catalog, store, member.configFile, stories, s3.env)
}
