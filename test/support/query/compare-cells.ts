/** Equality and order of values: what the language means by them, in the plainest words. */
import type { Value } from '../../../query/language/ast.ts'
import { parseTime } from '../../../query/language/time.ts'
import { type Cell, Time } from './event.ts'

const nsPerMs = 1_000_000n

/**
 * Below, equal or above 0; undefined when the two are not of one kind, and then no comparison of them is true.
 *
 *   numbers   by their exact value: 9007199254740993 is not 9007199254740992, and 1 is 1.0
 *   strings   by code points; ignoring case folds as Unicode does, and only tells equal from not
 *   times     with times, with strings that are ISO 8601 times, and with numbers as milliseconds since 1970
 *   sizes     are numbers of bytes, durations numbers of milliseconds
 *   booleans and null equal themselves and have no order
 */
export function compareWithValue(cell: Cell, value: Value, nowMs: number): number | undefined {
  switch (value.kind) {
    case 'string':
      if (typeof cell !== 'string') return undefined
      if (value.ignoreCase) return equalsIgnoringCase(cell, value.text) ? 0 : undefined
      return compareStrings(cell, value.text)
    case 'number':
      return compareNumber(cell, value.value)
    case 'size':
      return compareNumber(cell, value.bytes)
    case 'duration':
      return compareNumber(cell, value.ms)
    case 'time':
      return compareTime(cell, value.epochNs)
    case 'now':
      return compareTime(cell, BigInt(nowMs - value.agoMs) * nsPerMs)
    case 'boolean':
      return cell === value.value ? 0 : undefined
    case 'null':
      return cell === null ? 0 : undefined
  }
}

function compareNumber(cell: Cell, number: number | bigint): number | undefined {
  // The record's timestamp is its milliseconds when it meets a number.
  const left = cell instanceof Time ? cell.epochNs / nsPerMs : cell
  if (typeof left !== 'number' && typeof left !== 'bigint') return undefined
  // JavaScript compares bigint and number by their mathematical values.
  return left < number ? -1 : left > number ? 1 : 0
}

function compareTime(cell: Cell, epochNs: bigint): number | undefined {
  if (typeof cell === 'number' || typeof cell === 'bigint') {
    // Milliseconds; a fraction of one counts.
    if (typeof cell === 'number' && !Number.isFinite(cell)) return cell < 0 ? -1 : 1
    const whole = typeof cell === 'bigint' ? cell : BigInt(Math.floor(cell))
    const rest = typeof cell === 'bigint' ? 0 : cell - Math.floor(cell)
    const ns = whole * nsPerMs + BigInt(Math.round(rest * 1e6))
    return ns < epochNs ? -1 : ns > epochNs ? 1 : 0
  }
  const ns = cell instanceof Time ? cell.epochNs : typeof cell === 'string' ? parseTime(cell) : undefined
  if (ns === undefined) return undefined
  return ns < epochNs ? -1 : ns > epochNs ? 1 : 0
}

/** By code points, which is not the order of UTF-16 units beyond the basic plane. */
export function compareStrings(a: string, b: string): number {
  const left = [...a]
  const right = [...b]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = left[at]!.codePointAt(0)! - right[at]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Simple case folding of Unicode, as a regular expression with the flags `iu` does it. */
export function equalsIgnoringCase(a: string, b: string): boolean {
  return new RegExp(`^${RegExp.escape(b)}$`, 'iu').test(a)
}

/**
 * The order of `sort`, of `min` and of `max`, over all values: numbers, strings, times, booleans, then arrays and objects by their JSON;
 * null and what is missing come last, and do so in both directions (sort.ts).
 */
export function compareAny(a: Cell, b: Cell): number {
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0) return rank
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (a instanceof Time && b instanceof Time) return a.epochNs < b.epochNs ? -1 : a.epochNs > b.epochNs ? 1 : 0
  if (typeof a === 'object' || typeof b === 'object') return compareStrings(cellKey(a), cellKey(b))
  return a < b ? -1 : a > b ? 1 : 0
}

function rankOf(cell: Cell): number {
  if (typeof cell === 'number' || typeof cell === 'bigint') return 0
  if (typeof cell === 'string') return 1
  if (cell instanceof Time) return 2
  if (typeof cell === 'boolean') return 3
  return cell === null ? 5 : 4
}

/** Equal for values that are the same to the language, and only for them: 1 and 1.0 are, 1 and "1" are not. */
export function cellKey(cell: Cell): string {
  if (cell === null || typeof cell === 'boolean') return String(cell)
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(BigInt(cell)) : String(cell)
  if (typeof cell === 'string') return JSON.stringify(cell)
  if (cell instanceof Time) return `time ${cell.epochNs}`
  if (Array.isArray(cell)) return `[${cell.map(cellKey).join(',')}]`
  const entries = Object.entries(cell as { readonly [name: string]: Cell })
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${cellKey(value)}`).join(',')}}`
}
