/** Comparisons with a number or a time as ranges of doubles, so that one loop does them all. */
import type { TimeInterval, TimePoint } from '../kernel/kernel.ts'
import type { CompareOperator, NowValue, TimeValue, Value } from '../language/ast.ts'

/** From `low` to `high`, both included; NaN holds nothing. */
export interface Interval {
  readonly low: number
  readonly high: number
}

const infinity = Number.POSITIVE_INFINITY
const nsPerMs = 1_000_000n

/**
 * The doubles of up to 15 digits that compare so with a number; undefined when the value is no number, size or duration. Numbers beyond
 * 2^53, which bigints are, are beyond all of them.
 */
export function exactNumberInterval(operator: CompareOperator, value: Value): Interval | undefined {
  const number = numberOf(value)
  if (number === undefined) return undefined
  if (typeof number === 'number') return intervalOf(operator, number, nextBelow(number), nextAbove(number))
  // Nothing equals it; all is above it, or all below.
  const [below, above] = number < 0n ? [Number.NaN, -infinity] : [infinity, Number.NaN]
  return intervalOf(operator, Number.NaN, below, above)
}

/** The whole numbers below 2^53 that compare so with a number or, as milliseconds, with a time; undefined when the value is neither. */
export function wholeNumberInterval(operator: CompareOperator, value: Value, nowMs: number): Interval | undefined {
  if (value.kind !== 'time' && value.kind !== 'now') return exactNumberInterval(operator, value)
  const epochNs = epochNsOf(value, nowMs)
  const floorMs = Number(floorDivide(epochNs, nsPerMs))
  if (epochNs % nsPerMs === 0n) return intervalOf(operator, floorMs, floorMs - 1, floorMs + 1)
  // Between two milliseconds: nothing equals it.
  return intervalOf(operator, Number.NaN, floorMs, floorMs + 1)
}

/** The times that compare so with a time. */
export function timeInterval(operator: CompareOperator, value: TimeValue | NowValue, nowMs: number): TimeInterval {
  const epochNs = epochNsOf(value, nowMs)
  switch (operator) {
    case '==':
    case '!=':
      return { low: timePoint(epochNs), high: timePoint(epochNs) }
    case '<':
      return { low: beforeAll, high: timePoint(epochNs - 1n) }
    case '<=':
      return { low: beforeAll, high: timePoint(epochNs) }
    case '>':
      return { low: timePoint(epochNs + 1n), high: afterAll }
    case '>=':
      return { low: timePoint(epochNs), high: afterAll }
  }
}

const beforeAll: TimePoint = { ms: -infinity, ns: 0 }
const afterAll: TimePoint = { ms: infinity, ns: 0 }

function timePoint(epochNs: bigint): TimePoint {
  const ms = floorDivide(epochNs, nsPerMs)
  return { ms: Number(ms), ns: Number(epochNs - ms * nsPerMs) }
}

function epochNsOf(value: TimeValue | NowValue, nowMs: number): bigint {
  return value.kind === 'time' ? value.epochNs : BigInt(nowMs - value.agoMs) * nsPerMs
}

/** What is equal is `at`, all up to `below` is less, all from `above` on is greater. */
function intervalOf(operator: CompareOperator, at: number, below: number, above: number): Interval {
  switch (operator) {
    case '==':
    case '!=':
      return { low: at, high: at }
    case '<':
      return { low: -infinity, high: below }
    case '<=':
      return { low: -infinity, high: Number.isNaN(at) ? below : at }
    case '>':
      return { low: above, high: infinity }
    case '>=':
      return { low: Number.isNaN(at) ? above : at, high: infinity }
  }
}

function numberOf(value: Value): number | bigint | undefined {
  switch (value.kind) {
    case 'number':
      return value.value
    case 'size':
      return value.bytes
    case 'duration':
      return value.ms
    default:
      return undefined
  }
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

const bits = new DataView(new ArrayBuffer(8))

/** The least double above. */
function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n))
  return bits.getFloat64(0)
}

function nextBelow(value: number): number {
  return -nextAbove(-value)
}
