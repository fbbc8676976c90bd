/** A whole Floe on a simulated host: catalog, broker, ingestion and publishing, the code that `floe serve` runs. */
import type { Duplex } from 'node:stream'
import { type Broker, createBroker } from '../../broker/broker.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import type { Journal } from '../../catalog/journal/journal.ts'
import { SqlJournal } from '../../catalog/journal/sql-journal.ts'
import { StoreJournal } from '../../catalog/journal/store-journal.ts'
import { Membership } from '../../catalog/node/membership.ts'
import { NodeRegistration } from '../../catalog/node/node-registration.ts'
import { type Catalog, openCatalog } from '../../catalog/open-catalog.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { IngestService } from '../../ingest/service.ts'
import type { TableIngestConfig } from '../../ingest/table-config.ts'
import { createInlinePool } from '../../ingest/worker/builder-pool.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { interceptJournal } from '../contract/journal-harness.ts'
import { type DatabaseServer, journalTable } from './database-server.ts'
import { Host } from './host.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

export interface FloeHostParts {
  readonly world: World
  readonly network: Network
  /** The one store of the cluster, with its faults. */
  readonly store: ObjectStore
  readonly storeLatencyMsMax: number
  /** Where the journal lies; undefined: in the store. */
  readonly database: DatabaseServer | undefined
  readonly tables: readonly TableIngestConfig[]
  readonly name: string
  readonly mayLead: boolean
  readonly snapshotEntryCount: number
  /** Whether there is a blow that holds up what it appends to the journal. */
  readonly mayHang: boolean
  readonly log: Log
  readonly wallSkewMs: number
}

const secret = Buffer.from('the secret of the simulated cluster')
const restartDelayMsMax = 2_000
const stopMsMax = 4_500

/** One place where Floe runs; a crash or an end of the process is followed by another one. */
export class FloeHost {
  readonly #parts: FloeHostParts
  host: Host
  catalog: Catalog | undefined
  broker: Broker | undefined
  ingest: IngestService | undefined
  #closeAll: (() => Promise<void>) | undefined
  #accepting: ((connection: PeerConnection) => void) | undefined
  startCount = 0
  /** So many times longer than usual it takes to reach the store. */
  storeSlowness = 1
  databaseSlowness = 1
  /** What it appends to the journal hangs until then, on its way there or back. */
  hang: { readonly untilMs: number; readonly way: 'there' | 'back' } = { untilMs: 0, way: 'there' }
  /** How far its wall clock is from the world's. */
  #wallSkewMs: number
  /** No more processes are started here. */
  isOff = false

  constructor(parts: FloeHostParts) {
    this.#parts = parts
    this.#wallSkewMs = parts.wallSkewMs
    this.host = this.#newHost()
  }

  get name(): string {
    return this.#parts.name
  }

  get isServing(): boolean {
    return this.broker !== undefined && !this.host.isCrashed
  }

  /** Serving, awake, and not about to end. */
  get isUp(): boolean {
    return this.isServing && !this.host.isPaused && this.#closeAll !== undefined
  }

  #newHost(): Host {
    const { world, name } = this.#parts
    const host = new Host(world, name)
    host.wallSkewMs = this.#wallSkewMs
    return host
  }

  /** Of the machine: the next process finds it so. */
  setClock(wallSkewMs: number): void {
    this.#wallSkewMs = wallSkewMs
    this.host.wallSkewMs = wallSkewMs
  }

  /**
   * Lets a process here do something with its catalog, as code of its own would: when it is paused, once it goes on.
   * Undefined: it has none, refused, or ended before it answered.
   */
  ask<T>(make: (client: CatalogClient) => Promise<T>): Promise<T | undefined> {
    const { host, catalog } = this
    if (catalog === undefined || host.isCrashed) return Promise.resolve(undefined)
    return new Promise(resolve => {
      host.onCrash(() => resolve(undefined))
      host.deliver(() => {
        make(catalog.client).then(resolve, () => resolve(undefined))
      })
    })
  }

  start(): void {
    this.startCount++
    const { world, network, log } = this.#parts
    const host = this.#newHost()
    this.host = host
    this.catalog = undefined
    this.broker = undefined
    this.#closeAll = undefined
    const early: PeerConnection[] = []
    this.#accepting = connection => early.push(connection)
    network.listen(host, connection => this.#accepting?.(connection))
    this.#open(host, early).catch((error: unknown) => {
      log.warn('a process could not start', { host: this.name, reason: errorMessage(error) })
      this.#endProcess(host)
    })
    world.note(`${this.name} starts`)
  }

  async #open(host: Host, early: PeerConnection[]): Promise<void> {
    const { network, store: shared, storeLatencyMsMax, tables, name, mayLead, snapshotEntryCount, log } = this.#parts
    const store = host.reach(shared, () => storeLatencyMsMax * this.storeSlowness)
    const { clock, random } = host
    const catalog = await openCatalog({
      journal: await this.#openJournal(host, store),
      store,
      clock,
      random,
      log,
      options: { snapshotEntryCount, appendTimeoutMs: 5_000 },
      peers: { network: network.from(host), address: name, secret, mayLead },
      onLost: error => {
        log.warn('a process may not go on', { host: name, reason: errorMessage(error) })
        this.#endProcess(host)
      },
    })
    this.catalog = catalog
    this.#accepting = connection => void catalog.accept(connection)
    for (const connection of early.splice(0)) void catalog.accept(connection)
    const registration = await NodeRegistration.register({
      catalog: catalog.client,
      clock,
      log,
      description: {
        instanceId: catalog.instanceId,
        roles: ['catalog', 'broker', 'ingest', 'maintain'],
        kafkaHost: name,
        kafkaPort: 9092,
      },
    })
    const membership = new Membership(catalog.client, registration)
    const broker = createBroker({
      catalog: catalog.client,
      membership,
      store,
      cache: new RangeCache(store, { bytesMax: 256 * 1024 }),
      clock,
      random,
      log,
      options: {
        flushIntervalMs: 20,
        groupInitialRebalanceDelayMs: 0,
        retentionCheckIntervalMs: 3_000,
        garbageDelayMs: 5_000,
      },
    })
    const source = broker.localSource()
    const ingest = new IngestService({
      catalog: catalog.client,
      store,
      sources: () => source,
      pool: createInlinePool(),
      membership,
      clock,
      log,
      // Longer than a put stays on its way.
      hintCheckMs: 25_000,
    })
    await ingest.applyTables(tables)
    this.broker = broker
    this.ingest = ingest
    this.#closeAll = async () => {
      await ingest.close()
      await broker.close()
      await registration.close(true)
      await catalog.close()
    }
  }

  async #openJournal(host: Host, store: ObjectStore): Promise<Journal> {
    const { database, mayHang } = this.#parts
    const { clock, random } = host
    const journal =
      database === undefined
        ? new StoreJournal(store, clock)
        : await SqlJournal.open(
            { database: database.reach(host, () => this.databaseSlowness), table: journalTable, clock, random },
            true,
          )
    if (!mayHang) return journal
    return interceptJournal(journal, (method, _target, call) =>
      method === 'putIfAbsent' ? host.gate(this.#holdUp(call)) : call(),
    )
  }

  async #holdUp(call: () => Promise<unknown>): Promise<unknown> {
    const { world } = this.#parts
    const { way } = this.hang
    const hangs = (): Promise<void> => world.delay(this.hang.untilMs - world.nowMs)
    if (way === 'there') await hangs()
    const outcome = await call()
    if (way === 'back') await hangs()
    return outcome
  }

  /** Asked to end, as by SIGTERM, and started again. */
  end(): void {
    const { host } = this
    const close = this.#closeAll
    if (close === undefined || host.isCrashed) return
    this.#closeAll = undefined
    const finish = (): void => this.#endProcess(host)
    close().then(finish, finish)
    // As `floe serve` does: it ends in time.
    this.#parts.world.schedule(stopMsMax, finish)
  }

  /** What it is doing, for whoever has to find out why it does not go on. */
  async describe(): Promise<string[]> {
    const { catalog, host, name } = this
    if (catalog === undefined) return [`${name}: no process that serves`]
    const { role, sequence, leaderAddress } = catalog.status()
    const nodes = catalog.state.nodes.all().map(({ nodeId, kafkaHost }) => `${nodeId}=${kafkaHost}`)
    const lines = [
      `${name}: ${role}${host.isPaused ? ' paused' : ''}, entry ${sequence}, leader ${leaderAddress}, ${this.isServing ? 'serving' : 'not serving yet'}, nodes ${nodes.join(' ')}`,
    ]
    for (const group of catalog.state.groups.groups()) {
      const claim = catalog.state.groupClaims.find(group)
      lines.push(`  ${group}: claimed by ${claim?.nodeId} in epoch ${claim?.epoch}`)
    }
    for (const table of catalog.state.tables.all()) {
      const { accounts, versions } = table
      const ends = Array.from({ length: accounts.length }, (_, partition) => accounts.ends[partition])
      lines.push(
        `  ${table.definition.name}: ends ${ends.join(' ')}, files ${table.fileSequence}, published ${versions.last?.fileSequence}`,
      )
    }
    for (const topic of catalog.state.topics.all()) {
      lines.push(`  ${topic.name}: high watermarks ${topic.partitions.map(log => log.highWatermark).join(' ')}`)
    }
    for (const { table, state, reason, publishFailure, lagRecords } of this.ingest?.status() ?? []) {
      lines.push(`  ${table} is ${state} with lag ${lagRecords} ${reason ?? ''} ${publishFailure ?? ''}`)
    }
    return lines
  }

  /** The process is over, by itself: another one is started, as by a supervisor. */
  #endProcess(host: Host): void {
    if (host !== this.host || host.isCrashed) return
    this.crash()
  }

  /** At whatever await its code stands. */
  crash(): void {
    const { world } = this.#parts
    world.note(`${this.name} crashes`)
    this.host.crash()
    this.broker = undefined
    this.catalog = undefined
    if (this.isOff) return
    const crashed = this.host
    world.schedule(world.random.fraction() * restartDelayMsMax, () => {
      if (!this.isOff && this.host === crashed) this.start()
    })
  }

  /** A client's connection; undefined when nobody listens. */
  connect(client: Host): Duplex | undefined {
    const { broker, host } = this
    if (broker === undefined || host.isCrashed || !this.#parts.network.reaches(client, host)) return undefined
    const { near, far } = this.#parts.network.openStream(client, host)
    host.deliver(() => void broker.serveConnection(far, { clientHost: client.name }))
    return near
  }
}
