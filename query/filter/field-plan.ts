/** What a query needs of its kernel, collected while the query is compiled. */
import type { KernelPlan } from '../kernel/kernel.ts'
import { compareSlots } from '../kernel/slot-tree.ts'
import type { Slot } from './slot-filters.ts'

export class FieldPlan {
  readonly #slots = new Map<string, Slot>()
  readonly #operands = new Map<string, number>()
  readonly #headers = new Set<string>()
  /** In use by what is being compiled. */
  #selectionsTaken: number
  #selectionsMax: number

  /** givenSelections  the first ones are the caller's */
  constructor(givenSelections: number) {
    this.#selectionsTaken = givenSelections
    this.#selectionsMax = givenSelections
  }

  /** Its index is set by `finish`. */
  slot(names: readonly string[]): Slot {
    const key = JSON.stringify(names)
    const slot = this.#slots.get(key) ?? { names, index: -1 }
    this.#slots.set(key, slot)
    return slot
  }

  /** The index of the string. */
  operand(text: string): number {
    const index = this.#operands.get(text) ?? this.#operands.size
    this.#operands.set(text, index)
    return index
  }

  header(name: string): void {
    this.#headers.add(name)
  }

  /** Selections for what `compile` returns: what is compiled within it gets others, what comes later may get the same. */
  withSelections<T>(count: number, compile: (indexes: readonly number[]) => T): T {
    const first = this.#selectionsTaken
    this.#selectionsTaken += count
    this.#selectionsMax = Math.max(this.#selectionsMax, this.#selectionsTaken)
    try {
      return compile(Array.from({ length: count }, (_, index) => first + index))
    } finally {
      this.#selectionsTaken = first
    }
  }

  finish(): { readonly kernelPlan: KernelPlan; readonly headerNames: readonly string[] } {
    const slots = [...this.#slots.values()].sort((left, right) => compareSlots(left.names, right.names))
    for (const [index, slot] of slots.entries()) slot.index = index
    const kernelPlan = {
      slots: slots.map(({ names }) => names),
      operands: [...this.#operands.keys()],
      selectionCount: this.#selectionsMax,
    }
    return { kernelPlan, headerNames: [...this.#headers] }
  }
}
