/** Queries over partitions and groups: pure reads of the state. */
import type { CommittedOffset, PartitionState, SegmentRun } from '../client.ts'
import { findRunsMax } from '../limits.ts'
import { segmentKey } from '../object-names.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import type { PartitionLog } from '../state/partition-log.ts'

export function partitionStates(
  state: CatalogState,
  partitions: readonly { readonly topicId: string; readonly partition: number }[],
): (PartitionState | undefined)[] {
  return partitions.map(({ topicId, partition }) => {
    const log = state.topics.byId(topicId)?.partitions[partition]
    if (log === undefined) return undefined
    const highWatermark = BigInt(log.highWatermark)
    return { logStartOffset: BigInt(log.logStartOffset), highWatermark, lastStableOffset: highWatermark }
  })
}

export function findRuns(
  state: CatalogState,
  topicId: string,
  partition: number,
  offset: bigint,
  bytesMax: number,
): SegmentRun[] {
  const log = state.topics.byId(topicId)?.partitions[partition]
  if (log === undefined) return []
  const runs: SegmentRun[] = []
  let bytes = 0
  for (let row = log.findRow(Number(offset)); row < log.endRow && runs.length < findRunsMax; row++) {
    bytes += log.byteLength(row)
    if (runs.length > 0 && bytes > bytesMax) break
    runs.push(toRun(state, log, row))
  }
  return runs
}

export function findRunByTimestamp(
  state: CatalogState,
  topicId: string,
  partition: number,
  timestampMs: number,
): SegmentRun | undefined {
  const log = state.topics.byId(topicId)?.partitions[partition]
  return log && runAt(state, log, log.findRowByTimestamp(timestampMs))
}

export function findRunOfMaxTimestamp(state: CatalogState, topicId: string, partition: number): SegmentRun | undefined {
  const log = state.topics.byId(topicId)?.partitions[partition]
  return log && runAt(state, log, log.findRowOfMaxTimestamp())
}

function runAt(state: CatalogState, log: PartitionLog, row: number): SegmentRun | undefined {
  return row < log.endRow ? toRun(state, log, row) : undefined
}

function toRun({ objects }: CatalogState, log: PartitionLog, row: number): SegmentRun {
  const object = log.object(row)
  return {
    objectKey: segmentKey(objects.grantId(object), objects.nameIndex(object)),
    objectBytes: objects.bytes(object),
    byteOffset: log.byteOffset(row),
    byteLength: log.byteLength(row),
    baseOffset: BigInt(log.baseOffset(row)),
    endOffset: BigInt(log.endOffset(row)),
    maxTimestampMs: log.maxTimestampMs(row),
  }
}

export function groupOffsets(state: CatalogState, group: string): CommittedOffset[] {
  const found: CommittedOffset[] = []
  for (const [topic, partitions] of state.groups.offsets(group) ?? []) {
    for (const [partition, { offset, leaderEpoch, metadata, committedMs }] of partitions) {
      found.push({ topic, partition, offset: BigInt(offset), leaderEpoch, metadata, committedMs })
    }
  }
  return found
}
