/**
 * A whole broker on a free loopback port, for tests and benchmarks: store, catalog, broker, listener.
 *
 *   const broker = await startBroker({ flushIntervalMs: 5 })
 *   ... kcat -b broker.address ...
 *   await broker.stop()
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '../../broker/broker.ts'
import type { BrokerOptions } from '../../broker/options.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { Membership } from '../../catalog/node/membership.ts'
import { openCatalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { type Log, silentLog } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { registerBroker } from './register-broker.ts'

export interface StartBrokerOptions extends Partial<BrokerOptions> {
  /** Kept after stop(). Left out: a temporary directory, removed by stop(). */
  readonly directory?: string
  /** Instead of a directory. */
  readonly store?: ObjectStore
  readonly port?: number
  readonly log?: Log
  readonly cacheBytesMax?: number
}

export interface StartedBroker {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly address: string
  readonly broker: Broker
  readonly catalog: CatalogClient
  readonly membership: Membership
  readonly store: ObjectStore
  stop(): Promise<void>
}

const host = '127.0.0.1'

export async function startBroker(options: StartBrokerOptions = {}): Promise<StartedBroker> {
  const { directory, store: givenStore, port: wantedPort, log = silentLog, cacheBytesMax, ...brokerOptions } = options
  const parts = { clock: systemClock, random: systemRandom }
  const temporary =
    directory === undefined && givenStore === undefined ? await mkdtemp(join(tmpdir(), 'floe-broker-')) : undefined
  const root = directory ?? temporary
  const store =
    givenStore ??
    (root === undefined
      ? new MemoryStore(systemClock)
      : await openStore(`file://${root}`, { ...parts, fileSystem: nodeFileSystem }))
  const catalog = await openCatalog({ store, log, ...parts })
  const server = createServer({ noDelay: true })
  const port = await listen(server, wantedPort ?? 0)
  const registration = await registerBroker(catalog, host, port)
  const membership = new Membership(catalog.client, registration)
  const broker = createBroker({
    catalog: catalog.client,
    membership,
    store,
    cache: new RangeCache(store, { bytesMax: cacheBytesMax ?? 128 * 1024 * 1024 }),
    log,
    ...parts,
    options: { groupInitialRebalanceDelayMs: 0, ...brokerOptions },
  })
  server.on('connection', socket => {
    broker.serveConnection(socket, { clientHost: socket.remoteAddress ?? 'unknown' })
  })
  return {
    host,
    port,
    address: `${host}:${port}`,
    broker,
    catalog: catalog.client,
    membership,
    store,
    async stop() {
      const closed = new Promise(resolve => server.close(resolve))
      await broker.close()
      await closed
      await registration.close(false)
      await catalog.close()
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
