import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../core/random.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ByteRange } from '../../../storage/object-store.ts'
import { RangeCache } from '../../../storage/range-cache.ts'
import { pseudoRandomBytes, text, utf8 } from '../../contract/object-store.ts'
import { makeInstantClock } from './instant-clock.ts'

class RecordingStore extends MemoryStore {
  readonly gets: string[] = []
  override async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    this.gets.push(`${key} ${range?.start}-${range?.end}`)
    return super.get(key, range)
  }
}

async function setUp(): Promise<{ store: RecordingStore; cache: RangeCache }> {
  const store = new RecordingStore(makeInstantClock())
  await store.put('k', utf8('0123456789abcdefghijABCDE'))
  return { store, cache: new RangeCache(store, { bytesMax: 1_000_000, blockBytes: 10, loadBytesMax: 20 }) }
}

describe('range cache', () => {
  it('returns the bytes of any range, as the store would', async () => {
    const { store, cache } = await setUp()
    const whole = '0123456789abcdefghijABCDE'
    for (let start = 0; start <= 30; start++) {
      for (let end = start; end <= 31; end++) {
        expect(text(await cache.read('k', start, end)), `[${start}, ${end})`).toBe(whole.slice(start, end))
        expect(text(await new RangeCache(store, { bytesMax: 0, blockBytes: 7 }).read('k', start, end, 25))).toBe(
          whole.slice(start, end),
        )
      }
    }
  })

  it('loads aligned blocks once, missing neighbours with one request, nothing past the known size', async () => {
    const { store, cache } = await setUp()
    await cache.read('k', 12, 14, 25)
    expect(store.gets.splice(0)).toEqual(['k 10-20'])
    await cache.read('k', 11, 19, 25)
    expect(store.gets).toEqual([])
    await cache.read('k', 5, 25, 25)
    expect(store.gets.splice(0)).toEqual(['k 0-10', 'k 20-25'])
    await cache.read('k', 0, 500, 25)
    expect(store.gets).toEqual([])
    await store.put('l', pseudoRandomBytes(1, 100))
    await cache.read('l', 0, 50, 100)
    expect(store.gets.splice(0)).toEqual(['l 0-20', 'l 20-40', 'l 40-50'])
  })

  it('readers at the same time share a request, also where they overlap only in part', async () => {
    const { store, cache } = await setUp()
    const reads = [cache.read('k', 0, 10), cache.read('k', 3, 12), cache.read('k', 15, 18), cache.read('k', 0, 20)]
    expect((await Promise.all(reads)).map(text)).toEqual(['0123456789', '3456789ab', 'fgh', '0123456789abcdefghij'])
    expect(store.gets).toEqual(['k 0-10', 'k 10-20'])
    expect(cache.stats()).toMatchObject({ loads: 2, misses: 2, hits: 4 })
  })

  it('what was inserted is read without a request, and is a copy', async () => {
    const { store, cache } = await setUp()
    const bytes = pseudoRandomBytes(3, 35)
    const expected = bytes.slice()
    cache.insert('fresh', bytes)
    bytes.fill(0)
    const first = await cache.read('fresh', 0, 35, 35)
    expect(first).toEqual(expected)
    first!.fill(0)
    expect(await cache.read('fresh', 8, 1000)).toEqual(expected.slice(8))
    expect(store.gets).toEqual([])
    cache.insert('empty', new Uint8Array(0))
    expect(await cache.read('empty', 0, 10)).toEqual(new Uint8Array(0))
    expect(store.gets).toEqual([])
  })

  it('gives the memory of a block back that it loaded and let go, but not while somebody is about to copy from it', async () => {
    const loaded: Uint8Array[] = []
    class KeepingStore extends MemoryStore {
      override async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
        const bytes = await super.get(key, range)
        if (bytes !== undefined) loaded.push(bytes)
        return bytes
      }
    }
    const store = new KeepingStore(makeInstantClock())
    const blockBytes = 32 * 1024
    const contents = new Map(['a', 'b', 'c'].map((key, index) => [key, pseudoRandomBytes(index, blockBytes)]))
    for (const [key, bytes] of contents) await store.put(key, bytes)
    const cache = new RangeCache(store, { bytesMax: blockBytes + 1024, blockBytes })
    // All three load at once, and each pushes the one before out while its reader has yet to be called.
    const reads = await Promise.all([...contents.keys()].map(key => cache.read(key, 0, blockBytes)))
    expect(reads).toEqual([...contents.values()])
    expect(loaded.map(({ length }) => length)).toEqual([0, 0, blockBytes])
    // Room for one block only: the second load of a read must not take what the first one brought.
    await store.put('long', Buffer.concat([...contents.values()]))
    expect(await cache.read('long', 10, 3 * blockBytes)).toEqual(
      new Uint8Array(Buffer.concat([...contents.values()]).subarray(10)),
    )
    cache.forget('long', 0, 3 * blockBytes)
    expect(loaded.every(({ length }) => length === 0)).toBe(true)
    // What was handed in stays the caller's.
    const own = pseudoRandomBytes(9, blockBytes)
    cache.insert('own', own)
    cache.forget('own', 0, blockBytes)
    expect(own.length).toBe(blockBytes)
  })

  it('loads ahead what is missing, once, within a quarter of its memory, and without failing anybody', async () => {
    const store = new RecordingStore(makeInstantClock())
    for (const key of ['a', 'b', 'c']) await store.put(key, pseudoRandomBytes(1, 4000))
    const cache = new RangeCache(store, { bytesMax: 16_000, blockBytes: 1000, loadBytesMax: 2000 })
    cache.readAhead('a', 500, 9000, 4000)
    cache.readAhead('a', 0, 4000, 4000)
    cache.readAhead('b', 0, 1, 4000)
    // A quarter of 16 blocks is 4: there is no room for what is ahead in b until a is read.
    expect(store.gets.splice(0)).toEqual(['a 0-2000', 'a 2000-4000'])
    expect(await cache.read('a', 0, 3000, 4000)).toEqual(pseudoRandomBytes(1, 4000).slice(0, 3000))
    expect(store.gets).toEqual([])
    cache.readAhead('b', 0, 4000, 4000)
    expect(store.gets.splice(0)).toEqual(['b 0-2000', 'b 2000-3000'])
    // What fails or is not there gives its room back and is nobody's trouble but the reader's.
    await cache.read('b', 0, 3000, 4000)
    await cache.read('a', 3000, 4000, 4000)
    cache.readAhead('gone', 0, 4000, 4000)
    expect(store.gets.splice(0)).toEqual(['gone 0-2000', 'gone 2000-4000'])
    expect(await cache.read('gone', 0, 10, 4000)).toBeUndefined()
    await new Promise(resolve => setImmediate(resolve))
    cache.readAhead('c', 0, 4000, 4000)
    expect(store.gets.splice(0)).toEqual(['c 0-2000', 'c 2000-4000'])
    expect(cache.stats().misses).toBe(0)
  })

  it('stays within its bytes and lets the least recently used block go first', async () => {
    const store = new RecordingStore(makeInstantClock())
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, pseudoRandomBytes(1, 1000))
    const cache = new RangeCache(store, { bytesMax: 3 * 1256, blockBytes: 1000 })
    for (const key of ['a', 'b', 'c']) await cache.read(key, 0, 1000)
    await cache.read('a', 0, 1)
    await cache.read('d', 0, 1)
    expect(cache.stats()).toMatchObject({ blockCount: 3, bytes: 3 * 1256, evictions: 1 })
    store.gets.length = 0
    for (const key of ['a', 'c', 'd']) await cache.read(key, 0, 1000)
    expect(store.gets).toEqual([])
    await cache.read('b', 0, 1000)
    expect(store.gets).toEqual(['b 0-1000'])
    for (let index = 0; index < 100; index++) cache.insert(`i${index}`, new Uint8Array(10))
    expect(cache.stats().bytes).toBeLessThanOrEqual(3 * 1256)
  })

  it('a failed load fails its readers and is tried again by the next', async () => {
    const clock = makeInstantClock()
    const memory = new MemoryStore(clock)
    const store = new FaultyStore(memory, { clock, random: seededRandom(1) })
    const cache = new RangeCache(store, { bytesMax: 1000, blockBytes: 10 })
    await memory.put('k', utf8('0123456789abcdef'))
    store.script({ fault: 'failBefore', operation: 'get', key: /./ })
    const failed = await Promise.allSettled([cache.read('k', 0, 16), cache.read('k', 12, 13)])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(text(await cache.read('k', 0, 16))).toBe('0123456789abcdef')
  })

  it('an object that is not there is undefined, and is found once it is', async () => {
    const { store, cache } = await setUp()
    expect(await cache.read('new', 0, 5)).toBeUndefined()
    await store.put('new', utf8('hello'))
    expect(text(await cache.read('new', 0, 5))).toBe('hello')
  })

  it('fewer bytes than the object is known to have are corrupt and not kept', async () => {
    const { store, cache } = await setUp()
    await store.put('cut', utf8('0123456'))
    await expect(cache.read('cut', 0, 15, 15)).rejects.toMatchObject({ kind: 'corrupt', code: 'object-truncated' })
    await store.put('cut', utf8('0123456789abcde'))
    expect(text(await cache.read('cut', 0, 15, 15))).toBe('0123456789abcde')
  })

  it('forget drops damaged bytes', async () => {
    const { store, cache } = await setUp()
    await cache.read('k', 0, 25)
    store.gets.length = 0
    cache.forget('k', 12, 13)
    expect(text(await cache.read('k', 0, 25))).toBe('0123456789abcdefghijABCDE')
    expect(store.gets).toEqual(['k 10-20'])
    cache.forget('k', 0, 25)
    expect(cache.stats()).toMatchObject({ bytes: 0, blockCount: 0 })
  })

  it('a read over the limit is refused', async () => {
    const { store } = await setUp()
    const cache = new RangeCache(store, { bytesMax: 1000, readBytesMax: 20 })
    await expect(cache.read('k', 0, 21)).rejects.toMatchObject({ kind: 'invalid', code: 'read-too-large' })
    await expect(cache.read('k', 5, 4)).rejects.toMatchObject({ kind: 'invalid', code: 'byte-range-invalid' })
  })
})
