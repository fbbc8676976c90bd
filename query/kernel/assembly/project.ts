/**
 * Projects fields out of JSON: for every row of a block and every slot (a field that the query looks at) the kind of its value, where its
 * text lies, and its number if it has an exact one. The whole of every value is checked, whatever is looked at.
 *
 * Slots are a tree of names. A node is `child count (u32), 0 (u32)` and its children, 32 bytes each:
 *
 *   name bytes (u32), name at (u32), first 8 bytes of the name, zeros behind it (u64), node at (u32, 0: none),
 *   slot (i32, -1: none), first slot (u32) and end (u32, exclusive) of the slots in it, its own included
 */
import {
  afterColon,
  afterFalse,
  afterNull,
  afterNumber,
  afterSpace,
  afterString,
  afterTrue,
  afterValue,
  hasEscape,
  isNumberExact,
  numberValue,
} from './json-grammar'
import { decodeString } from './strings'

/** Kinds of values. What reads them: kernel.ts. */
const kindNull: u8 = 1
const kindFalse: u8 = 2
const kindTrue: u8 = 3
export const kindExactNumber: u8 = 4
const kindOtherNumber: u8 = 5
export const kindString: u8 = 6
export const kindEscapedString: u8 = 7
const kindArray: u8 = 8
const kindObject: u8 = 9

const statusJson: u8 = 1
const statusNotJson: u8 = 2

let root: usize = 0
let slotCount: usize = 0
let rowsMax: usize = 0
/** Columns, one behind the other: row r of slot s is element s * rowsMax + r. */
export let kinds: usize = 0
let starts: usize = 0
let ends: usize = 0
let numbers: usize = 0
/** Per row: where its value begins and ends; both 0 when it has none. */
let spans: usize = 0
let statuses: usize = 0
let scratch: usize = 0

/** It has room for as many bytes as the largest value. */
export function setScratch(at: usize): void {
  scratch = at
}

export function setPlan(
  rootAt: usize,
  slots: usize,
  rows: usize,
  kindsAt: usize,
  startsAt: usize,
  endsAt: usize,
  numbersAt: usize,
  spansAt: usize,
  statusesAt: usize,
): void {
  root = rootAt
  slotCount = slots
  rowsMax = rows
  kinds = kindsAt
  starts = startsAt
  ends = endsAt
  numbers = numbersAt
  spans = spansAt
  statuses = statusesAt
}

export function cellAt(slot: usize, row: usize): usize {
  return slot * rowsMax + row
}

export function cellStart(cell: usize): usize {
  return load<u32>(starts + (cell << 2))
}

export function cellEnd(cell: usize): usize {
  return load<u32>(ends + (cell << 2))
}

export function cellNumber(cell: usize): f64 {
  return load<f64>(numbers + (cell << 3))
}

export function valueStart(row: usize): usize {
  return load<u32>(spans + (row << 3))
}

export function valueEnd(row: usize): usize {
  return load<u32>(spans + (row << 3), 4)
}

export function project(rowCount: usize): void {
  memory.fill(kinds, 0, slotCount * rowsMax)
  for (let row: usize = 0; row < rowCount; row++) {
    const end = valueEnd(row)
    if (end === 0) {
      store<u8>(statuses + row, 0)
      continue
    }
    let at = afterSpace(valueStart(row), end)
    if (at < end) at = load<u8>(at) === 0x7b ? afterObject(at, end, root, row, 1) : afterValue(at, end, 0)
    else at = 0
    if (at !== 0 && afterSpace(at, end) === end) {
      store<u8>(statuses + row, statusJson)
    } else {
      store<u8>(statuses + row, statusNotJson)
      clear(0, slotCount, row)
    }
  }
}

function clear(firstSlot: usize, endSlot: usize, row: usize): void {
  for (let slot = firstSlot; slot < endSlot; slot++) store<u8>(kinds + cellAt(slot, row), 0)
}

/** `start` is at the bracket, the `depth`-th that is open. As deep as names of a field go, and no deeper: what nobody looks at is passed by `afterValue`. */
function afterObject(start: usize, end: usize, node: usize, row: usize, depth: i32): usize {
  let at = afterSpace(start + 1, end)
  if (at < end && load<u8>(at) === 0x7d) return at + 1
  while (true) {
    if (at >= end || load<u8>(at) !== 0x22) return 0
    const nameAt = at + 1
    at = afterString(nameAt, end)
    if (at === 0) return 0
    const child = hasEscape ? findEscapedChild(node, nameAt, at - 1) : findChild(node, nameAt, at - 1 - nameAt)
    at = afterColon(at, end)
    if (at === 0) return 0
    at = child === 0 ? afterValue(at, end, depth) : afterWanted(at, end, child, row, depth)
    if (at === 0) return 0
    at = afterSpace(at, end)
    if (at >= end) return 0
    const next = load<u8>(at++)
    if (next === 0x7d) return at
    if (next !== 0x2c) return 0
    at = afterSpace(at, end)
  }
}

function findChild(node: usize, nameAt: usize, nameBytes: usize): usize {
  const childCount = load<u32>(node)
  const word = nameBytes >= 8 ? load<u64>(nameAt) : load<u64>(nameAt) & ((u64(1) << (u64(nameBytes) << 3)) - 1)
  let child = node + 8
  for (let index: u32 = 0; index < childCount; index++, child += 32) {
    if (load<u64>(child, 8) !== word || load<u32>(child) !== u32(nameBytes)) continue
    if (nameBytes <= 8 || memory.compare(load<u32>(child, 4), nameAt, nameBytes) === 0) return child
  }
  return 0
}

function findEscapedChild(node: usize, nameAt: usize, nameEnd: usize): usize {
  return findChild(node, scratch, decodeString(nameAt, nameEnd, scratch))
}

/** Of several members with one name the last one counts, with all that is in it. */
function afterWanted(start: usize, end: usize, child: usize, row: usize, depth: i32): usize {
  if (start >= end) return 0
  clear(load<u32>(child, 24), load<u32>(child, 28), row)
  const node: usize = load<u32>(child, 16)
  let at: usize
  let kind: u8
  switch (load<u8>(start)) {
    case 0x22:
      at = afterString(start + 1, end)
      kind = hasEscape ? kindEscapedString : kindString
      break
    case 0x7b:
      at = node === 0 ? afterValue(start, end, depth) : afterObject(start, end, node, row, depth + 1)
      kind = kindObject
      break
    case 0x5b:
      at = afterValue(start, end, depth)
      kind = kindArray
      break
    case 0x74:
      at = afterTrue(start, end)
      kind = kindTrue
      break
    case 0x66:
      at = afterFalse(start, end)
      kind = kindFalse
      break
    case 0x6e:
      at = afterNull(start, end)
      kind = kindNull
      break
    default:
      at = afterNumber(start, end)
      kind = isNumberExact ? kindExactNumber : kindOtherNumber
  }
  const slot = load<i32>(child, 20)
  if (at === 0 || slot < 0) return at
  const cell = cellAt(usize(slot), row)
  store<u8>(kinds + cell, kind)
  store<u32>(starts + (cell << 2), u32(start))
  store<u32>(ends + (cell << 2), u32(at))
  if (kind === kindExactNumber) store<f64>(numbers + (cell << 3), numberValue)
  return at
}

export function scratchAt(): usize {
  return scratch
}
