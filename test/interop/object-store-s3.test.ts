/**
 * The object store contract against a real S3-compatible server (docs/peers.md says which and why), and the whole path from a
 * URL to the start-up check.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { systemRandom } from '../../core/random.ts'
import { checkPutIfAbsent } from '../../storage/check-put-if-absent.ts'
import { openStore } from '../../storage/open-store.ts'
import { createObject } from '../../storage/put-if-absent.ts'
import { S3Store } from '../../storage/s3-store.ts'
import { describeObjectStore, text, utf8 } from '../contract/object-store.ts'
import { type S3, startS3 } from '../peers/s3.ts'

let server: S3
let prefixCount = 0

beforeAll(async () => {
  server = await startS3()
}, 120_000)

afterAll(async () => {
  await server?.stop()
})

const deps = { clock: systemClock, random: systemRandom, fileSystem: nodeFileSystem }

function openS3(prefix: string): S3Store {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = server
  const credentials = { accessKeyId, secretAccessKey }
  return new S3Store({ bucket, prefix, endpoint, region, forcePathStyle: true, credentials }, deps)
}

describeObjectStore({
  name: 'S3 store',
  open: async () => {
    const store = openS3(`contract/${prefixCount++}`)
    return { store, close: async () => store.close() }
  },
})

describe('S3 store on a real server', () => {
  const url = (bucket: string, endpoint: string): string =>
    `s3://${bucket}/opened/x?endpoint=${endpoint}&path_style=true`

  it('opens from a URL and passes the start-up check, which leaves nothing behind', async () => {
    const { accessKeyId, secretAccessKey } = server
    const store = await openStore(url(server.bucket, server.endpoint), deps, {
      credentials: { accessKeyId, secretAccessKey },
    })
    expect(store.uri).toBe(`s3://${server.bucket}/opened/x`)
    await checkPutIfAbsent(store, deps)
    expect((await store.list('')).objects).toEqual([])
    expect(await createObject(store, 'a', utf8('1'), deps)).toBe('applied')
    expect(await createObject(store, 'a', utf8('2'), deps)).toBe('refused')
  })

  it('keeps prefixes apart', async () => {
    const one = openS3('apart/one')
    const other = openS3('apart/one-more')
    await one.put('k', utf8('1'))
    await other.put('k', utf8('2'))
    expect((await one.list('')).objects.map(({ key }) => key)).toEqual(['k'])
    expect(text(await other.get('k'))).toBe('2')
  })

  it('wrong credentials are named as such', async () => {
    const credentials = { accessKeyId: server.accessKeyId, secretAccessKey: 'not-it' }
    const store = await openStore(url(server.bucket, server.endpoint), deps, { credentials })
    await expect(checkPutIfAbsent(store, deps)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'object-store-credentials-refused',
      message: expect.stringMatching(/^cannot list probe\/ in s3:\/\/.* at http:.*: the store refuses the credentials/),
    })
    await expect(store.putIfAbsent('k', utf8(''))).rejects.toMatchObject({ code: 'object-store-credentials-refused' })
  })

  it('an unknown access key is named as such', async () => {
    const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nothing' }
    const store = await openStore(url(server.bucket, server.endpoint), deps, { credentials })
    await expect(checkPutIfAbsent(store, deps)).rejects.toMatchObject({ code: 'object-store-credentials-refused' })
  })

  it('a missing bucket is named as such', async () => {
    const { accessKeyId, secretAccessKey } = server
    const credentials = { accessKeyId, secretAccessKey }
    const store = await openStore(url('no-such-bucket', server.endpoint), deps, { credentials })
    const missing = { kind: 'invalid', code: 'object-store-bucket-missing' }
    await expect(checkPutIfAbsent(store, deps)).rejects.toMatchObject(missing)
    await expect(store.putIfAbsent('k', utf8(''))).rejects.toMatchObject(missing)
    await expect(store.put('k', utf8(''))).rejects.toMatchObject(missing)
    await expect(store.get('k')).rejects.toMatchObject(missing)
  })
})
