/**
 * The Iceberg REST catalog, read-only: one namespace `default` with every table that has a published version.
 *
 * Invariants
 *   - A version is served only after the catalog says it is published, which is after all its files exist; `metadata-location`
 *     names the very file whose text is inline.
 *   - The metadata text is embedded as stored, never parsed and printed again.
 *   - Nothing here writes: every other method is refused with 403.
 *
 * source  Iceberg REST OpenAPI (rest-catalog-open-api.yaml)
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CatalogQueries, PublishedVersion, Table } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { TokenCheck } from '../auth.ts'
import { IcebergError } from './errors.ts'
import { MetadataCache } from './metadata-cache.ts'
import { describeStorage, listCredentials, type ReaderStorage } from './reader-storage.ts'

export interface IcebergParts {
  readonly catalog: Pick<CatalogQueries, 'tables' | 'tableByName'>
  readonly store: ObjectStore
  readonly storage: ReaderStorage
  readonly token: TokenCheck
}

const icebergNamespace = 'default'
const tablesPerPageMax = 1_000
const tokenLifetimeSeconds = 3_600

/** What this catalog serves; a client that asks for less of the specification than this list finds nothing missing. */
const endpoints = [
  'GET /v1/{prefix}/namespaces',
  'GET /v1/{prefix}/namespaces/{namespace}',
  'HEAD /v1/{prefix}/namespaces/{namespace}',
  'GET /v1/{prefix}/namespaces/{namespace}/tables',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
]

interface NamespaceParams {
  readonly namespace: string
}
interface TableParams extends NamespaceParams {
  readonly table: string
}
interface PageQuery {
  readonly pageToken?: string
  readonly pageSize?: string
  readonly parent?: string
}

/** Registers the routes under the prefix that `app` was given, for example `/catalog/iceberg`. */
export function registerIcebergRoutes(app: FastifyInstance, parts: IcebergParts): void {
  const { catalog, store, storage, token } = parts
  const metadata = new MetadataCache(store)
  const sendJson = (reply: FastifyReply, body: unknown): FastifyReply =>
    reply.type('application/json').send(typeof body === 'string' ? body : JSON.stringify(body))

  app.addHook('onRequest', async request => {
    const path = request.routeOptions.url ?? ''
    if (path.endsWith('/v1/oauth/tokens')) return
    if (!token.allowsHeader(request.headers.authorization)) {
      throw new IcebergError(
        'NotAuthorizedException',
        'give the token of this catalog as Authorization: Bearer <token>',
      )
    }
    if (request.method === 'GET' || request.method === 'HEAD' || path.endsWith('/metrics')) return
    throw new IcebergError(
      'ForbiddenException',
      'this catalog is read-only: tables are written by Floe, from the topics its configuration names',
    )
  })

  app.get('/v1/config', (_request, reply) => sendJson(reply, { defaults: {}, overrides: {}, endpoints }))

  app.post<{ Body: unknown }>('/v1/oauth/tokens', (request, reply) => {
    const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '')
    const refuse = (error: string, description: string, status: number): FastifyReply =>
      sendJson(reply.status(status), { error, error_description: description })
    if (!token.isRequired)
      return refuse('invalid_request', 'this catalog asks for no sign-in: leave the credential out', 400)
    if (form.get('grant_type') !== 'client_credentials') {
      return refuse('unsupported_grant_type', 'only client_credentials is served', 400)
    }
    const secret = form.get('client_secret') ?? readBasicSecret(request.headers.authorization) ?? ''
    if (!token.allowsToken(secret))
      return refuse('invalid_client', 'the client secret is not the token of this catalog', 401)
    return sendJson(reply, {
      access_token: secret,
      token_type: 'bearer',
      expires_in: tokenLifetimeSeconds,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
  })

  app.get<{ Querystring: PageQuery }>('/v1/namespaces', (request, reply) => {
    const { parent } = request.query
    if (parent !== undefined && parent !== '') {
      requireNamespace(parent)
      return sendJson(reply, { namespaces: [], 'next-page-token': null })
    }
    return sendJson(reply, { namespaces: [[icebergNamespace]], 'next-page-token': null })
  })

  app.get<{ Params: NamespaceParams }>('/v1/namespaces/:namespace', (request, reply) => {
    requireNamespace(request.params.namespace)
    return sendJson(reply, { namespace: [icebergNamespace], properties: { location: `${store.uri}/tables` } })
  })

  app.head<{ Params: NamespaceParams }>('/v1/namespaces/:namespace', (request, reply) => {
    requireNamespace(request.params.namespace)
    return reply.status(204).send()
  })

  app.get<{ Params: NamespaceParams; Querystring: PageQuery }>(
    '/v1/namespaces/:namespace/tables',
    async (request, reply) => {
      requireNamespace(request.params.namespace)
      const names = (await catalog.tables())
        .filter(table => table.published !== undefined)
        .map(table => table.definition.name)
        .sort()
      const page = cutPage(names, request.query)
      return sendJson(reply, {
        identifiers: page.names.map(name => ({ namespace: [icebergNamespace], name })),
        'next-page-token': page.next,
      })
    },
  )

  app.get<{ Params: NamespaceParams }>('/v1/namespaces/:namespace/views', (request, reply) => {
    requireNamespace(request.params.namespace)
    return sendJson(reply, { identifiers: [], 'next-page-token': null })
  })

  app.get<{ Params: TableParams }>('/v1/namespaces/:namespace/tables/:table', async (request, reply) => {
    const { table, published } = await requireTable(catalog, request.params)
    const vends = wantsCredentials(request) && storage.credentials !== undefined
    const etag = `"${table.tableUuid}-${published.version}${vends ? '-c' : ''}"`
    reply.header('etag', etag)
    if (matchesEtag(request.headers['if-none-match'], etag)) return reply.status(304).send()
    const key = `${tableFolder(table.definition.name, table.tableUuid)}/${published.icebergMetadataPath}`
    const text = await metadata.read(key)
    const credentials = vends ? listCredentials(storage) : []
    // Older clients know credentials only as table config.
    const config = { ...describeStorage(storage), ...credentials[0]?.config }
    const location = JSON.stringify(`${store.uri}/${key}`)
    const rest = `"config":${JSON.stringify(config)},"storage-credentials":${JSON.stringify(credentials)}`
    return sendJson(reply, `{"metadata-location":${location},"metadata":${text.trim()},${rest}}`)
  })

  app.head<{ Params: TableParams }>('/v1/namespaces/:namespace/tables/:table', async (request, reply) => {
    await requireTable(catalog, request.params)
    return reply.status(204).send()
  })

  app.get<{ Params: TableParams }>('/v1/namespaces/:namespace/tables/:table/credentials', async (request, reply) => {
    await requireTable(catalog, request.params)
    return sendJson(reply, { 'storage-credentials': listCredentials(storage) })
  })

  app.get<{ Params: { namespace: string; view: string } }>('/v1/namespaces/:namespace/views/:view', request => {
    requireNamespace(request.params.namespace)
    throw new IcebergError('NoSuchViewException', `View does not exist: ${icebergNamespace}.${request.params.view}`)
  })

  // What readers measured is theirs to know; the answer keeps them from warning.
  app.post<{ Params: TableParams }>('/v1/namespaces/:namespace/tables/:table/metrics', async (request, reply) => {
    await requireTable(catalog, request.params)
    return reply.status(204).send()
  })
}

/** Several levels come joined by the unit separator (0x1F); there is one level and one namespace here. */
function requireNamespace(written: string): void {
  if (written === icebergNamespace) return
  throw new IcebergError('NoSuchNamespaceException', `Namespace does not exist: ${written.replaceAll('\u001f', '.')}`)
}

async function requireTable(
  catalog: Pick<CatalogQueries, 'tableByName'>,
  { namespace, table: name }: TableParams,
): Promise<{ table: Table; published: PublishedVersion }> {
  if (namespace !== icebergNamespace) {
    const shown = namespace.replaceAll('\u001f', '.')
    throw new IcebergError('NoSuchTableException', `Table does not exist: ${shown}.${name}`)
  }
  const table = await catalog.tableByName(name)
  if (table?.published === undefined) {
    const why = table === undefined ? '' : ' (it is there, and its first version is not published yet)'
    throw new IcebergError('NoSuchTableException', `Table does not exist: ${namespace}.${name}${why}`)
  }
  return { table, published: table.published }
}

/** A client that sends no page token gets everything (specification, PageToken). The token is the last name of the page before. */
function cutPage(names: readonly string[], query: PageQuery): { names: readonly string[]; next: string | null } {
  const { pageToken, pageSize } = query
  if (pageToken === undefined) return { names, next: null }
  const size = Number(pageSize ?? tablesPerPageMax)
  if (!Number.isInteger(size) || size < 1)
    throw new IcebergError('BadRequestException', 'pageSize must be a number from 1')
  const rest = pageToken === '' ? names : names.filter(name => name > pageToken)
  const page = rest.slice(0, Math.min(size, tablesPerPageMax))
  return { names: page, next: page.length < rest.length ? (page.at(-1) ?? null) : null }
}

function wantsCredentials(request: FastifyRequest): boolean {
  const header = request.headers['x-iceberg-access-delegation']
  return typeof header === 'string' && header.split(',').some(way => way.trim() === 'vended-credentials')
}

/** Weak comparison (RFC 9110, 13.1.2). */
function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some(each => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag)
}

function readBasicSecret(header: string | undefined): string | undefined {
  const match = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')
  if (match?.[1] === undefined) return undefined
  const pair = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon === -1 ? undefined : decodeURIComponentSafely(pair.slice(colon + 1))
}

/** Both halves are form-encoded (RFC 6749, 2.3.1); a stray percent sign stands for itself. */
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
