import { FloeError } from '../../core/errors.ts'
import type { ApiName } from '../api-keys.ts'
import { apis, findApi, isFlexible, isVersionServed } from '../api-keys.ts'
import type { Codec } from './compile.ts'
import { compileStruct } from './compile.ts'
import { messages } from './messages.ts'
import { ProtocolReader } from './reader.ts'
import type { Decoded, Encodable, Struct } from './schema.ts'
import { ProtocolWriter } from './writer.ts'

/**
 * Frames to messages and back. A frame is what follows the int32 size prefix (framing.ts).
 *
 *   request  := int16 api key, int16 api version, int32 correlation id, string client id, [tagged fields]h2, body
 *   response := int32 correlation id, [tagged fields]h1, body
 *
 * Flexible versions have header v2 and v1, the others v1 and v0; the response to ApiVersions always has header v0. The client
 * id is an int16-sized string in both.
 *
 * Invariants: codecs are compiled at first use and kept for ever (their number is bounded by the table of versions). Bytes left
 * over after a body are ignored, as Kafka ignores them.
 */
export type RequestBody<A extends ApiName> = Decoded<(typeof messages)[A]['request']>
export type ResponseBody<A extends ApiName> = Encodable<(typeof messages)[A]['response']>
/** What a client encodes and decodes. */
export type RequestInput<A extends ApiName> = Encodable<(typeof messages)[A]['request']>
export type ResponseOutput<A extends ApiName> = Decoded<(typeof messages)[A]['response']>

export interface RequestHeader {
  readonly apiKey: number
  /** Undefined: a key Floe does not describe. */
  readonly api: ApiName | undefined
  readonly apiVersion: number
  /**
   * Whether the body can be decoded. If not: ApiVersions is answered in v0 with UNSUPPORTED_VERSION, for every other call the
   * connection is closed.
   */
  readonly isServed: boolean
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts in the frame; only meaningful when served. */
  readonly bodyOffset: number
}

/**
 * Reads the header of a request frame.
 *
 * errors  invalid: the frame ends inside the header
 */
export function decodeRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new ProtocolReader(frame, 'request header')
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const api = findApi(apiKey)
  const isServed = api !== undefined && isVersionServed(api, apiVersion)
  const clientId = reader.remaining === 0 ? null : reader.string()
  if (isServed && isFlexible(api, apiVersion)) reader.skipTaggedFields()
  return { apiKey, api, apiVersion, isServed, correlationId, clientId, bodyOffset: reader.offset }
}

/**
 * Decodes the body of a request. Bytes and records are views of the frame.
 *
 * errors  invalid: malformed bytes; unsupported: a version outside the served range
 */
export function decodeRequest<A extends ApiName>(
  api: A,
  version: number,
  frame: Uint8Array,
  bodyOffset: number,
): RequestBody<A> {
  const codec = findCodec<unknown, RequestBody<A>>(api, version, 'request')
  return codec.read(new ProtocolReader(frame, `${api} v${version} request`, bodyOffset))
}

/**
 * Encodes a whole response, size prefix included, as buffers for one gathered write. Record bytes are not copied: they must
 * stay unchanged until written.
 */
export function encodeResponse<A extends ApiName>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseBody<A>,
): Uint8Array[] {
  const codec = findCodec<ResponseBody<A>, unknown>(api, version, 'response')
  const writer = new ProtocolWriter()
  writer.int32(0)
  writer.int32(correlationId)
  if (api !== 'ApiVersions' && isFlexible(api, version)) writer.uvarint(0)
  codec.write(writer, body)
  writer.setInt32At(0, writer.length - 4)
  return writer.finish()
}

/** Encodes a whole request, size prefix included. */
export function encodeRequest<A extends ApiName>(
  api: A,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  body: RequestInput<A>,
): Uint8Array[] {
  const codec = findCodec<RequestInput<A>, unknown>(api, version, 'request')
  const writer = new ProtocolWriter()
  writer.int32(0)
  writer.int16(apis[api].key)
  writer.int16(version)
  writer.int32(header.correlationId)
  writer.string(header.clientId)
  if (isFlexible(api, version)) writer.uvarint(0)
  codec.write(writer, body)
  writer.setInt32At(0, writer.length - 4)
  return writer.finish()
}

/** Decodes a response frame, size prefix excluded. Bytes and records are views of the frame. */
export function decodeResponse<A extends ApiName>(
  api: A,
  version: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly body: ResponseOutput<A> } {
  const codec = findCodec<unknown, ResponseOutput<A>>(api, version, 'response')
  const reader = new ProtocolReader(frame, `${api} v${version} response`)
  const correlationId = reader.int32()
  if (api !== 'ApiVersions' && isFlexible(api, version)) reader.skipTaggedFields()
  return { correlationId, body: codec.read(reader) }
}

/** Encodes the body of a request alone, for clients whose library frames it. */
export function encodeRequestBody<A extends ApiName>(api: A, version: number, body: RequestInput<A>): Uint8Array[] {
  const codec = findCodec<RequestInput<A>, unknown>(api, version, 'request')
  const writer = new ProtocolWriter()
  codec.write(writer, body)
  return writer.finish()
}

/** Decodes the body of a response, whose header a client library has taken off. Bytes and records are views of `bytes`. */
export function decodeResponseBody<A extends ApiName>(api: A, version: number, bytes: Uint8Array): ResponseOutput<A> {
  const codec = findCodec<unknown, ResponseOutput<A>>(api, version, 'response')
  return codec.read(new ProtocolReader(bytes, `${api} v${version} response`))
}

type Direction = 'request' | 'response'

const codecs = new Map<number, Codec<unknown, unknown>>()

function findCodec<In, Out>(api: ApiName, version: number, direction: Direction): Codec<In, Out> {
  const id = apis[api].key * 0x1_0000 + version * 2 + (direction === 'request' ? 0 : 1)
  let codec = codecs.get(id)
  if (codec === undefined) {
    if (!isVersionServed(api, version)) {
      throw new FloeError(
        'unsupported',
        'unsupported-kafka-version',
        `${api} v${version} is not served; Floe serves v${apis[api].min} to v${apis[api].max}`,
      )
    }
    const description: Struct<unknown, unknown> = messages[api][direction]
    codec = compileStruct(description, version, isFlexible(api, version), `${api} ${direction}`)
    codecs.set(id, codec)
  }
  return codec as Codec<In, Out>
}
