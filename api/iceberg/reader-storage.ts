/**
 * What a reader must know to reach the store: table `config` and vended credentials, under the names that the Java libraries and
 * PyIceberg read.
 *
 * source  Iceberg REST OpenAPI, LoadTableResult; PyIceberg configuration "FileIO"
 */
export interface ReaderStorage {
  /** Of the store, for example `s3://bucket/prefix`. */
  readonly uri: string
  readonly endpoint: string | undefined
  readonly region: string | undefined
  readonly pathStyle: boolean
  /** Handed only to readers that ask for vended credentials; undefined: readers bring their own. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string | undefined }
    | undefined
}

export interface StorageCredential {
  readonly prefix: string
  readonly config: Readonly<Record<string, string>>
}

/** Where the store is. Empty for local directories. */
export function describeStorage(storage: ReaderStorage): Record<string, string> {
  if (!storage.uri.startsWith('s3://')) return {}
  const config: Record<string, string> = {}
  if (storage.endpoint !== undefined) config['s3.endpoint'] = storage.endpoint
  if (storage.pathStyle) config['s3.path-style-access'] = 'true'
  if (storage.region !== undefined) {
    config['client.region'] = storage.region
    config['s3.region'] = storage.region
  }
  return config
}

/** Empty when none are handed out. */
export function listCredentials(storage: ReaderStorage): readonly StorageCredential[] {
  const { credentials, uri } = storage
  if (credentials === undefined || !uri.startsWith('s3://')) return []
  const config: Record<string, string> = {
    ...describeStorage(storage),
    's3.access-key-id': credentials.accessKeyId,
    's3.secret-access-key': credentials.secretAccessKey,
  }
  if (credentials.sessionToken !== undefined) config['s3.session-token'] = credentials.sessionToken
  return [{ prefix: `${uri}/`, config }]
}
