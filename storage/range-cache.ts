/**
 * Ranged reads of immutable objects, shared by readers near each other: many consumers of one segment cost one request.
 *
 *   object   |  block 0  |  block 1  |  block 2  | 3 |     blocks of `blockBytes`, the last one shorter
 *   read            [-------------)                        missing neighbours are loaded with one request
 *
 * - A block is in memory at most once, and loaded by one request at a time; all who want it wait for that one.
 * - A block shorter than `blockBytes` ends its object. Objects never change, so nothing is ever outdated.
 * - Blocks in memory stay within `bytesMax`; the least recently used go first.
 * - What is loaded ahead of its readers takes a quarter of the memory at most until it is read: many readers at once then go
 *   without, instead of pushing out what the others have ahead.
 * - A failed load fails those who waited for it and leaves nothing behind: the next read tries again.
 * - Blocks are the cache's own memory, given back when they go and nobody reads them any more: left to the collector, a full
 *   collection would start every few blocks.
 * - A block may be lent. Its memory stays while it is, also when the cache lets the block go; of memory lent there is at most
 *   `bytesMax` / `lentShare`, and what is asked beyond that is copied.
 */
import { FloeError } from '../core/errors.ts'
import { type Lease, OwnedLease } from '../core/lease.ts'
import { releaseMemory } from '../core/release-memory.ts'
import { checkRange } from './object-body.ts'
import type { ObjectStore } from './object-store.ts'

export interface RangeCacheOptions {
  /** Memory for blocks, without those on their way. */
  readonly bytesMax: number
  readonly blockBytes?: number
  /** The most that one request to the store asks for; a multiple of blockBytes is best. */
  readonly loadBytesMax?: number
  /** The most that one read may ask for. */
  readonly readBytesMax?: number
}

export const cacheBlockBytes = 1024 * 1024
export const cacheLoadBytesMax = 8 * 1024 * 1024
export const cacheReadBytesMax = 64 * 1024 * 1024

/** Readers that take their time may hold this part of the cache's memory beside what it keeps. */
const lentShare = 2

/** What a block costs beside its bytes: key, map entries, buffer header. */
const blockOverheadBytes = 256

export interface RangeCacheStats {
  readonly bytes: number
  readonly blockCount: number
  /** Blocks found in memory or on their way. */
  readonly hits: number
  readonly misses: number
  readonly loads: number
  readonly evictions: number
  /** Of blocks that somebody looks at right now. */
  readonly lentBytes: number
}

/** Bytes of an object, to be looked at until the lease ends. */
export interface LentBytes {
  /**
   * Every borrower sees the same memory. One may write into it only what every other borrower of these bytes would write too.
   */
  readonly bytes: Uint8Array
  readonly lease: Lease
}

interface Block {
  readonly bytes: Uint8Array
  /** Loaded ahead, and not read yet. */
  isAhead: boolean
  /** The cache itself, while it keeps the block, every read that has yet to copy from it, and every loan. */
  userCount: number
  loanCount: number
  /** Somebody who borrowed it may look at it for ever. */
  isAbandoned: boolean
}

interface Load {
  readonly block: Promise<Block | undefined>
  waitingCount: number
}

export class RangeCache {
  readonly #store: ObjectStore
  readonly #bytesMax: number
  readonly #blockBytes: number
  readonly #loadBlockCountMax: number
  readonly #readBytesMax: number
  /** In order of use, the least recent first. */
  readonly #blocks = new Map<string, Block>()
  readonly #loading = new Map<string, Load>()
  #bytes = 0
  #lentBytes = 0
  /** Blocks loaded ahead, in memory or on their way, that nobody has read yet. */
  #aheadCount = 0
  #hits = 0
  #misses = 0
  #loads = 0
  #evictions = 0

  constructor(store: ObjectStore, options: RangeCacheOptions) {
    const { bytesMax, blockBytes = cacheBlockBytes, loadBytesMax = cacheLoadBytesMax } = options
    this.#store = store
    this.#bytesMax = bytesMax
    this.#blockBytes = blockBytes
    this.#loadBlockCountMax = Math.max(1, Math.floor(loadBytesMax / blockBytes))
    this.#readBytesMax = options.readBytesMax ?? cacheReadBytesMax
  }

  /**
   * The part of [start, end) that exists, in fresh memory owned by the caller; undefined when there is no such object.
   *
   * objectBytes  the object's size where it is known: nothing past it is asked of the store, and fewer bytes are an error
   * errors       as of the store; invalid `read-too-large`; corrupt `object-truncated`
   */
  async read(key: string, start: number, end: number, objectBytes?: number): Promise<Uint8Array | undefined> {
    checkRange({ start, end })
    const last = objectBytes === undefined ? end : Math.min(end, objectBytes)
    if (last - start > this.#readBytesMax) {
      throw new FloeError(
        'invalid',
        'read-too-large',
        `read of ${last - start} bytes of ${key} is over the cache's limit of ${this.#readBytesMax}; read in smaller ranges`,
        { key, start, end },
      )
    }
    if (last <= start) return new Uint8Array(0)
    const first = Math.floor(start / this.#blockBytes)
    const waits: (Block | Promise<Block | undefined>)[] = []
    const endBlock = Math.ceil(last / this.#blockBytes)
    for (let index = first; index < endBlock; index++) {
      const name = blockName(key, index)
      const block = this.#use(name)
      if (block !== undefined) {
        this.#hits++
        waits.push(block)
        // A short block in memory ends the object.
        if (block.bytes.length < this.#blockBytes) break
        continue
      }
      if (this.#loading.has(name)) this.#hits++
      else this.#load(key, index, this.#countMissing(key, index, endBlock), objectBytes, false)
      const load = this.#loading.get(name)!
      load.waitingCount++
      waits.push(load.block)
    }
    const settled = await Promise.allSettled(waits)
    try {
      const blocks = settled.map(each => {
        if (each.status === 'rejected') throw each.reason
        return each.value?.bytes
      })
      return joinBlocks(blocks, start - first * this.#blockBytes, last - start, this.#blockBytes)
    } finally {
      for (const each of settled) if (each.status === 'fulfilled' && each.value !== undefined) leaveBlock(each.value)
    }
  }

  /**
   * The beginning of [start, end), as far as it lies in one block, without copying it; at once when the block is in memory. Of the
   * first `bytesMin` all that exist are there, copied together where they lie in several blocks. Undefined as `read`.
   *
   * objectBytes, errors  as of `read`
   */
  lend(
    key: string,
    start: number,
    end: number,
    bytesMin: number,
    objectBytes: number,
  ): LentBytes | Promise<LentBytes | undefined> {
    const last = Math.min(end, objectBytes)
    const index = Math.floor(start / this.#blockBytes)
    const blockStart = index * this.#blockBytes
    const least = Math.min(last, start + bytesMin)
    if (least > blockStart + this.#blockBytes || last <= start) {
      return this.read(key, start, least, objectBytes).then(bytes => bytes && { bytes, lease: new OwnedLease(bytes) })
    }
    const name = blockName(key, index)
    const block = this.#use(name)
    if (block !== undefined) {
      this.#hits++
      return this.#lendOf(block, start - blockStart, last - blockStart)
    }
    if (this.#loading.has(name)) this.#hits++
    else {
      // What follows of the range is asked for with it.
      const endBlock = Math.ceil(last / this.#blockBytes)
      this.#load(key, index, this.#countMissing(key, index, endBlock), objectBytes, false)
    }
    const load = this.#loading.get(name)!
    load.waitingCount++
    return load.block.then(loaded => loaded && this.#lendOf(loaded, start - blockStart, last - blockStart))
  }

  /** Takes over the caller's use of the block. */
  #lendOf(block: Block, from: number, to: number): LentBytes {
    const view = block.bytes.subarray(from, to)
    if (block.loanCount === 0) {
      if (this.#lentBytes + block.bytes.length > this.#bytesMax / lentShare) {
        // Not through a pool: it is freed by hand.
        const copy = new Uint8Array(Buffer.allocUnsafeSlow(view.length).buffer)
        copy.set(view)
        leaveBlock(block)
        return { bytes: copy, lease: new OwnedLease(copy) }
      }
      this.#lentBytes += block.bytes.length
    }
    block.loanCount++
    return { bytes: view, lease: new Loan(block, this.#onLoanEnd) }
  }

  readonly #onLoanEnd = (block: Block): void => {
    block.loanCount--
    if (block.loanCount === 0) this.#lentBytes -= block.bytes.length
    leaveBlock(block)
  }

  /** Begins to load what is missing of [start, end), for a reader that is expected to come; what it cannot do it leaves. */
  readAhead(key: string, start: number, end: number, objectBytes: number): void {
    const endBlock = Math.ceil(Math.min(end, objectBytes) / this.#blockBytes)
    let index = Math.floor(start / this.#blockBytes)
    while (index < endBlock) {
      const name = blockName(key, index)
      if (this.#blocks.has(name) || this.#loading.has(name)) {
        index++
        continue
      }
      const room = Math.floor(this.#bytesMax / 4 / this.#blockBytes) - this.#aheadCount
      const count = Math.min(this.#countMissing(key, index, endBlock), room)
      if (count <= 0) return
      this.#load(key, index, count, objectBytes, true)
      index += count
    }
  }

  /** Takes a copy of an object just written, as far as the cache has room, so that reading it right away needs no request. */
  insert(key: string, bytes: Uint8Array): void {
    for (let index = 0; index * this.#blockBytes < bytes.length || index === 0; index++) {
      const at = index * this.#blockBytes
      const name = blockName(key, index)
      const end = at + this.#blockBytes
      if (this.#blocks.has(name)) continue
      this.#keep(name, makeBlock(new Uint8Array(bytes.subarray(at, end)), 0))
    }
  }

  /** Drops what is cached of [start, end), for a reader that found the bytes damaged. */
  forget(key: string, start: number, end: number): void {
    for (let index = Math.floor(start / this.#blockBytes); index * this.#blockBytes < end; index++) {
      const name = blockName(key, index)
      const block = this.#blocks.get(name)
      if (block !== undefined) this.#drop(name, block)
    }
  }

  stats(): RangeCacheStats {
    return {
      bytes: this.#bytes,
      blockCount: this.#blocks.size,
      hits: this.#hits,
      misses: this.#misses,
      loads: this.#loads,
      evictions: this.#evictions,
      lentBytes: this.#lentBytes,
    }
  }

  /** How many blocks from `index` on have to be loaded, up to what one request may ask for. */
  #countMissing(key: string, index: number, endBlock: number): number {
    let count = 1
    while (count < this.#loadBlockCountMax && index + count < endBlock) {
      const name = blockName(key, index + count)
      if (this.#blocks.has(name) || this.#loading.has(name)) break
      count++
    }
    return count
  }

  #load(key: string, index: number, count: number, objectBytes: number | undefined, isAhead: boolean): void {
    if (isAhead) this.#aheadCount += count
    else this.#misses += count
    this.#loads++
    const start = index * this.#blockBytes
    const end = Math.min(start + count * this.#blockBytes, objectBytes ?? Number.MAX_SAFE_INTEGER)
    const pieces = this.#store.get(key, { start, end }).then(bytes => this.#cut(bytes, count))
    for (let offset = 0; offset < count; offset++) {
      const name = blockName(key, index + offset)
      let isCountedAhead = isAhead
      const block = pieces
        .then(cut => {
          if (cut === undefined) return undefined
          const bytes = cut[offset]!
          const length = Math.min(this.#blockBytes, (objectBytes ?? 0) - start - offset * this.#blockBytes)
          if (bytes.length < length) throw shorterThanKnown(key, objectBytes)
          const loaded = makeBlock(bytes, load.waitingCount)
          this.#keep(name, loaded)
          if (isAhead && load.waitingCount === 0 && this.#blocks.get(name) === loaded) {
            // From now on the block counts, until it is used or goes.
            loaded.isAhead = true
            isCountedAhead = false
          }
          return loaded
        })
        .finally(() => {
          this.#loading.delete(name)
          if (isCountedAhead) this.#aheadCount--
        })
      const load: Load = { block, waitingCount: 0 }
      // A reader that stopped earlier may never look at this promise.
      block.catch(() => {})
      this.#loading.set(name, load)
    }
  }

  /** Copies the blocks out of a load of several, lest one of them keep all of it in memory. */
  #cut(bytes: Uint8Array | undefined, count: number): readonly Uint8Array[] | undefined {
    if (bytes === undefined || count === 1) return bytes && [bytes]
    const blockBytes = this.#blockBytes
    const pieces = Array.from({ length: count }, (_, index) =>
      bytes.slice(index * blockBytes, (index + 1) * blockBytes),
    )
    releaseMemory(bytes)
    return pieces
  }

  /** The block, with one more user. */
  #use(name: string): Block | undefined {
    const block = this.#blocks.get(name)
    if (block === undefined) return undefined
    this.#blocks.delete(name)
    this.#blocks.set(name, block)
    block.userCount++
    if (block.isAhead) this.#aheadCount--
    block.isAhead = false
    return block
  }

  #keep(name: string, block: Block): void {
    const cost = block.bytes.length + blockOverheadBytes
    if (cost > this.#bytesMax || this.#blocks.has(name)) return
    block.userCount++
    this.#blocks.set(name, block)
    this.#bytes += cost
    for (const [oldest, evicted] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) break
      this.#drop(oldest, evicted)
      this.#evictions++
    }
  }

  #drop(name: string, block: Block): void {
    this.#blocks.delete(name)
    this.#bytes -= block.bytes.length + blockOverheadBytes
    if (block.isAhead) this.#aheadCount--
    block.isAhead = false
    leaveBlock(block)
  }
}

function makeBlock(bytes: Uint8Array, userCount: number): Block {
  return { bytes, isAhead: false, userCount, loanCount: 0, isAbandoned: false }
}

function leaveBlock(block: Block): void {
  block.userCount--
  if (block.userCount === 0 && !block.isAbandoned) releaseMemory(block.bytes)
}

class Loan implements Lease {
  #block: Block | undefined
  readonly #onEnd: (block: Block) => void

  constructor(block: Block, onEnd: (block: Block) => void) {
    this.#block = block
    this.#onEnd = onEnd
  }

  giveBack(): void {
    const block = this.#block
    this.#block = undefined
    if (block !== undefined) this.#onEnd(block)
  }

  abandon(): void {
    if (this.#block !== undefined) this.#block.isAbandoned = true
    this.giveBack()
  }
}

function shorterThanKnown(key: string, objectBytes: number | undefined): FloeError {
  const message = `${key} should have ${objectBytes} bytes, the store returned fewer; read again, and if it stays so the object is damaged`
  return new FloeError('corrupt', 'object-truncated', message, { key, objectBytes })
}

/** Keys hold no `#`. */
function blockName(key: string, index: number): string {
  return `${key}#${index}`
}

/** Bytes [skip, skip + length) of the blocks put together, as far as they reach; undefined when the object does not exist. */
function joinBlocks(
  blocks: readonly (Uint8Array | undefined)[],
  skip: number,
  length: number,
  blockBytes: number,
): Uint8Array | undefined {
  // Not cleared first: every byte that is returned is written below.
  const joined = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let filled = 0
  let from = skip
  for (const block of blocks) {
    if (block === undefined) return undefined
    const piece = block.subarray(from, from + length - filled)
    joined.set(piece, filled)
    filled += piece.length
    from = 0
    if (block.length < blockBytes) break
  }
  return filled === length ? joined : joined.subarray(0, filled)
}
