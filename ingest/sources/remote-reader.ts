/**
 * Reads records of a remote cluster for one reader, over connections of its own: brokers answer the requests of a connection one
 * after the other, so that a long poll for a topic without news would hold up everybody else.
 *
 * Every leader has at most one fetch in flight. A fetch answers as soon as one leader brought something, so that a slow or idle
 * broker does not hold up the others; what the others bring later waits for the next fetch, and is dropped when that asks for
 * other offsets. At most one answer per leader waits: memory is bounded by leaders times `bytesMax`.
 */
import { FloeError } from '../../core/errors.ts'
import type { RequestInput, ResponseOutput } from '../../kafka/protocol/codec.ts'
import type { FetchedPartition, FetchRequestPart, RecordReader, SourceFetchOptions } from '../../kafka/record-source.ts'
import {
  describeError,
  fetchVersionByNameMax,
  isolationReadCommitted,
  noTopicId,
  type RemoteCluster,
  unknownTopicOrPartition,
} from './remote-cluster.ts'

/** What one leader was asked, and its answer once it is there. */
interface LeaderFetch {
  readonly parts: readonly FetchRequestPart[]
  readonly settled: Promise<void>
  answer: readonly FetchedPartition[] | undefined
  failure: unknown
}

export class RemoteReader implements RecordReader {
  readonly #cluster: RemoteCluster
  /** By topic and leader. */
  readonly #fetches = new Map<string, LeaderFetch>()
  readonly #closing = new AbortController()

  /** `cluster` belongs to the reader, which closes it. */
  constructor(cluster: RemoteCluster) {
    this.#cluster = cluster
  }

  async fetch(
    topic: string,
    parts: readonly FetchRequestPart[],
    options: SourceFetchOptions,
  ): Promise<readonly FetchedPartition[]> {
    const byLeader = await this.#cluster.groupByLeader(topic, parts, part => part.partition)
    const running = new Map<string, LeaderFetch>()
    for (const [leader, group] of byLeader) {
      const id = `${topic}/${leader}`
      const earlier = this.#fetches.get(id)
      const goesOn = earlier !== undefined && asksTheSame(earlier.parts, group)
      running.set(id, goesOn ? earlier : this.#startFetch(id, leader, topic, group, options))
    }
    await this.#waitForAny([...running.values()], options.signal)
    const fetched = new Map<number, FetchedPartition>()
    for (const [id, done] of running) {
      if (done.answer === undefined && done.failure === undefined) continue
      if (this.#fetches.get(id) === done) this.#fetches.delete(id)
      if (done.failure !== undefined) throw done.failure
      for (const each of done.answer ?? []) fetched.set(each.partition, each)
    }
    return parts.map(part => fetched.get(part.partition) ?? nothingYet(part))
  }

  #startFetch(
    id: string,
    leader: number,
    topic: string,
    parts: readonly FetchRequestPart[],
    options: SourceFetchOptions,
  ): LeaderFetch {
    const started: { -readonly [K in keyof LeaderFetch]: LeaderFetch[K] } = {
      parts,
      settled: Promise.resolve(),
      answer: undefined,
      failure: undefined,
    }
    const body: RequestInput<'Fetch'> = {
      replicaId: -1,
      maxWaitMs: options.waitMsMax,
      minBytes: options.bytesMin,
      maxBytes: options.bytesMax,
      isolationLevel: isolationReadCommitted,
      topics: [
        {
          topic,
          topicId: options.topicId ?? noTopicId,
          partitions: parts.map(part => ({
            partition: part.partition,
            fetchOffset: part.offset,
            partitionMaxBytes: part.bytesMax,
          })),
        },
      ],
      forgottenTopicsData: [],
    }
    started.settled = this.#cluster
      .call(leader, 'Fetch', body, options.topicId === undefined ? fetchVersionByNameMax : undefined)
      .then(answer => {
        started.answer = this.#translate(answer)
      })
      .catch((failure: unknown) => {
        started.failure = failure
      })
    this.#fetches.set(id, started)
    return started
  }

  #translate(answer: ResponseOutput<'Fetch'>): readonly FetchedPartition[] {
    if (answer.errorCode !== 0) {
      const { name, message } = describeError(answer.errorCode)
      throw new FloeError('unavailable', 'source-fetch-failed', `fetch failed: ${name}: ${message}`)
    }
    return (answer.responses[0]?.partitions ?? []).map(each => {
      const outcome = outcomeOf(each.errorCode)
      if (outcome === 'unavailable') this.#cluster.forgetLeaders()
      return {
        partition: each.partitionIndex,
        batches: each.records ?? noBytes,
        aborted: each.abortedTransactions ?? [],
        logStartOffset: each.logStartOffset,
        endOffset: each.lastStableOffset,
        highWatermark: each.highWatermark,
        error: outcome,
        ...(outcome === 'unavailable' ? { message: describeError(each.errorCode).name } : {}),
      }
    })
  }

  async #waitForAny(running: readonly LeaderFetch[], signal: AbortSignal | undefined): Promise<void> {
    const abort = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal])
    abort.throwIfAborted()
    const { promise, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(abort.reason)
    abort.addEventListener('abort', onAbort, { once: true })
    try {
      const pending = new Set(running)
      while (pending.size > 0) {
        await Promise.race([promise, ...[...pending].map(each => each.settled)])
        for (const each of pending) {
          if (
            each.failure !== undefined ||
            each.answer?.some(part => part.error !== 'none' || part.batches.length > 0)
          ) {
            return
          }
          if (each.answer !== undefined) pending.delete(each)
        }
      }
    } finally {
      abort.removeEventListener('abort', onAbort)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new FloeError('unavailable', 'source-closed', 'the source was closed'))
    await this.#cluster.close()
  }
}

const noBytes = new Uint8Array(0)
const unknownTopicId = 100
const inconsistentTopicId = 103
const unknownTopicCodes = new Set([unknownTopicOrPartition, unknownTopicId, inconsistentTopicId])

function outcomeOf(errorCode: number): FetchedPartition['error'] {
  if (errorCode === 0) return 'none'
  if (errorCode === 1) return 'offset-out-of-range'
  return unknownTopicCodes.has(errorCode) ? 'unknown-topic' : 'unavailable'
}

function asksTheSame(left: readonly FetchRequestPart[], right: readonly FetchRequestPart[]): boolean {
  return (
    left.length === right.length &&
    left.every((part, index) => part.partition === right[index]!.partition && part.offset === right[index]!.offset)
  )
}

/** The leader has not answered yet: nothing is known but what was asked. */
function nothingYet(part: FetchRequestPart): FetchedPartition {
  return {
    partition: part.partition,
    batches: noBytes,
    aborted: [],
    logStartOffset: -1n,
    endOffset: -1n,
    highWatermark: -1n,
    error: 'none',
  }
}
