/**
 * Aggregates over the rows of a group, in the order of the rows.
 *
 * `count()` counts rows. All others take the values of their field: every one that it yields, null and missing left out.
 *
 *   count(f)            how many values          count_distinct(f)   how many different ones: 1 and "1" are two, 1 and 1.0 one
 *   sum avg p1..p99     of numbers; values of other types are left out; null of none (sum: null as well)
 *   min max             by the order of sort
 *   rate()              rows for each second of the bucket, or of the range of the query; rate(f): the sum of f instead of rows
 *   first last          by record timestamp, then partition, then offset
 *
 * The sum of whole numbers is exact. p95 is the nearest rank: the smallest number that at least 95% of the numbers do not exceed.
 */
import type { Aggregate } from '../../../query/language/ast.ts'
import { cellKey, compareAny } from './compare-cells.ts'
import { passes } from './evaluate-filter.ts'
import type { Cell } from './event.ts'
import { type Row, valuesOf } from './rows.ts'

export interface AggregateScope {
  readonly nowMs: number
  /** How long the bucket is, or the range of the query, in seconds. */
  readonly seconds: number
}

export function aggregateRows(aggregate: Aggregate, rows: readonly Row[], scope: AggregateScope): Cell {
  const { condition, field } = aggregate
  const counted = condition === undefined ? rows : rows.filter(row => passes(row, condition, scope.nowMs))
  if (field === undefined) {
    return aggregate.function === 'rate' ? counted.length / scope.seconds : BigInt(counted.length)
  }
  const ordered = aggregate.function === 'first' || aggregate.function === 'last' ? inTimeOrder(counted) : counted
  const values = ordered.flatMap(row => valuesOf(row, field)).filter(value => value !== null)
  const numbers = values.filter(value => typeof value === 'number' || typeof value === 'bigint')
  switch (aggregate.function) {
    case 'count':
      return BigInt(values.length)
    case 'count_distinct':
      return BigInt(new Set(values.map(cellKey)).size)
    case 'sum':
      return sum(numbers)
    case 'avg':
      return numbers.length === 0 ? null : Number(sum(numbers)) / numbers.length
    case 'rate':
      return Number(sum(numbers) ?? 0) / scope.seconds
    case 'min':
      return values.toSorted(compareAny)[0] ?? null
    case 'max':
      return values.toSorted(compareAny).at(-1) ?? null
    case 'first':
      return values[0] ?? null
    case 'last':
      return values.at(-1) ?? null
    default: {
      const rank = Math.ceil((Number(aggregate.function.slice(1)) * numbers.length) / 100)
      return numbers.toSorted(compareAny)[Math.max(rank, 1) - 1] ?? null
    }
  }
}

function sum(numbers: readonly (number | bigint)[]): number | bigint | null {
  if (numbers.length === 0) return null
  const whole = numbers.filter(number => typeof number === 'bigint').reduce((total, number) => total + number, 0n)
  const fractions = numbers.filter(number => typeof number === 'number')
  return fractions.length === 0 ? whole : Number(whole) + fractions.reduce((total, number) => total + number, 0)
}

function inTimeOrder(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => {
    if (a.kind !== 'event' || b.kind !== 'event') return 0
    const byOffset = a.record.offset < b.record.offset ? -1 : 1
    return a.record.timestampMs - b.record.timestampMs || a.record.partition - b.record.partition || byOffset
  })
}
