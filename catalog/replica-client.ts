/**
 * The catalog client of every process: commands go through its session to whoever leads (node/command-session.ts), queries read
 * its own replica, which is always durable and holds whatever this client was answered.
 */
import type { Clock } from '../core/clock.ts'
import type { FloeError } from '../core/errors.ts'
import { formatUuid, type Random, randomUuidBytes } from '../core/random.ts'
import type { Signal } from '../core/signal.ts'
import type {
  BeginSourceGeneration,
  BeginSourceGenerationResult,
  CatalogClient,
  ClaimGroupResult,
  ClosedGeneration,
  CommitSegment,
  CommitSegmentResult,
  CommitTableFiles,
  CommitTableFilesResult,
  CommittedOffset,
  CreateTopicResult,
  DeadLetterFile,
  GarbageObject,
  GrantPurpose,
  NameGrant,
  NodeDescription,
  PartitionState,
  PendingVersion,
  PublishedVersion,
  RegisteredNode,
  SegmentRun,
  SourceCoverage,
  Table,
  TableDefinition,
  TableFile,
  Topic,
} from './client.ts'
import { beginSourceGeneration } from './commands/begin-source-generation.ts'
import type { Command } from './commands/command.ts'
import { commitSegment } from './commands/commit-segment.ts'
import { commitTableFiles } from './commands/commit-table-files.ts'
import { claimGroup, commitGroupOffsets, deleteGroupOffsets, releaseGroup } from './commands/group-commands.ts'
import { allocateProducerIds, forgetGarbage, grantNames } from './commands/name-commands.ts'
import { registerNode, removeNode, toRegisteredNode } from './commands/node-commands.ts'
import { beginPublish, completePublish } from './commands/publish-commands.ts'
import { alterTable, claimSourcePartitions, createTable, setTableState } from './commands/table-commands.ts'
import { toTable } from './commands/table-result-codec.ts'
import {
  advanceLogStart,
  alterTopicConfigs,
  createPartitions,
  createTopic,
  deleteTopic,
  toTopic,
} from './commands/topic-commands.ts'
import type { CommandSession } from './node/command-session.ts'
import * as logQueries from './queries/log-queries.ts'
import * as tableQueries from './queries/table-queries.ts'
import type { Replica } from './replica/replica.ts'
import type { CatalogState } from './state/catalog-state.ts'

/** Where a client's commands go and what its queries read. */
export interface ClientParts {
  readonly replica: Pick<Replica, 'state' | 'appended' | 'committed' | 'commands'>
  readonly session: Pick<CommandSession, 'submit'>
  /** Why queries may not be answered any more. */
  readonly failure: () => FloeError | undefined
  readonly readBarrier: () => Promise<void>
}

export class ReplicaClient implements CatalogClient {
  readonly #parts: ClientParts
  readonly #clock: Clock
  readonly #random: Random

  constructor(parts: ClientParts, clock: Clock, random: Random) {
    this.#parts = parts
    this.#clock = clock
    this.#random = random
  }

  #submit<Arguments, Result>(command: Command<Arguments, Result>, args: Arguments): Promise<Result> {
    return this.#parts.session.submit(command, args)
  }

  /** errors  fenced and others: what this process knows may be old, and it must not go on */
  async #state(): Promise<CatalogState> {
    const failure = this.#parts.failure()
    if (failure !== undefined) throw failure
    return this.#parts.replica.state
  }

  readBarrier(): Promise<void> {
    return this.#parts.readBarrier()
  }

  // ── Topics, records, groups ──

  createTopic(
    name: string,
    partitionCount: number,
    configs: Readonly<Record<string, string>>,
  ): Promise<CreateTopicResult> {
    return this.#submit(createTopic, { topicId: randomUuidBytes(this.#random), name, partitionCount, configs })
  }
  deleteTopic(topicId: string): Promise<'deleted' | 'unknown-topic'> {
    return this.#submit(deleteTopic, topicId)
  }
  alterTopicConfigs(
    topicId: string,
    changes: Readonly<Record<string, string | undefined>>,
  ): Promise<'altered' | 'unknown-topic'> {
    return this.#submit(alterTopicConfigs, { topicId, changes })
  }
  createPartitions(topicId: string, partitionCount: number): Promise<'created' | 'unknown-topic' | 'not-an-increase'> {
    return this.#submit(createPartitions, { topicId, partitionCount })
  }
  advanceLogStart(
    topicId: string,
    partition: number,
    offset: bigint,
  ): Promise<
    | { readonly outcome: 'advanced'; readonly logStartOffset: bigint }
    | { readonly outcome: 'unknown-topic' | 'offset-out-of-range' }
  > {
    return this.#submit(advanceLogStart, { topicId, partition, offset })
  }
  allocateProducerIds(count: number): Promise<{ readonly first: bigint; readonly count: number }> {
    return this.#submit(allocateProducerIds, count)
  }
  grantNames(purpose: GrantPurpose, count: number, ttlMs: number, tableId?: number): Promise<NameGrant> {
    return this.#submit(grantNames, { purpose, count, ttlMs, tableId })
  }
  commitSegment(command: CommitSegment): Promise<CommitSegmentResult> {
    return this.#submit(commitSegment, command)
  }
  commitGroupOffsets(
    group: string,
    offsets: readonly CommittedOffset[],
    claimEpoch: number,
  ): Promise<'committed' | 'fenced'> {
    return this.#submit(commitGroupOffsets, { group, offsets, claimEpoch })
  }
  claimGroup(group: string, instanceId: Uint8Array): Promise<ClaimGroupResult> {
    return this.#submit(claimGroup, { group, instanceId })
  }
  releaseGroup(group: string, epoch: number): Promise<void> {
    return this.#submit(releaseGroup, { group, epoch })
  }
  deleteGroupOffsets(
    group: string,
    partitions: readonly { topic: string; partition: number }[] | 'all',
    claimEpoch: number,
  ): Promise<'deleted' | 'fenced'> {
    return this.#submit(deleteGroupOffsets, { group, partitions, claimEpoch })
  }

  // ── Tables ──

  createTable(definition: TableDefinition): Promise<{ readonly outcome: 'created' | 'exists'; readonly table: Table }> {
    return this.#submit(createTable, { tableUuid: randomUuidBytes(this.#random), definition })
  }
  alterTable(
    tableId: number,
    definition: TableDefinition,
  ): Promise<'altered' | 'unknown-table' | 'schema-change-refused'> {
    return this.#submit(alterTable, { tableId, definition })
  }
  setTableState(
    tableId: number,
    state: 'running' | 'stopped',
    reason: string | undefined,
  ): Promise<'set' | 'unknown-table'> {
    return this.#submit(setTableState, { tableId, state, reason })
  }
  claimSourcePartitions(
    tableId: number,
    partitions: readonly number[],
  ): Promise<readonly SourceCoverage[] | 'unknown-table'> {
    return this.#submit(claimSourcePartitions, { tableId, partitions })
  }
  commitTableFiles(command: CommitTableFiles): Promise<CommitTableFilesResult> {
    return this.#submit(commitTableFiles, command)
  }
  beginSourceGeneration(command: BeginSourceGeneration): Promise<BeginSourceGenerationResult> {
    return this.#submit(beginSourceGeneration, command)
  }
  beginPublish(tableId: number): Promise<PendingVersion | undefined | 'unknown-table'> {
    return this.#submit(beginPublish, tableId)
  }
  completePublish(
    tableId: number,
    version: number,
    icebergMetadataPath: string,
  ): Promise<PublishedVersion | 'unknown-table' | 'not-pending'> {
    return this.#submit(completePublish, { tableId, version, icebergMetadataPath })
  }

  // ── Nodes ──

  registerNode(node: NodeDescription): Promise<RegisteredNode> {
    const { formatLevelMax } = this.#parts.replica.commands
    return this.#submit(registerNode, { ...node, formatLevelMax })
  }
  removeNode(nodeId: number, instanceId: Uint8Array): Promise<void> {
    return this.#submit(removeNode, { nodeId, instanceId })
  }

  // ── Garbage ──

  async forgetGarbage(garbageIds: readonly number[]): Promise<void> {
    await this.#submit(forgetGarbage, garbageIds)
  }

  // ── Queries ──

  async clusterId(): Promise<string> {
    return formatUuid((await this.#state()).clusterId)
  }
  async topics(): Promise<readonly Topic[]> {
    return Array.from((await this.#state()).topics.all(), toTopic)
  }
  async topicByName(name: string): Promise<Topic | undefined> {
    const topic = (await this.#state()).topics.byName(name)
    return topic && toTopic(topic)
  }
  async topicById(topicId: string): Promise<Topic | undefined> {
    const topic = (await this.#state()).topics.byId(topicId)
    return topic && toTopic(topic)
  }
  async partitionStates(
    partitions: readonly { readonly topicId: string; readonly partition: number }[],
  ): Promise<readonly (PartitionState | undefined)[]> {
    return logQueries.partitionStates(await this.#state(), partitions)
  }
  async findRuns(topicId: string, partition: number, offset: bigint, bytesMax: number): Promise<readonly SegmentRun[]> {
    return logQueries.findRuns(await this.#state(), topicId, partition, offset, bytesMax)
  }
  async findRunByTimestamp(topicId: string, partition: number, timestampMs: number): Promise<SegmentRun | undefined> {
    return logQueries.findRunByTimestamp(await this.#state(), topicId, partition, timestampMs)
  }
  async findRunOfMaxTimestamp(topicId: string, partition: number): Promise<SegmentRun | undefined> {
    return logQueries.findRunOfMaxTimestamp(await this.#state(), topicId, partition)
  }
  waitForAppends(position: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const { appended } = this.#parts.replica
    return this.#waitBeyond(state => state.appendPosition, position, appended, timeoutMs, signal)
  }
  appendPosition(): number {
    return this.#parts.replica.state.appendPosition
  }
  waitForCommits(position: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const { committed } = this.#parts.replica
    return this.#waitBeyond(state => state.commitPosition, position, committed, timeoutMs, signal)
  }
  commitPosition(): number {
    return this.#parts.replica.state.commitPosition
  }
  async #waitBeyond(
    read: (state: CatalogState) => number,
    position: number,
    changed: Signal,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs
    for (;;) {
      if (read(await this.#state()) > position) return true
      const remainingMs = deadlineMs - this.#clock.monotonicMs()
      if (remainingMs <= 0 || signal?.aborted) return false
      if (!(await changed.wait(this.#clock, remainingMs, signal))) return false
    }
  }
  async nodes(): Promise<readonly RegisteredNode[]> {
    return (await this.#state()).nodes.all().map(toRegisteredNode)
  }
  async groupOwner(group: string): Promise<{ readonly nodeId: number; readonly epoch: number } | undefined> {
    const { groupClaims, nodes } = await this.#state()
    return groupClaims.findLive(group, nodes)
  }
  async groups(): Promise<readonly string[]> {
    return (await this.#state()).groups.groups()
  }
  async groupOffsets(group: string): Promise<readonly CommittedOffset[]> {
    return logQueries.groupOffsets(await this.#state(), group)
  }
  async tables(): Promise<readonly Table[]> {
    return Array.from((await this.#state()).tables.all(), toTable)
  }
  async tableByName(name: string): Promise<Table | undefined> {
    const table = (await this.#state()).tables.byName(name)
    return table && toTable(table)
  }
  async tableById(tableId: number): Promise<Table | undefined> {
    const table = (await this.#state()).tables.byId(tableId)
    return table && toTable(table)
  }
  async sourceCoverage(tableId: number): Promise<readonly SourceCoverage[]> {
    return tableQueries.sourceCoverage(await this.#state(), tableId)
  }
  async closedGenerations(tableId: number): Promise<readonly ClosedGeneration[]> {
    return tableQueries.closedGenerations(await this.#state(), tableId)
  }
  async tableFiles(
    tableId: number,
    after: number,
    upTo: number,
    skip: number,
    limit: number,
  ): Promise<readonly TableFile[]> {
    return tableQueries.tableFiles(await this.#state(), tableId, after, upTo, skip, limit)
  }
  async deadLetterFiles(tableId: number, skip: number, limit: number): Promise<readonly DeadLetterFile[]> {
    return tableQueries.deadLetterFiles(await this.#state(), tableId, skip, limit)
  }
  async publishedVersions(tableId: number): Promise<readonly PublishedVersion[]> {
    return tableQueries.publishedVersions(await this.#state(), tableId)
  }
  async garbageObjects(becameBeforeMs: number, limit: number, afterGarbageId = 0): Promise<readonly GarbageObject[]> {
    return tableQueries.garbageObjects(await this.#state(), becameBeforeMs, limit, afterGarbageId)
  }
}
