/**
 * The few requests of the Iceberg REST catalog that readers make, answered for tables given by their metadata. It lets the
 * peers be checked without Floe; Floe's own catalog replaces it in the interoperability suite.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'

export interface FixtureTable {
  readonly metadataLocation: string
  readonly metadata: unknown
}

export interface RestFixture {
  readonly uri: string
  stop(): Promise<void>
}

/** tables: by `NAMESPACE.TABLE`. */
export async function startRestFixture(tables: Readonly<Record<string, FixtureTable>>): Promise<RestFixture> {
  const names = Object.keys(tables).map(name => name.split('.') as [string, string])
  const answer = (path: string): unknown => {
    if (path === '/v1/config') return { defaults: {}, overrides: {} }
    if (path === '/v1/namespaces')
      return { namespaces: [...new Set(names.map(([namespace]) => namespace))].map(n => [n]) }
    const [, , , namespace = '', kind, table = ''] = path.split('/')
    if (!names.some(([known]) => known === namespace)) return undefined
    if (kind === undefined) return { namespace: [namespace], properties: {} }
    if (kind !== 'tables') return undefined
    const found = tables[`${namespace}.${table}`]
    if (found) return { 'metadata-location': found.metadataLocation, metadata: found.metadata, config: {} }
    if (table !== '') return undefined
    const inside = names.filter(([known]) => known === namespace)
    return { identifiers: inside.map(([, name]) => ({ namespace: [namespace], name })) }
  }
  const server = createServer((request, response) => {
    request.resume()
    if (request.method === 'POST') {
      response.writeHead(204).end() // a reader's scan metrics
      return
    }
    const path = new URL(request.url ?? '/', 'http://fixture').pathname
    const body = answer(path)
    const error = { error: { message: `there is no ${path}`, type: 'NoSuchTableException', code: 404 } }
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body ?? error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port')
  return {
    uri: `http://127.0.0.1:${address.port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
