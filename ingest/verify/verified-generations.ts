/**
 * The generations of all source partitions of a table, closed ones and those that go on, and to which of them the rows of a file
 * belong: a generation ends between two commits, so of each partition a file holds rows of one generation only.
 */
import type { ClosedGeneration, SourceCoverage } from '../../catalog/client.ts'

export interface VerifiedGeneration extends Omit<SourceCoverage, 'ownerEpoch' | 'maxTimestampMs'> {
  /** Counts from 1 in each partition. */
  readonly generation: number
  /** The last file sequence that may hold rows of it. */
  readonly fileSequence: number
  /** It has no dead letters in the dead letter file of this number, counted from 0, and in later ones. */
  readonly deadLetterFileCount: number
}

/** By partition, the oldest generation of each first. */
export function listGenerations(
  closed: readonly ClosedGeneration[],
  coverage: readonly SourceCoverage[],
): VerifiedGeneration[] {
  const closedCounts = new Map<number, number>()
  for (const { partition, generation } of closed) closedCounts.set(partition, generation)
  const open = coverage.map(each => ({
    ...each,
    generation: (closedCounts.get(each.partition) ?? 0) + 1,
    fileSequence: Number.POSITIVE_INFINITY,
    deadLetterFileCount: Number.POSITIVE_INFINITY,
  }))
  return [...closed, ...open].sort((a, b) => a.partition - b.partition || a.generation - b.generation)
}

/** Finds the generation of each partition at ascending positions. */
export class GenerationSlots {
  /** By partition: index of its generation at the position asked for last; -1 where the partition has none. */
  readonly #slots: Int32Array
  /** Ends of generations that are followed by another, ascending. */
  readonly #ends: readonly { readonly lastPosition: number; readonly partition: number; readonly nextSlot: number }[]
  #next = 0

  /**
   * generations     as `listGenerations` orders them
   * lastPositionOf  the last position at which a generation may have rows
   */
  constructor(generations: readonly VerifiedGeneration[], lastPositionOf: (generation: VerifiedGeneration) => number) {
    const partitionMax = generations.reduce((max, { partition }) => Math.max(max, partition), -1)
    this.#slots = new Int32Array(partitionMax + 1).fill(-1)
    const ends: { lastPosition: number; partition: number; nextSlot: number }[] = []
    for (const [slot, { partition }] of generations.entries()) {
      if (this.#slots[partition] === -1) this.#slots[partition] = slot
      else ends.push({ lastPosition: lastPositionOf(generations[slot - 1]!), partition, nextSlot: slot })
    }
    this.#ends = ends.sort((a, b) => a.lastPosition - b.lastPosition || a.nextSlot - b.nextSlot)
  }

  /** Valid until it is asked again; positions must not go down. */
  at(position: number): Int32Array {
    for (; this.#next < this.#ends.length; this.#next++) {
      const { lastPosition, partition, nextSlot } = this.#ends[this.#next]!
      if (lastPosition >= position) break
      this.#slots[partition] = nextSlot
    }
    return this.#slots
  }
}
