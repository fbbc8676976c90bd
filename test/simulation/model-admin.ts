/**
 * Creates topics and deletes them, each once, and takes producer ids, through the catalogs of all hosts: commands whose doubling shows.
 * What was answered is seen by whoever was answered at once, and by every other host behind a barrier.
 */
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

export interface ModelAdminParts {
  readonly world: World
  readonly name: string
  readonly hosts: readonly FloeHost[]
  readonly violations: string[]
}

const pauseMsMax = 500
const idBlockCount = 3n

export class ModelAdmin {
  readonly #parts: ModelAdminParts
  readonly #idBlocks = new Set<bigint>()
  #isStopping = false

  constructor(parts: ModelAdminParts) {
    this.#parts = parts
    void this.#run()
  }

  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world, name } = this.#parts
    for (let count = 0; !this.#isStopping; count++) {
      await world.delay(world.random.fraction() * pauseMsMax)
      if (world.chance(0.2)) await this.#takeProducerIds()
      else await this.#liveThroughTopic(`${name}-topic-${count}`)
    }
  }

  async #liveThroughTopic(topic: string): Promise<void> {
    const { world, hosts } = this.#parts
    const host = world.pick(hosts)
    const created = await host.ask(async client => {
      const { outcome, topic: made } = await client.createTopic(topic, 1, {})
      return { outcome, topicId: made.topicId, isSeen: (await client.topicByName(topic)) !== undefined }
    })
    if (created === undefined) return
    if (created.outcome !== 'created')
      this.#violate(`topic ${topic} was created once, and ${host.name} says it existed`)
    if (!created.isSeen) this.#violate(`${host.name} says it created topic ${topic}, and does not see it`)
    await this.#look(topic, true)
    const deleter = world.pick(hosts)
    const deleted = await deleter.ask(async client => {
      const outcome = await client.deleteTopic(created.topicId)
      return { outcome, isSeen: (await client.topicByName(topic)) !== undefined }
    })
    if (deleted === undefined) return
    if (deleted.outcome !== 'deleted') {
      this.#violate(`topic ${topic} was deleted once, and ${deleter.name} says it did not exist`)
    }
    if (deleted.isSeen) this.#violate(`${deleter.name} says it deleted topic ${topic}, and still sees it`)
    await this.#look(topic, false)
  }

  /** Any host, behind a barrier. */
  async #look(topic: string, isThere: boolean): Promise<void> {
    const { world, hosts } = this.#parts
    const host = world.pick(hosts)
    const seen = await host.ask(async client => {
      await client.readBarrier()
      return { isSeen: (await client.topicByName(topic)) !== undefined }
    })
    if (seen === undefined || seen.isSeen === isThere) return
    this.#violate(
      `topic ${topic} was ${isThere ? 'created' : 'deleted'}, and ${host.name} does not know, behind a barrier`,
    )
  }

  async #takeProducerIds(): Promise<void> {
    const { world, hosts } = this.#parts
    const block = await world.pick(hosts).ask(client => client.allocateProducerIds(Number(idBlockCount)))
    if (block === undefined) return
    for (let id = block.first; id < block.first + idBlockCount; id++) {
      if (this.#idBlocks.has(id)) this.#violate(`producer id ${id} was handed out twice`)
      this.#idBlocks.add(id)
    }
  }

  #violate(what: string): void {
    this.#parts.violations.push(what)
  }
}
