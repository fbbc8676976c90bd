/**
 * Tests of one field over a selection of rows. A selection is row numbers (u32), upwards; the rows that pass are written to another
 * one, and how many they are is returned. Both may lie at one place.
 */
import {
  cellAt,
  cellEnd,
  cellNumber,
  cellStart,
  kindEscapedString,
  kindExactNumber,
  kindString,
  kinds,
  scratchAt,
  valueEnd,
  valueStart,
} from './project'
import { compareBytes, containsBytes, decodeString } from './strings'
import { isTimeBetween, parseTime, timeOfNumber } from './times'

/** What reads them: kernel.ts. */
const operatorEquals = 0
const operatorLess = 1
const operatorLessOrEqual = 2
const operatorGreater = 3
const operatorGreaterOrEqual = 4
const operatorContains = 5
const operatorStartsWith = 6

/** Strings only. errors  none: rows of other kinds do not pass */
export function selectStrings(
  slot: usize,
  operator: i32,
  operand: usize,
  operandBytes: usize,
  rareAt: usize,
  rows: usize,
  count: usize,
  target: usize,
): usize {
  let selected: usize = 0
  for (let index: usize = 0; index < count; index++) {
    const row: usize = load<u32>(rows + (index << 2))
    const cell = cellAt(slot, row)
    const kind = load<u8>(kinds + cell)
    if (kind !== kindString && kind !== kindEscapedString) continue
    let start = cellStart(cell) + 1
    let end = cellEnd(cell) - 1
    if (kind === kindEscapedString) {
      const bytes = decodeString(start, end, scratchAt())
      start = scratchAt()
      end = start + bytes
    }
    if (passes(operator, start, end, operand, operandBytes, rareAt)) {
      store<u32>(target + (selected << 2), u32(row))
      selected++
    }
  }
  return selected
}

/** Times from low to high, in strings and in exact numbers of milliseconds. Other numbers do not pass, whatever they are. */
export function selectTimes(
  slot: usize,
  lowMs: f64,
  lowNs: i32,
  highMs: f64,
  highNs: i32,
  rows: usize,
  count: usize,
  target: usize,
): usize {
  let selected: usize = 0
  for (let index: usize = 0; index < count; index++) {
    const row: usize = load<u32>(rows + (index << 2))
    const cell = cellAt(slot, row)
    if (!findTime(cell, load<u8>(kinds + cell)) || !isTimeBetween(lowMs, lowNs, highMs, highNs)) continue
    store<u32>(target + (selected << 2), u32(row))
    selected++
  }
  return selected
}

function findTime(cell: usize, kind: u8): bool {
  switch (kind) {
    case kindString:
      return parseTime(cellStart(cell) + 1, cellEnd(cell) - 1)
    case kindEscapedString: {
      const bytes = decodeString(cellStart(cell) + 1, cellEnd(cell) - 1, scratchAt())
      return parseTime(scratchAt(), scratchAt() + bytes)
    }
    case kindExactNumber:
      timeOfNumber(cellNumber(cell))
      return true
    default:
      return false
  }
}

/** The text of the whole value, as it was written. Tombstones do not pass. */
export function selectTexts(
  operand: usize,
  operandBytes: usize,
  rareAt: usize,
  rows: usize,
  count: usize,
  target: usize,
): usize {
  let selected: usize = 0
  for (let index: usize = 0; index < count; index++) {
    const row: usize = load<u32>(rows + (index << 2))
    const end = valueEnd(row)
    if (end === 0) continue
    if (containsBytes(valueStart(row), end, operand, operandBytes, rareAt)) {
      store<u32>(target + (selected << 2), u32(row))
      selected++
    }
  }
  return selected
}

function passes(operator: i32, start: usize, end: usize, operand: usize, operandBytes: usize, rareAt: usize): bool {
  const bytes = end - start
  switch (operator) {
    case operatorEquals:
      return bytes === operandBytes && memory.compare(start, operand, bytes) === 0
    case operatorLess:
      return compareBytes(start, bytes, operand, operandBytes) < 0
    case operatorLessOrEqual:
      return compareBytes(start, bytes, operand, operandBytes) <= 0
    case operatorGreater:
      return compareBytes(start, bytes, operand, operandBytes) > 0
    case operatorGreaterOrEqual:
      return compareBytes(start, bytes, operand, operandBytes) >= 0
    case operatorContains:
      return containsBytes(start, end, operand, operandBytes, rareAt)
    case operatorStartsWith:
      return bytes >= operandBytes && memory.compare(start, operand, operandBytes) === 0
    default: // endsWith
      return bytes >= operandBytes && memory.compare(end - operandBytes, operand, operandBytes) === 0
  }
}
