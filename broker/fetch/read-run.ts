/**
 * Reads record batches out of segment objects.
 *
 *   run     | batch | batch | batch | batch |          whole batches, back to back, contiguous offsets from run.baseOffset
 *                   ^ first one that reaches `offset`
 *   result          [ batch   batch )                  as many as fit into bytesMax, at least one if `atLeastOne`
 *
 * Invariants
 *   - Bytes are lent by the range cache, and absolute base offsets and leader epoch are written into its memory: what a batch of an
 *     object got when it was committed never changes, so every reader writes the same.
 *   - A batch that lies in two blocks of the cache is copied.
 *   - Every batch handed out was checked against its CRC, and so was every batch skipped on the way to it, because they say which
 *     offset it has: what the store or a disk garbled never reaches a client as records or as offsets.
 *   - Nothing is written into a batch before its CRC was found right.
 *   - Damage must be seen twice: a bad read is not a bad object, and must not stay in the cache.
 *   - A position reached by one read is remembered, so that a consumer that goes on from there does not read the run's beginning
 *     again. The memory of positions is bounded and only a hint: a wrong or missing one costs bytes, never correctness.
 */
import type { SegmentRun } from '../../catalog/client.ts'
import { crc32c } from '../../core/crc32c.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import { Leases } from '../../core/lease.ts'
import { batchHeaderBytes, batchPrefixBytes, fieldAt } from '../../kafka/records/batch.ts'
import type { RangeCache } from '../../storage/range-cache.ts'
import { leaderEpoch } from '../options.ts'

/** Least bytes asked of the store at once: skipping to an offset should not take many requests. */
const windowBytesMin = 256 * 1024
const positionsRemembered = 20_000

export interface RunReadOptions {
  /** First offset wanted; inside the run. */
  readonly offset: bigint
  /** Batches that begin at or after it are not returned (last stable offset). */
  readonly limitOffset: bigint
  readonly bytesMax: number
  /** Return the first batch even when it is larger than bytesMax. */
  readonly atLeastOne: boolean
}

export interface LentRun {
  /** Whole batches with absolute base offsets, in order. None: nothing fits, or nothing below the limit. */
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly nextOffset: bigint
}

export interface RunRead {
  /** Whole batches with absolute base offsets, owned by the caller. Empty: nothing fits, or nothing below the limit. */
  readonly batches: Buffer
  /** Exclusive end of what was read; the offset asked for when nothing was. */
  readonly nextOffset: bigint
}

export class RunReader {
  readonly #cache: RangeCache
  /** Object key and offset to where the batch that begins with that offset lies; in order of insertion. */
  readonly #positions: Map<string, number> = new Map()

  constructor(cache: RangeCache) {
    this.#cache = cache
  }

  /** As `lend`, but the caller owns the batches. */
  async read(run: SegmentRun, options: RunReadOptions): Promise<RunRead | undefined> {
    const leases = new Leases()
    try {
      const lent = await this.lend(run, options, leases)
      return lent && { batches: Buffer.concat(lent.pieces), nextOffset: lent.nextOffset }
    } finally {
      leases.giveBack()
    }
  }

  /**
   * leases    gets what the pieces are views of; they are good until it ends
   * returns   undefined: the object does not exist (any more)
   * errors    corrupt: the bytes are not the batches the catalog says, context names object and byte offset; as of the store
   */
  async lend(run: SegmentRun, options: RunReadOptions, leases: Leases): Promise<LentRun | undefined> {
    try {
      return await this.#lendOnce(run, options, leases)
    } catch (error) {
      if (!isFloeError(error, 'corrupt')) throw error
      this.#cache.forget(run.objectKey, run.byteOffset, run.byteOffset + run.byteLength)
      return this.#lendOnce(run, options, leases)
    }
  }

  async #lendOnce(run: SegmentRun, options: RunReadOptions, leases: Leases): Promise<LentRun | undefined> {
    const { offset, limitOffset } = options
    const runEnd = run.byteOffset + run.byteLength
    const pieces: Uint8Array[] = []
    let bytes = 0
    let at = run.byteOffset
    let baseOffset = run.baseOffset
    const known = offset === run.baseOffset ? undefined : this.#positions.get(positionName(run, offset))
    if (known !== undefined) {
      at = known
      baseOffset = offset
    }
    let bytesNeeded = batchHeaderBytes
    while (at < runEnd) {
      const bytesMax = options.bytesMax - bytes
      const end = Math.min(runEnd, at + Math.max(bytesMax, windowBytesMin, bytesNeeded))
      const lending = this.#cache.lend(run.objectKey, at, end, bytesNeeded, run.objectBytes)
      const lent = lending instanceof Promise ? await lending : lending
      if (lent === undefined) return undefined
      leases.add(lent.lease)
      const window = Buffer.from(lent.bytes.buffer, lent.bytes.byteOffset, lent.bytes.byteLength)
      const atLeastOne = options.atLeastOne && bytes === 0
      const walk = walkBatches(window, run, at, baseOffset, { offset, limitOffset, bytesMax, atLeastOne })
      if (walk.end > walk.start) {
        pieces.push(window.subarray(walk.start, walk.end))
        bytes += walk.end - walk.start
      }
      at += walk.end
      baseOffset = walk.nextOffset
      if (walk.isDone) break
      if (walk.end === 0 && walk.bytesNeeded <= bytesNeeded) throw corruptRun(run, at, 'the object ends')
      bytesNeeded = walk.bytesNeeded
    }
    if (bytes === 0 && at >= runEnd) {
      if (baseOffset !== run.endOffset) throw corruptRun(run, at, `its batches end at offset ${baseOffset}`)
      return { pieces, bytes, nextOffset: offset }
    }
    this.#remember(run, baseOffset, at, runEnd)
    return { pieces, bytes, nextOffset: baseOffset }
  }

  #remember(run: SegmentRun, offset: bigint, byteOffset: number, runEnd: number): void {
    if (byteOffset >= runEnd) return
    this.#positions.set(positionName(run, offset), byteOffset)
    if (this.#positions.size <= positionsRemembered) return
    const oldest = this.#positions.keys().next().value
    if (oldest !== undefined) this.#positions.delete(oldest)
  }
}

function positionName(run: SegmentRun, offset: bigint): string {
  // The run's place is part of it: several partitions of one object have the same offsets.
  return `${run.objectKey}#${run.byteOffset}#${offset}`
}

interface Walk {
  /** Batches to return lie in [start, end) of the window; start === end: none, and `end` is where to go on reading. */
  readonly start: number
  readonly end: number
  /** Exclusive end of the offsets up to `end`. */
  readonly nextOffset: bigint
  /** Nothing more is to be had: the limit or the budget was reached. */
  readonly isDone: boolean
  /** Bytes a window must have to hold the batch at `end`. */
  readonly bytesNeeded: number
}

function walkBatches(
  window: Buffer,
  run: SegmentRun,
  windowByteOffset: number,
  windowBaseOffset: bigint,
  { offset, limitOffset, bytesMax, atLeastOne }: RunReadOptions,
): Walk {
  const reachesRunEnd = windowByteOffset + window.length >= run.byteOffset + run.byteLength
  let at = 0
  let start = -1
  let baseOffset = windowBaseOffset
  let bytesNeeded = batchHeaderBytes
  let isDone = false
  while (at < window.length) {
    const left = window.length - at
    if (left < batchHeaderBytes) {
      if (reachesRunEnd) throw corruptRun(run, windowByteOffset + at, `${left} bytes cannot hold a record batch`)
      break
    }
    const byteLength = readBatchLength(window, at, run, windowByteOffset)
    if (byteLength > left) {
      if (reachesRunEnd)
        throw corruptRun(run, windowByteOffset + at, `a record batch of ${byteLength} bytes ends outside`)
      bytesNeeded = byteLength
      break
    }
    const nextOffset = baseOffset + BigInt(window.readInt32BE(at + fieldAt.lastOffsetDelta)) + 1n
    if (nextOffset <= baseOffset || nextOffset > run.endOffset) {
      throw corruptRun(run, windowByteOffset + at, `a record batch would have offsets ${baseOffset} to ${nextOffset}`)
    }
    const isWanted = nextOffset > offset
    if (isWanted) {
      const taken = start < 0 ? 0 : at - start
      const fits = taken + byteLength <= bytesMax || (taken === 0 && atLeastOne)
      if (baseOffset >= limitOffset || !fits) {
        isDone = true
        break
      }
    }
    checkCrc(window, at, byteLength, run, windowByteOffset)
    if (isWanted) {
      window.writeBigInt64BE(baseOffset, at + fieldAt.baseOffset)
      window.writeInt32BE(leaderEpoch, at + fieldAt.partitionLeaderEpoch)
      if (start < 0) start = at
    }
    at += byteLength
    baseOffset = nextOffset
  }
  return { start: start < 0 ? at : start, end: at, nextOffset: baseOffset, isDone, bytesNeeded }
}

function readBatchLength(window: Buffer, at: number, run: SegmentRun, windowByteOffset: number): number {
  const byteLength = window.readInt32BE(at + fieldAt.batchLength) + batchPrefixBytes
  if (byteLength < batchHeaderBytes || byteLength > run.byteLength) {
    throw corruptRun(run, windowByteOffset + at, `a record batch claims ${byteLength} bytes`)
  }
  if (window[at + fieldAt.magic] !== 2) {
    throw corruptRun(run, windowByteOffset + at, `a record batch has magic ${window[at + fieldAt.magic]}`)
  }
  return byteLength
}

function checkCrc(window: Buffer, at: number, byteLength: number, run: SegmentRun, windowByteOffset: number): void {
  const checksum = crc32c(window.subarray(at + fieldAt.attributes, at + byteLength))
  if (checksum !== window.readUInt32BE(at + fieldAt.crc)) {
    throw corruptRun(run, windowByteOffset + at, 'a record batch fails its CRC')
  }
}

function corruptRun(run: SegmentRun, byteOffset: number, problem: string): FloeError {
  return new FloeError('corrupt', 'corrupt-segment', `segment ${run.objectKey} at byte ${byteOffset}: ${problem}`, {
    objectKey: run.objectKey,
    byteOffset,
  })
}
