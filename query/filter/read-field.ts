/** Reads the values of a field, row by row: for tests that columns do not answer. */

import { blockRowsMax, valueKinds } from '../kernel/kernel.ts'
import type { Field, MetadataName, PathStep } from '../language/ast.ts'
import { type Cell, isObjectCell, Time } from '../values/cell.ts'
import type { RecordBlock } from './record-block.ts'
import { type Slot, slotCell } from './slot-filters.ts'

const nsPerMs = 1_000_000n

/** The values of a field of one row: none, one or, with `[*]`, several. */
export type CellReader = (block: RecordBlock, row: number) => readonly Cell[]

/** `slotOf` gives the slot of the names that a path begins with. */
export function compileReader(field: Field, slotOf: (names: readonly string[]) => Slot): CellReader {
  if (field.kind === 'metadata') return metadataReader(field.name)
  if (field.kind === 'header') {
    const { name } = field
    return (block, row) => optional(block.spanText(block.headerSpans.get(name)!, row))
  }
  const names = leadingNames(field.steps)
  const slot = slotOf(names)
  const rest = field.steps.slice(names.length)
  return ({ kernel }, row) => {
    const cell = slot.index * blockRowsMax + row
    if (kernel.kinds[cell] === valueKinds.missing) return []
    return rest.reduce<readonly Cell[]>(follow, [slotCell(kernel, cell)])
  }
}

/** The names before the first index or `[*]`. */
export function leadingNames(steps: readonly PathStep[]): string[] {
  const names: string[] = []
  for (const step of steps) {
    if (step.kind !== 'name') break
    names.push(step.name)
  }
  return names
}

function follow(cells: readonly Cell[], step: PathStep): readonly Cell[] {
  if (step.kind === 'name') {
    return cells.flatMap((cell): readonly Cell[] =>
      isObjectCell(cell) && Object.hasOwn(cell, step.name) ? [cell[step.name]!] : [],
    )
  }
  const arrays = cells.filter(cell => Array.isArray(cell)) as (readonly Cell[])[]
  if (step.kind === 'each') return arrays.flat()
  return arrays.filter(({ length }) => step.index < length).map(array => array[step.index]!)
}

function metadataReader(name: MetadataName): CellReader {
  switch (name) {
    case 'offset':
      return ({ offsets }, row) => [BigInt(offsets[row]!)]
    case 'partition':
      return ({ partition }) => [BigInt(partition)]
    case 'timestamp':
      return ({ timestampsMs }, row) => [new Time(BigInt(timestampsMs[row]!) * nsPerMs)]
    case 'size':
      return ({ kernel: { spans } }, row) => [BigInt(spans[row * 2 + 1]! - spans[row * 2]!)]
    case 'key':
      return (block, row) => optional(block.spanText(block.keySpans, row))
    case 'topic':
      return ({ topic }) => [topic]
  }
}

function optional(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text]
}

/** The value's text as it was written; undefined for a tombstone. */
export function valueText(block: RecordBlock, row: number): string | undefined {
  return block.spanText(block.kernel.spans, row)
}
