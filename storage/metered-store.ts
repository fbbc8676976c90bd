/**
 * Counts what is asked of a store, by kind of request and by purpose, with an estimate of the price: requests are Floe's
 * running cost. The purpose follows from the key's prefix through a table that the composition root gives.
 *
 * A call counts as the requests that S3 would bill for it when nothing goes wrong; the store's own retries are not seen here.
 */
import { countBodyBytes } from './object-body.ts'
import type {
  ByteRange,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  WriteOutcome,
} from './object-store.ts'

/** S3 Standard, us-east-1, list prices of September 2026 in USD per request; transfer inside the region costs nothing. */
export const putClassRequestUsd = 0.005 / 1000
export const getClassRequestUsd = 0.0004 / 1000
const deleteRequestUsd = 0

const requestKinds = ['put', 'putIfAbsent', 'multipart', 'get', 'head', 'list', 'delete'] as const
export type RequestKind = (typeof requestKinds)[number]

const requestUsd: Readonly<Record<RequestKind, number>> = {
  put: putClassRequestUsd,
  putIfAbsent: putClassRequestUsd,
  multipart: putClassRequestUsd,
  list: putClassRequestUsd,
  get: getClassRequestUsd,
  head: getClassRequestUsd,
  delete: deleteRequestUsd,
}

/** The first entry whose prefix the key starts with names the purpose; without one it is `other`. */
export type PurposeTable = readonly { readonly prefix: string; readonly purpose: string }[]

export interface RequestCount {
  readonly kind: RequestKind
  readonly purpose: string
  readonly requests: number
  /** Of these, how many threw or ended in an unknown outcome. */
  readonly failures: number
  readonly bytesWritten: number
  readonly bytesRead: number
  readonly usd: number
}

interface Counter {
  requests: number
  failures: number
  bytesWritten: number
  bytesRead: number
}

/** S3 takes so many keys in one delete request. */
const deleteKeyCountMax = 1000

export class MeteredStore implements ObjectStore {
  readonly uri: string
  readonly #store: ObjectStore
  readonly #purposes: PurposeTable
  readonly #counters = new Map<string, Record<RequestKind, Counter>>()

  constructor(store: ObjectStore, purposes: PurposeTable) {
    this.uri = store.uri
    this.#store = store
    this.#purposes = purposes
  }

  /** What was counted so far, only kinds and purposes that occurred, sorted by purpose and kind; owned by the caller. */
  snapshot(): RequestCount[] {
    const rows: RequestCount[] = []
    for (const purpose of [...this.#counters.keys()].sort()) {
      for (const kind of requestKinds) {
        const counter = this.#counters.get(purpose)![kind]
        if (counter.requests > 0) rows.push({ kind, purpose, ...counter, usd: counter.requests * requestUsd[kind] })
      }
    }
    return rows
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    await this.#count('put', key, () => this.#store.put(key, body), countBodyBytes(body))
  }

  async putOwned(key: string, body: ObjectBody): Promise<void> {
    await this.#count('put', key, () => this.#store.putOwned(key, body), countBodyBytes(body))
  }

  async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
    const write = (): Promise<WriteOutcome> => this.#store.putIfAbsent(key, body)
    const outcome = await this.#count('putIfAbsent', key, write, countBodyBytes(body))
    if (outcome === 'unknown') this.#counter('putIfAbsent', key).failures++
    return outcome
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const bytes = await this.#count('get', key, () => this.#store.get(key, range))
    this.#counter('get', key).bytesRead += bytes?.length ?? 0
    return bytes
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return this.#count('head', key, () => this.#store.head(key))
  }

  async list(prefix: string, after?: string): Promise<ObjectPage> {
    return this.#count('list', prefix, () => this.#store.list(prefix, after))
  }

  async delete(keys: readonly string[]): Promise<void> {
    const [first] = keys
    if (first === undefined) return this.#store.delete(keys)
    const requests = Math.ceil(keys.length / deleteKeyCountMax)
    await this.#count('delete', first, () => this.#store.delete(keys), 0, requests)
  }

  async startMultipart(key: string): Promise<MultipartUpload> {
    const upload = await this.#count('multipart', key, () => this.#store.startMultipart(key))
    return {
      writePart: body => this.#count('multipart', key, () => upload.writePart(body), countBodyBytes(body)),
      complete: () => this.#count('multipart', key, () => upload.complete()),
      abort: () => this.#count('delete', key, () => upload.abort()),
    }
  }

  async #count<T>(kind: RequestKind, key: string, run: () => Promise<T>, bytesWritten = 0, requests = 1): Promise<T> {
    const counter = this.#counter(kind, key)
    counter.requests += requests
    counter.bytesWritten += bytesWritten
    try {
      return await run()
    } catch (error) {
      counter.failures++
      throw error
    }
  }

  #counter(kind: RequestKind, key: string): Counter {
    const purpose = this.#purposes.find(({ prefix }) => key.startsWith(prefix))?.purpose ?? 'other'
    let counters = this.#counters.get(purpose)
    if (counters === undefined) {
      counters = {
        put: makeCounter(),
        putIfAbsent: makeCounter(),
        multipart: makeCounter(),
        get: makeCounter(),
        head: makeCounter(),
        list: makeCounter(),
        delete: makeCounter(),
      }
      this.#counters.set(purpose, counters)
    }
    return counters[kind]
  }
}

function makeCounter(): Counter {
  return { requests: 0, failures: 0, bytesWritten: 0, bytesRead: 0 }
}
