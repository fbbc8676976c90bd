/**
 * A connection to any Kafka-protocol cluster. Connections, SASL, TLS and metadata come from @platformatic/kafka; the calls that
 * carry records go through Floe's own codecs, which keep record batches as bytes instead of an object per record.
 */
import {
  AuthenticationError,
  Base,
  type ClusterTopicMetadata,
  type Connection,
  MultipleErrors,
  ProtocolError,
  UserError,
  Writer,
} from '@platformatic/kafka'
import { errorMessage, FloeError } from '../../core/errors.ts'
import { type ApiName, apis, isFlexible } from '../../kafka/api-keys.ts'
import { findKafkaError } from '../../kafka/errors.ts'
import {
  decodeResponseBody,
  encodeRequestBody,
  type RequestInput,
  type ResponseOutput,
} from '../../kafka/protocol/codec.ts'

export interface RemoteClusterOptions {
  /** Its name in the configuration, for messages. */
  readonly name: string
  readonly bootstrapBrokers: readonly { readonly hostname: string; readonly port: number }[]
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: string
  }
  readonly tls?: {
    /** PEM; undefined: the system's authorities. */
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
  }
}

const connectTimeoutMs = 5_000
/** Longer than any long poll. */
const requestTimeoutMs = 30_000

/** From Fetch v13 on topics go by id, so a topic that was created again is never mistaken for the old one (KIP-516). */
const versionMax = { Fetch: 17, ListOffsets: 7 } as const
export const fetchVersionByNameMax = 12

type RecordApi = keyof typeof versionMax

export const unknownTopicOrPartition = 3
export const isolationReadCommitted = 1
export const noTopicId = '00000000-0000-0000-0000-000000000000'
const leaderNotAvailable = 5

export class RemoteCluster {
  readonly #options: RemoteClusterOptions
  readonly #client: Base
  /** By node id and API: what the broker and Floe both speak. */
  readonly #versions = new Map<RecordApi, Promise<number>>()

  constructor(options: RemoteClusterOptions) {
    this.#options = options
    const { sasl, tls } = options
    this.#client = new Base({
      clientId: 'floe',
      bootstrapBrokers: options.bootstrapBrokers.map(({ hostname, port }) => ({ host: hostname, port })),
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      retries: 0,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls }),
    })
  }

  /**
   * What the cluster says of a topic now; undefined when it does not exist.
   *
   * errors  unavailable: unreachable; invalid: sign-in refused
   */
  async describe(topic: string): Promise<ClusterTopicMetadata | undefined> {
    try {
      const metadata = await this.#client.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true })
      return metadata.topics.get(topic)
    } catch (error) {
      if (isUnknownTopic(error)) return undefined
      throw this.#translate(error)
    }
  }

  /** Forgets what is known of leaders, so that the next call asks. */
  forgetLeaders(): void {
    this.#client.clearMetadata()
  }

  /** The node that leads each partition, by the cached metadata. */
  async #leaders(topic: string): Promise<readonly number[]> {
    try {
      const metadata = await this.#client.metadata({ topics: [topic], autocreateTopics: false })
      return metadata.topics.get(topic)?.partitions.map(partition => partition.leader) ?? []
    } catch (error) {
      if (isUnknownTopic(error)) return []
      throw this.#translate(error)
    }
  }

  /** The items by the node that leads their partition. */
  async groupByLeader<T>(
    topic: string,
    items: readonly T[],
    partitionOf: (item: T) => number,
  ): Promise<ReadonlyMap<number, T[]>> {
    const leaders = await this.#leaders(topic)
    const groups = new Map<number, T[]>()
    for (const item of items) {
      const leader = leaders[partitionOf(item)]
      if (leader === undefined) throw this.partitionError(topic, partitionOf(item), unknownTopicOrPartition)
      if (leader < 0) throw this.partitionError(topic, partitionOf(item), leaderNotAvailable)
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [item])
      else group.push(item)
    }
    return groups
  }

  partitionError(topic: string, partition: number, code: number): FloeError {
    const { name, message } = describeError(code)
    if (code === unknownTopicOrPartition) {
      return new FloeError('invalid', 'source-partition-unknown', `partition ${partition} of ${topic} does not exist`)
    }
    this.forgetLeaders()
    return new FloeError('unavailable', 'source-partition-error', `${topic}/${partition}: ${name}: ${message}`)
  }

  /** `versionCap` keeps the call below a version whose form the body does not have. */
  async call<A extends RecordApi>(
    nodeId: number,
    api: A,
    body: RequestInput<A>,
    versionCap: number = versionMax[api],
  ): Promise<ResponseOutput<A>> {
    try {
      const connection = (await this.#client.connectToBrokers([nodeId])).get(nodeId)
      if (connection === undefined) throw new FloeError('unavailable', 'broker-unknown', `broker ${nodeId} is unknown`)
      const version = Math.min(versionCap, await this.#version(api))
      return await send(connection, api, version, body)
    } catch (error) {
      throw this.#translate(error)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  #version(api: RecordApi): Promise<number> {
    let version = this.#versions.get(api)
    if (version === undefined) {
      version = this.#negotiate(api)
      version.catch(() => this.#versions.delete(api))
      this.#versions.set(api, version)
    }
    return version
  }

  async #negotiate(api: RecordApi): Promise<number> {
    const { key, min } = apis[api]
    const offered = (await this.#client.listApis()).find(each => each.apiKey === key)
    const version = Math.min(versionMax[api], offered?.maxVersion ?? -1)
    if (offered === undefined || version < Math.max(min, offered.minVersion)) {
      throw new FloeError(
        'unsupported',
        'source-cluster-too-old',
        `source cluster ${this.#options.name} does not speak ${api} v${min} to v${versionMax[api]}`,
      )
    }
    return version
  }

  #translate(error: unknown): FloeError {
    if (error instanceof FloeError) return error
    const { name, bootstrapBrokers, sasl } = this.#options
    const where = bootstrapBrokers.map(({ hostname, port }) => `${hostname}:${port}`).join(', ')
    if (findError(error, each => each instanceof AuthenticationError) !== undefined) {
      return new FloeError(
        'invalid',
        'source-authentication-failed',
        `source cluster ${name} (${where}) refused user ${sasl?.username ?? '(none)'} with ${sasl?.mechanism ?? 'no SASL'}: check its credentials`,
        { cluster: name },
        error,
      )
    }
    return new FloeError(
      'unavailable',
      'source-unreachable',
      `source cluster ${name} (${where}) cannot be reached: ${deepestMessage(error)}`,
      { cluster: name },
      error,
    )
  }
}

export function describeError(code: number): { readonly name: string; readonly message: string } {
  return findKafkaError(code) ?? { name: `error ${code}`, message: 'an unknown error code' }
}

function send<A extends ApiName>(
  connection: Connection,
  api: A,
  version: number,
  body: RequestInput<A>,
): Promise<ResponseOutput<A>> {
  const flexible = isFlexible(api, version)
  return new Promise((resolve, reject) => {
    connection.send<ResponseOutput<A>>(
      apis[api].key,
      version,
      () => Writer.create().append(Buffer.concat(encodeRequestBody(api, version, body))),
      (_correlationId, _apiKey, _apiVersion, reader) =>
        decodeResponseBody(api, version, reader.buffer.slice(reader.position)),
      flexible,
      flexible,
      (error, answer) => {
        if (error !== null || answer === undefined) reject(error ?? new Error('no answer'))
        else resolve(answer)
      },
    )
  })
}

function findError(error: unknown, matches: (each: unknown) => boolean): unknown {
  if (matches(error)) return error
  if (error instanceof MultipleErrors) {
    for (const each of error.errors) {
      const found = findError(each, matches)
      if (found !== undefined) return found
    }
  }
  if (error instanceof Error && error.cause !== undefined) return findError(error.cause, matches)
  return undefined
}

/** The cluster's own answer, or the library's when the topic is missing from it. */
function isUnknownTopic(error: unknown): boolean {
  const says = (each: unknown): boolean =>
    (each instanceof ProtocolError && each.apiId === 'UNKNOWN_TOPIC_OR_PARTITION') ||
    (each instanceof UserError && each.message.startsWith('Unknown topic'))
  return findError(error, says) !== undefined
}

/** The library wraps errors in errors; the innermost says what happened, for example `connect ECONNREFUSED`. */
function deepestMessage(error: unknown): string {
  if (error instanceof MultipleErrors && error.errors.length > 0) return deepestMessage(error.errors[0])
  if (error instanceof Error && error.cause !== undefined) return deepestMessage(error.cause)
  return errorMessage(error)
}
