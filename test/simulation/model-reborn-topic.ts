/**
 * A topic that is deleted and created again while records go into it. Its table begins a new generation each time and loses nothing that
 * it has: of the topic as it is now, each record once.
 */
import type { CatalogClient } from '../../catalog/client.ts'
import { RecordLedger } from '../support/record-ledger.ts'
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

export interface ModelRebornTopicParts {
  readonly world: World
  readonly topic: string
  readonly hosts: readonly FloeHost[]
}

const lifeMsMax = 8_000
const pauseMsMax = 1_000

export class ModelRebornTopic {
  readonly #parts: ModelRebornTopicParts
  readonly ledger = new LifeLedger()
  #isStopping = false
  /** It is there and will not be deleted any more. */
  isDone = false

  constructor(parts: ModelRebornTopicParts) {
    this.#parts = parts
    void this.#run()
  }

  get topic(): string {
    return this.#parts.topic
  }

  /** Once it is there again. */
  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world } = this.#parts
    for (;;) {
      const topicId = await this.#create()
      this.ledger.beginLife()
      await world.delay(world.random.fraction() * lifeMsMax)
      if (this.#isStopping) break
      this.ledger.beginLife()
      await this.#delete(topicId)
      await world.delay(world.random.fraction() * pauseMsMax)
    }
    this.isDone = true
  }

  /** Until it is certain that it is there. Returns its id. */
  #create(): Promise<string> {
    const { topic } = this.#parts
    return this.#untilKnown(async client => (await client.createTopic(topic, 1, {})).topic.topicId)
  }

  /** Until it is certain that it is gone: deleting by id hits no later one, however late it arrives. */
  async #delete(topicId: string): Promise<void> {
    await this.#untilKnown(client => client.deleteTopic(topicId))
  }

  async #untilKnown<T>(make: (client: CatalogClient) => Promise<T>): Promise<T> {
    const { world, hosts } = this.#parts
    for (;;) {
      const answer = await world.pick(hosts).ask(make)
      if (answer !== undefined) return answer
      await world.delay(world.random.fraction() * pauseMsMax)
    }
  }
}

/** What was sent, over all lives of the topic, and what was acknowledged in the present one. */
export class LifeLedger extends RecordLedger {
  #life = 0
  /** In which life each record was sent first, by session. */
  readonly #sentIn = new Map<string, number[]>()
  /** Session and number. */
  readonly acknowledgedNow = new Set<string>()

  beginLife(): void {
    this.#life++
    this.acknowledgedNow.clear()
  }

  override noteSent(topic: string, session: string, count: number): void {
    super.noteSent(topic, session, count)
    const lives = this.#sentIn.get(session) ?? []
    for (let index = 0; index < count; index++) lives.push(this.#life)
    this.#sentIn.set(session, lives)
  }

  override noteAcknowledged(topic: string, session: string, n: number, partition: number): void {
    super.noteAcknowledged(topic, session, n, partition)
    if (this.#sentIn.get(session)![n] === this.#life) this.acknowledgedNow.add(`${session} ${n}`)
  }

  wasSent(session: string, n: number): boolean {
    return n < (this.#sentIn.get(session)?.length ?? 0)
  }
}
