/** Tables, coverage and versions as they travel in answers, and as queries show them. */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { formatUuid } from '../../core/random.ts'
import type { PendingVersion, PublishedVersion, SourceCoverage, Table } from '../client.ts'
import { deriveSnapshotId } from '../snapshot-id.ts'
import { accountFlags } from '../state/source-accounts.ts'
import type { PendingState, PublishedState } from '../state/table-versions.ts'
import type { TableState } from '../state/tables.ts'
import { parseTableDefinition } from '../table-definition-codec.ts'

export function toTable(table: TableState): Table {
  const { last } = table.versions
  return {
    tableId: table.tableId,
    tableUuid: table.tableUuid,
    createdMs: table.createdMs,
    definition: table.definition,
    schemas: table.schemas,
    state: table.stopped ? 'stopped' : 'running',
    stoppedReason: table.stoppedReason,
    fileCount: table.files.length,
    rowCount: BigInt(table.rowCount),
    fileBytes: BigInt(table.fileBytes),
    deadLetterCount: BigInt(table.deadLetterCount),
    fileSequence: table.fileSequence,
    published: last === undefined ? undefined : toPublished(table.uuidBytes, last),
  }
}

export function toPublished(tableUuid: Uint8Array, published: PublishedState): PublishedVersion {
  const { version, rowCount } = published
  return {
    ...published,
    snapshotId: deriveSnapshotId(tableUuid, version),
    deltaVersion: version,
    rowCount: BigInt(rowCount),
  }
}

export function writeTable(out: ByteWriter, table: TableState): void {
  out.uvarint(table.tableId)
  out.raw(table.uuidBytes)
  out.uvarint(table.createdMs)
  out.sizedString(table.definitionText)
  out.bool(table.stopped)
  out.sizedString(table.stoppedReason ?? '')
  out.uvarint(table.files.length)
  out.uvarint(table.rowCount)
  out.uvarint(table.fileBytes)
  out.uvarint(table.deadLetterCount)
  out.uvarint(table.fileSequence)
  const { last } = table.versions
  out.bool(last !== undefined)
  if (last !== undefined) writePublished(out, last)
}

export function readTable(reader: ByteReader): Table {
  const tableId = reader.uvarint()
  const uuidBytes = reader.raw(16)
  const createdMs = reader.uvarint()
  const definition = parseTableDefinition(reader.sizedString())
  const state = reader.bool() ? 'stopped' : 'running'
  const reason = reader.sizedString()
  const fileCount = reader.uvarint()
  const rowCount = BigInt(reader.uvarint())
  const fileBytes = BigInt(reader.uvarint())
  const deadLetterCount = BigInt(reader.uvarint())
  const fileSequence = reader.uvarint()
  return {
    tableId,
    tableUuid: formatUuid(uuidBytes),
    createdMs,
    definition,
    schemas: [definition.schema],
    state,
    stoppedReason: reason === '' ? undefined : reason,
    fileCount,
    rowCount,
    fileBytes,
    deadLetterCount,
    fileSequence,
    published: reader.bool() ? toPublished(uuidBytes, readPublished(reader)) : undefined,
  }
}

export function writePublished(out: ByteWriter, published: PublishedState): void {
  out.uvarint(published.version)
  out.uvarint(published.timestampMs)
  out.uvarint(published.fileSequence)
  out.uvarint(published.rowCount)
  out.sizedString(published.icebergMetadataPath)
  out.uvarint(published.completedMs)
}

export function readPublished(reader: ByteReader): PublishedState {
  const version = reader.uvarint()
  const timestampMs = reader.uvarint()
  const fileSequence = reader.uvarint()
  const rowCount = reader.uvarint()
  const icebergMetadataPath = reader.sizedString()
  return { version, timestampMs, fileSequence, rowCount, icebergMetadataPath, completedMs: reader.uvarint() }
}

/** Before an account has begun its start and end are -1. */
export function toCoverage({ accounts }: TableState, partition: number): SourceCoverage {
  const flags = accounts.flags[partition]!
  const begun = (flags & accountFlags.begun) !== 0
  const count = (column: Float64Array): bigint => BigInt(column[partition]!)
  const topicId = accounts.topicIds.subarray(partition * 16, partition * 16 + 16)
  return {
    partition,
    topicId: (flags & accountFlags.hasTopicId) === 0 ? undefined : formatUuid(topicId),
    start: begun ? count(accounts.starts) : -1n,
    end: begun ? count(accounts.ends) : -1n,
    written: count(accounts.written),
    filtered: count(accounts.filtered),
    rejected: count(accounts.rejected),
    control: count(accounts.control),
    gap: count(accounts.gaps),
    maxTimestampMs: begun ? accounts.maxTimestampsMs[partition]! : -1,
    ownerEpoch: accounts.ownerEpochs[partition]!,
  }
}

export function writeCoverage(out: ByteWriter, { accounts }: TableState, partition: number): void {
  const flags = accounts.flags[partition]!
  out.uvarint(partition)
  out.uint8(flags)
  out.raw(accounts.topicIds.subarray(partition * 16, partition * 16 + 16))
  out.uvarint(accounts.starts[partition]!)
  out.uvarint(accounts.ends[partition]!)
  out.uvarint(accounts.written[partition]!)
  out.uvarint(accounts.filtered[partition]!)
  out.uvarint(accounts.rejected[partition]!)
  out.uvarint(accounts.control[partition]!)
  out.uvarint(accounts.gaps[partition]!)
  out.varint(accounts.maxTimestampsMs[partition]!)
  out.uvarint(accounts.ownerEpochs[partition]!)
}

export function readCoverage(reader: ByteReader): SourceCoverage {
  const partition = reader.uvarint()
  const flags = reader.uint8()
  const topicId = formatUuid(reader.raw(16))
  const begun = (flags & accountFlags.begun) !== 0
  const start = BigInt(reader.uvarint())
  const end = BigInt(reader.uvarint())
  const written = BigInt(reader.uvarint())
  const filtered = BigInt(reader.uvarint())
  const rejected = BigInt(reader.uvarint())
  const control = BigInt(reader.uvarint())
  const gap = BigInt(reader.uvarint())
  const maxTimestampMs = reader.varint()
  return {
    partition,
    topicId: (flags & accountFlags.hasTopicId) === 0 ? undefined : topicId,
    start: begun ? start : -1n,
    end: begun ? end : -1n,
    written,
    filtered,
    rejected,
    control,
    gap,
    maxTimestampMs: begun ? maxTimestampMs : -1,
    ownerEpoch: reader.uvarint(),
  }
}

export function writePending(out: ByteWriter, tableUuid: Uint8Array, pending: PendingState): void {
  out.raw(tableUuid)
  out.uvarint(pending.version)
  out.uvarint(pending.timestampMs)
  out.uvarint(pending.fileSequenceAfter)
  out.uvarint(pending.fileSequenceUpTo)
  out.uvarint(pending.partitions.length)
  for (let index = 0; index < pending.partitions.length; index++) {
    out.uvarint(pending.partitions[index]!)
    out.uvarint(pending.starts[index]!)
    out.uvarint(pending.ends[index]!)
  }
}

export function readPending(reader: ByteReader): PendingVersion {
  const tableUuid = reader.raw(16)
  const version = reader.uvarint()
  const timestampMs = reader.uvarint()
  const fileSequenceAfter = reader.uvarint()
  const fileSequenceUpTo = reader.uvarint()
  const progress: { partition: number; start: bigint; end: bigint }[] = []
  const count = reader.boundedCount(3)
  for (let index = 0; index < count; index++) {
    const partition = reader.uvarint()
    progress.push({ partition, start: BigInt(reader.uvarint()), end: BigInt(reader.uvarint()) })
  }
  return {
    version,
    timestampMs,
    snapshotId: deriveSnapshotId(tableUuid, version),
    operation: version === 0 ? 'none' : 'append',
    fileSequenceAfter,
    fileSequenceUpTo,
    progress,
  }
}
