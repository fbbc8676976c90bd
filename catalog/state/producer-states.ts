/**
 * Idempotent producers: a row per (producer id, partition) with the producer's epoch and its last five batches there. The
 * partition maps producer ids to rows.
 *
 * source  Kafka, ProducerStateManager: duplicate detection over the last five batches, sequence numbers wrap at 2^31 - 1
 */
import { FloeError } from '../../core/errors.ts'
import { producerBatchesKept, producerExpiryMs, producerStatesMax } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { growFloat64, growUint32, nextCapacity } from './columns.ts'
import type { PartitionLog } from './partition-log.ts'

const sectionId = 5
const sectionVersion = 1
const sequenceMax = 0x7fff_ffff

/** What is to be done with a batch: append it, or answer `duplicate` with `baseOffset`. */
export type SequenceVerdict = 'append' | 'duplicate' | 'out-of-order-sequence' | 'invalid-producer-epoch'

export class ProducerStates {
  /** Producer ids below were handed out. */
  nextProducerId = 0
  #length = 0
  #free: number[] = []
  #epochs = new Uint32Array(0)
  #lastMs = new Float64Array(0)
  /** Batches kept, 1 to 5; the newest lies at slot (cursor - 1). */
  #counts = new Uint32Array(0)
  #cursors = new Uint32Array(0)
  /** Five per row. */
  #firstSequences = new Uint32Array(0)
  #lastSequences = new Uint32Array(0)
  #baseOffsets = new Float64Array(0)
  /** Set by `judge` for a duplicate: where its first time lies. */
  duplicateBaseOffset = 0

  get count(): number {
    return this.#length - this.#free.length
  }

  judge(
    log: PartitionLog,
    producerId: number,
    epoch: number,
    firstSequence: number,
    count: number,
    nowMs: number,
  ): SequenceVerdict {
    const row = log.producers.get(producerId)
    if (row === undefined || this.#lastMs[row]! + producerExpiryMs <= nowMs) return 'append'
    const knownEpoch = this.#epochs[row]!
    if (epoch < knownEpoch) return 'invalid-producer-epoch'
    if (epoch > knownEpoch) return firstSequence === 0 ? 'append' : 'out-of-order-sequence'
    const lastSequence = addSequence(firstSequence, count - 1)
    const base = row * producerBatchesKept
    for (let slot = base; slot < base + this.#counts[row]!; slot++) {
      if (this.#firstSequences[slot] === firstSequence && this.#lastSequences[slot] === lastSequence) {
        this.duplicateBaseOffset = this.#baseOffsets[slot]!
        return 'duplicate'
      }
    }
    const newest = base + ((this.#cursors[row]! + producerBatchesKept - 1) % producerBatchesKept)
    return firstSequence === addSequence(this.#lastSequences[newest]!, 1) ? 'append' : 'out-of-order-sequence'
  }

  /** Whether a batch of a producer that is new to the partition can be kept track of. */
  get hasRoom(): boolean {
    return this.count < producerStatesMax
  }

  /** After `judge` said append. */
  record(
    log: PartitionLog,
    producerId: number,
    epoch: number,
    firstSequence: number,
    count: number,
    baseOffset: number,
    nowMs: number,
  ): void {
    let row = log.producers.get(producerId)
    if (row === undefined) {
      row = this.#add()
      log.producers.set(producerId, row)
      this.#epochs[row] = epoch
    } else if (this.#epochs[row] !== epoch || this.#lastMs[row]! + producerExpiryMs <= nowMs) {
      this.#epochs[row] = epoch
      this.#counts[row] = 0
      this.#cursors[row] = 0
    }
    const cursor = this.#cursors[row]!
    const slot = row * producerBatchesKept + cursor
    this.#firstSequences[slot] = firstSequence
    this.#lastSequences[slot] = addSequence(firstSequence, count - 1)
    this.#baseOffsets[slot] = baseOffset
    this.#cursors[row] = (cursor + 1) % producerBatchesKept
    if (this.#counts[row]! < producerBatchesKept) this.#counts[row]! += 1
    this.#lastMs[row] = nowMs
  }

  #add(): number {
    const row = this.#free.pop() ?? this.#length++
    if (row >= this.#epochs.length) {
      const capacity = nextCapacity(this.#epochs.length, this.#length)
      this.#epochs = growUint32(this.#epochs, capacity)
      this.#lastMs = growFloat64(this.#lastMs, capacity)
      this.#counts = growUint32(this.#counts, capacity)
      this.#cursors = growUint32(this.#cursors, capacity)
      this.#firstSequences = growUint32(this.#firstSequences, capacity * producerBatchesKept)
      this.#lastSequences = growUint32(this.#lastSequences, capacity * producerBatchesKept)
      this.#baseOffsets = growFloat64(this.#baseOffsets, capacity * producerBatchesKept)
    }
    return row
  }

  #release(row: number): void {
    this.#epochs[row] = 0
    this.#lastMs[row] = 0
    this.#counts[row] = 0
    this.#cursors[row] = 0
    const base = row * producerBatchesKept
    this.#firstSequences.fill(0, base, base + producerBatchesKept)
    this.#lastSequences.fill(0, base, base + producerBatchesKept)
    this.#baseOffsets.fill(0, base, base + producerBatchesKept)
    this.#free.push(row)
  }

  /** For a partition that goes away. */
  dropPartition(log: PartitionLog): void {
    for (const row of log.producers.values()) this.#release(row)
    log.producers.clear()
  }

  sweepPartition(log: PartitionLog, nowMs: number): void {
    for (const [producerId, row] of log.producers) {
      if (this.#lastMs[row]! + producerExpiryMs > nowMs) continue
      this.#release(row)
      log.producers.delete(producerId)
    }
  }

  allocate(count: number): number {
    const first = this.nextProducerId
    if (first + count > Number.MAX_SAFE_INTEGER) {
      throw new FloeError('exhausted', 'producer-ids-used-up', 'all producer ids below 2^53 were handed out')
    }
    this.nextProducerId = first + count
    return first
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    const length = this.#length
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.nextProducerId)
    scalars.uvarint(length)
    scalars.uvarint(this.#free.length)
    for (const row of this.#free) scalars.uvarint(row)
    writer.mutableUint32Column(this.#epochs, 0, length)
    writer.mutableFloat64Column(this.#lastMs, 0, length)
    writer.mutableUint32Column(this.#counts, 0, length)
    writer.mutableUint32Column(this.#cursors, 0, length)
    writer.mutableUint32Column(this.#firstSequences, 0, length * producerBatchesKept)
    writer.mutableUint32Column(this.#lastSequences, 0, length * producerBatchesKept)
    writer.mutableFloat64Column(this.#baseOffsets, 0, length * producerBatchesKept)
  }

  static decode(reader: SnapshotReader): ProducerStates {
    reader.section(sectionId, sectionVersion)
    const states = new ProducerStates()
    states.nextProducerId = reader.uvarint()
    const length = reader.count(20)
    const freeCount = reader.count(1)
    states.#length = length
    for (let index = 0; index < freeCount; index++) {
      const row = reader.uvarint()
      if (row >= length) throw reader.corrupt('a free producer row lies outside the table')
      states.#free.push(row)
    }
    states.#epochs = reader.uint32Column(length)
    states.#lastMs = reader.float64Column(length)
    states.#counts = reader.uint32Column(length)
    states.#cursors = reader.uint32Column(length)
    states.#firstSequences = reader.uint32Column(length * producerBatchesKept)
    states.#lastSequences = reader.uint32Column(length * producerBatchesKept)
    states.#baseOffsets = reader.float64Column(length * producerBatchesKept)
    return states
  }
}

/** Sequence numbers wrap at 2147483647 to 0. */
function addSequence(sequence: number, count: number): number {
  const sum = sequence + count
  return sum > sequenceMax ? sum - sequenceMax - 1 : sum
}
