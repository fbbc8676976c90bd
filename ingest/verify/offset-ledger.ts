/**
 * One bit per offset: which offsets of which ranges were met, once or more. Ranges are fixed when it is made, and known by their
 * place in the list, the slot; memory is an eighth of a byte per offset. Offsets are whole numbers below 2^53.
 */
export interface OffsetRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

export class OffsetLedger {
  readonly #ranges: readonly OffsetRange[]
  readonly #bits: Uint8Array[]
  /** By slot. */
  readonly metCount: Float64Array
  readonly duplicateCount: Float64Array

  constructor(ranges: readonly OffsetRange[]) {
    this.#ranges = ranges
    this.#bits = ranges.map(({ start, end }) => new Uint8Array(Math.ceil((end - start) / 8)))
    this.metCount = new Float64Array(ranges.length)
    this.duplicateCount = new Float64Array(ranges.length)
  }

  /**
   * Marks `count` offsets, `partitions[i]` with the int64 whose little-endian halves are `offsetWords[2i]`, `offsetWords[2i+1]`.
   * Offsets outside the ranges are left alone; `onDuplicate` is called for the first few met again.
   *
   * slots  slot by partition; -1 where the partition has none
   */
  markAll(
    slots: Int32Array,
    partitions: Int32Array,
    offsetWords: Int32Array,
    count: number,
    onDuplicate: (partition: number, offset: number) => void,
  ): void {
    const { metCount, duplicateCount } = this
    for (let row = 0; row < count; row++) {
      const partition = partitions[row]!
      const slot = partition >= 0 && partition < slots.length ? slots[partition]! : -1
      if (slot < 0) continue
      const offset = offsetWords[2 * row + 1]! * 0x1_0000_0000 + (offsetWords[2 * row]! >>> 0)
      const { start, end } = this.#ranges[slot]!
      if (offset < start || offset >= end) continue
      const at = offset - start
      const bits = this.#bits[slot]!
      const byte = Math.floor(at / 8)
      const mask = 1 << (at & 7)
      if ((bits[byte]! & mask) === 0) {
        bits[byte]! |= mask
        metCount[slot]!++
      } else {
        if (duplicateCount[slot]!++ < 3) onDuplicate(partition, offset)
      }
    }
  }

  /** The first offset of a slot that was not met, or undefined. */
  firstUnmet(slot: number): number | undefined {
    const { start, end } = this.#ranges[slot]!
    const bits = this.#bits[slot]!
    const full = bits.findIndex(byte => byte !== 0xff)
    if (full < 0) return undefined
    for (let at = full * 8; at < Math.min(full * 8 + 8, end - start); at++) {
      if ((bits[Math.floor(at / 8)]! & (1 << (at & 7))) === 0) return start + at
    }
    return undefined
  }
}
