/** Reads configuration files from disk and the secrets they name from the environment. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SourceCluster } from '../../config/cluster-options.ts'
import { formatProblems, parseConfig, type ValidatedConfig } from '../../config/config.ts'
import type { ServerOptions } from '../../config/server-options.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { RemoteClusterOptions } from '../../ingest/sources/remote-cluster.ts'
import type { S3Credentials } from '../../storage/s3-client.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** errors  invalid: the file cannot be read */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : errorMessage(error)
    throw new FloeError('invalid', 'config-unreadable', `${file}: ${why}`)
  }
}

/** errors  invalid: every mistake of the file, one per line */
export function loadConfig(file: string | undefined): ValidatedConfig {
  const result = file === undefined ? parseConfig('', 'defaults') : parseConfig(readConfigText(file), file)
  if (result.outcome === 'valid') return result.config
  throw new ConfigFailure(formatProblems(result))
}

/** Its message has one line per mistake and is printed as it stands. */
export class ConfigFailure extends Error {
  override readonly name = 'ConfigFailure'
}

/** The value of the variable that `key` names. */
export function readSecret(environment: Environment, name: string, key: string): string {
  const value = environment[name]
  if (value !== undefined && value !== '') return value
  throw new FloeError(
    'invalid',
    'secret-missing',
    `the environment variable ${name} (named by ${key}) is not set: set it and start again`,
  )
}

/** Names of the variables a configuration needs that are not set, with the keys that name them. */
export function findMissingSecrets(config: ValidatedConfig, environment: Environment): string[] {
  const missing: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, `${path}[${index}]`)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const written = key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
        const at = path === '' ? written : `${path}.${written}`
        if (key.endsWith('Env') && typeof inner === 'string' && !environment[inner]) missing.push(`${inner} (${at})`)
        else visit(inner, at)
      }
    }
  }
  visit(config.server, '')
  visit(config.clusters, 'source_clusters')
  return missing
}

/** Where the one store of this Floe is. */
export function storeUrl(server: ServerOptions): string {
  const { destinationBucketUrl, dataDir, storage } = server
  if (destinationBucketUrl === undefined) return `file://${resolve(dataDir, 'store')}`
  if (!destinationBucketUrl.startsWith('s3://')) return destinationBucketUrl
  const [place = '', query = ''] = destinationBucketUrl.split('?', 2)
  const parameters = new URLSearchParams(query)
  if (storage.region !== undefined && !parameters.has('region')) parameters.set('region', storage.region)
  if (storage.endpoint !== undefined && !parameters.has('endpoint')) parameters.set('endpoint', storage.endpoint)
  if (storage.pathStyle && !parameters.has('path_style')) parameters.set('path_style', 'true')
  return parameters.size === 0 ? place : `${place}?${parameters.toString()}`
}

/** Undefined: the AWS default chain. */
export function storeCredentials(server: ServerOptions, environment: Environment): S3Credentials | undefined {
  const { accessKeyIdEnv, secretAccessKeyEnv, sessionTokenEnv } = server.storage
  if (accessKeyIdEnv === undefined || secretAccessKeyEnv === undefined) return undefined
  const credentials = {
    accessKeyId: readSecret(environment, accessKeyIdEnv, 'storage.access_key_id_env'),
    secretAccessKey: readSecret(environment, secretAccessKeyEnv, 'storage.secret_access_key_env'),
  }
  if (sessionTokenEnv === undefined) return credentials
  return { ...credentials, sessionToken: readSecret(environment, sessionTokenEnv, 'storage.session_token_env') }
}

const saslMechanisms = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

/** errors  invalid: a variable is not set or a TLS file cannot be read */
export function clusterOptions(cluster: SourceCluster, environment: Environment): RemoteClusterOptions {
  const { name, bootstrapBrokers, credentials } = cluster
  const where = `source_clusters ${name}`
  const { saslUsernameEnv, saslPasswordEnv, saslMechanism, useTls } = credentials
  const sasl =
    saslUsernameEnv === undefined || saslPasswordEnv === undefined
      ? {}
      : {
          sasl: {
            mechanism: saslMechanisms[saslMechanism],
            username: readSecret(environment, saslUsernameEnv, `sasl_username_env of ${where}`),
            password: readSecret(environment, saslPasswordEnv, `sasl_password_env of ${where}`),
          },
        }
  if (!useTls) return { name, bootstrapBrokers, ...sasl }
  const read = (key: string, file: string | undefined): string | undefined => {
    if (file === undefined) return undefined
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new FloeError('invalid', 'tls-file-unreadable', `${key} of ${where}: ${errorMessage(error)}`)
    }
  }
  const ca = read('tls_ca_file', credentials.tlsCaFile)
  const cert = read('tls_cert_file', credentials.tlsCertFile)
  const key = read('tls_key_file', credentials.tlsKeyFile)
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
  return { name, bootstrapBrokers, ...sasl, tls }
}
