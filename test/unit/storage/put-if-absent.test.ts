import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../core/clock.ts'
import { FloeError } from '../../../core/errors.ts'
import { seededRandom } from '../../../core/random.ts'
import { checkPutIfAbsent } from '../../../storage/check-put-if-absent.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectBody, ObjectStore, WriteOutcome } from '../../../storage/object-store.ts'
import { createIdenticalObject, createObject } from '../../../storage/put-if-absent.ts'
import { text, utf8 } from '../../contract/object-store.ts'
import { makeInstantClock } from './instant-clock.ts'

function setUp(): { clock: Clock; memory: MemoryStore; store: FaultyStore } {
  const clock = makeInstantClock()
  const memory = new MemoryStore(clock)
  return { clock, memory, store: new FaultyStore(memory, { clock, random: seededRandom(1) }) }
}

const create = (fault: 'failBefore' | 'lostAnswer' | 'unknownNotApplied', nth = 1) =>
  ({ fault, operation: 'putIfAbsent', key: /./, nth }) as const
const read = (fault: 'failBefore' | 'lostAnswer', nth = 1) => ({ fault, operation: 'get', key: /./, nth }) as const

describe('createObject', () => {
  it('without faults it applies once and is refused afterwards, with one request each', async () => {
    const { clock, store } = setUp()
    expect(await createObject(store, 'j/1', utf8('a'), { clock })).toBe('applied')
    expect(await createObject(store, 'j/1', utf8('b'), { clock })).toBe('refused')
    // Equal bytes of an attempt that was plainly refused prove nothing.
    expect(await createObject(store, 'j/1', utf8('a'), { clock })).toBe('refused')
  })

  it('applied but the answer lost: its own bytes are read back', async () => {
    const { clock, store } = setUp()
    store.script(create('lostAnswer'))
    expect(await createObject(store, 'j/1', [utf8('writer 1'), utf8(' entry 7')], { clock })).toBe('applied')
  })

  it('answer lost and another writer was first: refused, and the other bytes stay', async () => {
    const { clock, memory, store } = setUp()
    await memory.put('j/1', utf8('theirs'))
    store.script(create('lostAnswer'))
    expect(await createObject(store, 'j/1', utf8('mine'), { clock })).toBe('refused')
    expect(text(await memory.get('j/1'))).toBe('theirs')
  })

  it.each(['mine and more', 'min', ''])('bytes that are only partly its own (%j) are not its own', async theirs => {
    const { clock, memory, store } = setUp()
    await memory.put('j/1', utf8(theirs))
    store.script(create('lostAnswer'))
    expect(await createObject(store, 'j/1', [utf8('mi'), utf8('ne')], { clock })).toBe('refused')
  })

  it.each(['failBefore', 'unknownNotApplied'] as const)(
    '%s: absent on read-back, so it is tried again',
    async fault => {
      const { clock, memory, store } = setUp()
      store.script(create(fault), create(fault))
      expect(await createObject(store, 'j/1', utf8('mine'), { clock })).toBe('applied')
      expect(text(await memory.get('j/1'))).toBe('mine')
    },
  )

  it('answer and read-back lost: the refusal that follows is recognised as caused by its own write', async () => {
    const { clock, store } = setUp()
    store.script(create('lostAnswer'), read('failBefore'))
    expect(await createObject(store, 'j/1', utf8('mine'), { clock })).toBe('applied')
  })

  it('a write that lands late, after the retry was applied, changes nothing', async () => {
    const { clock, memory, store } = setUp()
    store.script({ fault: 'late', operation: 'putIfAbsent', key: /./ })
    expect(await createObject(store, 'j/1', utf8('mine'), { clock })).toBe('applied')
    await store.settleLateWrites()
    expect(text(await memory.get('j/1'))).toBe('mine')
  })

  it('gives up with outcome-unknown after a bounded number of attempts', async () => {
    const { clock, store } = setUp()
    store.setOptions({ probabilities: { failBefore: 1 } })
    await expect(createObject(store, 'j/1', utf8('mine'), { clock, attemptCountMax: 3 })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'outcome-unknown',
      message: 'whether j/1 was created in memory: is unknown after 3 attempts: injected: get j/1: failBefore',
    })
    expect(store.injectedCounts).toEqual(
      new Map([
        ['putIfAbsent failBefore', 3],
        ['get failBefore', 3],
      ]),
    )
  })

  it('a full disk is told at once', async () => {
    const { clock, store } = setUp()
    store.script({ fault: 'diskFull', operation: 'putIfAbsent', key: /./ })
    await expect(createObject(store, 'j/1', utf8(''), { clock })).rejects.toMatchObject({ kind: 'exhausted' })
  })

  it('many writers over a faulty store: for each key exactly one believes it applied, and its bytes are there', async () => {
    const { clock, memory, store } = setUp()
    store.setOptions({
      probabilities: { failBefore: 0.15, lostAnswer: 0.15, unknownNotApplied: 0.1, late: 0.1 },
      delayProbability: 0.5,
    })
    for (let key = 0; key < 100; key++) {
      const writers = Array.from({ length: 5 }, async (_, writer) => {
        const outcome = await createObject(store, `j/${key}`, utf8(`writer ${writer}`), { clock, attemptCountMax: 30 })
        return outcome === 'applied' ? writer : undefined
      })
      const winners = (await Promise.all(writers)).filter(writer => writer !== undefined)
      await store.settleLateWrites()
      expect(winners).toHaveLength(1)
      expect(text(await memory.get(`j/${key}`))).toBe(`writer ${winners[0]}`)
    }
    expect([...store.injectedCounts.keys()].toSorted()).toEqual([
      'get failBefore',
      'get lostAnswer',
      'putIfAbsent failBefore',
      'putIfAbsent late',
      'putIfAbsent lostAnswer',
      'putIfAbsent unknownNotApplied',
    ])
  })
})

describe('createIdenticalObject', () => {
  it('is done when the object is there with the same bytes, whoever wrote them', async () => {
    const { clock, store } = setUp()
    await createIdenticalObject(store, 'v1.json', utf8('{}'), { clock })
    await createIdenticalObject(store, 'v1.json', [utf8('{'), utf8('}')], { clock })
    store.script(create('lostAnswer'), create('failBefore', 2), read('failBefore'))
    await createIdenticalObject(store, 'v2.json', utf8('{}'), { clock })
    expect(store.scriptedCountLeft).toBe(0)
    expect(text(await store.get('v2.json'))).toBe('{}')
  })

  it('other bytes under the key are corrupt, and stay', async () => {
    const { clock, store } = setUp()
    await store.put('v1.json', utf8('{ }'))
    await expect(createIdenticalObject(store, 'v1.json', utf8('{}'), { clock })).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'object-differs',
      message:
        'v1.json in memory: exists with other bytes than Floe would write; keep a copy of it for analysis, then remove it',
    })
    expect(text(await store.get('v1.json'))).toBe('{ }')
  })
})

describe('checkPutIfAbsent', () => {
  const check = (store: ObjectStore): Promise<void> =>
    checkPutIfAbsent(store, { clock: makeInstantClock(), random: seededRandom(5) })

  it('accepts a store that keeps the promise and leaves no probe behind', async () => {
    const { memory } = setUp()
    await check(memory)
    expect(await memory.list('')).toEqual({ objects: [], next: undefined })
  })

  it('accepts it through lost answers too', async () => {
    const { store } = setUp()
    store.script(create('lostAnswer'), create('unknownNotApplied', 6))
    await check(store)
    expect(store.scriptedCountLeft).toBe(0)
    expect((await store.list('')).objects).toEqual([])
  })

  it('refuses a store that overwrites', async () => {
    class Overwriting extends MemoryStore {
      override async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
        await this.put(key, body)
        return 'applied'
      }
    }
    const store = new Overwriting(makeInstantClock())
    await expect(check(store)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'put-if-absent-ignored',
      message:
        'memory: does not honour put-if-absent (If-None-Match: *): it overwrote an object that existed. Floe would lose data on it; use a store that does, see docs/object-stores.md',
    })
    expect((await store.list('')).objects).toEqual([])
  })

  it('refuses a store that looks first and writes later, so that racers all win', async () => {
    class Racy extends MemoryStore {
      override async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
        if ((await this.head(key)) !== undefined) return 'refused'
        await this.put(key, body)
        return 'applied'
      }
    }
    await expect(check(new Racy(makeInstantClock()))).rejects.toMatchObject({
      code: 'put-if-absent-ignored',
      message: expect.stringContaining('8 of 8 writers at once created the same object'),
    })
  })

  it('refuses a store that answers a refusal but writes all the same', async () => {
    class Lying extends MemoryStore {
      override async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
        const outcome = await super.putIfAbsent(key, body)
        await this.put(key, body)
        return outcome
      }
    }
    await expect(check(new Lying(makeInstantClock()))).rejects.toMatchObject({
      message: expect.stringContaining("a refused writer's bytes replaced the object"),
    })
  })

  it('a store that never gives a clear answer is unavailable, not unsupported', async () => {
    const { store } = setUp()
    store.setOptions({ probabilities: { lostAnswer: 1 } })
    await expect(check(store)).rejects.toMatchObject({ kind: 'unavailable', code: 'injected-fault' })
    store.setOptions({ probabilities: { unknownNotApplied: 1 } })
    await expect(check(store)).rejects.toMatchObject({ kind: 'unavailable', code: 'put-if-absent-unclear' })
  })

  it("tells the store's own error when it cannot be used at all", async () => {
    class Closed extends MemoryStore {
      override async list(): Promise<never> {
        throw new FloeError('invalid', 'object-store-credentials-refused', 'wrong password')
      }
    }
    await expect(check(new Closed(makeInstantClock()))).rejects.toThrow('wrong password')
  })
})
