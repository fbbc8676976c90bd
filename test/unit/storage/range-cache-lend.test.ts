import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../core/random.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ByteRange } from '../../../storage/object-store.ts'
import { type LentBytes, RangeCache } from '../../../storage/range-cache.ts'
import { pseudoRandomBytes } from '../../contract/object-store.ts'
import { makeInstantClock } from './instant-clock.ts'

// Memory below 16 KiB is left to the collector, so blocks are larger: what was freed can be seen.
const blockBytes = 32 * 1024
const objectBytes = 3 * blockBytes + 100
const contents = pseudoRandomBytes(1, objectBytes)

class RecordingStore extends MemoryStore {
  readonly gets: string[] = []
  override async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    this.gets.push(`${key} ${range?.start}-${range?.end}`)
    return super.get(key, range)
  }
}

async function setUp(blocks: number): Promise<{ store: RecordingStore; cache: RangeCache }> {
  const store = new RecordingStore(makeInstantClock())
  for (const key of ['a', 'b', 'c', 'd']) await store.put(key, contents)
  return { store, cache: new RangeCache(store, { bytesMax: blocks * (blockBytes + 256), blockBytes }) }
}

async function lend(cache: RangeCache, key: string, start = 0, end = objectBytes, least = 1): Promise<LentBytes> {
  const lent = await cache.lend(key, start, end, least, objectBytes)
  return lent!
}

describe('lending blocks of the range cache', () => {
  it('lends the memory of one block, the same to everybody, and at once when it is there', async () => {
    const { store, cache } = await setUp(16)
    const lent = await lend(cache, 'a', 10)
    expect(lent.bytes).toEqual(contents.slice(10, blockBytes))
    // What follows was asked for with it.
    expect(store.gets).toEqual([`a 0-${objectBytes}`])
    const again = cache.lend('a', 20, 30, 1, objectBytes)
    expect(again).not.toBeInstanceOf(Promise)
    const view = (await again)!
    view.bytes[0] = 77
    expect(lent.bytes[10]).toBe(77)
    expect((await lend(cache, 'a', 3 * blockBytes)).bytes).toEqual(contents.slice(3 * blockBytes))
    expect(cache.stats().lentBytes).toBe(blockBytes + 100)
    expect(store.gets).toHaveLength(1)
  })

  it('copies together what is needed at least and lies in two blocks', async () => {
    const { cache } = await setUp(16)
    const lent = await lend(cache, 'a', blockBytes - 10, objectBytes, 30)
    expect(lent.bytes).toEqual(contents.slice(blockBytes - 10, blockBytes + 20))
    expect(cache.stats().lentBytes).toBe(0)
    lent.bytes.fill(0)
    lent.lease.giveBack()
    expect((await lend(cache, 'a', blockBytes - 10)).bytes).toEqual(contents.slice(blockBytes - 10, blockBytes))
    expect((await lend(cache, 'a', objectBytes - 5, objectBytes, 500)).bytes).toEqual(contents.slice(-5))
  })

  it('keeps the memory of a block that was evicted or forgotten until every borrower has given it back', async () => {
    const { cache } = await setUp(2)
    const first = await lend(cache, 'a', 0, blockBytes)
    const second = await lend(cache, 'a', 0, blockBytes)
    for (const key of ['b', 'c']) await cache.read(key, 0, blockBytes)
    cache.forget('a', 0, blockBytes)
    expect(cache.stats()).toMatchObject({ blockCount: 2, lentBytes: blockBytes })
    first.lease.giveBack()
    first.lease.giveBack()
    expect(second.bytes).toEqual(contents.slice(0, blockBytes))
    second.lease.giveBack()
    expect(second.bytes.length).toBe(0)
    expect(cache.stats().lentBytes).toBe(0)
    expect((await lend(cache, 'a', 0, blockBytes)).bytes).toEqual(contents.slice(0, blockBytes))
  })

  it('never frees what a borrower abandoned, and counts it no more', async () => {
    const { cache } = await setUp(2)
    const [failed, fine] = [await lend(cache, 'a', 0, blockBytes), await lend(cache, 'a', 0, blockBytes)]
    failed.lease.abandon()
    fine.lease.giveBack()
    cache.forget('a', 0, blockBytes)
    expect(failed.bytes).toEqual(contents.slice(0, blockBytes))
    expect(cache.stats().lentBytes).toBe(0)
  })

  it('copies what is asked for beyond the memory it may lend', async () => {
    const { cache } = await setUp(4)
    const lent = [await lend(cache, 'a', 0, blockBytes), await lend(cache, 'b', 0, blockBytes)]
    const copied = await lend(cache, 'c', 5, blockBytes)
    expect(cache.stats().lentBytes).toBe(2 * blockBytes)
    copied.bytes[0] = (copied.bytes[0]! + 1) & 255
    expect((await cache.read('c', 5, blockBytes))!).toEqual(contents.slice(5, blockBytes))
    // What is lent already may be lent to others too.
    lent.push(await lend(cache, 'a', 7, blockBytes))
    expect(cache.stats().lentBytes).toBe(2 * blockBytes)
    for (const { lease } of [...lent, copied]) lease.giveBack()
    expect(copied.bytes.length).toBe(0)
    expect(cache.stats().lentBytes).toBe(0)
  })

  it('answers as a read does where there is no object, no byte, no answer', async () => {
    const clock = makeInstantClock()
    const memory = new MemoryStore(clock)
    const store = new FaultyStore(memory, { clock, random: seededRandom(1) })
    const cache = new RangeCache(store, { bytesMax: 1_000_000, blockBytes })
    expect(await cache.lend('a', 0, 10, 1, 10)).toBeUndefined()
    await memory.put('a', contents)
    store.script({ fault: 'failBefore', operation: 'get', key: /./ })
    await expect(cache.lend('a', 0, 10, 1, objectBytes)).rejects.toMatchObject({ kind: 'unavailable' })
    expect((await lend(cache, 'a', objectBytes, objectBytes + 5)).bytes.length).toBe(0)
    await expect(cache.lend('a', 3 * blockBytes, 4 * blockBytes, 1, 4 * blockBytes)).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'object-truncated',
    })
    expect(cache.stats().lentBytes).toBe(0)
  })
})
