/**
 * Opens the catalog of this process: alone, or among the processes of a cluster, which reach each other through a listener of their
 * own.
 */
import { readFileSync } from 'node:fs'
import type { NodeRoleName } from '../../catalog/client.ts'
import type { Peers } from '../../catalog/node/node-options.ts'
import { type Catalog, openCatalog } from '../../catalog/open-catalog.ts'
import type { ServerOptions } from '../../config/server-options.ts'
import { systemClock } from '../../core/clock.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type Environment, readSecret } from '../cli/load-config.ts'
import { journalPassword, openJournal } from '../journal/open-journal.ts'
import { describeHost } from './listen.ts'
import { createPeerNetwork, listenPeers, type PeerTls } from './peer-network.ts'

const secretBytesMin = 16

export interface OpenServerCatalog {
  readonly store: ObjectStore
  readonly server: ServerOptions
  readonly environment: Environment
  readonly roles: readonly NodeRoleName[]
  readonly log: Log
  readonly onLost: (error: FloeError) => void
  readonly closers: (() => Promise<void> | void)[]
}

/** errors  invalid: the listener, the secret or a TLS file; otherwise those of recovery */
export async function openServerCatalog(parts: OpenServerCatalog): Promise<Catalog> {
  const { store, server, environment, log, onLost, closers } = parts
  // Others may connect as soon as somebody listens: they wait until there is a catalog to talk to.
  const ready = Promise.withResolvers<Catalog>()
  ready.promise.catch(() => {})
  const peers = server.cluster && (await joinCluster(server.cluster, parts, ready.promise))
  try {
    const { journal, close } = await openJournal({
      store,
      url: server.catalog.journalUrl,
      password: journalPassword(server, environment),
      log,
      mayCreate: true,
    })
    closers.push(close)
    const ambient = { journal, store, clock: systemClock, random: systemRandom, log }
    const catalog = await openCatalog(
      peers === undefined
        ? { ...ambient, onLost: error => onLost(explainTakeOver(error, store)) }
        : { ...ambient, onLost, peers },
    )
    closers.push(() => catalog.close())
    ready.resolve(catalog)
    return catalog
  } catch (error) {
    ready.reject(error)
    throw error
  }
}

/** Without `cluster`, whoever starts on a store takes it over: after a crash nobody else could tell. */
function explainTakeOver(error: FloeError, store: ObjectStore): FloeError {
  if (error.code !== 'catalog-fenced') return error
  return new FloeError(
    'fenced',
    'store-taken-over',
    `another Floe process was started on ${store.uri} and has taken over; nothing that this one acknowledged is lost. One store is ` +
      'served by one process, unless all of them have a `cluster` section with the same secret (docs/scaling.md): stop one of ' +
      'the two, give it a place of its own, or make them a cluster',
    {},
    error,
  )
}

async function joinCluster(
  cluster: NonNullable<ServerOptions['cluster']>,
  { environment, roles, closers }: OpenServerCatalog,
  catalog: Promise<Catalog>,
): Promise<Peers> {
  const secret = Buffer.from(readSecret(environment, cluster.secretEnv, 'cluster.secret_env'))
  if (secret.length < secretBytesMin) {
    throw new FloeError(
      'invalid',
      'secret-short',
      `the secret in ${cluster.secretEnv} (named by cluster.secret_env) has ${secret.length} bytes: use at least ${secretBytesMin} random ones`,
    )
  }
  const tls = readTls(cluster)
  const onConnection = (connection: PeerConnection): void => {
    catalog.then(
      open => open.accept(connection),
      () => connection.close('this process could not start'),
    )
  }
  const listener = await listenPeers(cluster.hostname, cluster.port, tls, onConnection)
  closers.push(() => listener.stop())
  const host = cluster.advertisedHostname ?? describeHost(cluster.hostname)
  return {
    network: createPeerNetwork(tls),
    address: `${host}:${cluster.advertisedPort ?? listener.port}`,
    secret,
    mayLead: roles.includes('catalog'),
  }
}

function readTls({ tlsCaFile, tlsCertFile, tlsKeyFile }: NonNullable<ServerOptions['cluster']>): PeerTls | undefined {
  if (tlsCaFile === undefined || tlsCertFile === undefined || tlsKeyFile === undefined) return undefined
  const read = (key: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new FloeError('invalid', 'tls-file-unreadable', `${key} of cluster: ${errorMessage(error)}`)
    }
  }
  return {
    ca: read('tls_ca_file', tlsCaFile),
    cert: read('tls_cert_file', tlsCertFile),
    key: read('tls_key_file', tlsKeyFile),
  }
}
