/**
 * Reads a share of a table's source partitions and commits what it read: fetch, append to a file builder, and when the file is
 * due (freshness, size, or a cut) finish it, put it, commit it.
 *
 *   position(p)  ── fetch ──▶ builder ── finish ──▶ commit ──▶ account(p)
 *
 * Invariants
 *   - One commit is under way at most, while the next file is being built: memory is two files.
 *   - Commits happen in the order the offsets were read, so each begins where the account ends.
 *   - After any failure the lane ends and is started again from the account in the catalog. What was read and not committed is
 *     read again; what was put and not committed is known to the catalog by its granted name.
 *   - A builder may undo its open file (a batch went bad half-way): the lane goes back to where that file began.
 */
import type { CatalogClient, CommitTableFilesResult, CoverageRange, SourceCoverage } from '../catalog/client.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage, FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type {
  FetchedPartition,
  FetchRequestPart,
  RecordReader,
  RecordSource,
  SourcePartitionState,
} from '../kafka/record-source.ts'
import type { FilePutter } from './file-putter.ts'
import { decidePosition, isUnread } from './positions.ts'
import type { TableIngestConfig } from './table-config.ts'
import { findWholeBatches } from './whole-batches.ts'
import type { AsyncTableFileBuilder } from './worker/builder-pool.ts'
import type { AppendResult, BuiltFiles } from './worker/builder-types.ts'

/** What a lane is made of. All its partitions are claimed: `accounts` carry the owner epochs. */
export interface LaneParts {
  readonly tableId: number
  readonly config: TableIngestConfig
  readonly topicId: string | undefined
  readonly accounts: readonly SourceCoverage[]
  readonly catalog: CatalogClient
  readonly source: RecordSource
  readonly putter: FilePutter
  readonly builder: AsyncTableFileBuilder
  readonly clock: Clock
  readonly log: Log
  readonly progress: LaneProgress
  /** Called after every commit that added files. */
  readonly onCommitted: () => void
}

/** How a lane tells what it does; read by status pages. */
export interface LaneProgress {
  /** Exclusive end of what was appended, by partition. */
  position(partition: number, offset: bigint, endOffset: bigint): void
  committed(written: number, rejected: number, valueBytes: number): void
}

export type LaneEnd =
  /** The signal fired; everything read before was committed. */
  | { readonly kind: 'drained' }
  /** The table must stop, for this reason. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** Another owner has some of the partitions, or the topic changed: claim and describe again. */
  | { readonly kind: 'restart'; readonly reason: string }

interface LanePartition {
  readonly partition: number
  readonly ownerEpoch: number
  offset: bigint
  /** Nothing of it was ever read: its beginning may still move without a gap. */
  isUnread: boolean
  /** Both as they were when the open file began. */
  fileStart: { readonly offset: bigint; readonly isUnread: boolean }
}

const idleWaitMsMax = 1_000
const fetchBytesMax = 8 * 1024 * 1024
const partitionFetchBytesMax = 2 * 1024 * 1024

export class TableLane {
  readonly #parts: LaneParts
  readonly #reader: RecordReader
  readonly #partitions: LanePartition[] = []
  readonly #byNumber = new Map<number, LanePartition>()
  /** Where the next fetch begins, so that no partition starves. */
  #rotation = 0
  /** When the first record of the open file was appended. */
  #openedMs: number | undefined
  /** How often an open file was undone. */
  #undoCount = 0
  #committing: Promise<void> = Promise.resolve()
  #commitFailure: unknown
  /** The fetch under way while earlier batches are decoded. */
  #ahead:
    | { readonly parts: readonly FetchRequestPart[]; readonly fetch: Promise<readonly FetchedPartition[]> }
    | undefined

  constructor(parts: LaneParts) {
    this.#parts = parts
    this.#reader = parts.source.openReader()
  }

  /**
   * Runs until the signal fires or the lane must end.
   *
   * errors  what the source, the store and the catalog throw, once every file under way is settled
   */
  async run(signal: AbortSignal): Promise<LaneEnd> {
    try {
      const refusal = await this.#findPositions()
      if (refusal !== undefined) return refusal
      while (!signal.aborted) {
        const end = await this.#step(signal)
        if (end !== undefined) return end
      }
      await this.#closeFile()
      await this.#awaitCommit()
      return { kind: 'drained' }
    } catch (error) {
      if (error instanceof LaneEnded) return error.end
      throw error
    } finally {
      await this.#committing.catch(() => {})
      await this.#reader.close()
      await this.#parts.builder.discard()
    }
  }

  async #findPositions(): Promise<LaneEnd | undefined> {
    const { config, source, accounts } = this.#parts
    const { topic } = config.definition.source
    const states = await source.partitionStates(
      topic,
      accounts.map(account => account.partition),
    )
    for (const [index, account] of accounts.entries()) {
      const { partition, ownerEpoch } = account
      const start = { offset: account.end, isUnread: isUnread(account) }
      const lanePartition: LanePartition = { partition, ownerEpoch, ...start, fileStart: start }
      const end = await this.#findPosition(lanePartition, account, states[index]!)
      if (end !== undefined) return end
      this.#partitions.push(lanePartition)
      this.#byNumber.set(partition, lanePartition)
      this.#parts.progress.position(partition, lanePartition.offset, states[index]!.endOffset)
    }
    return undefined
  }

  async #step(signal: AbortSignal): Promise<LaneEnd | undefined> {
    // Also when no more records come: what was read and not committed has to be read again.
    if (this.#commitFailure !== undefined) throw this.#commitFailure
    if (this.#msUntilDue() <= 0) {
      await this.#closeFile()
      return undefined
    }
    const fetched = await (this.#takeAhead() ?? this.#fetch(this.#fetchParts(), this.#msUntilDue(), signal))
    // While these are decoded, the next ones are fetched, as if every append went through.
    if (fetched.some(each => each.batches.length > 0)) this.#fetchAhead(fetched, signal)
    const undoCount = this.#undoCount
    for (const each of fetched) {
      const end = each.error === 'none' ? await this.#append(each) : await this.#recover(each)
      if (end !== undefined) return end
      // The rest was fetched for offsets that lie ahead again.
      if (this.#undoCount !== undoCount) return undefined
    }
    if (fetched.every(each => each.batches.length === 0)) await this.#parts.clock.yield()
    return undefined
  }

  #fetchAhead(fetched: readonly FetchedPartition[], signal: AbortSignal): void {
    const ends = new Map<number, bigint>()
    for (const { partition, batches } of fetched) {
      ends.set(partition, findWholeBatches(batches, this.#byNumber.get(partition)!.offset).end)
    }
    const parts = this.#fetchParts(ends)
    // What is being appended now may open a file: the wait must not outlast it.
    const waitMs = this.#openedMs === undefined ? this.#parts.config.freshnessMs : this.#msUntilDue()
    const fetch = this.#fetch(parts, waitMs, signal)
    // Looked at by the next step; a lane that ends before does not care.
    fetch.catch(() => {})
    this.#ahead = { parts, fetch }
  }

  /** The fetch ahead, unless it assumed other offsets than were reached: records must never be passed over. */
  #takeAhead(): Promise<readonly FetchedPartition[]> | undefined {
    const ahead = this.#ahead
    this.#ahead = undefined
    const isAsReached = ahead?.parts.every(({ partition, offset }) => this.#byNumber.get(partition)?.offset === offset)
    return isAsReached === true ? ahead?.fetch : undefined
  }

  #fetch(
    parts: readonly FetchRequestPart[],
    waitMs: number,
    signal: AbortSignal,
  ): Promise<readonly FetchedPartition[]> {
    const { config, topicId } = this.#parts
    return fetchUnlessAborted(this.#reader, config.definition.source.topic, parts, {
      waitMsMax: Math.max(1, Math.floor(Math.min(waitMs, idleWaitMsMax))),
      bytesMin: 1,
      bytesMax: fetchBytesMax,
      signal,
      ...(topicId === undefined ? {} : { topicId }),
    })
  }

  #msUntilDue(): number {
    if (this.#openedMs === undefined) return idleWaitMsMax
    return this.#openedMs + this.#parts.config.freshnessMs - this.#parts.clock.monotonicMs()
  }

  /** `ends`: where to read on, where that is not yet in the partitions' offsets. */
  #fetchParts(ends?: ReadonlyMap<number, bigint>): FetchRequestPart[] {
    const count = this.#partitions.length
    const start = this.#rotation++ % count
    const parts: FetchRequestPart[] = []
    for (let index = 0; index < count; index++) {
      const { partition, offset } = this.#partitions[(start + index) % count]!
      parts.push({ partition, offset: ends?.get(partition) ?? offset, bytesMax: partitionFetchBytesMax })
    }
    return parts
  }

  async #append(fetched: FetchedPartition): Promise<LaneEnd | undefined> {
    if (fetched.batches.length === 0) return undefined
    const lanePartition = this.#byNumber.get(fetched.partition)!
    const { batches, end } = findWholeBatches(fetched.batches, lanePartition.offset)
    if (end <= lanePartition.offset) return undefined
    if (this.#openedMs === undefined) this.#beginFile()
    const result = await this.#parts.builder.append({
      partition: fetched.partition,
      batches,
      start: lanePartition.offset,
      end,
      aborted: fetched.aborted,
    })
    if (result.cut === 'undone') {
      this.#undoFile()
      return undefined
    }
    lanePartition.isUnread = false
    if (result.end > lanePartition.offset) this.#openedMs ??= this.#parts.clock.monotonicMs()
    lanePartition.offset = result.end
    this.#parts.progress.position(fetched.partition, result.end, fetched.endOffset)
    return this.#afterAppend(result)
  }

  #beginFile(): void {
    for (const each of this.#partitions) each.fileStart = { offset: each.offset, isUnread: each.isUnread }
  }

  /** The builder is empty again: what was in it is read once more. */
  #undoFile(): void {
    for (const each of this.#partitions) {
      each.offset = each.fileStart.offset
      each.isUnread = each.fileStart.isUnread
    }
    this.#openedMs = undefined
    this.#undoCount++
  }

  /** A cut append leaves the rest of its range unread: the next fetch asks for it again. */
  async #afterAppend(result: AppendResult): Promise<LaneEnd | undefined> {
    if (result.cut === undefined) return undefined
    await this.#closeFile()
    if (result.cut !== 'rejected' || result.rejection === undefined) return undefined
    await this.#awaitCommit()
    const { partition, offset, code, reason } = result.rejection
    const { topic } = this.#parts.config.definition.source
    if (code === 'unreadable-batch') {
      return {
        kind: 'stop',
        reason:
          `partition ${partition} of topic ${topic}: ${reason}. Nothing was skipped (dlq_mode: stop). ` +
          'Set dlq_mode: capture to go on with the whole batch in the dead letters',
      }
    }
    return {
      kind: 'stop',
      reason:
        `the record at offset ${offset} of partition ${partition} of topic ${topic} does not fit: ${reason}. ` +
        'Nothing was skipped (dlq_mode: stop). Mend the schema, or set dlq_mode: capture',
    }
  }

  /** The source would not give what was asked for: finds out why, from its present state. */
  async #recover(fetched: FetchedPartition): Promise<LaneEnd | undefined> {
    const { config, source, topicId, accounts } = this.#parts
    const { topic } = config.definition.source
    if (fetched.error === 'unavailable') {
      const why = fetched.message ?? 'try again later'
      throw new FloeError('unavailable', 'source-partition-unavailable', `${topic}/${fetched.partition}: ${why}`)
    }
    // Also of a topic that is gone: what was read of it cannot be read again.
    await this.#closeFile()
    await this.#awaitCommit()
    if (fetched.error === 'unknown-topic') return { kind: 'restart', reason: `topic ${topic} is gone` }
    const lanePartition = this.#byNumber.get(fetched.partition)!
    const account = accounts.find(each => each.partition === fetched.partition)!
    const [state] = await source.partitionStates(topic, [fetched.partition])
    const reached = lanePartition.isUnread ? undefined : { ...account, topicId, end: lanePartition.offset }
    return this.#findPosition(lanePartition, reached, state!)
  }

  /** Where to read on. Records first what that leaves behind; everything read before must be committed. */
  async #findPosition(
    lanePartition: LanePartition,
    account: SourceCoverage | undefined,
    state: SourcePartitionState,
  ): Promise<LaneEnd | undefined> {
    const { config, topicId } = this.#parts
    const { topic } = config.definition.source
    const rules = { topic, onGap: config.onGap }
    let decision = decidePosition(account, topicId, state, rules)
    if (decision.kind === 'generation' && account !== undefined) {
      const { start, reason } = decision
      await this.#beginGeneration(lanePartition, account.end, start, reason)
      decision = decidePosition({ ...account, topicId, start, end: start }, topicId, state, rules)
    }
    switch (decision.kind) {
      case 'stop':
        // Stopping is for people to mend: not on an account that another worker has taken further since it was claimed.
        return (await this.#isCurrent(lanePartition, account)) ? decision : readOnElsewhere(lanePartition.partition)
      case 'read':
        lanePartition.offset = decision.offset
        return undefined
      case 'gap':
        await this.#commitGap(lanePartition, decision.from, decision.to)
        return undefined
      case 'generation':
        throw new FloeError('internal', 'generation-not-begun', `${topic}: ${decision.reason}, twice in a row`)
    }
  }

  /** Whether the account is the catalog's, and this lane's to go on with. */
  async #isCurrent({ partition, ownerEpoch }: LanePartition, account: SourceCoverage | undefined): Promise<boolean> {
    const { catalog, tableId } = this.#parts
    await catalog.readBarrier()
    const now = (await catalog.sourceCoverage(tableId)).find(each => each.partition === partition)
    return now?.ownerEpoch === ownerEpoch && (account === undefined || now.end === account.end)
  }

  /** From here on the partition's offsets mean other records. */
  async #beginGeneration(
    lanePartition: LanePartition,
    expectedEnd: bigint,
    start: bigint,
    reason: string,
  ): Promise<void> {
    const { tableId, topicId, catalog, source, config, log } = this.#parts
    const { name, source: from } = config.definition
    // The state of the partition was asked for by name: only if the topic is still the same one was it that topic's.
    const described = await source.describeTopic(from.topic)
    if (described === undefined || described.topicId !== topicId) {
      throw new LaneEnded({ kind: 'restart', reason: `topic ${from.topic} was deleted` })
    }
    const { partition, ownerEpoch } = lanePartition
    const begin = { tableId, partition, ownerEpoch, topicId, start, expectedEnd }
    const result = await catalog.beginSourceGeneration(begin)
    switch (result.outcome) {
      case 'begun': {
        const { generation } = result
        lanePartition.offset = start
        log.warn(`${reason}; going on with a new generation`, { table: name, partition, generation, start })
        return
      }
      case 'fenced':
      case 'end-differs':
        throw new LaneEnded({
          kind: 'restart',
          reason: `another worker has read on in partition ${partition} (${result.outcome})`,
        })
      case 'too-many-generations':
        throw new LaneEnded({
          kind: 'stop',
          reason: `${reason}, more often than one table can hold. Give the topic a table of its own (table_name)`,
        })
      case 'unknown-table':
        throw new LaneEnded({ kind: 'stop', reason: 'the table was dropped' })
    }
  }

  async #commitGap(lanePartition: LanePartition, from: bigint, to: bigint): Promise<void> {
    const { partition, ownerEpoch } = lanePartition
    const { tableId, topicId, log, config } = this.#parts
    const range: CoverageRange = {
      partition,
      topicId,
      start: from,
      end: to,
      written: 0,
      filtered: 0,
      rejected: 0,
      control: 0,
      gap: to - from,
      maxTimestampMs: -1,
      ownerEpoch,
    }
    this.#judge(
      await this.#parts.catalog.commitTableFiles({ tableId, files: [], deadLetterFiles: [], coverage: [range] }),
    )
    lanePartition.offset = to
    log.warn('records were removed before they could be read; the gap is recorded', {
      table: config.definition.name,
      partition,
      from,
      to,
    })
  }

  /** Finishes the open file and starts to commit it, once the one before is committed. */
  async #closeFile(): Promise<void> {
    if (this.#openedMs === undefined) return
    this.#openedMs = undefined
    const built = await this.#parts.builder.finish()
    await this.#awaitCommit()
    this.#committing = this.#commit(built).catch((error: unknown) => {
      this.#commitFailure = error
    })
  }

  async #awaitCommit(): Promise<void> {
    await this.#committing
    if (this.#commitFailure !== undefined) throw this.#commitFailure
  }

  async #commit(built: BuiltFiles): Promise<void> {
    const { tableId, topicId, putter, catalog, progress } = this.#parts
    const coverage = built.coverage.map(each => {
      const { ownerEpoch } = this.#byNumber.get(each.partition)!
      return { ...each, topicId, gap: 0n, ownerEpoch }
    })
    for (;;) {
      const { files, deadLetterFiles, giveBack } = await putter.put(built)
      const result = await catalog.commitTableFiles({ tableId, files, deadLetterFiles, coverage })
      if (result.outcome === 'grant-expired') {
        putter.discardGrant(result.grantId)
        continue
      }
      this.#judge(result)
      giveBack()
      break
    }
    let written = 0
    let rejected = 0
    for (const each of built.coverage) {
      written += each.written
      rejected += each.rejected
    }
    progress.committed(written, rejected, built.valueBytes)
    if (built.files.length > 0) this.#parts.onCommitted()
  }

  #judge(result: CommitTableFilesResult): void {
    switch (result.outcome) {
      case 'committed':
        return
      case 'fenced':
      case 'coverage-gap':
        throw new LaneEnded({
          kind: 'restart',
          reason: `another worker has read on in partition ${result.partition} (${result.outcome})`,
        })
      case 'unknown-table':
        throw new LaneEnded({ kind: 'stop', reason: 'the table was dropped' })
      case 'invalid':
        throw new FloeError('internal', 'commit-invalid', `the catalog refused a commit: ${result.reason}`)
      case 'grant-expired':
        throw new FloeError('internal', 'commit-without-grant', `grant ${result.grantId} expired`)
    }
  }
}

function readOnElsewhere(partition: number): LaneEnd {
  return { kind: 'restart', reason: `another worker has read on in partition ${partition}` }
}

class LaneEnded extends Error {
  readonly end: LaneEnd
  constructor(end: LaneEnd) {
    super('the lane ended')
    this.end = end
  }
}

async function fetchUnlessAborted(
  reader: RecordReader,
  topic: string,
  parts: readonly FetchRequestPart[],
  options: Parameters<RecordReader['fetch']>[2] & { readonly signal: AbortSignal },
): Promise<readonly FetchedPartition[]> {
  try {
    return await reader.fetch(topic, parts, options)
  } catch (error) {
    if (options.signal.aborted) return []
    throw error instanceof FloeError
      ? error
      : new FloeError('internal', 'source-fetch-failed', `fetching ${topic} failed: ${errorMessage(error)}`, {}, error)
  }
}
