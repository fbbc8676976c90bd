/** Equality and order of single values, as docs/query-language.md has them. */
import type { Value } from '../language/ast.ts'
import { parseTime } from '../language/time.ts'
import { type Cell, Time } from './cell.ts'

const nsPerMs = 1_000_000n

/** Below, equal or above 0; undefined when the two are not of one kind: then no comparison of them is true. */
export type CellOrder = (cell: Cell) => number | undefined

/** nowMs  what `now` is, milliseconds since 1970 */
export function orderAgainst(value: Value, nowMs: number): CellOrder {
  switch (value.kind) {
    case 'string': {
      const { text } = value
      if (value.ignoreCase) {
        const pattern = new RegExp(`^${RegExp.escape(text)}$`, 'iu')
        return cell => (typeof cell === 'string' && pattern.test(cell) ? 0 : undefined)
      }
      return cell => (typeof cell === 'string' ? compareStrings(cell, text) : undefined)
    }
    case 'number':
      return orderAgainstNumber(value.value)
    case 'size':
      return orderAgainstNumber(value.bytes)
    case 'duration':
      return orderAgainstNumber(value.ms)
    case 'time':
      return orderAgainstTime(value.epochNs)
    case 'now':
      return orderAgainstTime(BigInt(nowMs - value.agoMs) * nsPerMs)
    case 'boolean':
      return cell => (cell === value.value ? 0 : undefined)
    case 'null':
      return cell => (cell === null ? 0 : undefined)
  }
}

function orderAgainstNumber(number: number | bigint): CellOrder {
  return cell => {
    const found = cell instanceof Time ? cell.epochNs / nsPerMs : cell
    if (typeof found !== 'number' && typeof found !== 'bigint') return undefined
    return found < number ? -1 : found > number ? 1 : 0
  }
}

function orderAgainstTime(epochNs: bigint): CellOrder {
  return cell => {
    const found = epochNsOf(cell)
    if (found === undefined) return undefined
    return found < epochNs ? -1 : found > epochNs ? 1 : 0
  }
}

/** Numbers are milliseconds, to the nanosecond; strings are times when they spell one. Infinite ones are beyond all times. */
function epochNsOf(cell: Cell): bigint | number | undefined {
  if (cell instanceof Time) return cell.epochNs
  if (typeof cell === 'bigint') return cell * nsPerMs
  if (typeof cell === 'string') return parseTime(cell)
  if (typeof cell !== 'number') return undefined
  if (!Number.isFinite(cell)) return cell
  const wholeMs = Math.floor(cell)
  return BigInt(wholeMs) * nsPerMs + BigInt(Math.round((cell - wholeMs) * 1e6))
}

/** By code points, which is not the order of UTF-16 units: those of surrogates are in the midst of it. */
export function compareStrings(left: string, right: string): number {
  const common = Math.min(left.length, right.length)
  for (let at = 0; at < common; at++) {
    if (left.charCodeAt(at) === right.charCodeAt(at)) continue
    // What differs may be the second half of a pair on one side, and no part of one on the other.
    const start = at > 0 && isHighSurrogate(left.charCodeAt(at - 1)) ? at - 1 : at
    return left.codePointAt(start)! - right.codePointAt(start)! || left.codePointAt(at)! - right.codePointAt(at)!
  }
  return left.length - right.length
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
