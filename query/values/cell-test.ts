/** Tests of single values. They are compiled once for a query; `!=` and all others that are negated are for the caller to turn round. */
import type { BetweenTest, CompareOperator, CompareTest, ExistsTest, InTest, StringTest } from '../language/ast.ts'
import { parseGlob } from '../language/glob.ts'
import { compilePattern } from '../language/pattern.ts'
import type { Cell } from './cell.ts'
import { orderAgainst } from './compare.ts'

export type FieldTest = CompareTest | InTest | BetweenTest | ExistsTest | StringTest
export type CellTest = (cell: Cell) => boolean

export function compileCellTest(test: FieldTest, nowMs: number): CellTest {
  switch (test.kind) {
    case 'exists':
      return cell => cell !== null
    case 'compare': {
      const order = orderAgainst(test.value, nowMs)
      const accepts = orderTest(test.operator)
      return cell => {
        const found = order(cell)
        return found !== undefined && accepts(found)
      }
    }
    case 'in': {
      const orders = test.values.map(value => orderAgainst(value, nowMs))
      return cell => orders.some(order => order(cell) === 0)
    }
    case 'between': {
      const low = orderAgainst(test.low, nowMs)
      const high = orderAgainst(test.high, nowMs)
      return cell => (low(cell) ?? -1) >= 0 && (high(cell) ?? 1) <= 0
    }
    case 'string-test': {
      const pattern = stringPattern(test)
      return cell => typeof cell === 'string' && pattern.test(cell)
    }
  }
}

/** Of the positive twin: `!=` is `==` here. */
export function orderTest(operator: CompareOperator): (order: number) => boolean {
  switch (operator) {
    case '==':
    case '!=':
      return order => order === 0
    case '<':
      return order => order < 0
    case '<=':
      return order => order <= 0
    case '>':
      return order => order > 0
    case '>=':
      return order => order >= 0
  }
}

/** Without `u` a pattern would match halves of surrogate pairs; with `i` it folds case as Unicode does. */
export function stringPattern({ operator, operand }: Pick<StringTest, 'operator' | 'operand'>): RegExp {
  return new RegExp(patternSource(operator, operand.text), operand.ignoreCase ? 'iu' : 'u')
}

function patternSource(operator: StringTest['operator'], text: string): string {
  switch (operator) {
    case 'contains':
      return RegExp.escape(text)
    case 'startsWith':
      return `^${RegExp.escape(text)}`
    case 'endsWith':
      return `${RegExp.escape(text)}$`
    case 'like': {
      const parts = parseGlob(text).map(part => {
        if (part.kind === 'literal') return RegExp.escape(part.text)
        return part.kind === 'any' ? '[^]*' : '[^]'
      })
      return `^${parts.join('')}$`
    }
    case 'matches': {
      const compiled = compilePattern(text)
      if ('problem' in compiled)
        throw new TypeError(`a query with a pattern that was not checked: ${compiled.problem.message}`)
      return compiled.source
    }
  }
}
