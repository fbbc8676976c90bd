/**
 * Trino as a peer: one node on loopback with a catalog `floe` on an Iceberg REST catalog, and SQL through its HTTP API.
 *
 * Tables may lie on the local file system (`file:/`) or, with `s3`, in a bucket.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { launcher, makeTempDir } from './peers.ts'
import { freePorts, startServer, waitUntilReady } from './process.ts'
import type { S3Connection } from './s3.ts'

const READY_MS_MAX = 180_000
const NODE_MS_MAX = 60_000
const NODE_POLL_MS = 500

export interface TrinoOptions {
  /** For example http://127.0.0.1:8080/catalog/iceberg */
  readonly icebergRestUri: string
  /** A bearer token for the REST catalog. */
  readonly token?: string
  readonly warehouse?: string
  readonly s3?: S3Connection
  /** More properties of the catalog, or others in the place of those made here. */
  readonly properties?: Readonly<Record<string, string>>
}

/**
 * A value as Trino's protocol carries it: decimals, times and varbinary (base64) are strings, rows and arrays are arrays,
 * integers that a double cannot hold are bigint.
 */
export type TrinoValue = null | boolean | number | bigint | string | TrinoValue[] | { [key: string]: TrinoValue }

export interface TrinoResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly TrinoValue[])[]
}

export interface Trino {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** The name of the catalog; a table is `floe.NAMESPACE.TABLE`. */
  readonly catalog: string
  query(sql: string): Promise<TrinoResult>
  output(): string
  stop(): Promise<void>
}

interface StatementAnswer {
  readonly columns?: { name: string; type: string }[]
  readonly data?: TrinoValue[][]
  readonly nextUri?: string
  readonly error?: { message: string; errorName: string }
}

export async function startTrino(options: TrinoOptions): Promise<Trino> {
  const script = launcher('trino')
  const port = (await freePorts(1))[0]!
  const dataDir = makeTempDir('trino')
  const catalogs = join(dataDir, 'catalogs')
  mkdirSync(catalogs)
  writeFileSync(join(catalogs, 'floe.properties'), renderProperties(catalogProperties(options)))
  const server = startServer(script, ['--port', `${port}`, '--data', join(dataDir, 'data'), '--catalogs', catalogs])
  const url = `http://127.0.0.1:${port}`
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/v1/info`)
    const info = (await answer.json()) as { starting: boolean }
    return !info.starting
  }
  await waitUntilReady('Trino', server, isReady, READY_MS_MAX)
  return {
    url,
    port,
    pid: server.pid,
    catalog: 'floe',
    query: sql => query(url, sql),
    output: server.output,
    async stop() {
      // A graceful end of Trino waits for minutes; it holds nothing that must be kept.
      server.kill('SIGKILL')
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function catalogProperties(options: TrinoOptions): Record<string, string> {
  const properties: Record<string, string> = {
    'connector.name': 'iceberg',
    'iceberg.catalog.type': 'rest',
    'iceberg.rest-catalog.uri': options.icebergRestUri,
    // Trino's own local file system knows only local:/ URIs; Hadoop's reads the file:/ of Iceberg metadata.
    'fs.hadoop.enabled': 'true',
  }
  if (options.warehouse !== undefined) properties['iceberg.rest-catalog.warehouse'] = options.warehouse
  if (options.token !== undefined) {
    properties['iceberg.rest-catalog.security'] = 'OAUTH2'
    properties['iceberg.rest-catalog.oauth2.token'] = options.token
  }
  if (options.s3) {
    properties['fs.native-s3.enabled'] = 'true'
    properties['s3.endpoint'] = options.s3.endpoint
    properties['s3.region'] = options.s3.region
    properties['s3.path-style-access'] = 'true'
    properties['s3.aws-access-key'] = options.s3.accessKeyId
    properties['s3.aws-secret-key'] = options.s3.secretAccessKey
  }
  return { ...properties, ...options.properties }
}

function renderProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

class TrinoError extends Error {
  readonly errorName: string
  constructor(errorName: string, message: string) {
    super(`Trino: ${errorName}: ${message}`)
    this.errorName = errorName
  }
}

/** Waits for the node that answers: it takes queries of a catalog only once it has announced that catalog, some time after its start. */
async function query(url: string, sql: string): Promise<TrinoResult> {
  const deadlineMs = Date.now() + NODE_MS_MAX
  for (;;) {
    try {
      return await queryOnce(url, sql)
    } catch (error) {
      const isWaiting = error instanceof TrinoError && error.errorName === 'NO_NODES_AVAILABLE'
      if (!isWaiting || Date.now() > deadlineMs) throw error
      await setTimeout(NODE_POLL_MS)
    }
  }
}

async function queryOnce(url: string, sql: string): Promise<TrinoResult> {
  // Without the capability Trino rounds times to milliseconds.
  const headers = {
    'X-Trino-User': 'floe',
    'X-Trino-Time-Zone': 'UTC',
    'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
  }
  let answer = await readAnswer(await fetch(`${url}/v1/statement`, { method: 'POST', body: sql, headers }))
  let columns: TrinoResult['columns'] = []
  const rows: TrinoValue[][] = []
  for (;;) {
    if (answer.error) throw new TrinoError(answer.error.errorName, `${answer.error.message}\n${sql}`)
    if (answer.columns) columns = answer.columns.map(({ name, type }) => ({ name, type }))
    if (answer.data) rows.push(...answer.data)
    if (answer.nextUri === undefined) return { columns, rows }
    answer = await readAnswer(await fetch(answer.nextUri, { headers }))
  }
}

async function readAnswer(response: Response): Promise<StatementAnswer> {
  const text = await response.text()
  if (response.status !== 200) throw new Error(`Trino answered ${response.status}: ${text.slice(0, 500)}`)
  return JSON.parse(text, keepLongIntegers) as StatementAnswer
}

/** A JSON.parse reviver; engines that hand it the source text let integers beyond 2^53 stay exact. */
function keepLongIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !context?.source) return value
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
}
