import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { type FileSystem, nodeFileSystem } from '../../../core/file-system.ts'
import { systemRandom } from '../../../core/random.ts'
import { openDirectoryStore } from '../../../storage/directory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { text, utf8 } from '../../contract/object-store.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'floe-directory-store-'))
})

afterEach(() => rm(root, { recursive: true, force: true }))

function open(fileSystem: FileSystem = nodeFileSystem, path = root): Promise<ObjectStore> {
  return openDirectoryStore(path, { fileSystem, random: systemRandom, clock: systemClock })
}

function failWith(errno: string): () => Promise<never> {
  return async () => {
    throw Object.assign(new Error(`${errno}: injected`), { code: errno })
  }
}

describe('directory store', () => {
  it('an object is a plain file that other programs find under its key, with no temporary file left', async () => {
    const store = await open()
    await store.put('tables/a/data.parquet', utf8('x'))
    await store.putIfAbsent('tables/a/b', utf8('y'))
    await store.putIfAbsent('tables/a/b', utf8('z'))
    expect(store.uri).toBe(`file://${root}`)
    expect(await readFile(join(root, 'tables/a/data.parquet'), 'utf8')).toBe('x')
    expect((await stat(join(root, 'tables/a/b'))).nlink).toBe(1)
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it('what another process wrote into the directory is found by a store opened anew', async () => {
    await (await open()).put('a/b', utf8('1'))
    const again = await open()
    expect(text(await again.get('a/b'))).toBe('1')
    expect(await again.putIfAbsent('a/b', utf8('2'))).toBe('refused')
  })

  it('two stores on one directory race as two processes do: one wins', async () => {
    const stores = await Promise.all([open(), open()])
    for (let race = 0; race < 20; race++) {
      const outcomes = await Promise.all(stores.map((store, index) => store.putIfAbsent(`r/${race}`, utf8(`${index}`))))
      expect(outcomes.toSorted()).toEqual(['applied', 'refused'])
    }
  })

  it('old temporary files are removed at open, young ones may belong to a writer at work', async () => {
    await open()
    await writeFile(join(root, '.tmp/old'), 'x')
    await writeFile(join(root, '.tmp/young'), 'x')
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000)
    await utimes(join(root, '.tmp/old'), longAgo, longAgo)
    const store = await open()
    expect(await readdir(join(root, '.tmp'))).toEqual(['young'])
    expect(await store.list('')).toEqual({ objects: [], next: undefined })
    expect(await store.list('.')).toEqual({ objects: [], next: undefined })
    await expect(store.get('.tmp/young')).rejects.toMatchObject({ kind: 'invalid', code: 'object-key-reserved' })
  })

  it('symbolic links are neither followed nor listed nor written through', async () => {
    const outside = join(root, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'secret'), 'secret')
    const inside = join(root, 'store')
    const store = await open(nodeFileSystem, inside)
    await symlink(outside, join(inside, 'dir'))
    await symlink(join(outside, 'secret'), join(inside, 'file'))
    await store.put('real', utf8(''))
    const refusal = { kind: 'invalid', code: 'symbolic-link' }
    await expect(store.get('file')).rejects.toMatchObject(refusal)
    await expect(store.head('file')).rejects.toMatchObject(refusal)
    await expect(store.get('dir/secret')).rejects.toMatchObject(refusal)
    await expect(store.delete(['dir/secret'])).rejects.toMatchObject(refusal)
    await expect(store.put('dir/new', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.put('dir/deep/new', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.putIfAbsent('dir/new', utf8(''))).rejects.toMatchObject(refusal)
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['real'])
    await expect(store.list('dir/')).rejects.toMatchObject(refusal)
    await expect(store.list('dir/deep/s')).rejects.toMatchObject(refusal)
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('the root itself may be a symbolic link', async () => {
    await mkdir(join(root, 'disk'))
    await symlink(join(root, 'disk'), join(root, 'link'))
    const store = await open(nodeFileSystem, join(root, 'link'))
    await store.put('a/b', utf8('1'))
    expect(text(await store.get('a/b'))).toBe('1')
    expect(await readFile(join(root, 'disk/a/b'), 'utf8')).toBe('1')
    expect(store.uri).toBe(`file://${root}/link`)
  })

  it('a key that continues another one with a slash is refused with the reason', async () => {
    const store = await open()
    await store.put('a', utf8(''))
    await store.put('d/x', utf8(''))
    const refusal = { kind: 'invalid', code: 'file-in-the-way' }
    await expect(store.put('a/b', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.putIfAbsent('a/b', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.put('d', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.putIfAbsent('d', utf8(''))).rejects.toMatchObject(refusal)
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it('a directory removed behind its back is made again', async () => {
    const store = await open()
    await store.put('a/b/1', utf8('1'))
    await rm(join(root, 'a'), { recursive: true })
    await store.put('a/b/2', utf8('2'))
    await rm(join(root, 'a'), { recursive: true })
    expect(await store.putIfAbsent('a/b/3', utf8('3'))).toBe('applied')
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['a/b/3'])
  })

  it('files whose names are no keys are passed over by list', async () => {
    const store = await open()
    await store.put('a', utf8(''))
    await writeFile(join(root, 'not a key'), '')
    await mkdir(join(root, 'ü'))
    await writeFile(join(root, 'ü/x'), '')
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['a'])
  })

  it.each([
    ['ENOSPC', 'exhausted', 'disk-full', 'the disk is full; free some space'],
    ['EDQUOT', 'exhausted', 'disk-full', 'the disk quota is used up; free some space or raise it'],
    [
      'EACCES',
      'invalid',
      'file-access-denied',
      'permission denied; give the user that runs Floe read and write access',
    ],
    ['EROFS', 'invalid', 'file-access-denied', 'the file system is mounted read-only'],
    ['EMFILE', 'unavailable', 'too-many-open-files', 'too many open files; raise the limit (ulimit -n)'],
    ['EIO', 'unavailable', 'file-system-failed', 'EIO: injected'],
  ])('%s while writing becomes %s with one clear line', async (errno, kind, code, problem) => {
    let failing = false
    const store = await open({
      ...nodeFileSystem,
      open: (path, flags, mode) => (failing ? failWith(errno)() : nodeFileSystem.open(path, flags, mode)),
    })
    failing = true
    const refusal = { kind, code, message: `cannot write a/b in file://${root}: ${problem}` }
    await expect(store.put('a/b', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.startMultipart('a/b')).rejects.toMatchObject(refusal)
    refusal.message = `cannot create a/b in file://${root}: ${problem}`
    await expect(store.putIfAbsent('a/b', utf8(''))).rejects.toMatchObject(refusal)
  })

  it('a disk that fills up while bytes are written leaves no object and no temporary file', async () => {
    let full = false
    const store = await open({
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode)
        if (full && path.includes('/.tmp/')) file.writev = failWith('ENOSPC')
        return file
      },
    })
    await store.put('kept', utf8('1'))
    full = true
    const exhausted = { kind: 'exhausted', code: 'disk-full' }
    await expect(store.put('kept', utf8('2'))).rejects.toMatchObject(exhausted)
    await expect(store.putIfAbsent('new', utf8('2'))).rejects.toMatchObject(exhausted)
    const upload = await store.startMultipart('large')
    await expect(upload.writePart(utf8('2'))).rejects.toMatchObject(exhausted)
    await expect(upload.complete()).rejects.toMatchObject(exhausted)
    full = false
    expect(text(await store.get('kept'))).toBe('1')
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['kept'])
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it('an object whose directory could not be synced has an unknown outcome, not a refused one', async () => {
    let failing = false
    const store = await open({
      ...nodeFileSystem,
      open: (path, flags, mode) =>
        failing && flags === 'r' ? failWith('EIO')() : nodeFileSystem.open(path, flags, mode),
    })
    await store.put('j/0', utf8('0'))
    failing = true
    expect(await store.putIfAbsent('j/1', utf8('1'))).toBe('unknown')
    await expect(store.put('j/2', utf8('2'))).rejects.toMatchObject({ kind: 'unavailable', code: 'file-system-failed' })
    failing = false
    expect(text(await store.get('j/1'))).toBe('1')
    expect(text(await store.get('j/2'))).toBe('2')
  })

  it('an owned object is written under its own key, and a second one of that key is refused', async () => {
    const paths: string[] = []
    const store = await open({
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        if (flags !== 'r') paths.push(path)
        return nodeFileSystem.open(path, flags, mode)
      },
    })
    await store.putOwned('segments/00/1.log', utf8('mine'))
    expect(paths).toEqual([join(root, 'segments/00/1.log')])
    await expect(store.putOwned('segments/00/1.log', utf8('other'))).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await readFile(join(root, 'segments/00/1.log'), 'utf8')).toBe('mine')
    await expect(store.putOwned('segments/00/1.log/x', utf8(''))).rejects.toMatchObject({ code: 'file-in-the-way' })
    await rm(join(root, 'segments'), { recursive: true })
    await store.putOwned('segments/00/2.log', utf8('again'))
    expect(text(await store.get('segments/00/2.log'))).toBe('again')
  })

  it('an owned object resolves only after both its bytes and its name are durable', async () => {
    const done: string[] = []
    const gates = new Map(['sync', 'writev'].map(step => [step, Promise.withResolvers<void>()]))
    let isHeld = false
    const store = await open({
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode)
        const { sync, writev } = file
        const pass = async (step: string): Promise<void> => {
          if (isHeld) await gates.get(step)!.promise
          done.push(step)
        }
        file.sync = async () => {
          await pass('sync')
          await Reflect.apply(sync, file, [])
        }
        file.writev = (async (chunks: readonly Uint8Array[], at: number) => {
          await pass('writev')
          return Reflect.apply(writev, file, [chunks, at])
        }) as typeof writev
        return file
      },
    })
    await store.putOwned('s/1', utf8('1'))
    for (const first of ['sync', 'writev']) {
      isHeld = true
      done.length = 0
      let isResolved = false
      const put = store.putOwned(`s/${first}`, utf8('2')).then(() => {
        isResolved = true
      })
      gates.get(first)!.resolve()
      await vi.waitUntil(() => done.includes(first))
      expect(done).toEqual([first])
      expect(isResolved).toBe(false)
      for (const gate of gates.values()) gate.resolve()
      await put
      for (const step of gates.keys()) gates.set(step, Promise.withResolvers<void>())
    }
  })

  it('an owned object whose writing fails gives its room back; one whose name may not be durable is left alone', async () => {
    let failing: 'writev' | 'sync' | undefined
    const store = await open({
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode)
        if (failing === 'writev') file.writev = failWith('ENOSPC')
        if (failing === 'sync') file.sync = failWith('EIO')
        return file
      },
    })
    await store.putOwned('s/0', utf8('0'))
    failing = 'writev'
    await expect(store.putOwned('s/1', utf8('1'))).rejects.toMatchObject({ kind: 'exhausted', code: 'disk-full' })
    failing = 'sync'
    await expect(store.putOwned('s/2', utf8('2'))).rejects.toMatchObject({ kind: 'unavailable' })
    failing = undefined
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['s/0', 's/2'])
  })

  it('what a process leaves of an owned object when it dies half-way is in nobody else’s way', async () => {
    const dying = await open({
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode)
        const { writev } = file
        file.writev = (async (chunks: readonly Uint8Array[], at: number) => {
          await Reflect.apply(writev, file, [[chunks[0]!.subarray(0, 2)], at])
          return new Promise(() => {})
        }) as typeof writev
        return file
      },
    })
    void dying.putOwned('s/1', utf8('whole'))
    await vi.waitUntil(async () => (await readFile(join(root, 's/1'), 'utf8').catch(() => '')) === 'wh')
    const store = await open()
    await store.putOwned('s/2', utf8('whole'))
    expect(text(await store.get('s/2'))).toBe('whole')
    await store.delete(['s/1'])
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['s/2'])
  })

  it('a file system without hard links is unsupported, and put still works', async () => {
    const store = await open({ ...nodeFileSystem, link: failWith('EPERM') })
    await expect(store.putIfAbsent('k', utf8('1'))).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'hard-links-missing',
    })
    await store.put('k', utf8('1'))
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it('a link that was applied but reported as existing, as network file systems do, counts as applied', async () => {
    const store = await open({
      ...nodeFileSystem,
      link: async (from, to) => {
        await nodeFileSystem.link(from, to)
        await nodeFileSystem.link(from, to)
      },
    })
    expect(await store.putIfAbsent('k', utf8('1'))).toBe('applied')
    expect(await store.putIfAbsent('k', utf8('2'))).toBe('refused')
    expect(text(await store.get('k'))).toBe('1')
  })

  it('a short write is continued, a short read too', async () => {
    const store = await open({
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode)
        const { writev, read } = file
        file.writev = (async (chunks: readonly Uint8Array[], at: number) =>
          Reflect.apply(writev, file, [[chunks[0]!.subarray(0, 3)], at])) as typeof writev
        file.read = (async (buffer: Uint8Array, offset: number, length: number, at: number) =>
          Reflect.apply(read, file, [buffer, offset, Math.min(length, 2), at])) as typeof read
        return file
      },
    })
    await store.put('k', [utf8('hello'), utf8(', '), utf8('world')])
    expect(text(await store.get('k'))).toBe('hello, world')
    expect(text(await store.get('k', { start: 4, end: 9 }))).toBe('o, wo')
  })

  it('writers at the same time share the directory syncs', async () => {
    let syncs = 0
    const store = await open({
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        if (flags === 'r') syncs++
        return nodeFileSystem.open(path, flags, mode)
      },
    })
    await store.put('d/first', utf8(''))
    syncs = 0
    await Promise.all(Array.from({ length: 64 }, (_, index) => store.putIfAbsent(`d/${index}`, utf8(''))))
    expect(syncs).toBeGreaterThan(0)
    expect(syncs).toBeLessThan(60)
  })

  it.each(['relative/dir', '', '/with%20escape', '/a?b', '/a#b', '/', '/a\nb'])(
    'the root %j is refused',
    async path => {
      await expect(open(nodeFileSystem, path)).rejects.toMatchObject({
        kind: 'invalid',
        code: 'directory-path-invalid',
      })
    },
  )

  it('a root that is a file is refused with the place', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(open(nodeFileSystem, join(root, 'file'))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(`cannot use directory ${root}/file as object store: `),
    })
  })
})
