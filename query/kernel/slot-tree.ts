/** Slots as the tree that the kernel walks; its form is told in assembly/project.ts. */
import { assert } from '../../core/assert.ts'
import type { KernelMemory } from './kernel-memory.ts'
import { encodeWtf8 } from './wtf8.ts'

const nodeHeadBytes = 8
const childBytes = 32
const none = -1

interface Node {
  /** In the order of the slots in them. */
  readonly children: Map<string, Node>
  slot: number
}

/** The order that slots have to be in: what is within a slot comes right behind it. */
export function compareSlots(left: readonly string[], right: readonly string[]): number {
  const common = Math.min(left.length, right.length)
  for (let at = 0; at < common; at++) if (left[at] !== right[at]) return left[at]! < right[at]! ? -1 : 1
  return left.length - right.length
}

/** Returns where the root lies. */
export function placeSlotTree(memory: KernelMemory, slots: readonly (readonly string[])[]): number {
  const root: Node = { children: new Map(), slot: none }
  for (const [slot, names] of slots.entries()) {
    assert(slot === 0 || compareSlots(slots[slot - 1]!, names) < 0, 'slots are in order, and no two are the same')
    let node = root
    for (const name of names) {
      const child = node.children.get(name) ?? { children: new Map(), slot: none }
      node.children.set(name, child)
      node = child
    }
    assert(node !== root, 'a slot has a name')
    node.slot = slot
  }
  return placeNode(memory, root)
}

function placeNode(memory: KernelMemory, { children }: Node): number {
  const placed = [...children].map(([name, child]) => {
    const bytes = encodeWtf8(name)
    const nodeAt = child.children.size === 0 ? 0 : placeNode(memory, child)
    return {
      bytes,
      nameAt: memory.place(bytes),
      nodeAt,
      slot: child.slot,
      first: firstSlot(child),
      end: endSlot(child),
    }
  })
  const at = memory.allocate(nodeHeadBytes + placed.length * childBytes)
  const view = new DataView(memory.bytes.buffer)
  view.setUint32(at, placed.length, true)
  for (const [index, { bytes, nameAt, nodeAt, slot, first, end }] of placed.entries()) {
    const child = at + nodeHeadBytes + index * childBytes
    view.setUint32(child, bytes.length, true)
    view.setUint32(child + 4, nameAt, true)
    memory.bytes.set(bytes.subarray(0, 8), child + 8)
    view.setUint32(child + 16, nodeAt, true)
    view.setInt32(child + 20, slot, true)
    view.setUint32(child + 24, first, true)
    view.setUint32(child + 28, end, true)
  }
  return at
}

function firstSlot({ slot, children }: Node): number {
  return slot === none ? firstSlot(children.values().next().value!) : slot
}

function endSlot({ slot, children }: Node): number {
  const last = [...children.values()].at(-1)
  return last === undefined ? slot + 1 : endSlot(last)
}
