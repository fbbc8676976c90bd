/** Queries over tables and garbage: pure reads of the state. */

import { formatUuid } from '../../core/random.ts'
import type {
  ClosedGeneration,
  DeadLetterFile,
  GarbageObject,
  PublishedVersion,
  SourceCoverage,
  TableFile,
} from '../client.ts'
import { toCoverage, toPublished } from '../commands/table-result-codec.ts'
import { readDataFileDetails } from '../data-file-codec.ts'
import { tableFilesPageMax } from '../limits.ts'
import { dataFilePath, deadLetterFilePath, segmentKey, tableFolder } from '../object-names.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { type GarbageRow, garbageKinds } from '../state/garbage.ts'
import { accountFlags } from '../state/source-accounts.ts'
import type { TableState } from '../state/tables.ts'

/** Accounts that have begun. */
export function sourceCoverage(state: CatalogState, tableId: number): SourceCoverage[] {
  const table = state.tables.byId(tableId)
  const coverage: SourceCoverage[] = []
  if (table === undefined) return coverage
  for (let partition = 0; partition < table.accounts.length; partition++) {
    if ((table.accounts.flags[partition]! & accountFlags.begun) !== 0) coverage.push(toCoverage(table, partition))
  }
  return coverage
}

export function closedGenerations(state: CatalogState, tableId: number): ClosedGeneration[] {
  const closed = state.tables.byId(tableId)?.generations
  if (closed === undefined) return []
  const counts = new Map<number, number>()
  return Array.from({ length: closed.length }, (_, row) => {
    const partition = closed.partitions[row]!
    const generation = (counts.get(partition) ?? 0) + 1
    counts.set(partition, generation)
    return {
      partition,
      generation,
      topicId: closed.hasTopicId[row] === 0 ? undefined : formatUuid(closed.topicIds.subarray(row * 16, row * 16 + 16)),
      start: BigInt(closed.starts[row]!),
      end: BigInt(closed.ends[row]!),
      written: BigInt(closed.written[row]!),
      filtered: BigInt(closed.filtered[row]!),
      rejected: BigInt(closed.rejected[row]!),
      control: BigInt(closed.control[row]!),
      gap: BigInt(closed.gaps[row]!),
      maxTimestampMs: closed.maxTimestampsMs[row]!,
      fileSequence: closed.fileSequences[row]!,
      deadLetterFileCount: closed.deadLetterFileCounts[row]!,
      closedMs: closed.closedMs[row]!,
    }
  })
}

export function tableFiles(
  state: CatalogState,
  tableId: number,
  after: number,
  upTo: number,
  skip: number,
  limit: number,
): TableFile[] {
  const table = state.tables.byId(tableId)
  if (table === undefined) return []
  const { files } = table
  const first = files.findFirstAfter(after) + skip
  const last = Math.min(files.findFirstAfter(upTo), first + Math.min(limit, tableFilesPageMax))
  const found: TableFile[] = []
  for (const { columns, from, to } of files.stretches(first, last)) {
    for (let row = from; row < to; row++) {
      found.push({
        path: dataFilePath(columns.grantIds[row]!, columns.nameIndexes[row]!),
        recordCount: columns.recordCounts[row]!,
        fileBytes: columns.fileBytes[row]!,
        ...readDataFileDetails(columns.detailsOf(row)),
        fileSequence: columns.fileSequences[row]!,
      })
    }
  }
  return found
}

export function deadLetterFiles(state: CatalogState, tableId: number, skip: number, limit: number): DeadLetterFile[] {
  const deadLetters = state.tables.byId(tableId)?.deadLetters
  const found: DeadLetterFile[] = []
  if (deadLetters === undefined) return found
  const last = Math.min(deadLetters.length, skip + Math.min(limit, tableFilesPageMax))
  for (let row = skip; row < last; row++) {
    found.push({
      path: deadLetterFilePath(deadLetters.grantIds[row]!, deadLetters.nameIndexes[row]!),
      recordCount: deadLetters.recordCounts[row]!,
      fileBytes: deadLetters.fileBytes[row]!,
      committedMs: deadLetters.committedMs[row]!,
    })
  }
  return found
}

export function publishedVersions(state: CatalogState, tableId: number): PublishedVersion[] {
  const table = state.tables.byId(tableId)
  return table === undefined ? [] : table.versions.published().map(version => toPublished(table.uuidBytes, version))
}

export function garbageObjects(
  state: CatalogState,
  becameBeforeMs: number,
  limit: number,
  afterGarbageId: number,
): GarbageObject[] {
  return state.garbage
    .list(becameBeforeMs, afterGarbageId, Math.min(limit, tableFilesPageMax))
    .map(row => ({ garbageId: row.garbageId, keys: garbageKeys(state, row), sinceMs: row.sinceMs }))
}

function garbageKeys({ tables }: CatalogState, { kind, grantId, nameIndex, tableId }: GarbageRow): string[] {
  if (kind === garbageKinds.segment) return [segmentKey(grantId, nameIndex)]
  const table = tables.byId(tableId)
  const keys: string[] = []
  for (const candidate of table === undefined ? tables.all() : [table]) {
    keys.push(...candidateKeys(candidate, grantId, nameIndex))
  }
  return keys
}

/** An uncommitted name may have been meant for a data file or for dead letters. */
function candidateKeys({ definition, tableUuid }: TableState, grantId: number, nameIndex: number): string[] {
  const folder = tableFolder(definition.name, tableUuid)
  return [`${folder}/${dataFilePath(grantId, nameIndex)}`, `${folder}/${deadLetterFilePath(grantId, nameIndex)}`]
}
