/** A cluster of real processes, the clients that go through whichever of them is there, and what must be true of it all at the end. */
import { Kafka, logLevel } from 'kafkajs'
import { expect } from 'vitest'
import type { CatalogClient } from '../../catalog/client.ts'
import { checkTopics, type StoryTopic, type TopicStory } from '../support/check-stories.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { type FloeProcess, serveFloe } from '../support/floe-process.ts'
import { type ProducingClient, startProducing } from '../support/producing-clients.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import { waitFor } from '../support/wait-for.ts'

// All three on a machine that is busy with other things.
const settledMsMax = 120_000
const readyMsMax = 180_000
/** What was not drained is read again. */
const notDrained = 'floe: not everything was drained in time; the next start continues from what is committed\n'

export interface ClusterLife {
  readonly members: readonly Member[]
  readonly topics: readonly StoryTopic[]
  /** Does to them what is to be survived, mends everything, and tells what it was. */
  strike(): Promise<readonly string[]>
  /** For questions, beside the members. */
  openCatalog(): Promise<CatalogClient>
  /** What else comes right by itself, some time after everything was mended. */
  isSettled?(): Promise<boolean>
  /** Once every member has ended. */
  checkTables(stories: readonly TopicStory[]): Promise<void>
}

/** Clients produce, a group reads and `strike` strikes; then topics, tables and group are held against what the clients know. */
export async function liveThrough(life: ClusterLife): Promise<void> {
  const { members, topics, strike, openCatalog, checkTables } = life
  const address = members.map(member => member.address).join(',')
  const ledger = new RecordLedger()
  const clients: ProducingClient[] = []
  let group: ConsumingGroup | undefined
  try {
    await Promise.all(members.map(member => member.start()))
    await createTopics(address, topics)
    clients.push(...startProducing({ address, ledger, topics }))
    group = await startGroup(address, topics)
    const blows = await strike()
    await Promise.all(clients.map(client => client.stop()))
    await waitFor(async () => isEverythingPublished(await openCatalog(), topics), settledMsMax)
    await waitFor(async () => (await life.isSettled?.()) ?? true, settledMsMax)
    const stories = await checkTopics(address, topics, ledger)
    const total = stories.reduce((sum, { rows, misfitCount }) => sum + rows.length + Number(misfitCount), 0)
    await waitFor(() => group!.seen.size >= total, settledMsMax)
    expect(group.seen.size).toBe(total)
    await group.stop()
    for (const member of members) await member.stop()
    await checkTables(stories)
    process.stdout.write(
      `${blows.length} blows: ${blows.join(', ')}; ${ledger.acknowledgedCount} records acknowledged of ${ledger.sentCount} sent, ` +
        `${ledger.sessionCount} sessions, the group read ${group.seenCount} times ${total} records\n`,
    )
  } finally {
    await Promise.allSettled(clients.map(client => client.stop()))
    await group?.stop()
    for (const member of members) await member.end('SIGKILL')
  }
}

export class Member {
  readonly configFile: string
  /** `host:port` for Kafka clients. */
  readonly address: string
  readonly #env: Readonly<Record<string, string>>
  /** Of an older Floe, until this one is upgraded. */
  #checkout: string | undefined
  #process: FloeProcess | undefined

  constructor(configFile: string, address: string, env: Readonly<Record<string, string>>, checkout?: string) {
    this.configFile = configFile
    this.address = address
    this.#env = env
    this.#checkout = checkout
  }

  async start(): Promise<void> {
    const old = this.#checkout === undefined ? {} : { checkout: this.#checkout }
    this.#process = await serveFloe({ configFile: this.configFile, env: this.#env, readyMsMax, ...old })
  }

  /** It is this Floe when it is started next. */
  upgrade(): void {
    this.#checkout = undefined
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.#process!.pid, name)
  }

  /** What it said since it was started. */
  get log(): string {
    return this.#process!.stderr()
  }

  /** As its users do. It ends in time, or says that it did not. errors  it ended otherwise, with the last of what it said */
  async stop(): Promise<void> {
    const ended = await this.end('SIGTERM')
    if (ended?.code === 0 || ended?.stderr.endsWith(notDrained)) return
    throw new Error(`${this.configFile}: ended with ${ended?.code ?? ended?.signal}: ${ended?.stderr.slice(-4_000)}`)
  }

  async end(name: NodeJS.Signals) {
    const running = this.#process
    this.#process = undefined
    return running?.end(name)
  }
}

interface ConsumingGroup {
  /** `topic/partition/offset` of every record that was read. */
  readonly seen: ReadonlySet<string>
  readonly seenCount: number
  stop(): Promise<void>
}

/** Two consumers of one group that commit as they go. */
async function startGroup(address: string, topics: readonly StoryTopic[]): Promise<ConsumingGroup> {
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

async function createTopics(address: string, topics: readonly StoryTopic[]): Promise<void> {
  const { Admin } = await import('@platformatic/kafka')
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: address.split(',') })
  for (const { topic, partitionCount } of topics) {
    await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: 1 })
  }
  await admin.close()
}
