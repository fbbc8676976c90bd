/**
 * Where records come from: the one interface between readers of topics (ingestion, queries) and whatever holds them, be it the
 * included broker in the same process or a remote Kafka cluster.
 *
 * Invariants every implementation keeps
 *   - Offsets are absolute and int64; `endOffset` is exclusive and is the last stable offset: no reader of a RecordSource ever
 *     sees a record of a transaction that is still open (isolation level read committed).
 *   - `batches` are whole v2 record batches. The first may start before the offset asked for; the reader skips those records.
 *   - A reader makes progress by the last batch it saw (base offset + last offset delta + 1), never by counting records:
 *     offsets may have gaps (compaction, markers, aborted batches removed by the source).
 *   - Batches of aborted transactions may be present; `aborted` then names them, and their ABORT control batch follows.
 *   - Trouble with one partition is an outcome (`error`), trouble with the whole source is a thrown FloeError of kind
 *     `unavailable`.
 */

export interface SourcePartitionState {
  readonly partition: number
  /** First offset that can still be read. */
  readonly logStartOffset: bigint
  /** Last stable offset under read committed, exclusive: one past the last readable record. */
  readonly endOffset: bigint
}

export interface FetchRequestPart {
  readonly partition: number
  /** First offset wanted. */
  readonly offset: bigint
  /** Soft limit for this partition: the first batch is returned whole, however large. */
  readonly bytesMax: number
}

/** One aborted transaction that overlaps the returned batches (Fetch response, `AbortedTransactions`). */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** First offset of the transaction in this partition. */
  readonly firstOffset: bigint
}

/**
 * What became of one partition of a fetch.
 *
 *   none                 `batches` may still be empty: nothing new within the wait
 *   offset-out-of-range  the offset is before `logStartOffset` or beyond the end
 *   unknown-topic        the topic or the partition does not exist (any more)
 *   unavailable          try again later; `message` says why
 */
export type FetchOutcome = 'none' | 'offset-out-of-range' | 'unknown-topic' | 'unavailable'

export interface FetchedPartition {
  readonly partition: number
  /** Whole v2 record batches with absolute base offsets, maybe starting before the offset asked for. Owned by the caller. */
  readonly batches: Uint8Array
  readonly aborted: readonly AbortedTransaction[]
  readonly logStartOffset: bigint
  /** Last stable offset, exclusive. */
  readonly endOffset: bigint
  /** At least `endOffset`; larger while transactions are open. */
  readonly highWatermark: bigint
  readonly error: FetchOutcome
  readonly message?: string
}

export interface SourceFetchOptions {
  /**
   * The identity from `describeTopic`. When the topic has another one by now, every part answers `unknown-topic`: offsets of a
   * topic that was created again say nothing about the old one.
   */
  readonly topicId?: string
  /** How long to wait for `bytesMin`; 0 answers at once. */
  readonly waitMsMax: number
  readonly bytesMin: number
  /** Soft limit over all partitions; the first non-empty partition still returns one whole batch. */
  readonly bytesMax: number
  /** Ends the wait early; the fetch then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface SourceTopic {
  /** Undefined when the cluster has no topic ids. A changed id means the topic was deleted and created again. */
  readonly topicId: string | undefined
  readonly partitionCount: number
}

export interface RecordSource {
  /** Undefined: no such topic. */
  describeTopic(topic: string): Promise<SourceTopic | undefined>

  /**
   * The readable range of each partition asked for, in request order.
   *
   * errors  unavailable: the source cannot be reached; invalid: the topic or a partition does not exist
   */
  partitionStates(topic: string, partitions: readonly number[]): Promise<readonly SourcePartitionState[]>

  /** For one who reads on his own: no reader waits for another one's long poll, or gets what another one asked for. */
  openReader(): RecordReader

  /** Ends running fetches, also of readers, and frees connections. Idempotent. */
  close(): Promise<void>
}

/** One fetch at a time is under way, but for one that was given up. */
export interface RecordReader {
  /**
   * Long poll: answers when `bytesMin` are there over all partitions, when any partition has an error, or when `waitMsMax`
   * passed. The answer has one entry per part, in request order.
   */
  fetch(
    topic: string,
    parts: readonly FetchRequestPart[],
    options: SourceFetchOptions,
  ): Promise<readonly FetchedPartition[]>

  /** Frees what it holds; the source goes on. Idempotent. */
  close(): Promise<void>
}
