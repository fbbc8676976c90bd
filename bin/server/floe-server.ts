/**
 * Puts Floe together: the real clock, random source, file system and sockets meet the parts here, in this order, and are taken
 * apart in the reverse one.
 *
 *   lock ─▶ store ─▶ put-if-absent check ─▶ catalog ─▶ broker ─▶ ingestion ─▶ HTTP
 */
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createApp } from '../../api/app.ts'
import { registerMetrics } from '../../api/metrics.ts'
import { type Broker, createBroker } from '../../broker/broker.ts'
import type { BrokerOptions } from '../../broker/options.ts'
import type { CatalogClient, NodeRoleName } from '../../catalog/client.ts'
import { Membership } from '../../catalog/node/membership.ts'
import { NodeRegistration } from '../../catalog/node/node-registration.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import type { ValidatedConfig } from '../../config/config.ts'
import { ownClusterName } from '../../config/limits.ts'
import type { ServerOptions } from '../../config/server-options.ts'
import { systemClock } from '../../core/clock.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import type { Log } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { nodeThreads } from '../../core/threads.ts'
import { planTable } from '../../ingest/plan-table.ts'
import { IngestService, type TableIngestStatus } from '../../ingest/service.ts'
import { createRemoteSource } from '../../ingest/sources/remote-source.ts'
import { createWorkerPool } from '../../ingest/worker/worker-pool.ts'
import type { RecordSource } from '../../kafka/record-source.ts'
import { checkPutIfAbsent } from '../../storage/check-put-if-absent.ts'
import { MeteredStore, type PurposeTable } from '../../storage/metered-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore, parseS3Url } from '../../storage/open-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { clusterOptions, type Environment, readSecret, storeCredentials, storeUrl } from '../cli/load-config.ts'
import { describeHost, explainListenError, listenKafka } from './listen.ts'
import { openServerCatalog } from './open-catalog.ts'
import { lockStore } from './store-lock.ts'

export interface FloeServerParts {
  readonly config: ValidatedConfig
  readonly environment: Environment
  readonly log: Log
  readonly version: string
  /** What this process does; all of it when left out. */
  readonly roles?: readonly NodeRoleName[]
  /** Called once when this process may not go on: another one leads the catalog, or its own state is unknown. */
  readonly onLost: (error: FloeError) => void
}

export interface FloeServer {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  readonly broker: Broker
  readonly kafkaPort: number
  readonly httpPort: number
  ingestStatus(): readonly TableIngestStatus[]
  /** Commits, publishes and answers what is under way, then ends. Idempotent. */
  close(): Promise<void>
}

const purposes: PurposeTable = [
  { prefix: 'catalog/journal/', purpose: 'journal' },
  { prefix: 'catalog/', purpose: 'catalog-snapshot' },
  { prefix: 'segments/', purpose: 'segment' },
  { prefix: 'tables/', purpose: 'table' },
  { prefix: 'probe/', purpose: 'probe' },
]

export const allRoles: readonly NodeRoleName[] = ['catalog', 'broker', 'ingest', 'maintain', 'query']

/** errors  FloeError of whatever could not be started; what was started before it is closed again */
export async function startFloe(parts: FloeServerParts): Promise<FloeServer> {
  const closers: (() => Promise<void> | void)[] = []
  const closeAll = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      try {
        await closer()
      } catch (error) {
        parts.log.error('a part did not close cleanly', { problem: errorMessage(error) })
      }
    }
  }
  try {
    return await startParts(parts, closers, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function startParts(
  { config, environment, log, version, roles = allRoles, onLost }: FloeServerParts,
  closers: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<FloeServer> {
  const startedMs = systemClock.monotonicMs()
  const { server } = config
  const plans = config.tables.map(planTable)
  const bearerToken =
    server.http.bearerTokenEnv === undefined
      ? undefined
      : readSecret(environment, server.http.bearerTokenEnv, 'http.bearer_token_env')
  const remotes = config.clusters.map(cluster => clusterOptions(cluster, environment))

  const url = storeUrl(server)
  if (url.startsWith('file://') && server.cluster === undefined) {
    const lock = lockStore(url.slice('file://'.length))
    closers.push(() => lock.release())
  }
  const store = await openCheckedStore(url, server, environment)

  const catalog = await openServerCatalog({ store, server, environment, roles, log, onLost, closers })
  const { broker, kafkaPort, membership } = await startBroker(server, environment, catalog, roles, store, log, closers)

  const sources = new Map<string, RecordSource>([[ownClusterName, broker.localSource()]])
  for (const remote of remotes) sources.set(remote.name, createRemoteSource(remote))
  closers.push(async () => {
    for (const source of sources.values()) await source.close()
  })
  const pool = createWorkerPool(nodeThreads, server.ingest.threads)
  closers.push(() => pool.close())
  const ingest = new IngestService({
    catalog: catalog.client,
    store,
    sources: name => findSource(sources, name),
    pool,
    membership,
    clock: systemClock,
    log,
  })
  closers.push(() => ingest.close())
  for (const plan of roles.includes('ingest') ? plans : []) {
    try {
      await ingest.applyTables([plan])
    } catch (error) {
      // One table's trouble is its own.
      if (!(error instanceof FloeError) || error.kind !== 'invalid') throw error
      log.error(error.message, { table: plan.definition.name, code: error.code })
    }
  }

  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerMetrics({
    registry,
    catalog: catalog.client,
    store,
    broker: broker.metrics,
    ingestStatus: () => ingest.status(),
  })
  const app = createApp({
    catalog: catalog.client,
    store,
    storage: readerStorage(url, store.uri, server, environment),
    registry,
    log,
    version,
    bearerToken,
    uptimeMs: () => systemClock.monotonicMs() - startedMs,
    ingestStatus: () => ingest.status(),
    notReadyReason: () => (catalog.status().ready ? undefined : 'this process reaches no leader of the catalog'),
  })
  const { hostname, port } = server.http
  await app.listen({ host: hostname, port }).catch((error: unknown) => {
    throw explainListenError(error, hostname, port, 'http')
  })
  closers.push(() => app.close())
  const address = app.server.address()
  const httpPort = typeof address === 'object' && address !== null ? address.port : port
  log.info('serving', {
    kafka: `${server.kafka.hostname}:${kafkaPort}`,
    http: `http://${hostname}:${httpPort}`,
    store: store.uri,
    tables: plans.length,
    ms: Math.round(systemClock.monotonicMs() - startedMs),
  })
  let closing: Promise<void> | undefined
  return {
    catalog: catalog.client,
    store,
    broker,
    kafkaPort,
    httpPort,
    ingestStatus: () => ingest.status(),
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}

async function openCheckedStore(url: string, server: ServerOptions, environment: Environment): Promise<MeteredStore> {
  const credentials = storeCredentials(server, environment)
  const deps = { fileSystem: nodeFileSystem, random: systemRandom, clock: systemClock }
  const store = await openStore(url, deps, credentials === undefined ? {} : { credentials })
  await checkPutIfAbsent(store, { clock: systemClock, random: systemRandom })
  return new MeteredStore(store, purposes)
}

async function startBroker(
  server: ServerOptions,
  environment: Environment,
  catalog: Catalog,
  roles: readonly NodeRoleName[],
  store: ObjectStore,
  log: Log,
  closers: (() => Promise<void> | void)[],
): Promise<{ broker: Broker; kafkaPort: number; membership: Membership }> {
  const { hostname, port, advertisedHostname, advertisedPort, saslUsernameEnv, saslPasswordEnv } = server.kafka
  const saslUsers =
    saslUsernameEnv === undefined || saslPasswordEnv === undefined
      ? undefined
      : [
          {
            name: readSecret(environment, saslUsernameEnv, 'kafka.sasl_username_env'),
            password: readSecret(environment, saslPasswordEnv, 'kafka.sasl_password_env'),
          },
        ]
  // The port must be known before the broker is made, because it tells clients; who connects in between waits.
  const brokerReady = Promise.withResolvers<Broker>()
  brokerReady.promise.catch(() => {})
  const servesClients = roles.includes('broker')
  let kafkaPort = 0
  if (servesClients) {
    const listener = await listenKafka(hostname, port, socket => {
      const clientHost = socket.remoteAddress ?? 'unknown'
      socket.on('error', () => {})
      brokerReady.promise.then(
        broker => broker.serveConnection(socket, { clientHost }),
        () => socket.destroy(),
      )
    })
    kafkaPort = listener.port
    closers.push(() => listener.stop())
  }
  const registration = await NodeRegistration.register({
    catalog: catalog.client,
    clock: systemClock,
    log,
    description: {
      instanceId: catalog.instanceId,
      roles,
      kafkaHost: advertisedHostname ?? describeHost(hostname),
      kafkaPort: servesClients ? (advertisedPort ?? kafkaPort) : 0,
    },
  })
  // Who is registered lives or was killed: that is how `floe catalog move` knows whether it has the catalog to itself.
  closers.push(() => registration.close(true))
  const membership = new Membership(catalog.client, registration)
  const options: Partial<BrokerOptions> = {
    autoCreateTopics: server.broker.autoCreateTopics,
    partitionCountDefault: server.broker.defaultPartitions,
    flushIntervalMs: server.broker.flushIntervalMs,
    segmentBytesTarget: server.broker.flushSizeBytes,
    connectionsMax: server.broker.connectionsMax,
    frameBytesMax: server.broker.requestSizeMaxBytes,
    requestBytesMax: server.broker.requestsInFlightSizeMaxBytes,
    offsetsRetentionMs: server.broker.offsetsRetentionMs,
    drainMsMax: brokerDrainMsMax,
    saslUsers,
  }
  const broker = createBroker({
    catalog: catalog.client,
    membership,
    store,
    cache: new RangeCache(store, { bytesMax: server.broker.cacheSizeBytes }),
    clock: systemClock,
    random: systemRandom,
    log,
    options,
  })
  closers.push(() => broker.close())
  brokerReady.resolve(broker)
  return { broker, kafkaPort, membership }
}

/** Less than the 5 s in which the whole process ends. */
const brokerDrainMsMax = 2_000

function findSource(sources: ReadonlyMap<string, RecordSource>, name: string): RecordSource {
  const source = sources.get(name)
  if (source === undefined) throw new FloeError('invalid', 'unknown-cluster', `there is no source cluster ${name}`)
  return source
}

/** What the Iceberg catalog tells readers of the store. */
function readerStorage(url: string, uri: string, server: ServerOptions, environment: Environment) {
  if (!url.startsWith('s3://')) {
    return { uri, endpoint: undefined, region: undefined, pathStyle: false, credentials: undefined }
  }
  const { endpoint, region, forcePathStyle } = parseS3Url(url)
  const credentials = server.catalog.vendCredentials ? storeCredentials(server, environment) : undefined
  return {
    uri,
    endpoint,
    region,
    pathStyle: forcePathStyle === true,
    credentials: credentials && { ...credentials, sessionToken: credentials.sessionToken },
  }
}
