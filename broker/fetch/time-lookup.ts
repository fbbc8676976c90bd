/**
 * Finds offsets by timestamp, exact to the record: the catalog names the run, the batches of the run are walked by their maximum
 * timestamps, and the records of one batch are read.
 *
 * Invariants
 *   - Never answers an offset below the log start or at or above the high watermark.
 *   - The maximum timestamp of a batch is the producer's word. When no record keeps it, the search goes on behind the batch.
 */
import type { CatalogClient, PartitionState, SegmentRun } from '../../catalog/client.ts'
import { FloeError } from '../../core/errors.ts'
import { decompressedBytesMaxDefault } from '../../kafka/compression/codecs.ts'
import { decompress } from '../../kafka/compression/compression.ts'
import { BatchCursor } from '../../kafka/records/batch.ts'
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import type { RangeCache } from '../../storage/range-cache.ts'
import { RunReader } from './read-run.ts'

export interface FoundRecord {
  readonly offset: bigint
  readonly timestampMs: bigint
}

const readBytesMax = 1024 * 1024

export class TimeLookup {
  readonly #catalog: CatalogClient
  readonly #runs: RunReader

  constructor(catalog: CatalogClient, cache: RangeCache) {
    this.#catalog = catalog
    this.#runs = new RunReader(cache)
  }

  /** The first record at or after `timestampMs`; undefined: none. errors  corrupt, unavailable */
  async findByTimestamp(
    topicId: string,
    partition: number,
    timestampMs: bigint,
    state: PartitionState,
  ): Promise<FoundRecord | undefined> {
    let run = await this.#catalog.findRunByTimestamp(topicId, partition, Number(timestampMs))
    while (run !== undefined) {
      const found = await this.#searchRun(run, state, batch => findInBatch(batch, timestampMs, state))
      if (found !== undefined) return found
      run = await this.#findNextRun(topicId, partition, run.endOffset, timestampMs)
    }
    return undefined
  }

  /** The record with the largest timestamp, the first of them; undefined: the partition is empty. */
  async findOfMaxTimestamp(
    topicId: string,
    partition: number,
    state: PartitionState,
  ): Promise<FoundRecord | undefined> {
    const run = await this.#catalog.findRunOfMaxTimestamp(topicId, partition)
    if (run === undefined) return undefined
    let largest: FoundRecord | undefined
    await this.#searchRun(run, state, batch => {
      if (largest === undefined || batch.maxTimestamp > largest.timestampMs) {
        largest = findInBatch(batch, batch.maxTimestamp, state) ?? largest
      }
      return undefined
    })
    return largest
  }

  async #findNextRun(
    topicId: string,
    partition: number,
    from: bigint,
    timestampMs: bigint,
  ): Promise<SegmentRun | undefined> {
    let offset = from
    for (;;) {
      const runs = await this.#catalog.findRuns(topicId, partition, offset, Number.MAX_SAFE_INTEGER)
      const run = runs.find(each => each.maxTimestampMs >= timestampMs)
      if (run !== undefined || runs.length === 0) return run
      offset = runs.at(-1)!.endOffset
    }
  }

  /** Calls `search` with every batch of the run until it finds something. */
  async #searchRun(
    run: SegmentRun,
    { logStartOffset, highWatermark }: PartitionState,
    search: (batch: BatchCursor) => FoundRecord | undefined,
  ): Promise<FoundRecord | undefined> {
    let offset = run.baseOffset > logStartOffset ? run.baseOffset : logStartOffset
    while (offset < run.endOffset) {
      const read = await this.#runs.read(run, {
        offset,
        limitOffset: highWatermark,
        bytesMax: readBytesMax,
        atLeastOne: true,
      })
      if (read === undefined) {
        throw new FloeError('unavailable', 'segment-missing', `segment ${run.objectKey} is gone; ask again`, {
          objectKey: run.objectKey,
        })
      }
      const batch = new BatchCursor(read.batches)
      while (batch.next()) {
        const found = search(batch)
        if (found !== undefined) return found
      }
      if (read.nextOffset <= offset) return undefined
      offset = read.nextOffset
    }
    return undefined
  }
}

function findInBatch(
  batch: BatchCursor,
  timestampMs: bigint,
  { logStartOffset, highWatermark }: PartitionState,
): FoundRecord | undefined {
  if (batch.maxTimestamp < timestampMs) return undefined
  const isInLog = (offset: bigint): boolean => offset >= logStartOffset && offset < highWatermark
  if (batch.isLogAppendTime) {
    const offset = batch.baseOffset > logStartOffset ? batch.baseOffset : logStartOffset
    return isInLog(offset) ? { offset, timestampMs: batch.maxTimestamp } : undefined
  }
  const wantedDelta = Number(timestampMs - batch.baseTimestamp)
  const records = new RecordCursor()
  records.reset(decompress(batch.codec, batch.payload, decompressedBytesMaxDefault), batch.recordCount)
  while (records.next()) {
    if (records.timestampDelta < wantedDelta) continue
    const offset = batch.baseOffset + BigInt(records.offsetDelta)
    if (isInLog(offset)) return { offset, timestampMs: batch.baseTimestamp + BigInt(records.timestampDelta) }
  }
  return undefined
}
