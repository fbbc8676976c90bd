/**
 * The inner loops of the query engine, in WebAssembly with vector instructions (assembly/), over blocks of records in the kernel's own
 * memory.
 *
 *   memory := slot tree, operands, columns, selections, value spans, values, scratch
 *
 * A slot is a field of JSON values that the query looks at, told by the names that lead to it. After `project` the columns hold what was
 * found: row r of slot s is element s * blockRowsMax + r of each.
 *
 *   kernel.startBlock()
 *   const at = kernel.copyIn(payload)
 *   kernel.addRow(at + valueAt, at + valueAt + valueBytes)
 *   kernel.project()
 */
import { assert } from '../../core/assert.ts'
import { kernelCode } from './kernel-code.ts'
import { align, KernelMemory, overreadBytes } from './kernel-memory.ts'
import { placeSlotTree } from './slot-tree.ts'
import { encodeWtf8, rarestByteAt } from './wtf8.ts'

export const blockRowsMax = 2048

/** What a slot of a row holds. */
export const valueKinds = {
  missing: 0,
  null: 1,
  false: 2,
  true: 3,
  /** `numbers` has it, -0 being 0. */
  exactNumber: 4,
  /** Only its text has it: with an exponent, or of more than 15 digits. */
  otherNumber: 5,
  string: 6,
  escapedString: 7,
  array: 8,
  object: 9,
} as const

/** What the value of a record is. */
export const valueStatuses = { none: 0, json: 1, notJson: 2 } as const

const stringOperatorCodes = {
  '==': 0,
  '<': 1,
  '<=': 2,
  '>': 3,
  '>=': 4,
  contains: 5,
  startsWith: 6,
  endsWith: 7,
} as const

export type StringSelectOperator = keyof typeof stringOperatorCodes

export interface KernelPlan {
  /** In the order of `compareSlots`. */
  readonly slots: readonly (readonly string[])[]
  /** Strings that fields are compared with. */
  readonly operands: readonly string[]
  readonly selectionCount: number
}

interface KernelExports {
  readonly memory: WebAssembly.Memory
  readonly freeAt: () => number
  readonly setPlan: (
    root: number,
    slotCount: number,
    rowsMax: number,
    kinds: number,
    starts: number,
    ends: number,
    numbers: number,
    spans: number,
    statuses: number,
  ) => void
  readonly setScratch: (at: number) => void
  readonly project: (rowCount: number) => void
  readonly selectStrings: (
    slot: number,
    operator: number,
    operand: number,
    operandBytes: number,
    rareAt: number,
    rows: number,
    count: number,
    target: number,
  ) => number
  readonly selectTimes: (
    slot: number,
    lowMs: number,
    lowNs: number,
    highMs: number,
    highNs: number,
    rows: number,
    count: number,
    target: number,
  ) => number
  readonly selectTexts: (
    operand: number,
    operandBytes: number,
    rareAt: number,
    rows: number,
    count: number,
    target: number,
  ) => number
}

/** Milliseconds since 1970, and 0 to 999,999 nanoseconds above them. */
export interface TimePoint {
  readonly ms: number
  readonly ns: number
}

/** Both included; at infinity it is open. */
export interface TimeInterval {
  readonly low: TimePoint
  readonly high: TimePoint
}

let compiled: WebAssembly.Module | undefined

function instantiate(): KernelExports {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelCode, 'base64'))
  return new WebAssembly.Instance(compiled).exports as KernelExports
}

interface Operand {
  readonly at: number
  readonly byteCount: number
  readonly rareAt: number
}

interface Layout {
  readonly kinds: number
  readonly starts: number
  readonly ends: number
  readonly numbers: number
  readonly selections: number
  readonly spans: number
  readonly statuses: number
  readonly values: number
}

export class Kernel {
  readonly #exports = instantiate()
  readonly #memory = new KernelMemory(this.#exports.memory, this.#exports.freeAt())
  readonly #plan: KernelPlan
  readonly #operands: readonly Operand[]
  readonly #layout: Layout
  #valuesEnd = 0
  #valueBytesMax = 0
  rowCount = 0

  // Views of the kernel's memory: `copyIn` and `project` may replace them.
  kinds = new Uint8Array(0)
  /** Where the text of the value begins and ends in the kernel's memory. */
  starts = new Uint32Array(0)
  ends = new Uint32Array(0)
  numbers = new Float64Array(0)
  /** Per row, of `valueStatuses`. */
  statuses = new Uint8Array(0)
  /** Per row two: where its value begins and ends; 0, 0 for none. */
  spans = new Uint32Array(0)

  constructor(plan: KernelPlan) {
    const memory = this.#memory
    const { slots, operands, selectionCount } = plan
    const root = placeSlotTree(memory, slots)
    this.#plan = plan
    this.#operands = operands.map(operand => {
      const bytes = encodeWtf8(operand)
      return { at: memory.place(bytes), byteCount: bytes.length, rareAt: rarestByteAt(bytes) }
    })
    const cellCount = slots.length * blockRowsMax
    const layout: Layout = {
      kinds: memory.allocate(cellCount),
      starts: memory.allocate(cellCount * 4),
      ends: memory.allocate(cellCount * 4),
      numbers: memory.allocate(cellCount * 8),
      selections: memory.allocate(selectionCount * blockRowsMax * 4),
      spans: memory.allocate(blockRowsMax * 8),
      statuses: memory.allocate(blockRowsMax),
      values: memory.allocate(0),
    }
    this.#layout = layout
    const { kinds, starts, ends, numbers, spans, statuses } = layout
    this.#exports.setPlan(root, slots.length, blockRowsMax, kinds, starts, ends, numbers, spans, statuses)
    this.#look()
    this.startBlock()
  }

  startBlock(): void {
    this.rowCount = 0
    this.#valuesEnd = this.#layout.values
    this.#valueBytesMax = 0
  }

  /** Copies bytes that rows are going to lie in; returns where they are. errors  exhausted: more than a kernel may have */
  copyIn(source: Uint8Array): number {
    const at = this.#valuesEnd
    this.#reserve(at + source.length + overreadBytes)
    this.#memory.bytes.set(source, at)
    this.#valuesEnd = at + source.length
    return at
  }

  /** A record whose value is [start, end) of what was copied in; 0, 0 for one without. */
  addRow(start: number, end: number): void {
    assert(this.rowCount < blockRowsMax, 'the block is full')
    const row = this.rowCount++
    this.spans[row * 2] = start
    this.spans[row * 2 + 1] = end
    if (end - start > this.#valueBytesMax) this.#valueBytesMax = end - start
  }

  /** Finds the slots of all rows. errors  exhausted */
  project(): void {
    const scratchAt = align(this.#valuesEnd + overreadBytes)
    this.#reserve(scratchAt + this.#valueBytesMax + overreadBytes)
    this.#exports.setScratch(scratchAt)
    this.#exports.project(this.rowCount)
  }

  /** Row numbers, upwards: what a filter looks at, or what it lets pass. */
  selection(index: number): Uint32Array {
    return new Uint32Array(this.#memory.bytes.buffer, this.#selectionAt(index), blockRowsMax)
  }

  #selectionAt(index: number): number {
    assert(index < this.#plan.selectionCount, 'the plan has fewer selections')
    return this.#layout.selections + index * blockRowsMax * 4
  }

  /**
   * Of the first `count` rows of selection `from` those whose slot holds a string that passes, into selection `to`, which may be the
   * same. Returns how many.
   */
  selectStrings(
    slot: number,
    operator: StringSelectOperator,
    operandIndex: number,
    from: number,
    count: number,
    to: number,
  ): number {
    const { at, byteCount, rareAt } = this.#operands[operandIndex]!
    const code = stringOperatorCodes[operator]
    const rows = this.#selectionAt(from)
    return this.#exports.selectStrings(slot, code, at, byteCount, rareAt, rows, count, this.#selectionAt(to))
  }

  /** Likewise those whose slot holds a time between the two, in a string or as an exact number of milliseconds. */
  selectTimes(slot: number, { low, high }: TimeInterval, from: number, count: number, to: number): number {
    const rows = this.#selectionAt(from)
    return this.#exports.selectTimes(slot, low.ms, low.ns, high.ms, high.ns, rows, count, this.#selectionAt(to))
  }

  /** Likewise those whose value contains the operand, as it was written. */
  selectTexts(operandIndex: number, from: number, count: number, to: number): number {
    const { at, byteCount, rareAt } = this.#operands[operandIndex]!
    return this.#exports.selectTexts(at, byteCount, rareAt, this.#selectionAt(from), count, this.#selectionAt(to))
  }

  /** [start, end) of the kernel's memory; what is not UTF-8 becomes U+FFFD. */
  text(start: number, end: number): string {
    return Buffer.from(this.#memory.bytes.buffer, start, end - start).toString('utf8')
  }

  #reserve(end: number): void {
    this.#memory.reserve(end)
    if (this.kinds.buffer !== this.#memory.bytes.buffer) this.#look()
  }

  #look(): void {
    const { buffer } = this.#memory.bytes
    const { kinds, starts, ends, numbers, spans, statuses } = this.#layout
    const cellCount = this.#plan.slots.length * blockRowsMax
    this.kinds = new Uint8Array(buffer, kinds, cellCount)
    this.starts = new Uint32Array(buffer, starts, cellCount)
    this.ends = new Uint32Array(buffer, ends, cellCount)
    this.numbers = new Float64Array(buffer, numbers, cellCount)
    this.statuses = new Uint8Array(buffer, statuses, blockRowsMax)
    this.spans = new Uint32Array(buffer, spans, blockRowsMax * 2)
  }
}
