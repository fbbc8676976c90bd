/**
 * Reads published tables while everything goes on, as a query engine would that asks the catalog of any host: all that a visible version
 * names is there, and Iceberg and Delta say the same.
 */
import { tableFolder } from '../../catalog/object-names.ts'
import { errorMessage } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { compareContents, readDeltaContents, readIcebergContents } from '../../table/validate/agreement.ts'
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

export interface ModelReaderParts {
  readonly world: World
  readonly tables: readonly string[]
  /** Without its faults. */
  readonly store: ObjectStore
  readonly hosts: readonly FloeHost[]
  readonly violations: string[]
}

const pauseMsMax = 6_000

export class ModelReader {
  readonly #parts: ModelReaderParts
  #isStopping = false

  constructor(parts: ModelReaderParts) {
    this.#parts = parts
    void this.#run()
  }

  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world, tables, violations } = this.#parts
    for (;;) {
      await world.delay(world.random.fraction() * pauseMsMax)
      if (this.#isStopping) return
      const name = world.pick(tables)
      const problems = await this.#read(name).catch((error: unknown) => [errorMessage(error)])
      for (const problem of problems) violations.push(`${name}, while it was published: ${problem}`)
    }
  }

  async #read(name: string): Promise<string[]> {
    const { world, store, hosts } = this.#parts
    const table = await world.pick(hosts).ask(client => client.tableByName(name))
    if (table?.published === undefined) return []
    const { icebergMetadataPath, deltaVersion } = table.published
    const folder = tableFolder(name, table.tableUuid)
    const readObject = (path: string): Promise<Uint8Array | undefined> => store.get(`${folder}/${path}`)
    const iceberg = await readIcebergContents(readObject, icebergMetadataPath)
    const problems = compareContents(iceberg, await readDeltaContents(readObject, deltaVersion))
    for (const path of iceberg.files.keys()) {
      if ((await store.head(`${folder}/${path}`)) === undefined) problems.push(`${path} is gone`)
    }
    return problems
  }
}
