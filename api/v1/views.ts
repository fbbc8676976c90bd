/** The shapes of /api/v1: what the catalog knows, in words. Offsets, counts of rows and ids are strings of digits. */
import type { CatalogQueries, PublishedVersion, SourceCoverage, Table, Topic } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import type { TableIngestStatus } from '../../ingest/service.ts'
import { formatType } from '../../table/schema.ts'
import type { Field } from '../../table/types.ts'

export type CatalogFacts = Pick<
  CatalogQueries,
  | 'clusterId'
  | 'topics'
  | 'topicByName'
  | 'partitionStates'
  | 'tables'
  | 'tableByName'
  | 'sourceCoverage'
  | 'closedGenerations'
  | 'publishedVersions'
  | 'deadLetterFiles'
>

export interface TopicView {
  readonly name: string
  readonly topicId: string
  readonly configs: Readonly<Record<string, string>>
  readonly partitions: readonly PartitionView[]
  /** Records that can be read, over all partitions. */
  readonly records: bigint
}
export interface PartitionView {
  readonly partition: number
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
}

export interface TableView {
  readonly name: string
  readonly tableUuid: string
  readonly created: string
  readonly source: { readonly cluster: string; readonly topic: string }
  readonly location: string
  readonly state: 'running' | 'stopped'
  readonly reason: string | null
  readonly rows: bigint
  readonly files: number
  readonly fileBytes: bigint
  readonly deadLetters: bigint
  readonly published: VersionView | null
  /** Null where the answering process does not ingest. */
  readonly ingest: IngestView | null
}
export interface VersionView {
  readonly version: number
  readonly published: string
  readonly icebergSnapshot: bigint | null
  readonly icebergMetadata: string
  readonly deltaVersion: number
  readonly rows: bigint
}
export interface IngestView {
  readonly state: string
  readonly reason: string | null
  readonly lagRecords: bigint
  readonly publishFailure: string | null
}
export interface TableDetailView extends TableView {
  readonly columns: readonly ColumnView[]
  readonly partitionBy: readonly string[]
  readonly settings: unknown
  readonly coverage: readonly CoverageView[]
  /** Of source topics that were created again or truncated, in the order in which they ended. */
  readonly closedGenerations: readonly ClosedGenerationView[]
  readonly versions: readonly VersionView[]
}
export interface ColumnView {
  readonly id: number
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly doc?: string
}
export interface CoverageView extends Omit<SourceCoverage, 'ownerEpoch' | 'maxTimestampMs'> {
  /** Counts from 1. */
  readonly generation: number
  readonly newest: string | null
}
export interface ClosedGenerationView extends CoverageView {
  readonly closed: string
}

export interface DeadLetterFileView {
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly committed: string
}

/** Versions and dead letter files shown at most. */
const versionsShownMax = 100
export const deadLetterFilesPageMax = 1_000

export async function describeTopic(catalog: CatalogFacts, topic: Topic): Promise<TopicView> {
  const asked = Array.from({ length: topic.partitionCount }, (_, partition) => ({ topicId: topic.topicId, partition }))
  const states = await catalog.partitionStates(asked)
  const partitions = states.flatMap((state, partition) =>
    state === undefined
      ? []
      : [{ partition, logStartOffset: state.logStartOffset, highWatermark: state.highWatermark }],
  )
  const records = partitions.reduce((sum, each) => sum + each.highWatermark - each.logStartOffset, 0n)
  return { name: topic.name, topicId: topic.topicId, configs: topic.configs, partitions, records }
}

export function describeTable(table: Table, storeUri: string, ingest: TableIngestStatus | undefined): TableView {
  const { name, source } = table.definition
  return {
    name,
    tableUuid: table.tableUuid,
    created: formatTime(table.createdMs),
    source: { cluster: source.clusterName, topic: source.topic },
    location: `${storeUri}/${tableFolder(name, table.tableUuid)}`,
    state: table.state,
    reason: table.stoppedReason ?? null,
    rows: table.rowCount,
    files: table.fileCount,
    fileBytes: table.fileBytes,
    deadLetters: table.deadLetterCount,
    published: table.published === undefined ? null : describeVersion(table.published),
    ingest:
      ingest === undefined
        ? null
        : {
            state: ingest.state,
            reason: ingest.reason ?? null,
            lagRecords: ingest.lagRecords,
            publishFailure: ingest.publishFailure ?? null,
          },
  }
}

export async function describeTableDetail(
  catalog: CatalogFacts,
  table: Table,
  storeUri: string,
  ingest: TableIngestStatus | undefined,
): Promise<TableDetailView> {
  const { schema, spec, settings } = table.definition
  const closed = await catalog.closedGenerations(table.tableId)
  const coverage = await catalog.sourceCoverage(table.tableId)
  const closedCounts = new Map(closed.map(({ partition, generation }) => [partition, generation]))
  const versions = await catalog.publishedVersions(table.tableId)
  return {
    ...describeTable(table, storeUri, ingest),
    columns: schema.fields.map(describeColumn),
    partitionBy: spec.fields.map(field => field.name),
    settings: parseSettings(settings),
    coverage: coverage.map(each => describeCoverage(each, (closedCounts.get(each.partition) ?? 0) + 1)),
    closedGenerations: closed.map(each => ({
      ...describeCoverage(each, each.generation),
      closed: formatTime(each.closedMs),
    })),
    versions: versions.slice(-versionsShownMax).map(describeVersion),
  }
}

function describeCoverage(account: Omit<SourceCoverage, 'ownerEpoch'>, generation: number): CoverageView {
  const { partition, topicId, start, end, written, filtered, rejected, control, gap, maxTimestampMs } = account
  const newest = maxTimestampMs < 0 ? null : formatTime(maxTimestampMs)
  return { partition, generation, topicId, start, end, written, filtered, rejected, control, gap, newest }
}

function describeColumn({ id, name, type, required, doc }: Field): ColumnView {
  const column = { id, name, type: formatType(type), required }
  return doc === undefined ? column : { ...column, doc }
}

export function describeVersion(version: PublishedVersion): VersionView {
  return {
    version: version.version,
    published: formatTime(version.completedMs),
    icebergSnapshot: version.snapshotId ?? null,
    icebergMetadata: version.icebergMetadataPath,
    deltaVersion: version.deltaVersion,
    rows: version.rowCount,
  }
}

/** Text written by ingest; a table that another version of Floe made may hold another form. */
function parseSettings(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** ISO 8601 in UTC. Times beyond what a date can hold are shown as their number. */
export function formatTime(timeMs: number): string {
  return Number.isFinite(timeMs) && Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs)
}
