import type { CatalogClient } from '../../catalog/client.ts'
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

/** Deletes records of a topic that are in its table, as retention does, so that segments become garbage and are collected. */
export class ModelTrimmer {
  readonly #world: World
  readonly #topic: string
  readonly #hosts: readonly FloeHost[]
  #isStopped = false

  constructor(world: World, topic: string, hosts: readonly FloeHost[]) {
    this.#world = world
    this.#topic = topic
    this.#hosts = hosts
    this.#next()
  }

  stop(): void {
    this.#isStopped = true
  }

  #next(): void {
    this.#world.schedule(this.#world.between(500, 3_000), () => {
      if (this.#isStopped) return
      void this.#world.pick(this.#hosts).ask(client => this.#trim(client))
      this.#next()
    })
  }

  async #trim(client: CatalogClient): Promise<void> {
    const found = await client.topicByName(this.#topic)
    const table = await client.tableByName(`floe__${this.#topic}`)
    if (found === undefined || table === undefined) return
    for (const { partition, end } of await client.sourceCoverage(table.tableId)) {
      if (end > 0n) await client.advanceLogStart(found.topicId, partition, end)
    }
  }
}
