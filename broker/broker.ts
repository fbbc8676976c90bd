/**
 * The Kafka broker: stateless but for group membership. Everything durable is in the object store and the catalog.
 *
 *   createBroker(parts) ─> serveConnection(stream, info)   one call per accepted connection; nothing here listens
 *                          localSource()                   the same topics without sockets
 *                          close()                         answers what is buffered, then ends
 */
import type { Duplex } from 'node:stream'
import type { CatalogClient } from '../catalog/client.ts'
import type { Membership } from '../catalog/node/membership.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { RecordSource } from '../kafka/record-source.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { RangeCache } from '../storage/range-cache.ts'
import { Authenticator } from './authenticator.ts'
import { ByteBudget } from './byte-budget.ts'
import { ClusterView } from './cluster-view.ts'
import { Connection } from './connection.ts'
import type { HandlerContext } from './context.ts'
import { createDispatch } from './dispatch.ts'
import { LogReader } from './fetch/log-reader.ts'
import { TimeLookup } from './fetch/time-lookup.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import { GroupExpiry } from './groups/expiry.ts'
import { LocalRecordSource } from './local-source.ts'
import { BrokerMetrics } from './metrics.ts'
import { type BrokerOptions, brokerOptionDefaults } from './options.ts'
import { FlushBuffer } from './produce/flush-buffer.ts'
import { ProducerIds } from './produce/producer-ids.ts'
import { Retention } from './retention.ts'
import type { Session } from './session.ts'

export interface BrokerParts {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  /** Over the same store. Shared with other readers of segments, if any. */
  readonly cache: RangeCache
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly options?: Partial<BrokerOptions>
  /** Tells who this agent and the others are. */
  readonly membership: Membership
  /** Made here unless given. */
  readonly metrics?: BrokerMetrics
}

export interface ConnectionInfo {
  /** Address of the client, for logs and group descriptions. */
  readonly clientHost: string
}

export interface Broker {
  readonly metrics: BrokerMetrics
  readonly options: BrokerOptions
  /** Serves the stream until it ends. Never rejects; the stream is destroyed when it resolves or soon after. */
  serveConnection(stream: Duplex, info: ConnectionInfo): Promise<void>
  localSource(): RecordSource
  /** Flushes and answers what is buffered, takes nothing new, and ends every connection within `drainMsMax`. Idempotent. */
  close(): Promise<void>
}

export function createBroker(parts: BrokerParts): Broker {
  const { catalog, store, cache, clock, random, log, membership } = parts
  const options: BrokerOptions = { ...brokerOptionDefaults, ...parts.options }
  const metrics = parts.metrics ?? new BrokerMetrics()
  const logReader = new LogReader({ catalog, cache, clock, log, metrics })
  const cluster = new ClusterView(catalog, membership)
  const groups = new GroupCoordinator({ catalog, cluster, clock, random, options, metrics, log })
  const flushBuffer = new FlushBuffer({ catalog, store, cache, clock, log, options, metrics })
  const context: HandlerContext = {
    catalog,
    clock,
    log,
    options,
    metrics,
    flushBuffer,
    producerIds: new ProducerIds(catalog),
    logReader,
    timeLookup: new TimeLookup(catalog, cache),
    groups,
    cluster,
    authenticator: options.saslUsers === undefined ? undefined : new Authenticator(options.saslUsers),
  }
  const dispatch = createDispatch(context)
  const budget = new ByteBudget(options.requestBytesMax, bytes => {
    metrics.requestBytesHeld = bytes
  })
  const { offsetsRetentionMs } = options
  const groupExpiry = new GroupExpiry({ catalog, groups, cluster, clock, log, offsetsRetentionMs })
  const retention = new Retention({ catalog, store, clock, log, options, metrics, cluster, groupExpiry })
  retention.start()
  const connections = new Set<Connection>()
  const serving = new Set<Promise<void>>()
  const sources = new Set<RecordSource>()
  let closing: Promise<void> | undefined

  async function serveConnection(stream: Duplex, { clientHost }: ConnectionInfo): Promise<void> {
    if (closing !== undefined || connections.size >= options.connectionsMax) {
      if (closing === undefined) log.warn('connection refused: too many', { limit: options.connectionsMax })
      stream.destroy()
      return
    }
    const ended = new AbortController()
    const session: Session = {
      clientHost,
      signal: ended.signal,
      isAuthenticated: context.authenticator === undefined,
      principal: 'ANONYMOUS',
      sasl: 'none',
      clientSoftware: '',
      closeAfterAnswer: false,
      orderTail: Promise.resolve(),
    }
    const abort = (): void => ended.abort()
    const connection = new Connection({ stream, session, dispatch, budget, clock, log, options, metrics, abort })
    connections.add(connection)
    metrics.connectionsOpened++
    const served = connection.serve()
    serving.add(served)
    await served
    serving.delete(served)
    connections.delete(connection)
    metrics.connectionsClosed++
  }

  async function shutDown(): Promise<void> {
    await retention.stop()
    for (const source of sources) await source.close()
    groups.close()
    for (const connection of connections) connection.drain()
    const finished = new AbortController()
    const answered = flushBuffer.drain().then(() => Promise.all(serving))
    await Promise.race([answered, clock.sleep(options.drainMsMax, finished.signal)])
    finished.abort()
    for (const connection of connections) connection.end()
  }

  return {
    metrics,
    options,
    serveConnection,
    localSource() {
      const source = new LocalRecordSource(catalog, logReader)
      sources.add(source)
      return source
    },
    close() {
      closing ??= shutDown()
      return closing
    },
  }
}
