/**
 * Where questions are answered. `openPlace` opens the store itself and reads the catalog without taking its lead, so it works
 * beside a running server and without one. `openAsker` answers paths of /api/v1, from a running server (`--url`) or from such a
 * place: both give the same JSON.
 */
import { Registry } from 'prom-client'
import { createApp } from '../../api/app.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { openCatalogReader } from '../../catalog/reader.ts'
import type { LoadParts } from '../../catalog/replica/load-replica.ts'
import type { ServerOptions } from '../../config/server-options.ts'
import { systemClock } from '../../core/clock.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { silentLog } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { journalPassword, openJournal } from '../journal/open-journal.ts'
import { type PlaceOptions, readVersion } from '../main.ts'
import { loadConfig, storeCredentials, storeUrl } from './load-config.ts'

export interface Place {
  readonly store: ObjectStore
  /** Commands are refused. */
  readonly catalog: CatalogClient
}

/** errors  invalid: there is no catalog in the store; and what store and journal throw */
export async function openPlace(options: PlaceOptions): Promise<Place> {
  const parts = await openPlaceParts(options)
  return { store: parts.store, catalog: await openCatalogReader(parts) }
}

/** Store and journal, without looking at the catalog. errors  as openPlace */
export async function openPlaceParts(options: PlaceOptions): Promise<LoadParts> {
  const server = placeOptions(options)
  const store = await openPlaceStore(server)
  const { journal } = await openJournal({
    store,
    url: server.catalog.journalUrl,
    password: journalPassword(server, process.env),
    log: silentLog,
    mayCreate: false,
  })
  return { journal, store, clock: systemClock, log: silentLog }
}

export function placeOptions(options: PlaceOptions): ServerOptions {
  const { server } = loadConfig(options.config)
  return { ...server, dataDir: options.dataDir ?? server.dataDir }
}

export async function openPlaceStore(placed: ServerOptions): Promise<ObjectStore> {
  const url = storeUrl(placed)
  if (url.startsWith('memory:')) {
    throw new FloeError('invalid', 'store-in-memory', 'the store lives in the memory of the server: ask it with --url')
  }
  const deps = { fileSystem: nodeFileSystem, random: systemRandom, clock: systemClock }
  await requireDirectory(url)
  const credentials = storeCredentials(placed, process.env)
  return openStore(url, deps, credentials === undefined ? {} : { credentials })
}

/** Opening a directory store creates the directory; a question must not. */
async function requireDirectory(url: string): Promise<void> {
  if (!url.startsWith('file://')) return
  const path = url.slice('file://'.length)
  try {
    await nodeFileSystem.stat(path)
  } catch {
    throw new FloeError(
      'invalid',
      'store-missing',
      `there is no Floe store at ${path}: name it with -c FILE or --data-dir DIR, or ask a running server with --url`,
    )
  }
}

/** A value as it comes back from JSON. */
export type JsonOf<T> = T extends bigint
  ? string
  : T extends readonly (infer I)[]
    ? readonly JsonOf<I>[]
    : T extends object
      ? { readonly [K in keyof T]: JsonOf<T[K]> }
      : T

export interface Asker {
  /** `path` below /api/v1. */
  get<T>(path: string): Promise<JsonOf<T>>
}

export async function openAsker(options: PlaceOptions): Promise<Asker> {
  return options.url === undefined ? askPlace(await openPlace(options)) : askServer(options.url)
}

function askPlace({ store, catalog }: Place): Asker {
  const app = createApp({
    catalog,
    store,
    storage: { uri: store.uri, endpoint: undefined, region: undefined, pathStyle: false, credentials: undefined },
    registry: new Registry(),
    log: silentLog,
    version: readVersion(),
    bearerToken: undefined,
    uptimeMs: () => 0,
    ingestStatus: () => [],
    notReadyReason: () => undefined,
  })
  return {
    get: async path => {
      const response = await app.inject(`/api/v1${path}`)
      return readAnswer(response.statusCode, response.body, path)
    },
  }
}

const answerMsMax = 30_000

function askServer(url: string): Asker {
  const base = url.replace(/\/+$/, '')
  const token = process.env.FLOE_TOKEN
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    get: async path => {
      let response: Response
      try {
        response = await fetch(`${base}/api/v1${path}`, { headers, signal: AbortSignal.timeout(answerMsMax) })
      } catch (error) {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
        throw new FloeError(
          'unavailable',
          'server-unreachable',
          `no Floe answers at ${base}: ${errorMessage(cause)}; start one with floe serve, or leave --url out`,
          {},
          error,
        )
      }
      return readAnswer(response.status, await response.text(), base)
    },
  }
}

function readAnswer<T>(status: number, body: string, where: string): T {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    throw new FloeError('invalid', 'answer-unreadable', `${where} does not answer like a Floe (status ${status})`)
  }
  if (status === 200) return answer as T
  const { code, message } = (answer as { error?: { code?: string; message?: string } }).error ?? {}
  const hint = status === 401 ? ' (set FLOE_TOKEN)' : ''
  throw new FloeError('invalid', code ?? 'refused', `${message ?? `${where} answered ${status}`}${hint}`)
}
