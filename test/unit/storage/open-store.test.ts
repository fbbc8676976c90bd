import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { nodeFileSystem } from '../../../core/file-system.ts'
import { systemRandom } from '../../../core/random.ts'
import { openStore, parseS3Url } from '../../../storage/open-store.ts'
import { S3Store } from '../../../storage/s3-store.ts'
import { utf8 } from '../../contract/object-store.ts'

const deps = { fileSystem: nodeFileSystem, clock: systemClock, random: systemRandom }

describe('openStore', () => {
  it('opens memory, directories and buckets', async () => {
    expect((await openStore('memory:', deps)).uri).toBe('memory:')
    const root = await mkdtemp(join(tmpdir(), 'floe open store '))
    try {
      const store = await openStore(`file://${root}/a/`, deps)
      expect(store.uri).toBe(`file://${root}/a`)
      expect(await store.putIfAbsent('k', utf8(''))).toBe('applied')
    } finally {
      await rm(root, { recursive: true })
    }
    const store = await openStore('s3://my-bucket/some/where/?region=eu-west-1', deps)
    expect(store).toBeInstanceOf(S3Store)
    expect(store.uri).toBe('s3://my-bucket/some/where')
  })

  it('reads all parameters of an S3 URL', () => {
    expect(parseS3Url('s3://my.bucket?endpoint=http://127.0.0.1:9000&path_style=true&region=auto')).toEqual({
      bucket: 'my.bucket',
      prefix: '',
      endpoint: 'http://127.0.0.1:9000',
      forcePathStyle: true,
      region: 'auto',
    })
    expect(parseS3Url('s3://bucket/a/b//')).toEqual({ bucket: 'bucket', prefix: 'a/b' })
  })

  it.each([
    ['/just/a/path', 'it must start with s3://bucket, file:///absolute/directory or be memory:'],
    ['gs://bucket', 'it must start with s3://bucket, file:///absolute/directory or be memory:'],
    ['s3://', 'the bucket name must be 3 to 63 characters of a-z 0-9 . -'],
    ['s3://Bucket', 'the bucket name must be 3 to 63 characters of a-z 0-9 . -'],
    ['s3://bucket?pathstyle=true', 'there is no parameter "pathstyle"; it takes region, endpoint, path_style'],
    ['s3://bucket?path_style=yes', 'path_style must be true or false'],
    ['s3://bucket?endpoint=localhost', 'endpoint must be an http:// or https:// address such as http://127.0.0.1:9000'],
  ])('%s is refused with the reason', async (url, problem) => {
    await expect(openStore(url, deps)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'object-store-url-invalid',
      message: `object store URL ${JSON.stringify(url)} is not valid: ${problem}`,
    })
  })

  it('credentials in the URL are refused and not repeated in the message', async () => {
    const refused = openStore('s3://AKID:hush@bucket/x', deps)
    await expect(refused).rejects.toMatchObject({ code: 'object-store-url-invalid' })
    await expect(refused).rejects.not.toThrow('hush')
  })

  it('relative directories are refused', async () => {
    await expect(openStore('file://relative', deps)).rejects.toMatchObject({ code: 'directory-path-invalid' })
  })
})
