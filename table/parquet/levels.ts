/**
 * Definition and repetition levels of one leaf: how far down its path each entry is defined, and at which list it repeats.
 *
 *   optional int a                         null -> def 0               5 -> def 1
 *   optional list<optional int> b          null -> 0   [] -> 1   [null] -> 2   [5, 6] -> 3 rep 0, 3 rep 1
 *
 * Flat paths without nulls, by far the most, need no array at all.
 *
 * source  parquet-format, README "Nested Encoding" (Dremel)
 */
import type { Field, FieldType } from '../types.ts'
import type { ColumnData, PrimitiveColumn } from './column-data.ts'

/** One step down to a leaf. Lists and maps repeat their child. */
interface PathStep {
  readonly required: boolean
  readonly repeats: boolean
  /** Picks the column of this step from its parent's. */
  readonly pick: (parent: ColumnData) => ColumnData
}

export class LeafPath {
  readonly #steps: readonly PathStep[]
  readonly #topIndex: number
  readonly maxDefinition: number
  readonly maxRepetition: number

  constructor(topIndex: number, steps: readonly PathStep[]) {
    this.#topIndex = topIndex
    this.#steps = steps
    this.maxRepetition = steps.filter(step => step.repeats).length
    this.maxDefinition = steps.filter(step => !step.required).length + this.maxRepetition
  }

  /** The leaf's column. */
  leafOf(columns: readonly ColumnData[]): PrimitiveColumn {
    const column = this.#columnsOf(columns).at(-1)!
    if (column.kind === 'struct' || column.kind === 'list' || column.kind === 'map') {
      throw new TypeError(`a ${column.kind} is no leaf`)
    }
    return column
  }

  #columnsOf(columns: readonly ColumnData[]): ColumnData[] {
    const path: ColumnData[] = []
    let column = columns[this.#topIndex]!
    for (const step of this.#steps) {
      column = step.pick(column)
      path.push(column)
    }
    return path
  }

  /** The levels of a batch's rows. */
  build(columns: readonly ColumnData[], rowCount: number): Levels {
    const path = this.#columnsOf(columns)
    if (this.maxRepetition === 0) return buildFlat(path, this.#steps, rowCount, this.maxDefinition)
    return buildRepeated(path, this.#steps, rowCount)
  }
}

export interface Levels {
  /** Entries, including nulls and empty lists. */
  readonly count: number
  /** Undefined: every entry is fully defined. */
  readonly definitions: Uint8Array | undefined
  /** Undefined: nothing repeats. */
  readonly repetitions: Uint8Array | undefined
}

function buildFlat(path: readonly ColumnData[], steps: readonly PathStep[], count: number, max: number): Levels {
  if (path.every(column => column.nullCount === 0)) return { count, definitions: undefined, repetitions: undefined }
  const definitions = new Uint8Array(count)
  // How deep an entry is if nothing above was null.
  let depth = 0
  for (const [index, column] of path.entries()) {
    if (steps[index]!.required) continue
    const { validity } = column
    for (let row = 0; row < count; row++) if (definitions[row] === depth) definitions[row] = depth + validity[row]!
    depth++
  }
  return { count, definitions: max === 0 ? undefined : definitions, repetitions: undefined }
}

const ended = -1

function buildRepeated(path: readonly ColumnData[], steps: readonly PathStep[], rowCount: number): Levels {
  let count = rowCount
  let definitions = new Uint8Array(rowCount)
  let repetitions = new Uint8Array(rowCount)
  /** Where each entry stands in the column of the step, or `ended`. */
  let slots = Int32Array.from({ length: rowCount }, (_, row) => row)
  let repetition = 0
  for (const [index, column] of path.entries()) {
    const { required, repeats } = steps[index]!
    if (!required) {
      for (let entry = 0; entry < count; entry++) {
        const slot = slots[entry]!
        if (slot === ended) continue
        if (column.validity[slot] === 0) slots[entry] = ended
        else definitions[entry]!++
      }
    }
    if (!repeats || (column.kind !== 'list' && column.kind !== 'map')) continue
    repetition++
    const { offsets } = column
    let grown = 0
    for (let entry = 0; entry < count; entry++) {
      const slot = slots[entry]!
      grown += slot === ended ? 1 : Math.max(1, offsets[slot + 1]! - offsets[slot]!)
    }
    const nextDefinitions = new Uint8Array(grown)
    const nextRepetitions = new Uint8Array(grown)
    const nextSlots = new Int32Array(grown)
    let to = 0
    for (let entry = 0; entry < count; entry++) {
      const slot = slots[entry]!
      const start = slot === ended ? 0 : offsets[slot]!
      const end = slot === ended ? 0 : offsets[slot + 1]!
      nextRepetitions[to] = repetitions[entry]!
      if (start === end) {
        nextDefinitions[to] = definitions[entry]!
        nextSlots[to++] = ended
        continue
      }
      for (let child = start; child < end; child++) {
        if (child > start) nextRepetitions[to] = repetition
        nextDefinitions[to] = definitions[entry]! + 1
        nextSlots[to++] = child
      }
    }
    count = grown
    definitions = nextDefinitions
    repetitions = nextRepetitions
    slots = nextSlots
  }
  return { count, definitions, repetitions }
}

/** The paths of all leaves, in column order. */
export function listLeafPaths(fields: readonly Field[]): LeafPath[] {
  const paths: LeafPath[] = []
  for (const [index, field] of fields.entries()) {
    collectPaths(field.type, field.required, column => column, [], index, paths)
  }
  return paths
}

function collectPaths(
  type: FieldType,
  required: boolean,
  pick: (parent: ColumnData) => ColumnData,
  above: readonly PathStep[],
  topIndex: number,
  paths: LeafPath[],
): void {
  const repeats = type.kind === 'list' || type.kind === 'map'
  const steps = [...above, { required, repeats, pick }]
  switch (type.kind) {
    case 'struct':
      for (const [index, field] of type.fields.entries()) {
        collectPaths(field.type, field.required, pickChild(index), steps, topIndex, paths)
      }
      return
    case 'list':
      collectPaths(type.element, type.elementRequired, pickElement, steps, topIndex, paths)
      return
    case 'map':
      collectPaths(type.key, true, pickKey, steps, topIndex, paths)
      collectPaths(type.value, type.valueRequired, pickValue, steps, topIndex, paths)
      return
    default:
      paths.push(new LeafPath(topIndex, steps))
  }
}

function pickChild(index: number): (parent: ColumnData) => ColumnData {
  return parent => {
    if (parent.kind !== 'struct') throw new TypeError(`${parent.kind} has no fields`)
    return parent.children[index]!
  }
}
function pickElement(parent: ColumnData): ColumnData {
  if (parent.kind !== 'list') throw new TypeError(`${parent.kind} has no elements`)
  return parent.element
}
function pickKey(parent: ColumnData): ColumnData {
  if (parent.kind !== 'map') throw new TypeError(`${parent.kind} has no keys`)
  return parent.key
}
function pickValue(parent: ColumnData): ColumnData {
  if (parent.kind !== 'map') throw new TypeError(`${parent.kind} has no values`)
  return parent.value
}
