/**
 * Validates one rendered Iceberg version: names and order of its objects, metadata.json, and through iceberg-manifests.ts the
 * manifest list and the manifests.
 *
 * source  Iceberg specification, "Table Metadata Fields"; what the Java library refuses
 */
import { JsonReader, parseJson } from '../exact-json.ts'
import type { ManifestListEntry } from '../iceberg/manifest-list.ts'
import { readMetadata, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import { relativePath, versionHintPath } from '../iceberg/names.ts'
import { type IcebergRendering, metadataLogCountMax } from '../iceberg/render.ts'
import { toSchemaJson, toSpecJson } from '../iceberg/schema-json.ts'
import { validateSpec } from '../partition.ts'
import { formatProgress, progressKey } from '../progress-text.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../rendering.ts'
import { findLastColumnId, requireSchema, validateSchema } from '../schema.ts'
import { Checker, checkObjects } from './checker.ts'
import { validateManifestList } from './iceberg-manifests.ts'

const metadataName = /^metadata\/\d{5,}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.metadata\.json$/
const requiredMembers = [
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'schemas',
  'current-schema-id',
  'partition-specs',
  'default-spec-id',
  'last-partition-id',
  'sort-orders',
  'default-sort-order-id',
  'current-snapshot-id',
  'snapshots',
  'snapshot-log',
  'metadata-log',
  'properties',
  'refs',
  'statistics',
  'partition-statistics',
]
const countKeys = [
  'added-data-files',
  'deleted-data-files',
  'added-records',
  'deleted-records',
  'added-files-size',
  'removed-files-size',
  'changed-partition-count',
  'total-data-files',
  'total-records',
  'total-files-size',
  'total-delete-files',
  'total-position-deletes',
  'total-equality-deletes',
]

/**
 * objects  as renderIceberg returned them for `plan` on `previous`
 * errors   internal `rendering-invalid`, naming object and field; corrupt when an object cannot even be parsed
 */
export function validateIceberg(
  table: TableIdentity,
  plan: PublishPlan,
  objects: readonly RenderedObject[],
  previous: IcebergRendering | undefined,
): void {
  const byPath = checkObjects(objects, [versionHintPath])
  const metadataObject = objects.find(({ path }) => metadataName.test(path))
  const checker: Checker = new Checker(metadataObject?.path ?? 'metadata.json')
  checker.must(metadataObject !== undefined, 'path', 'no object has the name of a metadata file')
  checkOrder(objects, metadataObject.path)
  const { path, bytes } = metadataObject
  const reader = new JsonReader(parseJson(bytes, path), path)
  const metadata = readMetadata(reader)
  checkRawMembers(checker, reader, bytes, metadata)
  checkTableMembers(checker, table, plan, metadata, previous)
  const snapshot = checkSnapshots(checker, plan, metadata)
  checkLogs(checker, metadata, metadataObject.path)
  if (snapshot === undefined) {
    checker.equal(objects.length, 2, 'objects of an empty table')
    return
  }
  const listPath = relativePath(table.location, snapshot.manifestList)
  const list = byPath.get(listPath)
  checker.must(list !== undefined, 'manifest-list', `${listPath} is not among the objects`)
  const entries = validateManifestList({ table, plan, byPath, list, snapshot, previous })
  checkTotals(checker, snapshot, entries, plan, previous)
}

function checkOrder(objects: readonly RenderedObject[], metadataPath: string): void {
  const paths = objects.map(({ path }) => path)
  const checker: Checker = new Checker(metadataPath)
  checker.must(paths.at(-1) === versionHintPath, 'order', 'the version hint must come last')
  checker.must(
    paths.at(-2) === metadataPath,
    'order',
    'the metadata file must come before the hint and after all it names',
  )
  const hint = new TextDecoder().decode(objects.at(-1)!.bytes)
  checker.equal(`metadata/${hint}.metadata.json`, metadataPath, 'version hint')
  const list = paths.findIndex(path => path.startsWith('metadata/snap-'))
  checker.must(list === -1 || list === paths.length - 3, 'order', 'the manifest list must come after the manifests')
}

/** Members that parsing does not keep, and 64-bit ids as they stand in the text. */
function checkRawMembers(checker: Checker, reader: JsonReader, bytes: Uint8Array, metadata: TableMetadata): void {
  for (const member of requiredMembers) checker.must(reader.has(member), member, 'is missing')
  checker.must(
    !reader.has('schema') && !reader.has('partition-spec'),
    'schema',
    'version 1 members must not be written',
  )
  const orders = reader.objects('sort-orders')
  checker.must(
    orders.length === 1 && orders[0]!.integer('order-id') === 0,
    'sort-orders',
    'must be the unsorted order 0',
  )
  checker.equal(reader.integer('default-sort-order-id'), 0, 'default-sort-order-id')
  const refs = reader.object('refs')
  const current = metadata.currentSnapshotId
  if (current === undefined) {
    checker.equal(refs.keys.length, 0, 'refs')
    checker.equal(reader.int64('current-snapshot-id'), -1n, 'current-snapshot-id')
  } else {
    checker.equal(refs.object('main').int64('snapshot-id'), current, 'refs.main')
    const text = new TextDecoder().decode(bytes)
    checker.must(text.includes(`"current-snapshot-id":${current},`), 'current-snapshot-id', 'is not printed exactly')
  }
}

function checkTableMembers(
  checker: Checker,
  table: TableIdentity,
  plan: PublishPlan,
  metadata: TableMetadata,
  previous: IcebergRendering | undefined,
): void {
  checker.equal(metadata.tableUuid, table.uuid, 'table-uuid')
  checker.equal(metadata.location, table.location, 'location')
  checker.must(!metadata.location.endsWith('/'), 'location', 'ends with a slash')
  checker.must(/^[a-z][a-z0-9+.-]*:\//.test(metadata.location), 'location', 'is not an absolute URI')
  checker.equal(metadata.lastSequenceNumber, plan.version, 'last-sequence-number')
  checker.equal(metadata.lastUpdatedMs, plan.timestampMs, 'last-updated-ms')
  checker.must(
    metadata.lastColumnId >= findLastColumnId(metadata.schemas),
    'last-column-id',
    'is below an id of a schema',
  )
  checker.equal(metadata.properties['gc.enabled'], 'false', 'properties.gc.enabled')
  const ids = metadata.schemas.map(({ schemaId }) => schemaId)
  checker.equal(new Set(ids).size, ids.length, 'schemas with distinct ids')
  checker.must(ids.includes(metadata.currentSchemaId), 'current-schema-id', 'is not among the schemas')
  for (const schema of metadata.schemas) validateSchema(schema)
  validateSpec(metadata.spec, requireSchema(metadata.schemas, metadata.currentSchemaId))
  checker.equal(metadata.spec.specId, 0, 'default-spec-id')
  const lastPartitionId = Math.max(999, ...metadata.spec.fields.map(({ fieldId }) => fieldId))
  checker.must(metadata.lastPartitionId >= lastPartitionId, 'last-partition-id', 'is below an id of the spec')
  checker.equal(
    JSON.stringify(metadata.schemas.map(toSchemaJson)),
    JSON.stringify(table.schemas.map(toSchemaJson)),
    'schemas',
  )
  checker.equal(JSON.stringify(toSpecJson(metadata.spec)), JSON.stringify(toSpecJson(table.spec)), 'partition-specs')
  if (previous === undefined) return
  const before = previous.metadata
  checker.equal(before.tableUuid, metadata.tableUuid, 'table-uuid of the version before')
  checker.equal(before.lastSequenceNumber, plan.version - 1, 'last-sequence-number of the version before')
  checker.must(metadata.lastColumnId >= before.lastColumnId, 'last-column-id', 'went down')
  checker.equal(
    JSON.stringify(toSpecJson(before.spec)),
    JSON.stringify(toSpecJson(metadata.spec)),
    'partition-specs before and after',
  )
}

/** Returns the current snapshot. */
function checkSnapshots(checker: Checker, plan: PublishPlan, metadata: TableMetadata): Snapshot | undefined {
  const { snapshots, currentSnapshotId } = metadata
  checker.equal(currentSnapshotId, plan.snapshotId, 'current-snapshot-id')
  if (currentSnapshotId === undefined) {
    checker.equal(snapshots.length, 0, 'snapshots of an empty table')
    return undefined
  }
  const current = snapshots.at(-1)
  checker.must(current?.snapshotId === currentSnapshotId, 'snapshots', 'do not end with the current snapshot')
  const ids = new Set<bigint>()
  let sequenceNumber = 0
  for (const [index, snapshot] of snapshots.entries()) {
    const field = `snapshots[${index}]`
    const { snapshotId } = snapshot
    checker.must(snapshotId > 0n && snapshotId < 2n ** 63n, `${field}.snapshot-id`, 'is not a positive 64-bit integer')
    checker.must(!ids.has(snapshotId), `${field}.snapshot-id`, 'is used twice')
    ids.add(snapshotId)
    checker.must(snapshot.sequenceNumber > sequenceNumber, `${field}.sequence-number`, 'does not ascend')
    sequenceNumber = snapshot.sequenceNumber
    checker.must(sequenceNumber <= metadata.lastSequenceNumber, `${field}.sequence-number`, 'is above the last one')
    checker.must(
      metadata.schemas.some(({ schemaId }) => schemaId === snapshot.schemaId),
      `${field}.schema-id`,
      'is not among the schemas',
    )
    checkSummary(checker, `${field}.summary`, snapshot.summary)
    relativePath(metadata.location, snapshot.manifestList)
  }
  checker.equal(current.schemaId, metadata.currentSchemaId, 'schema-id of the current snapshot')
  checker.equal(current.timestampMs, plan.timestampMs, 'timestamp-ms of the current snapshot')
  checker.equal(current.summary.operation, plan.operation, 'operation of the current snapshot')
  checker.equal(current.summary[progressKey], formatProgress(plan.progress), `${progressKey} of the current snapshot`)
  return current
}

function checkSummary(checker: Checker, field: string, summary: Readonly<Record<string, string>>): void {
  const { operation } = summary
  checker.must(operation === 'append' || operation === 'replace', `${field}.operation`, `is ${operation}`)
  for (const key of countKeys) {
    checker.must(/^\d{1,16}$/.test(summary[key] ?? ''), `${field}.${key}`, `is ${summary[key]} and not a count`)
  }
}

function checkLogs(checker: Checker, metadata: TableMetadata, metadataPath: string): void {
  const { snapshotLog, metadataLog, snapshots } = metadata
  const ascend = (field: string, times: readonly number[]): void => {
    for (const [index, time] of times.entries()) {
      checker.must(index === 0 || time >= times[index - 1]!, field, 'is not in order of time')
      checker.must(time <= metadata.lastUpdatedMs, field, 'has an entry after last-updated-ms')
    }
  }
  ascend(
    'snapshot-log',
    snapshotLog.map(({ timestampMs }) => timestampMs),
  )
  ascend(
    'metadata-log',
    metadataLog.map(({ timestampMs }) => timestampMs),
  )
  const logged = snapshotLog.map(({ snapshotId }) => snapshotId).join()
  checker.equal(logged, snapshots.map(({ snapshotId }) => snapshotId).join(), 'snapshot-log')
  checker.must(metadataLog.length <= metadataLogCountMax, 'metadata-log', 'is too long')
  const files = new Set(metadataLog.map(({ metadataFile }) => relativePath(metadata.location, metadataFile)))
  checker.equal(files.size, metadataLog.length, 'metadata-log with distinct files')
  checker.must(!files.has(metadataPath), 'metadata-log', 'names the metadata file itself')
}

const sumOf = (entries: readonly ManifestListEntry[], value: (entry: ManifestListEntry) => number): number =>
  entries.reduce((total, entry) => total + value(entry), 0)

/** The summary against the manifest list, the plan, and the totals of the snapshot before. */
function checkTotals(
  checker: Checker,
  snapshot: Snapshot,
  entries: readonly ManifestListEntry[],
  plan: PublishPlan,
  previous: IcebergRendering | undefined,
): void {
  const count = (summary: Readonly<Record<string, string>> | undefined, key: string): number =>
    Number(summary?.[key] ?? 0)
  const { summary } = snapshot
  const files = sumOf(entries, entry => entry.addedFilesCount + entry.existingFilesCount)
  const rows = sumOf(entries, entry => entry.addedRowsCount + entry.existingRowsCount)
  checker.equal(count(summary, 'total-data-files'), files, 'total-data-files')
  checker.equal(count(summary, 'total-records'), rows, 'total-records')
  checker.equal(count(summary, 'added-data-files'), plan.added.length, 'added-data-files')
  checker.equal(count(summary, 'deleted-data-files'), plan.removed.length, 'deleted-data-files')
  const before = previous?.metadata.snapshots.at(-1)?.summary
  const changes = [
    ['total-data-files', 'added-data-files', 'deleted-data-files'],
    ['total-records', 'added-records', 'deleted-records'],
    ['total-files-size', 'added-files-size', 'removed-files-size'],
  ] as const
  for (const [total, added, removed] of changes) {
    const expected = count(before, total) + count(summary, added) - count(summary, removed)
    checker.equal(count(summary, total), expected, `${total} against the version before`)
  }
  if (plan.operation === 'replace') {
    checker.equal(count(summary, 'added-records'), count(summary, 'deleted-records'), 'records of a replace')
  }
}
