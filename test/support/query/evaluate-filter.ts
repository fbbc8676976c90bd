/**
 * Whether a row passes a filter.
 *
 * Every test is true or false; there is no third value. A test of a field that is missing is false, as is one of a value of another
 * type. `!=`, `!~` and every `not ...` operator are exactly the opposite of their positive twins, so they are true of a missing field,
 * and so is `not (...)`: `a != 1`, `not a == 1` and `not (a == 1)` are one. With `[*]` a test is true when it is true of any element,
 * and its opposite therefore when it is true of none.
 */
import type { Filter, StringTest, StringValue, Test } from '../../../query/language/ast.ts'
import { parseGlob } from '../../../query/language/glob.ts'
import { compilePattern } from '../../../query/language/pattern.ts'
import { compareWithValue } from './compare-cells.ts'
import type { Cell } from './event.ts'
import { type Row, valuesOf } from './rows.ts'

export function passes(row: Row, filter: Filter, nowMs: number): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every(term => passes(row, term, nowMs))
    case 'or':
      return filter.terms.some(term => passes(row, term, nowMs))
    case 'not':
      return !passes(row, filter.term, nowMs)
    default:
      return passesTest(row, filter, nowMs)
  }
}

function passesTest(row: Row, test: Test, nowMs: number): boolean {
  if (test.kind === 'text') {
    const text = row.kind === 'event' ? row.record.value : null
    return text !== null && new RegExp(RegExp.escape(test.operand.text), flagsOf(test.operand)).test(text)
  }
  const values = valuesOf(row, test.field)
  switch (test.kind) {
    case 'exists':
      return values.some(value => value !== null)
    case 'compare': {
      const compares = (accepts: (order: number) => boolean): boolean =>
        values.some(value => {
          const order = compareWithValue(value, test.value, nowMs)
          return order !== undefined && accepts(order)
        })
      switch (test.operator) {
        case '==':
          return compares(order => order === 0)
        case '!=':
          return !compares(order => order === 0)
        case '<':
          return compares(order => order < 0)
        case '<=':
          return compares(order => order <= 0)
        case '>':
          return compares(order => order > 0)
        case '>=':
          return compares(order => order >= 0)
      }
      break
    }
    case 'in': {
      const isIn = values.some(value => test.values.some(each => compareWithValue(value, each, nowMs) === 0))
      return isIn !== test.negated
    }
    case 'between': {
      const isBetween = values.some(value => {
        const low = compareWithValue(value, test.low, nowMs)
        const high = compareWithValue(value, test.high, nowMs)
        return low !== undefined && high !== undefined && low >= 0 && high <= 0
      })
      return isBetween !== test.negated
    }
    case 'string-test':
      return values.some(value => matchesString(value, test)) !== test.negated
  }
}

function matchesString(value: Cell, test: StringTest): boolean {
  return typeof value === 'string' && new RegExp(patternOf(test), flagsOf(test.operand)).test(value)
}

/** Without `u` a pattern would match halves of surrogate pairs; with `i` it folds case as Unicode does. */
function flagsOf(operand: StringValue): string {
  return operand.ignoreCase ? 'iu' : 'u'
}

function patternOf({ operator, operand }: StringTest): string {
  const literal = RegExp.escape(operand.text)
  switch (operator) {
    case 'contains':
      return literal
    case 'startsWith':
      return `^${literal}`
    case 'endsWith':
      return `${literal}$`
    case 'like': {
      const parts = parseGlob(operand.text).map(part => {
        if (part.kind === 'literal') return RegExp.escape(part.text)
        return part.kind === 'any' ? '[^]*' : '[^]'
      })
      return `^${parts.join('')}$`
    }
    case 'matches': {
      const compiled = compilePattern(operand.text)
      if ('problem' in compiled) throw new TypeError(compiled.problem.message)
      return compiled.source
    }
  }
}
