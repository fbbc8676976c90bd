import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../core/random.ts'
import { type FaultOptions, FaultyStore, type StoreFault, type StoreOperation } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { text, utf8 } from '../../contract/object-store.ts'
import { makeInstantClock } from './instant-clock.ts'

function setUp(options: FaultOptions = {}, seed = 1): { memory: MemoryStore; store: FaultyStore } {
  const clock = makeInstantClock()
  const memory = new MemoryStore(clock)
  return { memory, store: new FaultyStore(memory, { clock, random: seededRandom(seed) }, options) }
}

function script(store: FaultyStore, operation: StoreOperation, fault: StoreFault): void {
  store.script({ operation, fault, key: /./ })
}

const unavailable = { kind: 'unavailable', code: 'injected-fault' }

describe('faulty store', () => {
  it('failBefore: every operation throws and does nothing', async () => {
    const { memory, store } = setUp()
    await memory.put('k', utf8('old'))
    const upload = await store.startMultipart('m')
    store.setOptions({ probabilities: { failBefore: 1 } })
    await expect(store.put('k', utf8('new'))).rejects.toMatchObject(unavailable)
    await expect(store.putIfAbsent('n', utf8('new'))).rejects.toMatchObject(unavailable)
    await expect(store.get('k')).rejects.toMatchObject(unavailable)
    await expect(store.head('k')).rejects.toMatchObject(unavailable)
    await expect(store.list('')).rejects.toMatchObject(unavailable)
    await expect(store.delete(['k'])).rejects.toMatchObject(unavailable)
    await expect(store.startMultipart('k')).rejects.toMatchObject(unavailable)
    await expect(upload.writePart(utf8('x'))).rejects.toMatchObject(unavailable)
    await expect(upload.complete()).rejects.toMatchObject(unavailable)
    await expect(upload.abort()).rejects.toMatchObject(unavailable)
    expect((await memory.list('')).objects.map(({ key }) => key)).toEqual(['k'])
    expect(text(await memory.get('k'))).toBe('old')
    expect(store.injectedCounts.size).toBe(10)
  })

  it('lostAnswer: every write is applied, and the caller does not learn it', async () => {
    const { memory, store } = setUp()
    const upload = await store.startMultipart('m')
    await upload.writePart(utf8('x'))
    store.setOptions({ probabilities: { lostAnswer: 1 } })
    await expect(store.put('k', utf8('new'))).rejects.toMatchObject(unavailable)
    expect(await store.putIfAbsent('n', utf8('new'))).toBe('unknown')
    await expect(upload.complete()).rejects.toMatchObject(unavailable)
    expect((await memory.list('')).objects.map(({ key }) => key)).toEqual(['k', 'm', 'n'])
    await expect(store.delete(['k'])).rejects.toMatchObject(unavailable)
    expect(await memory.get('k')).toBeUndefined()
  })

  it('unknownNotApplied: put-if-absent answers unknown and did nothing', async () => {
    const { memory, store } = setUp({ probabilities: { unknownNotApplied: 1 } })
    expect(await store.putIfAbsent('k', utf8(''))).toBe('unknown')
    expect(await memory.get('k')).toBeUndefined()
  })

  it('late: a slow put lands after a later one and replaces it, with the bytes it had at the time', async () => {
    const { memory, store } = setUp()
    script(store, 'put', 'late')
    const body = utf8('slow')
    await expect(store.put('k', body)).rejects.toMatchObject(unavailable)
    body.fill(0)
    await store.put('k', utf8('later'))
    expect(text(await memory.get('k'))).toBe('later')
    await store.settleLateWrites()
    expect(text(await memory.get('k'))).toBe('slow')
  })

  it('late: a slow put-if-absent and a slow delete land too', async () => {
    const { memory, store } = setUp()
    await memory.put('gone', utf8(''))
    script(store, 'putIfAbsent', 'late')
    script(store, 'delete', 'late')
    expect(await store.putIfAbsent('k', utf8('slow'))).toBe('unknown')
    await expect(store.delete(['gone'])).rejects.toMatchObject(unavailable)
    expect(await memory.get('k')).toBeUndefined()
    expect(await memory.get('gone')).toBeDefined()
    await store.settleLateWrites()
    expect(text(await memory.get('k'))).toBe('slow')
    expect(await memory.get('gone')).toBeUndefined()
  })

  it('corruptBytes and truncatedBytes change what get returns, not what is stored', async () => {
    const { memory, store } = setUp()
    await memory.put('k', utf8('0123456789'))
    script(store, 'get', 'corruptBytes')
    script(store, 'get', 'truncatedBytes')
    const corrupt = await store.get('k')
    expect(corrupt!.filter((byte, index) => byte !== utf8('0123456789')[index])).toHaveLength(1)
    expect((await store.get('k'))!.length).toBeLessThan(10)
    expect(text(await store.get('k'))).toBe('0123456789')
  })

  it('shortPage: a listing that follows next still sees every object once', async () => {
    const { memory, store } = setUp({ probabilities: { shortPage: 0.8 } })
    const keys = Array.from({ length: 50 }, (_, index) => `k/${100 + index}`)
    for (const key of keys) await memory.put(key, utf8(''))
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await store.list('k/', after)
      seen.push(...page.objects.map(({ key }) => key))
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(keys)
    expect(store.injectedCounts.get('list shortPage')).toBeGreaterThan(1)
  })

  it('diskFull: writes are exhausted and do nothing', async () => {
    const { memory, store } = setUp({ probabilities: { diskFull: 1 } })
    await expect(store.put('k', utf8(''))).rejects.toMatchObject({ kind: 'exhausted', code: 'disk-full' })
    await expect(store.putIfAbsent('k', utf8(''))).rejects.toMatchObject({ kind: 'exhausted' })
    await expect(store.startMultipart('k')).rejects.toMatchObject({ kind: 'exhausted' })
    expect((await memory.list('')).objects).toEqual([])
  })

  it('a script hits the nth call of a matching key, once', async () => {
    const { store } = setUp()
    store.script({ operation: 'put', fault: 'failBefore', key: /^a\//, nth: 2 })
    await store.put('a/1', utf8(''))
    await store.put('b/1', utf8(''))
    await store.get('a/1')
    await expect(store.put('a/2', utf8(''))).rejects.toMatchObject(unavailable)
    await store.put('a/3', utf8(''))
    expect(store.scriptedCountLeft).toBe(0)
    expect(() => script(store, 'get', 'diskFull')).toThrow('fault diskFull cannot befall get')
  })

  it('the same seed meets the same faults, another seed others', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const probabilities = { failBefore: 0.2, lostAnswer: 0.2, late: 0.1, corruptBytes: 0.2, shortPage: 0.2 }
      const { store } = setUp({ probabilities, delayProbability: 0.3 }, seed)
      const trace: string[] = []
      for (let index = 0; index < 200; index++) {
        const call = index % 3 === 0 ? store.put(`${index % 7}`, utf8(`${index}`)) : store.get(`${index % 7}`)
        await call.then(
          bytes => trace.push(text(bytes ?? undefined) ?? 'none'),
          error => trace.push(String(error)),
        )
      }
      await store.settleLateWrites()
      return trace
    }
    const first = await run(7)
    expect(await run(7)).toEqual(first)
    expect(await run(8)).not.toEqual(first)
  })
})
