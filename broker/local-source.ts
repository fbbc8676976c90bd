/**
 * The broker's own topics as a RecordSource: straight from catalog and range cache, without sockets and without protocol
 * encoding. Ingestion and queries in the same process read through it.
 */
import type { CatalogClient } from '../catalog/client.ts'
import { FloeError } from '../core/errors.ts'
import { Leases } from '../core/lease.ts'
import type {
  FetchedPartition,
  FetchOutcome,
  FetchRequestPart,
  RecordReader,
  RecordSource,
  SourceFetchOptions,
  SourcePartitionState,
  SourceTopic,
} from '../kafka/record-source.ts'
import type { LogReader, PartRead, ReadOutcome } from './fetch/log-reader.ts'

const outcomes: Record<ReadOutcome, FetchOutcome> = {
  none: 'none',
  'unknown-topic-or-partition': 'unknown-topic',
  'offset-out-of-range': 'offset-out-of-range',
  'storage-error': 'unavailable',
}

export class LocalRecordSource implements RecordSource {
  readonly #catalog: CatalogClient
  readonly #reader: LogReader
  readonly #closing = new AbortController()

  constructor(catalog: CatalogClient, reader: LogReader) {
    this.#catalog = catalog
    this.#reader = reader
  }

  async describeTopic(topic: string): Promise<SourceTopic | undefined> {
    const found = await this.#catalog.topicByName(topic)
    return found && { topicId: found.topicId, partitionCount: found.partitionCount }
  }

  async partitionStates(topic: string, partitions: readonly number[]): Promise<readonly SourcePartitionState[]> {
    const found = await this.#catalog.topicByName(topic)
    if (found === undefined) throw unknownTopic(topic)
    const { topicId } = found
    const states = await this.#catalog.partitionStates(partitions.map(partition => ({ topicId, partition })))
    return states.map((state, index) => {
      const partition = partitions[index]!
      if (state === undefined) throw unknownTopic(`${topic}-${partition}`)
      return { partition, logStartOffset: state.logStartOffset, endOffset: state.lastStableOffset }
    })
  }

  /** Reads share nothing but the cache: there is nothing to open. */
  openReader(): RecordReader {
    return { fetch: (topic, parts, options) => this.#fetch(topic, parts, options), close: async () => {} }
  }

  async #fetch(
    topic: string,
    parts: readonly FetchRequestPart[],
    options: SourceFetchOptions,
  ): Promise<readonly FetchedPartition[]> {
    const { waitMsMax, bytesMin, bytesMax } = options
    const found = await this.#catalog.topicByName(topic)
    const topicId = options.topicId === undefined || options.topicId === found?.topicId ? found?.topicId : undefined
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])]
    const signal = AbortSignal.any(signals)
    signal.throwIfAborted()
    const leases = new Leases()
    try {
      const wanted = parts.map(part => ({ ...part, topicId }))
      const readOptions = { waitMsMax, bytesMin, bytesMax, readCommitted: true, signal }
      const reads = await this.#reader.read(wanted, readOptions, leases)
      signal.throwIfAborted()
      return reads.map((read, index) => describeRead(parts[index]!.partition, read))
    } finally {
      leases.giveBack()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new FloeError('unavailable', 'source-closed', 'the local record source is closed'))
  }
}

function describeRead(partition: number, { outcome, state, batches, message }: PartRead): FetchedPartition {
  return {
    partition,
    batches: joinPieces(batches),
    aborted: [],
    logStartOffset: state?.logStartOffset ?? -1n,
    endOffset: state?.lastStableOffset ?? -1n,
    highWatermark: state?.highWatermark ?? -1n,
    error: outcomes[outcome],
    ...(message !== undefined && { message }),
  }
}

/** In fresh memory that the caller may hand on. */
function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const piece of pieces) length += piece.length
  // Not through a pool: the memory is transferred to a builder's thread, or freed by hand.
  const joined = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

function unknownTopic(what: string): FloeError {
  return new FloeError('invalid', 'unknown-topic', `topic or partition ${what} does not exist`, { topic: what })
}
