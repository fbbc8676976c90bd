/**
 * Broker, catalog and ingestion in one process over a given store, behind a loopback port that stays the same: when the catalog
 * loses its lead, everything is taken down and opened again, as a supervisor restarts the process.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { type Broker, createBroker } from '../../broker/broker.ts'
import type { BrokerOptions } from '../../broker/options.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { Membership } from '../../catalog/node/membership.ts'
import type { NodeRegistration } from '../../catalog/node/node-registration.ts'
import { type Catalog, type CatalogOptions, openCatalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { IngestService } from '../../ingest/service.ts'
import type { TableIngestConfig } from '../../ingest/table-config.ts'
import { createInlinePool } from '../../ingest/worker/builder-pool.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { registerBroker } from './register-broker.ts'

export interface EmbeddedOptions {
  readonly store: ObjectStore
  readonly tables: readonly TableIngestConfig[]
  readonly log: Log
  readonly catalog?: Partial<CatalogOptions>
  readonly broker?: Partial<BrokerOptions>
  /** Small, so that reads meet the store and its faults. */
  readonly cacheBytesMax?: number
}

interface Generation {
  readonly catalog: Catalog
  readonly registration: NodeRegistration
  readonly broker: Broker
  readonly service: IngestService
}

const host = '127.0.0.1'
const reopenDelayMs = 100

export class EmbeddedFloe {
  readonly #options: EmbeddedOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0
  #generation: Generation | undefined
  /** Whoever waits for the generation after the present one. */
  #running: Promise<void> = Promise.resolve()
  #stopping = false
  /** How often a lead was lost, and how often opening failed. */
  lostCount = 0
  failedOpenCount = 0

  private constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true }, socket => this.#onConnection(socket))
  }

  static async start(options: EmbeddedOptions): Promise<EmbeddedFloe> {
    const floe = new EmbeddedFloe(options)
    await new Promise<void>((resolve, reject) => {
      floe.#server.once('error', reject)
      floe.#server.listen(0, host, resolve)
    })
    const address = floe.#server.address()
    floe.#port = typeof address === 'object' && address !== null ? address.port : 0
    const first = Promise.withResolvers<void>()
    floe.#running = floe.#supervise(first.resolve)
    await first.promise
    return floe
  }

  get address(): string {
    return `${host}:${this.#port}`
  }

  /** Of the present generation; undefined between two. */
  get catalog(): CatalogClient | undefined {
    return this.#generation?.catalog.client
  }

  get service(): IngestService | undefined {
    return this.#generation?.service
  }

  /** Opens the catalog a second time, as another process would: the present generation is fenced and comes back. */
  async takeOver(): Promise<void> {
    const { store, log } = this.#options
    const other = await openCatalog({ store, clock: systemClock, random: systemRandom, log })
    await other.close()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#onLost?.()
    await this.#running
    await new Promise(resolve => this.#server.close(resolve))
  }

  #onLost: (() => void) | undefined

  async #supervise(onFirst: () => void): Promise<void> {
    while (!this.#stopping) {
      const lost = Promise.withResolvers<void>()
      this.#onLost = lost.resolve
      try {
        this.#generation = await this.#open(() => {
          this.lostCount++
          lost.resolve()
        })
      } catch (error) {
        this.failedOpenCount++
        this.#options.log.warn('could not be opened', { problem: String(error) })
        await systemClock.sleep(reopenDelayMs)
        continue
      }
      onFirst()
      await lost.promise
      await this.#close()
    }
  }

  async #open(onLost: () => void): Promise<Generation> {
    const { store, tables, log, cacheBytesMax = 256 * 1024 } = this.#options
    const parts = { clock: systemClock, random: systemRandom }
    const catalog = await openCatalog({ store, log, ...parts, options: this.#options.catalog ?? {}, onLost })
    const registration = await registerBroker(catalog, host, this.#port)
    const membership = new Membership(catalog.client, registration)
    const broker = createBroker({
      catalog: catalog.client,
      membership,
      store,
      cache: new RangeCache(store, { bytesMax: cacheBytesMax }),
      log,
      ...parts,
      options: {
        groupInitialRebalanceDelayMs: 0,
        flushIntervalMs: 20,
        drainMsMax: 1_000,
        ...this.#options.broker,
      },
    })
    const source = broker.localSource()
    const service = new IngestService({
      catalog: catalog.client,
      store,
      sources: () => source,
      pool: createInlinePool(),
      membership,
      clock: systemClock,
      log,
      // Longer than the faults of tests keep a request on its way.
      hintCheckMs: 3_500,
    })
    try {
      await service.applyTables(tables)
    } catch (error) {
      await service.close()
      await broker.close()
      await registration.close(false)
      await catalog.close()
      throw error
    }
    return { catalog, registration, broker, service }
  }

  async #close(): Promise<void> {
    const generation = this.#generation
    this.#generation = undefined
    if (generation === undefined) return
    for (const socket of this.#sockets) socket.destroy()
    await generation.service.close()
    await generation.broker.close()
    await generation.registration.close(false)
    await generation.catalog.close()
  }

  #onConnection(socket: Socket): void {
    const broker = this.#generation?.broker
    if (broker === undefined) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    broker.serveConnection(socket, { clientHost: host })
  }
}
