/** Tests of slots: fields of JSON that names alone lead to. */
import {
  blockRowsMax,
  type Kernel,
  type StringSelectOperator,
  type TimeInterval,
  valueKinds,
} from '../kernel/kernel.ts'
import { type Cell, numberCell, readJsonCell } from '../values/cell.ts'
import type { CellTest } from '../values/cell-test.ts'
import type { Interval } from './interval.ts'
import type { RecordBlock } from './record-block.ts'
import { type RowFilter, RowTestFilter } from './row-filter.ts'

/** A slot whose number is known when all fields of the query are (field-plan.ts). */
export interface Slot {
  readonly names: readonly string[]
  index: number
}

/** The kernel compares strings, escaped ones as well. */
export class SlotStringFilter implements RowFilter {
  readonly #slot: Slot
  readonly #operator: StringSelectOperator
  readonly #operand: number

  constructor(slot: Slot, operator: StringSelectOperator, operand: number) {
    this.#slot = slot
    this.#operator = operator
    this.#operand = operand
  }

  select({ kernel }: RecordBlock, from: number, count: number, to: number): number {
    return kernel.selectStrings(this.#slot.index, this.#operator, this.#operand, from, count, to)
  }
}

/** Numbers in a range; those that are not exact in their column are read from their text. */
export class SlotNumberFilter implements RowFilter {
  readonly #slot: Slot
  readonly #interval: Interval
  readonly #test: CellTest

  constructor(slot: Slot, interval: Interval, test: CellTest) {
    this.#slot = slot
    this.#interval = interval
    this.#test = test
  }

  select({ kernel }: RecordBlock, from: number, count: number, to: number): number {
    const rows = kernel.selection(from)
    const passing = kernel.selection(to)
    const { kinds, numbers } = kernel
    const base = this.#slot.index * blockRowsMax
    const { low, high } = this.#interval
    let selected = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      const kind = kinds[base + row]!
      if (kind === valueKinds.exactNumber) {
        const number = numbers[base + row]!
        if (number >= low && number <= high) passing[selected++] = row
      } else if (kind === valueKinds.otherNumber && this.#test(slotCell(kernel, base + row))) {
        passing[selected++] = row
      }
    }
    return selected
  }
}

/** Times in a range; numbers that are not exact in their column are read from their text. */
export class SlotTimeFilter implements RowFilter {
  readonly #slot: Slot
  readonly #interval: TimeInterval
  readonly #inexact: RowFilter

  constructor(slot: Slot, interval: TimeInterval, test: CellTest) {
    this.#slot = slot
    this.#interval = interval
    this.#inexact = slotCellFilter(slot, kindSet('string', 'escapedString', 'exactNumber', 'otherNumber'), test)
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const { index } = this.#slot
    if (hasOtherNumber(block.kernel, index)) return this.#inexact.select(block, from, count, to)
    return block.kernel.selectTimes(index, this.#interval, from, count, to)
  }
}

function hasOtherNumber({ kinds, rowCount }: Kernel, slot: number): boolean {
  const base = slot * blockRowsMax
  return kinds.subarray(base, base + rowCount).includes(valueKinds.otherNumber)
}

/** By kind alone. */
export class SlotKindFilter implements RowFilter {
  readonly #slot: Slot
  /** By kind: 1 passes. */
  readonly #passes: Uint8Array

  constructor(slot: Slot, passes: Uint8Array) {
    this.#slot = slot
    this.#passes = passes
  }

  select({ kernel }: RecordBlock, from: number, count: number, to: number): number {
    const rows = kernel.selection(from)
    const passing = kernel.selection(to)
    const { kinds } = kernel
    const base = this.#slot.index * blockRowsMax
    let selected = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      if (this.#passes[kinds[base + row]!] === 1) passing[selected++] = row
    }
    return selected
  }
}

/** What needs the value itself, of kinds that may pass. */
export function slotCellFilter(slot: Slot, mayPass: Uint8Array, test: CellTest): RowFilter {
  return new RowTestFilter(({ kernel }, row) => {
    const cell = slot.index * blockRowsMax + row
    return mayPass[kernel.kinds[cell]!] === 1 && test(slotCell(kernel, cell))
  })
}

/** `cell` is of a value that is not missing. */
export function slotCell(kernel: Kernel, cell: number): Cell {
  const start = kernel.starts[cell]!
  const end = kernel.ends[cell]!
  switch (kernel.kinds[cell]) {
    case valueKinds.null:
      return null
    case valueKinds.false:
      return false
    case valueKinds.true:
      return true
    case valueKinds.exactNumber:
    case valueKinds.otherNumber:
      return numberCell(kernel.text(start, end))
    case valueKinds.string:
      return kernel.text(start + 1, end - 1)
    default:
      return readJsonCell(kernel.text(start, end))
  }
}

/** A table of kinds. */
export function kindSet(...kinds: readonly (keyof typeof valueKinds)[]): Uint8Array {
  const set = new Uint8Array(Object.keys(valueKinds).length)
  for (const kind of kinds) set[valueKinds[kind]] = 1
  return set
}
