/**
 * Exactly once with several processes over one directory: each is killed, paused or asked to end at random moments, the leader of the
 * catalog most of all, while ordinary clients produce through whoever is there and a consumer group goes on reading. Afterwards
 * topics, catalog, Parquet files and Iceberg must tell the clients' story.
 *
 *   FLOE_CLUSTER_BLOWS   how many (8); FLOE_CLUSTER_SEED   which (1)
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { checkTables, checkTopics, openDirectoryReader } from '../support/check-stories.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { type FloeProcess, findFreePort, serveFloe } from '../support/floe-process.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import {
  hasKcat,
  type ProducingClient,
  startKafkajs,
  startKcat,
  startPlatformatic,
} from '../support/producing-clients.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { withTemporaryDirectory } from '../support/temporary-store.ts'
import { waitFor } from '../support/wait-for.ts'

const blowCount = Number(process.env.FLOE_CLUSTER_BLOWS ?? 8)
const seed = Number(process.env.FLOE_CLUSTER_SEED ?? 1)
const processCount = 3
const topics = [
  { topic: 'orders', partitionCount: 6 },
  { topic: 'clicks', partitionCount: 2 },
]
const env = { FLOE_CLUSTER_SECRET: 'a secret that the test made up' }

it(`loses and repeats nothing over ${blowCount} blows to ${processCount} processes`, {
  timeout: 3_600_000,
}, async () => {
  await withTemporaryDirectory(async directory => {
    const dataDir = join(directory, 'data')
    const members = await Promise.all(
      Array.from({ length: processCount }, async (_, index) => {
        const configFile = join(directory, `floe-${index}.yaml`)
        const kafkaPort = await findFreePort()
        await writeFile(configFile, configText(dataDir, kafkaPort))
        return new Member(configFile, `127.0.0.1:${kafkaPort}`)
      }),
    )
    const address = members.map(member => member.address).join(',')
    const ledger = new RecordLedger()
    const clients: ProducingClient[] = []
    let group: ConsumingGroup | undefined
    try {
      await Promise.all(members.map(member => member.start()))
      await createTopics(address)
      const load = { address, ledger, topics }
      clients.push(startPlatformatic(load), startKafkajs(load))
      if (hasKcat()) clients.push(startKcat({ ...load, sendCount: 10 }))
      group = await startGroup(address)
      const blows = await strike(members, blowCount, seed)
      await Promise.all(clients.map(client => client.stop()))
      await waitFor(async () => isEverythingPublished(await openDirectoryReader(dataDir), topics), 120_000)
      const stories = await checkTopics(address, topics, ledger)
      const total = stories.reduce((sum, { rows, misfitCount }) => sum + rows.length + Number(misfitCount), 0)
      await waitFor(() => group!.seen.size >= total, 120_000)
      expect(group.seen.size).toBe(total)
      await group.stop()
      for (const member of members) expect(await member.end('SIGTERM')).toMatchObject({ code: 0 })
      await checkTables(dataDir, members[0]!.configFile, stories)
      process.stdout.write(
        `${blows.join(', ')}: ${ledger.acknowledgedCount} records acknowledged of ${ledger.sentCount} sent, ` +
          `${ledger.sessionCount} sessions, the group read ${group.seenCount} times ${total} records\n`,
      )
    } finally {
      await Promise.allSettled(clients.map(client => client.stop()))
      await group?.stop()
      for (const member of members) await member.end('SIGKILL')
    }
  })
})

function configText(dataDir: string, kafkaPort: number): string {
  return `data_dir: ${dataDir}
kafka: { port: ${kafkaPort} }
http: { port: 0 }
cluster: { secret_env: FLOE_CLUSTER_SECRET, port: 0 }
broker: { flush_interval: 20ms }
tables:${topics.map(({ topic }) => numberedTableYaml(topic, '300ms')).join('')}
`
}

class Member {
  readonly configFile: string
  readonly address: string
  #process: FloeProcess | undefined

  constructor(configFile: string, address: string) {
    this.configFile = configFile
    this.address = address
  }

  async start(): Promise<void> {
    this.#process = await serveFloe({ configFile: this.configFile, env })
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.#process!.pid, name)
  }

  async end(name: NodeJS.Signals) {
    const running = this.#process
    this.#process = undefined
    return running?.end(name)
  }
}

/** One blow after the other, each to one process, which is back before the next. Returns what they were. */
async function strike(members: readonly Member[], count: number, seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const blows: string[] = []
  for (let blow = 0; blow < count; blow++) {
    await systemClock.sleep(500 + random.fraction() * 2_000)
    const index = Math.floor(random.fraction() * members.length)
    const member = members[index]!
    const kind = random.fraction()
    if (kind < 0.5) {
      blows.push(`kill ${index}`)
      await member.end('SIGKILL')
      await systemClock.sleep(random.fraction() * 4_000)
      await member.start()
    } else if (kind < 0.8) {
      blows.push(`pause ${index}`)
      member.signal('SIGSTOP')
      await systemClock.sleep(1_000 + random.fraction() * 5_000)
      member.signal('SIGCONT')
    } else {
      blows.push(`end ${index}`)
      expect(await member.end('SIGTERM')).toMatchObject({ code: 0 })
      await member.start()
    }
  }
  return blows
}

interface ConsumingGroup {
  /** `topic/partition/offset` of every record that was read. */
  readonly seen: ReadonlySet<string>
  readonly seenCount: number
  stop(): Promise<void>
}

/** Two consumers of one group that commit as they go. */
async function startGroup(address: string): Promise<ConsumingGroup> {
  const seen = new Set<string>()
  let seenCount = 0
  const consumers = ['first', 'second'].map(clientId => {
    const kafka = new Kafka({
      clientId,
      brokers: address.split(','),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
    })
    return kafka.consumer({ groupId: 'readers', sessionTimeout: 6_000, heartbeatInterval: 500, maxWaitTimeInMs: 200 })
  })
  for (const consumer of consumers) {
    await consumer.connect()
    await consumer.subscribe({ topics: topics.map(({ topic }) => topic), fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 300,
      eachMessage: async ({ topic, partition, message }) => {
        seen.add(`${topic}/${partition}/${message.offset}`)
        seenCount++
      },
    })
  }
  let stopping: Promise<unknown> | undefined
  return {
    seen,
    get seenCount() {
      return seenCount
    },
    async stop() {
      stopping ??= Promise.all(consumers.map(consumer => consumer.disconnect()))
      await stopping
    },
  }
}

async function createTopics(address: string): Promise<void> {
  const { Admin } = await import('@platformatic/kafka')
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: address.split(',') })
  for (const { topic, partitionCount } of topics) {
    await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: 1 })
  }
  await admin.close()
}
