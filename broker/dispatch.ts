/**
 * From a frame to its answer: header, authentication gate, body, handler, encoding.
 *
 *   unknown call or version   ApiVersions: a v0 answer with UNSUPPORTED_VERSION (KIP-511); any other: the connection is closed,
 *                             since the form of an answer cannot be known
 *   malformed body            the connection is closed
 *   before authentication     only ApiVersions and the SASL calls; anything else closes the connection
 */
import { FloeError } from '../core/errors.ts'
import { Leases } from '../core/lease.ts'
import type { ApiName } from '../kafka/api-keys.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse, type RequestHeader } from '../kafka/protocol/codec.ts'
import type { Answer, Dispatch } from './connection.ts'
import type { HandlerContext } from './context.ts'
import { unsupportedApiVersions } from './handlers/api-versions.ts'
import { findHandler } from './handlers/index.ts'
import type { Session } from './session.ts'

const allowedBeforeAuthentication: ReadonlySet<ApiName> = new Set(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'])
const noParts: readonly Uint8Array[] = []
/** An empty frame: what a raw SASL token is answered with. */
const emptyFrame = [new Uint8Array(4)]

export function createDispatch(context: HandlerContext): Dispatch {
  return async (frame, session) => {
    if (session.sasl === 'expects-raw-token') return authenticateRaw(frame, session, context)
    const header = decodeRequestHeader(frame)
    const { api, apiKey, apiVersion, correlationId } = header
    if (api === 'ApiVersions' && !header.isServed) {
      context.metrics.countRequest(api)
      return { parts: encodeResponse('ApiVersions', 0, correlationId, unsupportedApiVersions) }
    }
    if (api === undefined || !header.isServed) throw refuseUnserved(api ?? `call ${apiKey}`, apiVersion)
    if (!session.isAuthenticated && !allowedBeforeAuthentication.has(api)) {
      throw new FloeError('invalid', 'not-authenticated', `${api} before authentication`, { api })
    }
    context.metrics.countRequest(api)
    try {
      return await serve(api, header, frame, session, context)
    } catch (error) {
      context.metrics.countRequestError(api)
      throw error
    }
  }
}

async function serve<A extends ApiName>(
  api: A,
  { apiVersion, correlationId, clientId, bodyOffset }: RequestHeader,
  frame: Uint8Array,
  session: Session,
  context: HandlerContext,
): Promise<Answer> {
  const handler = findHandler(api)
  if (handler === undefined) throw refuseUnserved(api, apiVersion)
  const request = decodeRequest(api, apiVersion, frame, bodyOffset)
  const leases = new Leases()
  const call = { frame, version: apiVersion, clientId: clientId ?? '', session, answerLeases: leases }
  try {
    const body = await handler(request, call, context)
    const close = session.closeAfterAnswer
    return { parts: body === undefined ? noParts : encodeResponse(api, apiVersion, correlationId, body), close, leases }
  } catch (error) {
    leases.giveBack()
    throw error
  }
}

function authenticateRaw(token: Uint8Array, session: Session, { authenticator, metrics }: HandlerContext): Answer {
  session.sasl = 'none'
  const user = authenticator?.authenticatePlain(token)
  if (user === undefined) {
    metrics.authenticationFailures++
    return { parts: noParts, close: true }
  }
  session.isAuthenticated = true
  session.principal = user
  return { parts: emptyFrame }
}

function refuseUnserved(api: string, version: number): FloeError {
  return new FloeError('unsupported', 'unsupported-kafka-call', `${api} v${version} is not served`, { api, version })
}
