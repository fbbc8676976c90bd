/**
 * Opens the store that a URL names.
 *
 *   memory:                                   gone with the process
 *   file:///abs/dir                           a local directory, created when missing
 *   s3://bucket/prefix?region=eu-west-1       AWS
 *   s3://bucket?endpoint=http://127.0.0.1:9000&path_style=true
 */
import { FloeError } from '../core/errors.ts'
import { type DirectoryStoreDeps, openDirectoryStore } from './directory-store.ts'
import { MemoryStore } from './memory-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3Credentials, S3StoreOptions } from './s3-client.ts'

export interface OpenStoreOptions extends Pick<S3StoreOptions, 'connectMsMax' | 'requestMsMax' | 'attemptCountMax'> {
  /** For s3: URLs. Left out: environment, profile, container or instance role. Never part of the URL, which ends up in logs. */
  readonly credentials?: S3Credentials
}

/** errors  invalid: the URL is not one of the above; and what the store itself says when it is opened */
export async function openStore(
  url: string,
  deps: DirectoryStoreDeps,
  options: OpenStoreOptions = {},
): Promise<ObjectStore> {
  if (url === 'memory:' || url === 'memory://') return new MemoryStore(deps.clock)
  if (url.startsWith('file://')) {
    // Taken as it stands, not percent-decoded: table readers see the same path.
    return openDirectoryStore(url.slice('file://'.length), deps)
  }
  if (url.startsWith('s3://')) {
    const s3Options = { ...parseS3Url(url), ...options }
    // The SDK takes a quarter of a second to load; whoever stays local does not wait for it.
    const { S3Store } = await import('./s3-store.ts')
    return new S3Store(s3Options, deps)
  }
  throw badUrl(url, 'it must start with s3://bucket, file:///absolute/directory or be memory:')
}

const parameterNames = ['region', 'endpoint', 'path_style']

export function parseS3Url(url: string): S3StoreOptions {
  const match = /^s3:\/\/([^/?#]*)\/?([^?#]*?)\/*(?:\?([^#]*))?$/.exec(url)
  const bucket = match?.[1] ?? ''
  if (bucket.includes('@') || bucket.includes(':')) {
    throw badUrl(
      url.replace(bucket, '***'),
      'give the credentials in the environment or the configuration, not in the URL',
    )
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw badUrl(url, 'the bucket name must be 3 to 63 characters of a-z 0-9 . -')
  }
  const parameters = new URLSearchParams(match?.[3] ?? '')
  for (const name of parameters.keys()) {
    if (!parameterNames.includes(name)) {
      throw badUrl(url, `there is no parameter ${JSON.stringify(name)}; it takes ${parameterNames.join(', ')}`)
    }
  }
  const region = parameters.get('region')
  const endpoint = parameters.get('endpoint')
  const pathStyle = parameters.get('path_style')
  if (endpoint !== null && !isHttpUrl(endpoint)) {
    throw badUrl(url, 'endpoint must be an http:// or https:// address such as http://127.0.0.1:9000')
  }
  if (pathStyle !== null && pathStyle !== 'true' && pathStyle !== 'false')
    throw badUrl(url, 'path_style must be true or false')
  return {
    bucket,
    prefix: match?.[2] ?? '',
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    ...(pathStyle && { forcePathStyle: pathStyle === 'true' }),
  }
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === ''
}

function badUrl(url: string, problem: string): FloeError {
  return new FloeError(
    'invalid',
    'object-store-url-invalid',
    `object store URL ${JSON.stringify(url)} is not valid: ${problem}`,
  )
}
