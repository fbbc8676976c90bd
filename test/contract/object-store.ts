/**
 * What every object store must do, whatever it is made of. Each store's own test file calls `describeObjectStore`.
 */
import { describe, expect, it } from 'vitest'
import { keyBytesMax } from '../../storage/object-key.ts'
import { multipartBytesMin, type ObjectStore } from '../../storage/object-store.ts'

export interface ObjectStoreSubject {
  readonly name: string
  /** An empty store of its own for one test, and what to do after it. */
  open(): Promise<{ readonly store: ObjectStore; close(): Promise<void> }>
  /** Concurrent requests that the store is asked to take when many objects are made. */
  readonly concurrency?: number
}

export function describeObjectStore(subject: ObjectStoreSubject): void {
  describe(`${subject.name} keeps the object store contract`, () => {
    const on = (scenario: string, run: (store: ObjectStore) => Promise<void>): void => {
      it(scenario, async () => {
        const { store, close } = await subject.open()
        try {
          await run(store)
        } finally {
          await close()
        }
      })
    }

    on('what was put is returned whole and with its size', async store => {
      await store.put('a/b.txt', utf8('hello'))
      expect(text(await store.get('a/b.txt'))).toBe('hello')
      const info = await store.head('a/b.txt')
      expect(info).toMatchObject({ key: 'a/b.txt', bytes: 5 })
      expect(Number.isInteger(info!.modifiedMs)).toBe(true)
    })

    on('a second put replaces the first', async store => {
      await store.put('k', utf8('first'))
      await store.put('k', utf8('2nd'))
      expect(text(await store.get('k'))).toBe('2nd')
      expect((await store.head('k'))!.bytes).toBe(3)
    })

    on('chunks are joined in order, empty ones included', async store => {
      await store.put('k', [utf8('ab'), utf8(''), utf8('c'), utf8('def')])
      expect(text(await store.get('k'))).toBe('abcdef')
      expect(await store.putIfAbsent('l', [utf8('x'), utf8('y')])).toBe('applied')
      expect(text(await store.get('l'))).toBe('xy')
    })

    on('an owned object is there once its put has resolved, and others see it as any other', async store => {
      await store.putOwned('o/1', [utf8('ab'), utf8(''), utf8('cdef')])
      await Promise.all(Array.from({ length: 20 }, (_, index) => store.putOwned(`o/many/${index}`, utf8(`${index}`))))
      expect(text(await store.get('o/1'))).toBe('abcdef')
      expect(text(await store.get('o/1', { start: 1, end: 3 }))).toBe('bc')
      expect((await store.head('o/1'))!.bytes).toBe(6)
      expect((await store.list('o/')).objects).toHaveLength(21)
      expect(await store.putIfAbsent('o/1', utf8('x'))).toBe('refused')
      await store.delete(['o/1'])
      expect(await store.get('o/1')).toBeUndefined()
    })

    on('thousands of chunks are joined in order', async store => {
      const chunks = Array.from({ length: 3000 }, (_, index) => utf8(`${index},`))
      await store.put('k', chunks)
      expect(text(await store.get('k'))).toBe(chunks.map(text).join(''))
    })

    on('what does not exist is undefined to get and head, at every depth', async store => {
      await store.put('a/b', utf8('1'))
      for (const key of ['nothing', 'a', 'a/c', 'a/b/c', 'x/y/z']) {
        expect(await store.get(key), key).toBeUndefined()
        expect(await store.get(key, { start: 0, end: 1 }), key).toBeUndefined()
        expect(await store.get(key, { start: 3, end: 3 }), key).toBeUndefined()
        expect(await store.head(key), key).toBeUndefined()
      }
    })

    on('ranges return the part of the object that exists inside them', async store => {
      await store.put('k', utf8('0123456789'))
      const cases: [number, number, string][] = [
        [0, 10, '0123456789'],
        [0, 1, '0'],
        [9, 10, '9'],
        [3, 7, '3456'],
        [5, 5, ''],
        [0, 0, ''],
        [8, 100, '89'],
        [10, 11, ''],
        [10, 10, ''],
        [500, 600, ''],
        [0, Number.MAX_SAFE_INTEGER, '0123456789'],
      ]
      for (const [start, end, expected] of cases) {
        expect(text(await store.get('k', { start, end })), `[${start}, ${end})`).toBe(expected)
      }
    })

    on('ranges that are none are refused', async store => {
      await store.put('k', utf8('0123456789'))
      for (const [start, end] of [
        [-1, 3],
        [4, 3],
        [0.5, 3],
        [0, Number.NaN],
        [0, Number.POSITIVE_INFINITY],
      ] as const) {
        await expect(store.get('k', { start, end })).rejects.toMatchObject({
          kind: 'invalid',
          code: 'byte-range-invalid',
        })
      }
    })

    on('an empty object exists', async store => {
      await store.put('empty', new Uint8Array(0))
      expect(await store.get('empty')).toEqual(new Uint8Array(0))
      expect(await store.get('empty', { start: 0, end: 10 })).toEqual(new Uint8Array(0))
      expect(await store.head('empty')).toMatchObject({ bytes: 0 })
      expect(await store.putIfAbsent('empty', utf8('x'))).toBe('refused')
      await store.put('none', [])
      expect(await store.get('none')).toEqual(new Uint8Array(0))
      expect((await store.list('')).objects.map(({ key, bytes }) => [key, bytes])).toEqual([
        ['empty', 0],
        ['none', 0],
      ])
    })

    on('20 MB come back unchanged, whole and in ranges', async store => {
      const bytes = pseudoRandomBytes(7, 20_000_000)
      await store.put('large', [bytes.subarray(0, 5), bytes.subarray(5, 12_000_000), bytes.subarray(12_000_000)])
      expect(same(await store.get('large'), bytes)).toBe(true)
      expect(same(await store.get('large', { start: 1, end: 19_999_999 }), bytes.subarray(1, 19_999_999))).toBe(true)
      expect(same(await store.get('large', { start: 19_999_990, end: 30_000_000 }), bytes.subarray(19_999_990))).toBe(
        true,
      )
    })

    on('keys are listed in byte order and by prefix', async store => {
      // '-' and '.' sort before '/', digits and letters behind it: a directory walk in name order would get this wrong.
      const keys = [
        'a',
        'a-',
        'a-b/c',
        'a.b',
        'a.b.c/d',
        'a0',
        'aB/x',
        'a_',
        'ab',
        'b/1',
        'b/10',
        'b/2/x',
        'b/2/x.y',
        'b/2a',
        'B',
        '.x',
        '_',
        '0',
      ]
      for (const key of keys) await store.put(`top/${key}`, utf8(key))
      await store.put('to', utf8(''))
      const listed = async (prefix: string, after?: string): Promise<string[]> =>
        (await store.list(prefix, after)).objects.map(object => object.key)
      const expected = keys.map(key => `top/${key}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await listed('top/')).toEqual(expected)
      expect(await listed('')).toEqual(['to', ...expected])
      for (const prefix of [
        't',
        'top/a',
        'top/a.',
        'top/b/',
        'top/b/2',
        'top/b/2/',
        'top/b/2/x',
        'top/zz',
        'x/',
        'top/b/1/',
        'top/.',
      ]) {
        expect(await listed(prefix), prefix).toEqual(['to', ...expected].filter(key => key.startsWith(prefix)))
      }
      for (const after of [...expected, 'top/', 'top/a/', 'top/a/zz', 'top/b', 'top/b/2/', 'top/zzz', 'a', 'zzz']) {
        expect(await listed('top/', after), after).toEqual(expected.filter(key => key > after))
        expect(await listed('top/b', after), after).toEqual(
          expected.filter(key => key > after && key.startsWith('top/b')),
        )
      }
    })

    on('more than 1,000 objects come in pages, each key once and in order', async store => {
      const keys: string[] = []
      for (let index = 0; index < 2_005; index++) keys.push(`n/${index % 7}/${index}`)
      await forEachConcurrently(keys, subject.concurrency ?? 32, key => store.put(key, utf8(key)))
      await store.put('o', utf8(''))
      const seen: string[] = []
      let after: string | undefined
      let pages = 0
      do {
        const page = await store.list('n/', after)
        expect(page.objects.length).toBeLessThanOrEqual(1000)
        for (const { key, bytes } of page.objects) {
          expect(bytes).toBe(key.length)
          seen.push(key)
        }
        after = page.next
        pages++
      } while (after !== undefined)
      expect(seen).toEqual(keys.sort())
      expect(pages).toBe(3)
      await store.delete(keys)
      expect((await store.list('')).objects.map(object => object.key)).toEqual(['o'])
    })

    on('exactly 1,000 objects are one page and the end', async store => {
      const keys = Array.from({ length: 1000 }, (_, index) => `p/${String(index).padStart(4, '0')}`)
      await forEachConcurrently(keys, subject.concurrency ?? 32, key => store.put(key, utf8('')))
      const page = await store.list('p/')
      expect(page.objects.map(object => object.key)).toEqual(keys)
      expect(page.next).toBeUndefined()
    })

    on('an empty store lists nothing', async store => {
      expect(await store.list('')).toEqual({ objects: [], next: undefined })
      expect(await store.list('a/b/')).toEqual({ objects: [], next: undefined })
    })

    on('deleting removes what is there and accepts what is not', async store => {
      await store.put('a/1', utf8('1'))
      await store.put('a/2', utf8('2'))
      await store.delete(['a/1', 'a/none', 'none/at/all', 'a/1/below', 'a'])
      expect(await store.get('a/1')).toBeUndefined()
      expect(text(await store.get('a/2'))).toBe('2')
      await store.delete([])
      await store.delete(['a/2', 'a/2'])
      expect((await store.list('')).objects).toEqual([])
    })

    on('put-if-absent creates once and leaves what it finds', async store => {
      expect(await store.putIfAbsent('j/1', utf8('mine'))).toBe('applied')
      expect(await store.putIfAbsent('j/1', utf8('theirs'))).toBe('refused')
      expect(await store.putIfAbsent('j/1', utf8('mine'))).toBe('refused')
      expect(text(await store.get('j/1'))).toBe('mine')
      await store.put('j/2', utf8('plain'))
      expect(await store.putIfAbsent('j/2', utf8('late'))).toBe('refused')
      expect(text(await store.get('j/2'))).toBe('plain')
    })

    on('put-if-absent applies again after a delete', async store => {
      expect(await store.putIfAbsent('k', utf8('1'))).toBe('applied')
      await store.delete(['k'])
      expect(await store.putIfAbsent('k', utf8('2'))).toBe('applied')
      expect(text(await store.get('k'))).toBe('2')
    })

    on('of 50 racers exactly one applies, and its bytes stay', async store => {
      for (let race = 0; race < 3; race++) {
        const key = `race/${race}/0001`
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, racer) =>
            store.putIfAbsent(key, utf8(`racer ${racer} `.repeat(racer * 40 + 1))),
          ),
        )
        expect(outcomes.filter(outcome => outcome === 'applied')).toHaveLength(1)
        expect(outcomes.filter(outcome => outcome === 'refused')).toHaveLength(49)
        expect(text(await store.get(key))).toMatch(new RegExp(`^racer ${outcomes.indexOf('applied')} `))
      }
      expect((await store.list('')).objects).toHaveLength(3)
    })

    on('a multipart upload appears whole and only once complete', async store => {
      const first = pseudoRandomBytes(1, multipartBytesMin)
      const second = pseudoRandomBytes(2, multipartBytesMin + 3)
      const upload = await store.startMultipart('m/large')
      const scratch = first.slice()
      await upload.writePart(scratch)
      scratch.fill(0)
      await upload.writePart([second.subarray(0, 10), second.subarray(10)])
      await upload.writePart(utf8('tail'))
      expect(await store.get('m/large')).toBeUndefined()
      expect((await store.list('')).objects).toEqual([])
      await upload.complete()
      expect(same(await store.get('m/large'), Buffer.concat([first, second, utf8('tail')]))).toBe(true)
      expect((await store.list('')).objects.map(object => object.key)).toEqual(['m/large'])
      await expect(upload.writePart(utf8('x'))).rejects.toMatchObject({ kind: 'invalid', code: 'multipart-finished' })
      await upload.abort()
      expect(await store.head('m/large')).toMatchObject({ bytes: first.length + second.length + 4 })
    })

    on('parts written at the same time are joined in call order', async store => {
      const parts = [1, 2, 3].map(seed => pseudoRandomBytes(seed, multipartBytesMin + seed))
      const upload = await store.startMultipart('m')
      await Promise.all(parts.map(part => upload.writePart(part)))
      await upload.complete()
      expect(same(await store.get('m'), Buffer.concat(parts))).toBe(true)
    })

    on('a multipart upload replaces, may be short or empty, and may be given up', async store => {
      await store.put('m', utf8('old'))
      const given = await store.startMultipart('m')
      await given.writePart(utf8('never seen'))
      await given.abort()
      await given.abort()
      expect(text(await store.get('m'))).toBe('old')
      await expect(given.complete()).rejects.toMatchObject({ kind: 'invalid', code: 'multipart-finished' })
      const short = await store.startMultipart('m')
      await short.writePart(utf8('new'))
      await short.complete()
      expect(text(await store.get('m'))).toBe('new')
      const empty = await store.startMultipart('m')
      await empty.complete()
      expect(await store.get('m')).toEqual(new Uint8Array(0))
    })

    on('a part below the minimum may only be the last', async store => {
      const upload = await store.startMultipart('m')
      await upload.writePart(utf8('short'))
      await expect(upload.writePart(utf8('more'))).rejects.toMatchObject({
        kind: 'invalid',
        code: 'multipart-part-too-small',
      })
      await upload.abort()
      expect(await store.get('m')).toBeUndefined()
    })

    on('keys outside the rules are refused by every call', async store => {
      const bad = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        '../a',
        'a/../b',
        'a/./b',
        'a/..',
        'a b',
        'a%2e',
        'é',
        'a\0b',
        'a\\b',
        'a=b',
        'a\n',
        'x'.repeat(256),
        'x/'.repeat(keyBytesMax),
      ]
      for (const key of bad) {
        const refusal = { kind: 'invalid', code: 'object-key-invalid' }
        await expect(store.put(key, utf8('')), key).rejects.toMatchObject(refusal)
        await expect(store.putIfAbsent(key, utf8('')), key).rejects.toMatchObject(refusal)
        await expect(store.get(key), key).rejects.toMatchObject(refusal)
        await expect(store.head(key), key).rejects.toMatchObject(refusal)
        await expect(store.delete(['fine', key]), key).rejects.toMatchObject(refusal)
        await expect(store.startMultipart(key), key).rejects.toMatchObject(refusal)
      }
      for (const prefix of ['/', '../', 'a/../b', 'a//', 'é', 'a b', './', 'a/./']) {
        await expect(store.list(prefix), prefix).rejects.toMatchObject({ kind: 'invalid', code: 'object-key-invalid' })
      }
    })

    on('the longest keys work', async store => {
      const key = ['w', 'x', 'y', 'z']
        .map(letter => letter.repeat(255))
        .join('/')
        .slice(0, keyBytesMax)
      expect(await store.putIfAbsent(key, utf8('1'))).toBe('applied')
      expect((await store.list('')).objects.map(object => object.key)).toEqual([key])
      expect(text(await store.get(key))).toBe('1')
    })

    on('bytes passed in belong to the caller again, bytes returned are its own', async store => {
      const passed = utf8('original')
      await store.put('a', passed)
      await store.putIfAbsent('b', [passed])
      passed.fill(0)
      expect(text(await store.get('a'))).toBe('original')
      expect(text(await store.get('b'))).toBe('original')
      const returned = await store.get('a')
      returned!.fill(1)
      const ranged = await store.get('a', { start: 0, end: 4 })
      ranged!.fill(2)
      const copy = ranged!.slice(0, 1)
      copy.fill(3)
      expect(ranged![0], 'slice copies, as that of a plain Uint8Array').toBe(2)
      expect(text(await store.get('a'))).toBe('original')
    })

    on('the URI is absolute and has no trailing slash', async store => {
      expect(store.uri).toMatch(/^(s3:\/\/[a-z0-9.-]+(\/[^/]+)*|file:\/\/(\/[^/]+)+|memory:)$/)
    })
  })
}

export function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes)
}

/** Bytes that repeat nowhere near, quickly made (xorshift32). */
export function pseudoRandomBytes(seed: number, count: number): Uint8Array {
  const words = new Int32Array(Math.ceil(count / 4))
  let word = seed * 0x9e3779b1
  for (let at = 0; at < words.length; at++) {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    words[at] = word
  }
  return new Uint8Array(words.buffer, 0, count)
}

function same(actual: Uint8Array | undefined, expected: Uint8Array): boolean {
  return actual !== undefined && Buffer.compare(actual, expected) === 0
}

async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < items.length) await run(items[next++]!)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}
