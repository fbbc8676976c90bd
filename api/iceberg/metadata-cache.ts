/**
 * The text of metadata.json by store key. A published metadata file never changes, so an entry never goes stale; the least
 * recently used go when the cache is full. Several requests for the same file share one read.
 *
 * The text is passed on verbatim: snapshot ids beyond 2^53 would not survive JSON.parse.
 */
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

const metadataCacheBytesMax = 64 * 1024 * 1024

export class MetadataCache {
  readonly #store: ObjectStore
  /** In order of use, oldest first. */
  readonly #entries = new Map<string, string>()
  readonly #reads = new Map<string, Promise<string>>()
  #bytes = 0

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** errors  corrupt: the object is gone or not UTF-8; and what the store throws */
  async read(key: string): Promise<string> {
    const cached = this.#entries.get(key)
    if (cached !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, cached)
      return cached
    }
    let read = this.#reads.get(key)
    if (read === undefined) {
      read = this.#load(key).finally(() => this.#reads.delete(key))
      this.#reads.set(key, read)
    }
    return read
  }

  async #load(key: string): Promise<string> {
    const bytes = await this.#store.get(key)
    if (bytes === undefined) {
      throw new FloeError('corrupt', 'metadata-missing', `the published metadata file ${key} is not in the store`, {
        key,
      })
    }
    const text = utf8.decode(bytes)
    this.#add(key, text)
    return text
  }

  #add(key: string, text: string): void {
    // Metadata is almost all ASCII, which the runtime keeps as one byte a character.
    if (text.length > metadataCacheBytesMax) return
    this.#entries.set(key, text)
    this.#bytes += text.length
    for (const [oldest, content] of this.#entries) {
      if (this.#bytes <= metadataCacheBytesMax) break
      this.#entries.delete(oldest)
      this.#bytes -= content.length
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
