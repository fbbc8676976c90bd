/** Tests of the record itself: what it has as a number, and its text. */
import type { MetadataName } from '../language/ast.ts'
import type { Interval } from './interval.ts'
import type { RecordBlock } from './record-block.ts'
import type { RowFilter } from './row-filter.ts'

export type NumberColumn = Exclude<MetadataName, 'key' | 'topic'>

/** Whole numbers in a range. */
export class RecordNumberFilter implements RowFilter {
  readonly #column: NumberColumn
  readonly #interval: Interval

  constructor(column: NumberColumn, interval: Interval) {
    this.#column = column
    this.#interval = interval
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const rows = block.kernel.selection(from)
    const passing = block.kernel.selection(to)
    const { low, high } = this.#interval
    if (this.#column === 'partition') {
      if (!(block.partition >= low && block.partition <= high)) return 0
      if (from !== to) passing.set(rows.subarray(0, count))
      return count
    }
    if (this.#column === 'size') return selectSizes(block.kernel.spans, rows, count, passing, this.#interval)
    const column = this.#column === 'offset' ? block.offsets : block.timestampsMs
    let selected = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      const number = column[row]!
      if (number >= low && number <= high) passing[selected++] = row
    }
    return selected
  }
}

function selectSizes(
  spans: Uint32Array,
  rows: Uint32Array,
  count: number,
  passing: Uint32Array,
  { low, high }: Interval,
): number {
  let selected = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index]!
    const size = spans[row * 2 + 1]! - spans[row * 2]!
    if (size >= low && size <= high) passing[selected++] = row
  }
  return selected
}

/** The text of the value, as it was written. */
export class TextFilter implements RowFilter {
  readonly #operand: number

  constructor(operand: number) {
    this.#operand = operand
  }

  select({ kernel }: RecordBlock, from: number, count: number, to: number): number {
    return kernel.selectTexts(this.#operand, from, count, to)
  }
}
