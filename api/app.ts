/**
 * The HTTP port: health, metrics, /api/v1 and the Iceberg REST catalog under /catalog/iceberg. Listening is the caller's work.
 *
 * Errors are JSON everywhere: in the Iceberg specification's form under /catalog/iceberg, else `{"error": {"code", "message"}}`.
 * Nothing of an internal error but its message leaves the process.
 */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Registry } from 'prom-client'
import { type ErrorKind, errorMessage, isFloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { TableIngestStatus } from '../ingest/service.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { TokenCheck } from './auth.ts'
import { IcebergError } from './iceberg/errors.ts'
import type { ReaderStorage } from './iceberg/reader-storage.ts'
import { registerIcebergRoutes } from './iceberg/routes.ts'
import { toJson } from './json.ts'
import { registerV1Routes } from './v1/routes.ts'
import type { CatalogFacts } from './v1/views.ts'

export interface AppParts {
  readonly catalog: CatalogFacts
  readonly store: ObjectStore
  readonly storage: ReaderStorage
  readonly registry: Registry
  readonly log: Log
  readonly version: string
  /** Undefined: no sign-in. */
  readonly bearerToken: string | undefined
  readonly uptimeMs: () => number
  readonly ingestStatus: () => readonly TableIngestStatus[]
  /** Undefined when ready, else one sentence that says why not. */
  readonly notReadyReason: () => string | undefined
}

const icebergPath = '/catalog/iceberg'
const apiPath = '/api/v1'

const requestBytesMax = 4 * 1024 * 1024
const requestMsMax = 30_000
const urlLengthMax = 2_048

const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  conflict: 409,
  fenced: 503,
  unavailable: 503,
  exhausted: 503,
  corrupt: 500,
  unsupported: 501,
  internal: 500,
}
const statusOfCode: Readonly<Record<string, number>> = {
  'not-authorized': 401,
  'unknown-table': 404,
  'unknown-topic': 404,
}

export function createApp(parts: AppParts): FastifyInstance {
  const { log, registry } = parts
  const token = new TokenCheck(parts.bearerToken)
  const app = Fastify({
    bodyLimit: requestBytesMax,
    requestTimeout: requestMsMax,
    routerOptions: { maxParamLength: urlLengthMax },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
  })
  // Bodies are forms at most; whatever else comes is text that nobody reads.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  const sendError = (reply: FastifyReply, status: number, code: string, message: string): FastifyReply =>
    reply
      .status(status)
      .type('application/json')
      .send(toJson({ error: { code, message } }))

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, code, message } = explainError(error)
    if (status >= 500) log.error('request failed', { method: request.method, path: request.url, error: message })
    return sendError(reply, status, code, message)
  })
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, 404, 'unknown-path', `there is nothing at ${request.method} ${request.url.split('?')[0]}`),
  )

  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', (_request, reply) => {
    const reason = parts.notReadyReason()
    return reply
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`)
  })
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))

  app.register(
    async scope => {
      registerV1Routes(scope, { ...parts, storeUri: parts.store.uri, token })
    },
    { prefix: apiPath },
  )
  app.register(
    async scope => {
      scope.setErrorHandler((error: FastifyError, request, reply) => {
        const failure = error instanceof IcebergError ? error : toIcebergError(error)
        if (failure.status >= 500) log.error('catalog request failed', { path: request.url, error: failure.message })
        if (failure.status === 401) reply.header('www-authenticate', 'Bearer')
        return reply.status(failure.status).type('application/json').send(failure.body())
      })
      scope.setNotFoundHandler(request => {
        throw new IcebergError(
          'NotFoundException',
          `this catalog does not serve ${request.method} ${request.url.split('?')[0]}`,
        )
      })
      registerIcebergRoutes(scope, { ...parts, token })
    },
    { prefix: icebergPath },
  )
  return app
}

function explainError(error: FastifyError): { status: number; code: string; message: string } {
  if (isFloeError(error)) {
    return {
      status: statusOfCode[error.code] ?? statusOfKind[error.kind],
      code: error.code,
      message: errorMessage(error),
    }
  }
  const status = error.statusCode ?? 500
  // A status below 500 is Fastify's about the request; anything else is our mistake.
  return { status, code: status < 500 ? 'bad-request' : 'internal', message: errorMessage(error) }
}

function toIcebergError(error: FastifyError): IcebergError {
  const { status, message } = explainError(error)
  if (status === 503) return new IcebergError('ServiceUnavailableException', message)
  return new IcebergError(status < 500 ? 'BadRequestException' : 'InternalServerError', message)
}
