import type { CatalogQueries } from '../catalog/client.ts'

/** Bytes of record batches that a partition refers to, from the log start on. */
export async function measurePartition(
  catalog: Pick<CatalogQueries, 'partitionStates' | 'findRuns'>,
  topicId: string,
  partition: number,
): Promise<number> {
  const [state] = await catalog.partitionStates([{ topicId, partition }])
  if (state === undefined) return 0
  let bytes = 0
  let offset = state.logStartOffset
  while (offset < state.highWatermark) {
    const runs = await catalog.findRuns(topicId, partition, offset, Number.MAX_SAFE_INTEGER)
    if (runs.length === 0) break
    for (const run of runs) bytes += run.byteLength
    offset = runs.at(-1)!.endOffset
  }
  return bytes
}
