import type { RecordBlock } from './record-block.ts'

/**
 * What lets rows of a block pass. Selections are those of the block's kernel, told by their index.
 *
 * Takes the first `count` rows of selection `from` and writes those that pass to selection `to`, in order; returns how many. `to` may
 * be `from`; otherwise `from` stays as it was. Selections that a filter takes for itself are given to it when it is compiled.
 */
export interface RowFilter {
  select(block: RecordBlock, from: number, count: number, to: number): number
}

export class AndFilter implements RowFilter {
  readonly #terms: readonly RowFilter[]

  constructor(terms: readonly RowFilter[]) {
    this.#terms = terms
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    let source = from
    let left = count
    for (const term of this.#terms) {
      left = term.select(block, source, left, to)
      source = to
    }
    return left
  }
}

export class OrFilter implements RowFilter {
  readonly #terms: readonly RowFilter[]
  readonly #refused: number
  readonly #passing: number

  /** refused, passing  selections of its own */
  constructor(terms: readonly RowFilter[], refused: number, passing: number) {
    this.#terms = terms
    this.#refused = refused
    this.#passing = passing
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const { kernel } = block
    const refused = kernel.selection(this.#refused)
    const passing = kernel.selection(this.#passing)
    refused.set(kernel.selection(from).subarray(0, count))
    let left = count
    for (const term of this.#terms) {
      const passed = term.select(block, this.#refused, left, this.#passing)
      left = subtract(refused, left, passing, passed, refused)
    }
    return subtract(kernel.selection(from), count, refused, left, kernel.selection(to))
  }
}

export class NotFilter implements RowFilter {
  readonly #term: RowFilter
  readonly #passing: number

  /** passing  a selection of its own */
  constructor(term: RowFilter, passing: number) {
    this.#term = term
    this.#passing = passing
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const { kernel } = block
    const passed = this.#term.select(block, from, count, this.#passing)
    return subtract(kernel.selection(from), count, kernel.selection(this.#passing), passed, kernel.selection(to))
  }
}

/** Rows of the first selection that are not in the second, which has no others; into `to`, which may be the first. */
function subtract(rows: Uint32Array, count: number, taken: Uint32Array, takenCount: number, to: Uint32Array): number {
  let kept = 0
  let next = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index]!
    if (next < takenCount && taken[next] === row) next++
    else to[kept++] = row
  }
  return kept
}

/** All rows or none. */
export class ConstantFilter implements RowFilter {
  readonly #passes: boolean

  constructor(passes: boolean) {
    this.#passes = passes
  }

  select({ kernel }: RecordBlock, from: number, count: number, to: number): number {
    if (!this.#passes) return 0
    if (from !== to) kernel.selection(to).set(kernel.selection(from).subarray(0, count))
    return count
  }
}

/** What has to be looked at row by row: the slow way. */
export class RowTestFilter implements RowFilter {
  readonly #passes: (block: RecordBlock, row: number) => boolean

  constructor(passes: (block: RecordBlock, row: number) => boolean) {
    this.#passes = passes
  }

  select(block: RecordBlock, from: number, count: number, to: number): number {
    const rows = block.kernel.selection(from)
    const passing = block.kernel.selection(to)
    let selected = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      if (this.#passes(block, row)) passing[selected++] = row
    }
    return selected
  }
}
