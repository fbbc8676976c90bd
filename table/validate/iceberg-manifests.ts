/**
 * Validates a rendered manifest list and the manifests rendered with it, entry by entry and bound by bound. Manifests carried
 * over from earlier versions must be listed exactly as before.
 *
 * source  Iceberg specification, "Manifests", "Manifest Lists", "Sequence Number Inheritance"
 */

import { ByteReader } from '../../core/byte-reader.ts'
import { type AvroRecordValue, type AvroValue, compileRecordDecoder } from '../avro/codec.ts'
import { readContainer } from '../avro/container.ts'
import { JsonReader, parseJson, printJson } from '../exact-json.ts'
import {
  buildManifestFormat,
  entryStatus,
  type ManifestEntry,
  type ManifestFormat,
  readManifest,
} from '../iceberg/manifest.ts'
import { type ManifestListEntry, readManifestList } from '../iceberg/manifest-list.ts'
import { buildDataFileSchema } from '../iceberg/manifest-schema.ts'
import type { Snapshot } from '../iceberg/metadata.ts'
import { relativePath } from '../iceberg/names.ts'
import type { IcebergRendering } from '../iceberg/render.ts'
import { parseSchemaJson, toSchemaJson, toSpecFieldsJson } from '../iceberg/schema-json.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import { compareSingleValues, isNaNValue } from '../single-value.ts'
import { Checker, checkPath } from './checker.ts'

export interface ManifestListInput {
  readonly table: TableIdentity
  readonly plan: PublishPlan
  readonly byPath: ReadonlyMap<string, RenderedObject>
  readonly list: RenderedObject
  readonly snapshot: Snapshot
  readonly previous: IcebergRendering | undefined
}

/** Returns the entries of the list. */
export function validateManifestList(input: ManifestListInput): ManifestListEntry[] {
  const { table, plan, byPath, list, snapshot, previous } = input
  const checker: Checker = new Checker(list.path)
  const header = readContainer(list.bytes, list.path).metadata
  checker.equal(header.get('format-version'), '2', 'header format-version')
  checker.equal(header.get('snapshot-id'), String(snapshot.snapshotId), 'header snapshot-id')
  checker.equal(
    header.get('parent-snapshot-id'),
    String(snapshot.parentSnapshotId ?? 'null'),
    'header parent-snapshot-id',
  )
  checker.equal(header.get('sequence-number'), String(plan.version), 'header sequence-number')
  checker.must(list.path.startsWith(`metadata/snap-${snapshot.snapshotId}-1-`), 'path', 'is not that of the snapshot')
  const entries = readManifestList(list.bytes, list.path)
  const format = buildManifestFormat(requireSchema(table.schemas, table.currentSchemaId), table.spec)
  const carried = new Map(previous?.manifests.map(entry => [entry.manifestPath, entry]))
  const seen = new Set<string>()
  const livePaths = new Set<string>()
  const changed = { added: new Set<string>(), deleted: new Set<string>() }
  let renderedCount = 0
  for (const [index, entry] of entries.entries()) {
    const field = `entry ${index}`
    checker.must(!seen.has(entry.manifestPath), field, `lists ${entry.manifestPath} twice`)
    seen.add(entry.manifestPath)
    const path = relativePath(table.location, entry.manifestPath)
    checker.equal(entry.partitionSpecId, table.spec.specId, `${field} partition_spec_id`)
    checker.equal(entry.partitions.length, table.spec.fields.length, `${field} number of partitions`)
    checker.must(
      entry.minSequenceNumber <= entry.sequenceNumber,
      `${field} min_sequence_number`,
      'is above sequence_number',
    )
    const object = byPath.get(path)
    if (object === undefined) {
      const before = carried.get(entry.manifestPath)
      checker.must(before !== undefined, field, `${path} is neither rendered nor in the version before`)
      checker.equal(describe(entry), describe(before), `${field} as carried over`)
      continue
    }
    renderedCount++
    checker.equal(entry.manifestBytes, object.bytes.length, `${field} manifest_length`)
    checker.equal(entry.sequenceNumber, plan.version, `${field} sequence_number`)
    checker.equal(entry.addedSnapshotId, snapshot.snapshotId, `${field} added_snapshot_id`)
    validateManifest({ ...input, format, object, entry, livePaths, changed })
  }
  checker.equal(renderedCount, byPath.size - 3, 'number of rendered manifests that are listed')
  checkPaths(checker, table, plan.added, changed.added, 'added files')
  checkPaths(checker, table, plan.removed, changed.deleted, 'removed files')
  return entries
}

/** Comparable text: bigint and bytes included. */
function describe(entry: ManifestListEntry): string {
  return printJson({
    ...entry,
    partitions: entry.partitions.map(({ containsNull, lower, upper }) => ({
      containsNull,
      lower: lower && Buffer.from(lower).toString('hex'),
      upper: upper && Buffer.from(upper).toString('hex'),
    })),
  })
}

function checkPaths(
  checker: Checker,
  table: TableIdentity,
  files: readonly { readonly path: string }[],
  found: ReadonlySet<string>,
  field: string,
): void {
  checker.equal(found.size, files.length, `number of ${field}`)
  for (const { path } of files) checker.must(found.has(`${table.location}/${path}`), field, `${path} has no entry`)
}

interface ManifestInput extends ManifestListInput {
  readonly format: ManifestFormat
  readonly object: RenderedObject
  readonly entry: ManifestListEntry
  readonly livePaths: Set<string>
  readonly changed: { readonly added: Set<string>; readonly deleted: Set<string> }
}

function validateManifest({ table, plan, snapshot, format, object, entry, livePaths, changed }: ManifestInput): void {
  const checker: Checker = new Checker(object.path)
  checkHeader(checker, table, format, object)
  const entries = readManifest(format, object.bytes, object.path)
  const decode = compileRecordDecoder(buildDataFileSchema(table.spec, format.schema))
  const files = [0, 0, 0]
  const rows = [0, 0, 0]
  let minSequenceNumber = plan.version
  for (const [index, file] of entries.entries()) {
    const field = `entry ${index}`
    checkPath(checker, `${field} file_path`, relativePath(table.location, file.filePath))
    files[file.status] = files[file.status]! + 1
    rows[file.status] = rows[file.status]! + file.recordCount
    if (file.status === entryStatus.added) {
      checker.equal(file.sequenceNumber, null, `${field} sequence_number`)
      checker.equal(file.fileSequenceNumber, null, `${field} file_sequence_number`)
      changed.added.add(file.filePath)
    } else {
      const sequenceNumber = file.sequenceNumber ?? -1
      checker.must(
        sequenceNumber > 0 && sequenceNumber < plan.version,
        `${field} sequence_number`,
        'is not of an earlier version',
      )
      if (file.status === entryStatus.existing) minSequenceNumber = Math.min(minSequenceNumber, sequenceNumber)
    }
    if (file.status === entryStatus.deleted) changed.deleted.add(file.filePath)
    else {
      checker.must(!livePaths.has(file.filePath), `${field} file_path`, `${file.filePath} is live twice`)
      livePaths.add(file.filePath)
    }
    const isOwn = file.snapshotId === snapshot.snapshotId
    checker.must(isOwn === (file.status !== entryStatus.existing), `${field} snapshot_id`, 'does not fit the status')
    checkPartition(checker, field, format, file, entry)
    checkDataFile(checker, field, format, decode(new ByteReader(file.dataFile, object.path)))
  }
  checker.equal(entry.addedFilesCount, files[entryStatus.added], 'added_files_count')
  checker.equal(entry.existingFilesCount, files[entryStatus.existing], 'existing_files_count')
  checker.equal(entry.deletedFilesCount, files[entryStatus.deleted], 'deleted_files_count')
  checker.equal(entry.addedRowsCount, rows[entryStatus.added], 'added_rows_count')
  checker.equal(entry.existingRowsCount, rows[entryStatus.existing], 'existing_rows_count')
  checker.equal(entry.deletedRowsCount, rows[entryStatus.deleted], 'deleted_rows_count')
  checker.equal(entry.minSequenceNumber, minSequenceNumber, 'min_sequence_number')
}

function checkHeader(checker: Checker, table: TableIdentity, format: ManifestFormat, object: RenderedObject): void {
  const header = readContainer(object.bytes, object.path).metadata
  const schema = parseSchemaJson(
    new JsonReader(parseJson(header.get('schema') ?? '', `${object.path}: header schema`), object.path),
  )
  checker.equal(printJson(toSchemaJson(schema)), printJson(toSchemaJson(format.schema)), 'header schema')
  checker.equal(header.get('schema-id'), String(format.schema.schemaId), 'header schema-id')
  checker.equal(header.get('partition-spec'), printJson(toSpecFieldsJson(table.spec)), 'header partition-spec')
  checker.equal(header.get('partition-spec-id'), String(table.spec.specId), 'header partition-spec-id')
  checker.equal(header.get('format-version'), '2', 'header format-version')
  checker.equal(header.get('content'), 'data', 'header content')
}

function checkPartition(
  checker: Checker,
  field: string,
  format: ManifestFormat,
  file: ManifestEntry,
  listEntry: ManifestListEntry,
): void {
  for (const [index, { resultType, field: partitionField }] of format.partitionFields.entries()) {
    const name = `${field} partition ${partitionField.name}`
    const value = file.partition[index]
    const summary = listEntry.partitions[index]!
    checker.must(value !== undefined, name, 'is missing')
    if (value === null) {
      checker.must(summary.containsNull, name, 'is null, which the manifest list denies')
      continue
    }
    const { lower, upper } = summary
    checker.must(lower !== null && upper !== null, name, 'has a value and the manifest list no bounds')
    checker.must(
      compareSingleValues(resultType, lower, value) <= 0,
      name,
      'is below the lower bound of the manifest list',
    )
    checker.must(
      compareSingleValues(resultType, value, upper) <= 0,
      name,
      'is above the upper bound of the manifest list',
    )
  }
}

function checkDataFile(checker: Checker, field: string, format: ManifestFormat, file: AvroRecordValue): void {
  checker.equal(file.content, 0, `${field} content`)
  checker.equal(file.file_format, 'PARQUET', `${field} file_format`)
  checker.must(Number(file.record_count) > 0, `${field} record_count`, 'is not positive')
  const size = Number(file.file_size_in_bytes)
  checker.must(size > 0, `${field} file_size_in_bytes`, 'is not positive')
  let last = -1
  for (const offset of Array.isArray(file.split_offsets) ? file.split_offsets : []) {
    checker.must(
      Number(offset) > last && Number(offset) < size,
      `${field} split_offsets`,
      'do not ascend within the file',
    )
    last = Number(offset)
  }
  const valueCounts = readMap(file.value_counts)
  const nullCounts = readMap(file.null_value_counts)
  const nanCounts = readMap(file.nan_value_counts)
  const lowers = readMap(file.lower_bounds)
  const uppers = readMap(file.upper_bounds)
  for (const [id, count] of [...nullCounts, ...nanCounts]) {
    const total = valueCounts.get(id)
    checker.must(
      total !== undefined && Number(count) <= Number(total),
      `${field} column ${id}`,
      'counts more than its values',
    )
  }
  for (const id of new Set([...valueCounts.keys(), ...lowers.keys(), ...uppers.keys()])) {
    const name = `${field} column ${id}`
    const leaf = format.statisticsLeaves.get(id)
    // A column that was dropped since keeps the statistics it was written with.
    if (leaf === undefined) continue
    const lower = lowers.get(id)
    const upper = uppers.get(id)
    if (lower === undefined && upper === undefined) continue
    checker.must(!leaf.insideRepeated, name, 'is inside a list or map and has bounds')
    checker.must(nullCounts.get(id) !== valueCounts.get(id), name, 'is all null and has bounds')
    for (const bound of [lower, upper]) {
      if (bound === undefined) continue
      checker.must(bound instanceof Uint8Array, name, 'has a bound that is not bytes')
      checker.must(!isNaNValue(leaf.type, bound), name, 'has NaN as a bound')
    }
    if (lower instanceof Uint8Array && upper instanceof Uint8Array) {
      checker.must(compareSingleValues(leaf.type, lower, upper) <= 0, name, 'has a lower bound above its upper bound')
    }
  }
}

function readMap(value: AvroValue | undefined): Map<number, AvroValue> {
  const map = new Map<number, AvroValue>()
  for (const item of Array.isArray(value) ? value : []) {
    if (typeof item !== 'object' || item === null || Array.isArray(item) || item instanceof Uint8Array) continue
    map.set(Number(item.key), item.value ?? null)
  }
  return map
}
