/**
 * Objects in memory, for tests, simulations and throw-away demos. Every call takes effect at once, before it returns its
 * promise: concurrent calls apply in call order, so a run under a seed repeats exactly.
 *
 * #keys holds the keys of #objects in order.
 */
import type { Clock } from '../core/clock.ts'
import { checkRange, copyBody, MultipartRules } from './object-body.ts'
import { checkKey, checkPrefix } from './object-key.ts'
import {
  type ByteRange,
  listPageObjectCountMax,
  type MultipartUpload,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  type WriteOutcome,
} from './object-store.ts'

export class MemoryStore implements ObjectStore {
  readonly uri: string
  readonly #clock: Clock
  readonly #objects = new Map<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>()
  readonly #keys: string[] = []

  constructor(clock: Clock, uri = 'memory:') {
    this.#clock = clock
    this.uri = uri
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    checkKey(key)
    this.#set(key, copyBody(body))
  }

  putOwned(key: string, body: ObjectBody): Promise<void> {
    return this.put(key, body)
  }

  async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
    checkKey(key)
    if (this.#objects.has(key)) return 'refused'
    this.#set(key, copyBody(body))
    return 'applied'
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    checkKey(key)
    checkRange(range)
    return this.#objects.get(key)?.bytes.slice(range?.start, range?.end)
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key)
    return this.#info(key)
  }

  async list(prefix: string, after?: string): Promise<ObjectPage> {
    checkPrefix(prefix)
    const objects: ObjectInfo[] = []
    let at = after === undefined || after < prefix ? this.#find(prefix) : this.#findAfter(after)
    for (; at < this.#keys.length && objects.length < listPageObjectCountMax; at++) {
      const key = this.#keys[at]!
      if (!key.startsWith(prefix)) break
      objects.push(this.#info(key)!)
    }
    const more = at < this.#keys.length && this.#keys[at]!.startsWith(prefix)
    return { objects, next: more ? objects.at(-1)!.key : undefined }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key)
    for (const key of keys) {
      if (this.#objects.delete(key)) this.#keys.splice(this.#find(key), 1)
    }
  }

  async startMultipart(key: string): Promise<MultipartUpload> {
    checkKey(key)
    const rules = new MultipartRules(key)
    const parts: Uint8Array[] = []
    return {
      writePart: async body => {
        const part = copyBody(body)
        rules.addPart(part.length)
        parts.push(part)
      },
      complete: async () => {
        rules.complete()
        this.#set(key, copyBody(parts))
      },
      abort: async () => {
        rules.abort()
      },
    }
  }

  #set(key: string, bytes: Uint8Array): void {
    if (!this.#objects.has(key)) this.#keys.splice(this.#find(key), 0, key)
    this.#objects.set(key, { bytes, modifiedMs: this.#clock.nowMs() })
  }

  #info(key: string): ObjectInfo | undefined {
    const object = this.#objects.get(key)
    return object && { key, bytes: object.bytes.length, modifiedMs: object.modifiedMs }
  }

  /** Index of the first key >= `key`. */
  #find(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #findAfter(key: string): number {
    const at = this.#find(key)
    return this.#keys[at] === key ? at + 1 : at
  }
}
