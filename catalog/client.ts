/**
 * What the rest of Floe may ask of the catalog: the interface an in-process catalog has now and a remote one will have.
 *
 * Commands change state. Each is journaled, applied once, and answered only when durable; the client gives every command its
 * idempotency key (client id, request number) and retries an unknown outcome with the same key. Refusals that callers expect
 * come back as unions; a FloeError `unavailable` means the outcome is unknown even after asking, `fenced` means this process
 * no longer leads.
 *
 * Queries answer from the durable state only. Nothing speculative is ever visible.
 */
import type { ColumnStatistics, DataFile, PartitionSpec, Schema } from '../table/types.ts'

export interface CatalogClient extends LogCommands, TableCommands, GarbageCommands, NodeCommands, CatalogQueries {}

// ── Topics, records, groups ──────────────────────────────────────────────────────────────────────────────────────────

export interface Topic {
  /** UUID text; a recreated topic has a new one. */
  readonly topicId: string
  readonly name: string
  readonly partitionCount: number
  /** Only what was set explicitly; defaults are the broker's. */
  readonly configs: Readonly<Record<string, string>>
}

export type CreateTopicResult =
  | { readonly outcome: 'created'; readonly topic: Topic }
  | { readonly outcome: 'exists'; readonly topic: Topic }

/** One produced record batch inside a segment object, in the order it lies there. */
export interface SegmentBatch {
  readonly topicId: string
  readonly partition: number
  readonly byteOffset: number
  readonly byteLength: number
  /** Offsets the batch takes: last offset delta + 1. */
  readonly offsetCount: number
  readonly maxTimestampMs: number
  /** -1 when the producer is not idempotent; then epoch and sequence are -1 too. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

export interface CommitSegment {
  readonly grantId: number
  readonly nameIndex: number
  readonly segmentBytes: number
  readonly batches: readonly SegmentBatch[]
}

/**
 * Per batch. `appended` and `duplicate` carry the base offset (for a duplicate that of the first time). Source: Kafka
 * idempotent producer rules, last five batches per (producer id, partition).
 */
export type SegmentBatchResult =
  | { readonly outcome: 'appended' | 'duplicate'; readonly baseOffset: bigint; readonly logStartOffset: bigint }
  | {
      readonly outcome:
        | 'unknown-topic-or-partition'
        | 'out-of-order-sequence'
        | 'invalid-producer-epoch'
        | 'unknown-producer-id'
    }

export type CommitSegmentResult =
  | { readonly outcome: 'committed'; readonly batches: readonly SegmentBatchResult[] }
  /** The grant is unknown or past its deadline, or the name was used: put the bytes again under a new name. */
  | { readonly outcome: 'grant-expired' }

/** A range of object names the caller may write until the deadline: (grantId, 0) to (grantId, count - 1). */
export interface NameGrant {
  readonly grantId: number
  readonly count: number
  readonly deadlineMs: number
}
export type GrantPurpose = 'segment' | 'data-file'

export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  /** -1n: none. */
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedMs: number
}

export interface LogCommands {
  /** Names are case-sensitive; configs are already validated by the broker. */
  createTopic(
    name: string,
    partitionCount: number,
    configs: Readonly<Record<string, string>>,
  ): Promise<CreateTopicResult>
  deleteTopic(topicId: string): Promise<'deleted' | 'unknown-topic'>
  /** undefined removes a key. */
  alterTopicConfigs(
    topicId: string,
    changes: Readonly<Record<string, string | undefined>>,
  ): Promise<'altered' | 'unknown-topic'>
  createPartitions(topicId: string, partitionCount: number): Promise<'created' | 'unknown-topic' | 'not-an-increase'>
  /** Moves the log start offset up (DeleteRecords, retention); never down. Resolves to the new log start offset. */
  advanceLogStart(
    topicId: string,
    partition: number,
    offset: bigint,
  ): Promise<
    | { readonly outcome: 'advanced'; readonly logStartOffset: bigint }
    | { readonly outcome: 'unknown-topic' | 'offset-out-of-range' }
  >
  /** A block of fresh producer ids [first, first + count): an agent takes one block and hands them out. */
  allocateProducerIds(count: number): Promise<{ readonly first: bigint; readonly count: number }>
  /** `tableId` narrows where an uncommitted data file is looked for later; without it any table is. */
  grantNames(purpose: GrantPurpose, count: number, ttlMs: number, tableId?: number): Promise<NameGrant>
  commitSegment(command: CommitSegment): Promise<CommitSegmentResult>
  /**
   * Membership and generation were checked by the group coordinator, whose claim has the epoch; another one's commit changes
   * nothing. Offsets of unknown topics are accepted, as Kafka does.
   */
  commitGroupOffsets(
    group: string,
    offsets: readonly CommittedOffset[],
    claimEpoch: number,
  ): Promise<'committed' | 'fenced'>
  /** Makes a registered process the coordinator of a group, unless another one that is there has it. */
  claimGroup(group: string, instanceId: Uint8Array): Promise<ClaimGroupResult>
  /** Gives a claim back; one that is not held any more is left alone. */
  releaseGroup(group: string, epoch: number): Promise<void>
  /** As for commits: only for who holds the claim. */
  deleteGroupOffsets(
    group: string,
    partitions: readonly { topic: string; partition: number }[] | 'all',
    claimEpoch: number,
  ): Promise<'deleted' | 'fenced'>
}

export type ClaimGroupResult =
  /** The same epoch again for who has it already. */
  | { readonly outcome: 'claimed'; readonly epoch: number }
  /** Another process has it. */
  | { readonly outcome: 'owned'; readonly nodeId: number }
  /** The process that asks is not registered (any more). */
  | { readonly outcome: 'unknown-node' }

// ── Nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type NodeRoleName = 'catalog' | 'broker' | 'ingest' | 'maintain' | 'query'

export interface NodeDescription {
  /** 16 random bytes of the process. */
  readonly instanceId: Uint8Array
  readonly roles: readonly NodeRoleName[]
  /** Where Kafka clients reach it; port 0 when they do not. */
  readonly kafkaHost: string
  readonly kafkaPort: number
}

export interface RegisteredNode extends NodeDescription {
  /** Kafka's broker id; the same place keeps it when its process starts again. */
  readonly nodeId: number
  readonly registeredMs: number
  /** The newest format level that the process knows (format-level.ts). */
  readonly formatLevelMax: number
}

export interface NodeCommands {
  /** Makes a process known. One that was known under the same place or instance is replaced. */
  registerNode(node: NodeDescription): Promise<RegisteredNode>
  /** Its groups are free then. A later process with the same node id stays. */
  removeNode(nodeId: number, instanceId: Uint8Array): Promise<void>
}

export interface PartitionState {
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  /** Equal to the high watermark until transactions exist. */
  readonly lastStableOffset: bigint
}

/** A run of whole record batches of one partition that lie back to back in one object, with contiguous offsets from `baseOffset`. */
export interface SegmentRun {
  /** Store key of the segment object. */
  readonly objectKey: string
  readonly objectBytes: number
  readonly byteOffset: number
  readonly byteLength: number
  readonly baseOffset: bigint
  /** Exclusive. */
  readonly endOffset: bigint
  readonly maxTimestampMs: number
}

// ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface TableSource {
  readonly clusterName: string
  readonly topic: string
}

/** What a table is made of; opaque settings of ingest travel as `settings` (JSON text) and are not read by the catalog. */
export interface TableDefinition {
  /** `<source cluster>__<topic>` unless named; unique; `[A-Za-z0-9_]`. */
  readonly name: string
  readonly source: TableSource
  readonly schema: Schema
  readonly spec: PartitionSpec
  /** Table properties shown in both formats. */
  readonly properties: Readonly<Record<string, string>>
  readonly settings: string
}

export interface Table {
  /** Small integer, never reused: the key of everything about the table. */
  readonly tableId: number
  readonly tableUuid: string
  readonly createdMs: number
  readonly definition: TableDefinition
  readonly schemas: readonly Schema[]
  readonly state: 'running' | 'stopped'
  /** Why it stopped: one plain sentence. */
  readonly stoppedReason: string | undefined
  readonly fileCount: number
  readonly rowCount: bigint
  readonly fileBytes: bigint
  readonly deadLetterCount: bigint
  /** Grows by one with every commit that changes files. */
  readonly fileSequence: number
  /** Last published version, or undefined. */
  readonly published: PublishedVersion | undefined
}

/**
 * Accumulated account of one source partition of one table: written + filtered + rejected + control + gap = end - start.
 * A claimed partition without any commit yet has start = end = -1n: its first commit may begin anywhere. Of a partition with
 * several generations it is the account of the last one.
 */
export interface SourceCoverage {
  readonly partition: number
  /** Topic identity seen when coverage began; undefined when the cluster has none. */
  readonly topicId: string | undefined
  readonly start: bigint
  readonly end: bigint
  readonly written: bigint
  readonly filtered: bigint
  readonly rejected: bigint
  /** Control records, aborted records and offsets compacted away. */
  readonly control: bigint
  /** Offsets that were gone before they could be read, recorded under `on_gap: record`. */
  readonly gap: bigint
  /** Largest record timestamp seen, -1 when none. */
  readonly maxTimestampMs: number
  readonly ownerEpoch: number
}

/**
 * A generation of a source partition that is over: its topic was created again, or it was truncated. Generations of a partition
 * count from 1; the one that `SourceCoverage` tells of follows the last closed one.
 */
export interface ClosedGeneration extends Omit<SourceCoverage, 'ownerEpoch'> {
  readonly generation: number
  /** Files with sequence up to this, and beyond that of the generation before, hold its rows of the partition. */
  readonly fileSequence: number
  /** So many dead letter files, less those of the generation before, hold its dead letters of the partition. */
  readonly deadLetterFileCount: number
  readonly closedMs: number
}

export interface BeginSourceGeneration {
  readonly tableId: number
  readonly partition: number
  /** From claimSourcePartitions; a stale one is fenced. */
  readonly ownerEpoch: number
  /** Of the topic as it is now. */
  readonly topicId: string | undefined
  /** Where the account of the new generation starts. */
  readonly start: bigint
  /** Where the account of the present one ends. */
  readonly expectedEnd: bigint
}

export type BeginSourceGenerationResult =
  | { readonly outcome: 'begun'; readonly generation: number }
  /** Nothing was changed, as for all below. */
  | { readonly outcome: 'fenced'; readonly ownerEpoch: number }
  /** `expected` is where the account ends, -1n when it has not begun. */
  | { readonly outcome: 'end-differs'; readonly expected: bigint }
  | { readonly outcome: 'too-many-generations' | 'unknown-table' }

/** What one commit adds to a partition's account. Must begin exactly where the account ends. */
export interface CoverageRange {
  readonly partition: number
  readonly topicId: string | undefined
  readonly start: bigint
  readonly end: bigint
  readonly written: number
  readonly filtered: number
  readonly rejected: number
  readonly control: number
  readonly gap: bigint
  readonly maxTimestampMs: number
  /** From claimSourcePartitions; a stale one fences the commit. */
  readonly ownerEpoch: number
}

/** A data file as written by ingest, its name granted. Its path is derived: `dataFilePath(grantId, nameIndex)`. */
export interface NewDataFile extends Omit<DataFile, 'path'> {
  readonly grantId: number
  readonly nameIndex: number
}

/** Dead letters of one commit: a Parquet file under the table's `dead-letters/` folder, its name granted. */
export interface NewDeadLetterFile {
  readonly grantId: number
  readonly nameIndex: number
  readonly recordCount: number
  readonly fileBytes: number
}

export interface CommitTableFiles {
  readonly tableId: number
  readonly files: readonly NewDataFile[]
  readonly deadLetterFiles: readonly NewDeadLetterFile[]
  readonly coverage: readonly CoverageRange[]
}

export type CommitTableFilesResult =
  | { readonly outcome: 'committed'; readonly fileSequence: number }
  /** Nothing was changed. `partition` says where; `expected` is where the account ends. */
  | { readonly outcome: 'coverage-gap'; readonly partition: number; readonly expected: bigint }
  | { readonly outcome: 'fenced'; readonly partition: number; readonly ownerEpoch: number }
  | { readonly outcome: 'grant-expired'; readonly grantId: number }
  /** The parts do not add up to the range, or rows of the files differ from what is written. */
  | { readonly outcome: 'invalid'; readonly reason: string }
  | { readonly outcome: 'unknown-table' }

export interface PublishedVersion {
  readonly version: number
  readonly timestampMs: number
  readonly snapshotId: bigint | undefined
  /** Files with fileSequence <= this are in it. */
  readonly fileSequence: number
  /** Relative to the table root: `metadata/00007-….metadata.json`. */
  readonly icebergMetadataPath: string
  readonly deltaVersion: number
  readonly rowCount: bigint
  readonly completedMs: number
}

/** A version fixed but not yet visible; rendering it is repeatable. */
export interface PendingVersion {
  readonly version: number
  readonly timestampMs: number
  readonly snapshotId: bigint | undefined
  readonly operation: 'none' | 'append' | 'replace'
  /** Files with sequence in (after, upTo]. */
  readonly fileSequenceAfter: number
  readonly fileSequenceUpTo: number
  /** A partition with several generations is there once for each, the oldest first. */
  readonly progress: readonly { readonly partition: number; readonly start: bigint; readonly end: bigint }[]
}

export interface DeadLetterFile {
  /** Relative to the table root: `dead-letters/….parquet`. */
  readonly path: string
  readonly recordCount: number
  readonly fileBytes: number
  readonly committedMs: number
}

export interface TableFile extends DataFile {
  readonly fileSequence: number
}

export interface TableCommands {
  createTable(definition: TableDefinition): Promise<{ readonly outcome: 'created' | 'exists'; readonly table: Table }>
  /** Replaces properties and settings; a changed schema or spec is refused here. */
  alterTable(
    tableId: number,
    definition: TableDefinition,
  ): Promise<'altered' | 'unknown-table' | 'schema-change-refused'>
  setTableState(
    tableId: number,
    state: 'running' | 'stopped',
    reason: string | undefined,
  ): Promise<'set' | 'unknown-table'>
  /** Takes ownership of source partitions: a new owner epoch for each, fencing whoever had them. */
  claimSourcePartitions(
    tableId: number,
    partitions: readonly number[],
  ): Promise<readonly SourceCoverage[] | 'unknown-table'>
  commitTableFiles(command: CommitTableFiles): Promise<CommitTableFilesResult>
  /** Closes the account of a source partition and begins a fresh one: offsets mean other records from now on. */
  beginSourceGeneration(command: BeginSourceGeneration): Promise<BeginSourceGenerationResult>
  /**
   * Fixes the next version: the pending one again if there is one, else a new one when files or (at first) the table itself
   * wait to be published, else undefined.
   */
  beginPublish(tableId: number): Promise<PendingVersion | undefined | 'unknown-table'>
  /** Makes a pending version visible, once its objects exist. Repeating it is fine. */
  completePublish(
    tableId: number,
    version: number,
    icebergMetadataPath: string,
  ): Promise<PublishedVersion | 'unknown-table' | 'not-pending'>
}

// ── Garbage ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Something that nothing refers to any more and that may be deleted once no reader can still be at it. */
export interface GarbageObject {
  readonly garbageId: number
  /** Store keys; an uncommitted name has several places where its object might be. Not all need to exist. */
  readonly keys: readonly string[]
  /** When it became garbage. */
  readonly sinceMs: number
}

export interface GarbageCommands {
  /** After the objects were deleted. Forgetting twice is fine. */
  forgetGarbage(garbageIds: readonly number[]): Promise<void>
}

// ── Queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface CatalogQueries {
  /**
   * Resolves once queries of this client see everything that was answered, to any process, before the call. Queries as such see
   * what this client was answered, and of what others were answered what has arrived here: enough for what only grows, too little
   * for saying that something does not exist.
   *
   * errors  unavailable: nobody leads the catalog; fenced: this process may not go on
   */
  readBarrier(): Promise<void>
  /** The cluster's UUID text, fixed at creation. */
  clusterId(): Promise<string>
  topics(): Promise<readonly Topic[]>
  topicByName(name: string): Promise<Topic | undefined>
  topicById(topicId: string): Promise<Topic | undefined>
  /** In request order; undefined for what does not exist. */
  partitionStates(
    partitions: readonly { readonly topicId: string; readonly partition: number }[],
  ): Promise<readonly (PartitionState | undefined)[]>
  /** Runs that hold offsets from `offset` on, at least one if any exist, then while they fit into bytesMax; at most 1,000. */
  findRuns(topicId: string, partition: number, offset: bigint, bytesMax: number): Promise<readonly SegmentRun[]>
  /** The first run whose maximum timestamp is at least `timestampMs`. */
  findRunByTimestamp(topicId: string, partition: number, timestampMs: number): Promise<SegmentRun | undefined>
  /** The run holding the largest timestamp. */
  findRunOfMaxTimestamp(topicId: string, partition: number): Promise<SegmentRun | undefined>
  /** Resolves true once any partition has appended since `position` was read, false at the timeout. */
  waitForAppends(position: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  /** As the two for appends, of commits to any table. */
  waitForCommits(position: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  commitPosition(): number
  /** A number that grows with every append; read it before looking at partitions, then wait on it. */
  appendPosition(): number
  /** Processes that registered and were not removed, in order of their ids. */
  nodes(): Promise<readonly RegisteredNode[]>
  /** The process that has claimed the group and is still there. */
  groupOwner(group: string): Promise<{ readonly nodeId: number; readonly epoch: number } | undefined>
  groups(): Promise<readonly string[]>
  groupOffsets(group: string): Promise<readonly CommittedOffset[]>

  tables(): Promise<readonly Table[]>
  tableByName(name: string): Promise<Table | undefined>
  tableById(tableId: number): Promise<Table | undefined>
  sourceCoverage(tableId: number): Promise<readonly SourceCoverage[]>
  /** In the order in which they ended. */
  closedGenerations(tableId: number): Promise<readonly ClosedGeneration[]>
  /** Live files with sequence in (after, upTo], in order, at most `limit` (10,000); pages by the last one's position. */
  tableFiles(tableId: number, after: number, upTo: number, skip: number, limit: number): Promise<readonly TableFile[]>
  deadLetterFiles(tableId: number, skip: number, limit: number): Promise<readonly DeadLetterFile[]>
  /**
   * Oldest first, at most `limit` (10,000), that became garbage before `becameBeforeMs`: segments without live records, and
   * names that were granted and not committed until well past the deadline. Pages by the last one's id.
   */
  garbageObjects(becameBeforeMs: number, limit: number, afterGarbageId?: number): Promise<readonly GarbageObject[]>
  /** Newest last. */
  publishedVersions(tableId: number): Promise<readonly PublishedVersion[]>
}

export type { ColumnStatistics }
