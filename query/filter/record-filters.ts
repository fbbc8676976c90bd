/** Tests of what is not a slot: the record's own fields, its text, and fields behind an index or `[*]`. */
import type { Cell } from '../values/cell.ts'
import type { CellTest } from '../values/cell-test.ts'
import type { Interval } from './interval.ts'
import type { RecordBlock } from './record-block.ts'
import type { RowFilter } from './row-filter.ts'

export type NumberColumn = 'offset' | 'timestamp' | 'partition' | 'size'

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

/** The values of a field of one row: none, one or, with `[*]`, several. */
export type CellReader = (block: RecordBlock, row: number) => readonly Cell[]

/** Rows of which any value passes. */
export class AnyCellFilter implements RowFilter {
  readonly #read: CellReader
  readonly #test: CellTest

  constructor(read: CellReader, test: CellTest) {
    this.#read = read
    this.#test = test
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const rows = block.kernel.selection(from)
    const passing = block.kernel.selection(to)
    let selected = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      if (this.#read(block, row).some(this.#test)) passing[selected++] = row
    }
    return selected
  }
}
