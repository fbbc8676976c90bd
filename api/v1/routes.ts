/** /api/v1: what Floe knows, read-only, for tools and people. Described in openapi.ts; errors as `{"error": {code, message}}`. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { suggestNearest } from '../../config/problems.ts'
import { FloeError } from '../../core/errors.ts'
import type { TableIngestStatus } from '../../ingest/service.ts'
import type { TokenCheck } from '../auth.ts'
import { toJson } from '../json.ts'
import { openApiDocument } from './openapi.ts'
import {
  type CatalogFacts,
  deadLetterFilesPageMax,
  describeTable,
  describeTableDetail,
  describeTopic,
  formatTime,
} from './views.ts'

export interface V1Parts {
  readonly catalog: CatalogFacts
  readonly storeUri: string
  readonly version: string
  readonly token: TokenCheck
  readonly uptimeMs: () => number
  /** Empty where this process does not ingest. */
  readonly ingestStatus: () => readonly TableIngestStatus[]
}

/** Registers the routes under the prefix that `app` was given, for example `/api/v1`. */
export function registerV1Routes(app: FastifyInstance, parts: V1Parts): void {
  const { catalog, storeUri, token } = parts
  const send = (reply: FastifyReply, body: unknown): FastifyReply => reply.type('application/json').send(toJson(body))
  const ingestOf = (name: string): TableIngestStatus | undefined =>
    parts.ingestStatus().find(status => status.table === name)

  app.addHook('onRequest', async request => {
    if (token.allowsHeader(request.headers.authorization)) return
    throw new FloeError('invalid', 'not-authorized', 'give the token of this Floe as Authorization: Bearer <token>')
  })

  app.get('/openapi.json', (_request, reply) => send(reply, openApiDocument))

  app.get('/status', async (_request, reply) => {
    const tables = await catalog.tables()
    return send(reply, {
      version: parts.version,
      clusterId: await catalog.clusterId(),
      uptimeSeconds: Math.floor(parts.uptimeMs() / 1000),
      store: storeUri,
      topics: (await catalog.topics()).length,
      tables: tables.length,
      rows: tables.reduce((sum, table) => sum + table.rowCount, 0n),
      deadLetters: tables.reduce((sum, table) => sum + table.deadLetterCount, 0n),
    })
  })

  app.get('/topics', async (_request, reply) => {
    const topics = [...(await catalog.topics())].sort((a, b) => (a.name < b.name ? -1 : 1))
    return send(reply, { topics: await Promise.all(topics.map(topic => describeTopic(catalog, topic))) })
  })

  app.get<{ Params: { name: string } }>('/topics/:name', async (request, reply) => {
    const topic = await catalog.topicByName(request.params.name)
    if (topic !== undefined) return send(reply, await describeTopic(catalog, topic))
    const { name } = request.params
    const names = (await catalog.topics()).map(each => each.name)
    throw new FloeError('invalid', 'unknown-topic', `there is no topic ${name}${suggestName(name, names, 'topics')}`)
  })

  app.get('/tables', async (_request, reply) => {
    const tables = [...(await catalog.tables())].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1))
    return send(reply, { tables: tables.map(table => describeTable(table, storeUri, ingestOf(table.definition.name))) })
  })

  app.get<{ Params: { name: string } }>('/tables/:name', async (request, reply) => {
    const table = await requireTable(request.params.name)
    return send(reply, await describeTableDetail(catalog, table, storeUri, ingestOf(table.definition.name)))
  })

  app.get<{ Params: { name: string }; Querystring: { skip?: string; limit?: string } }>(
    '/tables/:name/dead-letters',
    async (request, reply) => {
      const table = await requireTable(request.params.name)
      const skip = readCount(request.query.skip, 0, 'skip')
      const limit = Math.min(readCount(request.query.limit, 100, 'limit'), deadLetterFilesPageMax)
      const files = await catalog.deadLetterFiles(table.tableId, skip, limit)
      return send(reply, {
        table: table.definition.name,
        deadLetters: table.deadLetterCount,
        files: files.map(file => ({
          path: file.path,
          records: file.recordCount,
          bytes: file.fileBytes,
          committed: formatTime(file.committedMs),
        })),
      })
    },
  )

  async function requireTable(name: string) {
    const table = await catalog.tableByName(name)
    if (table !== undefined) return table
    const names = (await catalog.tables()).map(each => each.definition.name)
    throw new FloeError('invalid', 'unknown-table', `there is no table ${name}${suggestName(name, names, 'tables')}`)
  }
}

const namesToldMax = 10

/** The name that was probably meant, or those there are. */
function suggestName(written: string, names: readonly string[], what: string): string {
  const told = names.length > namesToldMax ? `${names.slice(0, namesToldMax).join(', ')} and others` : names.join(', ')
  return suggestNearest(written, names) || `; ${what}: ${told || 'none'}`
}

function readCount(text: string | undefined, fallback: number, name: string): number {
  if (text === undefined) return fallback
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new FloeError('invalid', 'parameter-invalid', `${name} must be a whole number, not ${JSON.stringify(text)}`)
}
