/**
 * Where records lie that a filter may let pass: their timestamps, offsets and partitions, each as one range. No record outside of it
 * passes; not every one inside does. It is what the planner reads of a filter: all else is for the filter itself.
 */
import { type Interval, wholeNumberInterval } from '../filter/interval.ts'
import type { CompareOperator, CompareTest, Field, Filter } from '../language/ast.ts'

export interface RecordBounds {
  /** Milliseconds since 1970. */
  readonly timestamp: Interval
  readonly offset: Interval
  readonly partition: Interval
}

type Bounded = keyof RecordBounds

const everything: Interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
const nothing: Interval = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }
const everywhere: RecordBounds = { timestamp: everything, offset: everything, partition: everything }
const nowhere: RecordBounds = { timestamp: nothing, offset: nothing, partition: nothing }

/** nowMs  what `now` is, milliseconds since 1970 */
export function boundsOf(filter: Filter | undefined, nowMs: number): RecordBounds {
  return filter === undefined ? everywhere : boundsWhere(filter, true, nowMs)
}

/** No record passes. */
export function isNowhere({ timestamp }: RecordBounds): boolean {
  return timestamp.low > timestamp.high
}

/** Of the records of which the filter is true, or false. */
function boundsWhere(filter: Filter, isTrue: boolean, nowMs: number): RecordBounds {
  switch (filter.kind) {
    case 'not':
      return boundsWhere(filter.term, !isTrue, nowMs)
    case 'and':
    case 'or': {
      const terms = filter.terms.map(term => boundsWhere(term, isTrue, nowMs))
      return (filter.kind === 'and') === isTrue ? terms.reduce(intersect) : terms.reduce(unite)
    }
    case 'compare':
      return compareBounds(filter, isTrue, nowMs)
    case 'in': {
      const { field, values, negated, span } = filter
      if (negated === isTrue) return everywhere
      const equal = values.map(value =>
        compareBounds({ kind: 'compare', field, operator: '==', value, span }, true, nowMs),
      )
      return equal.reduce(unite)
    }
    case 'between': {
      const { field, low, high, negated, span } = filter
      if (negated === isTrue) return everywhere
      const above = compareBounds({ kind: 'compare', field, operator: '>=', value: low, span }, true, nowMs)
      return intersect(above, compareBounds({ kind: 'compare', field, operator: '<=', value: high, span }, true, nowMs))
    }
    default:
      return everywhere
  }
}

/** What is true of a record of which the comparison is not: these fields are there and are numbers, so it is the opposite one. */
const opposites: Readonly<Record<CompareOperator, CompareOperator>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
}

function compareBounds({ field, operator, value }: CompareTest, isTrue: boolean, nowMs: number): RecordBounds {
  const name = boundedField(field)
  if (name === undefined) return everywhere
  const effective = isTrue ? operator : opposites[operator]
  if (effective === '!=') return everywhere
  const interval = wholeNumberInterval(effective, value, nowMs)
  // A value of another kind compares with nothing: `!=` is true of every record, and all others are false of every one.
  if (interval === undefined) return isTrue === (operator === '!=') ? everywhere : nowhere
  return interval.low <= interval.high ? { ...everywhere, [name]: interval } : nowhere
}

function boundedField(field: Field): Bounded | undefined {
  if (field.kind !== 'metadata') return undefined
  const { name } = field
  return name === 'timestamp' || name === 'offset' || name === 'partition' ? name : undefined
}

function intersect(left: RecordBounds, right: RecordBounds): RecordBounds {
  const both = combine(left, right, (a, b) => ({ low: Math.max(a.low, b.low), high: Math.min(a.high, b.high) }))
  return Object.values(both).some(({ low, high }: Interval) => low > high) ? nowhere : both
}

function unite(left: RecordBounds, right: RecordBounds): RecordBounds {
  return combine(left, right, (a, b) => ({ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }))
}

function combine(left: RecordBounds, right: RecordBounds, join: (a: Interval, b: Interval) => Interval): RecordBounds {
  return {
    timestamp: join(left.timestamp, right.timestamp),
    offset: join(left.offset, right.offset),
    partition: join(left.partition, right.partition),
  }
}
