/**
 * A filter as something that lets rows of blocks pass. What the kernel can do, or one loop over a column, is done so; all else looks at
 * the values of the rows that are left.
 */
import type { Field, Filter, Test } from '../language/ast.ts'
import { compileCellTest, type FieldTest, stringPattern } from '../values/cell-test.ts'
import type { FieldPlan } from './field-plan.ts'
import { exactNumberInterval, timeInterval, wholeNumberInterval } from './interval.ts'
import { compileReader, leadingNames, valueText } from './read-field.ts'
import { RecordNumberFilter, TextFilter } from './record-filters.ts'
import { AndFilter, ConstantFilter, NotFilter, OrFilter, type RowFilter, RowTestFilter } from './row-filter.ts'
import {
  kindSet,
  type Slot,
  SlotKindFilter,
  SlotNumberFilter,
  SlotStringFilter,
  SlotTimeFilter,
  slotCellFilter,
} from './slot-filters.ts'

const strings = kindSet('string', 'escapedString')
const present = kindSet('false', 'true', 'exactNumber', 'otherNumber', 'string', 'escapedString', 'array', 'object')

/** nowMs  what `now` is, milliseconds since 1970 */
export function compileFilter(filter: Filter, plan: FieldPlan, nowMs: number): RowFilter {
  switch (filter.kind) {
    case 'and':
      return new AndFilter(filter.terms.map(term => compileFilter(term, plan, nowMs)))
    case 'or':
      return compileOr(
        filter.terms.map(term => () => compileFilter(term, plan, nowMs)),
        plan,
      )
    case 'not':
      return compileNot(() => compileFilter(filter.term, plan, nowMs), plan)
    default:
      return isNegated(filter)
        ? compileNot(() => compileTest(filter, plan, nowMs), plan)
        : compileTest(filter, plan, nowMs)
  }
}

function compileOr(terms: readonly (() => RowFilter)[], plan: FieldPlan): RowFilter {
  if (terms.length === 1) return terms[0]!()
  return plan.withSelections(2, ([refused, passing]) => {
    return new OrFilter(
      terms.map(term => term()),
      refused!,
      passing!,
    )
  })
}

function compileNot(term: () => RowFilter, plan: FieldPlan): RowFilter {
  return plan.withSelections(1, ([passing]) => new NotFilter(term(), passing!))
}

/** `!=` and the like are exactly the opposite of their positive twins. */
function isNegated(test: Test): boolean {
  if (test.kind === 'compare') return test.operator === '!='
  return test.kind !== 'text' && test.kind !== 'exists' && test.negated
}

/** The positive twin. */
function compileTest(test: Test, plan: FieldPlan, nowMs: number): RowFilter {
  if (test.kind === 'text') {
    if (!test.operand.ignoreCase) return new TextFilter(plan.operand(test.operand.text))
    const pattern = stringPattern({ operator: 'contains', operand: test.operand })
    return new RowTestFilter((block, row) => {
      const text = valueText(block, row)
      return text !== undefined && pattern.test(text)
    })
  }
  const { field } = test
  if (field.kind === 'path') {
    const names = leadingNames(field.steps)
    if (names.length === field.steps.length) return compileSlotTest(test, plan.slot(names), plan, nowMs)
  }
  return compileColumnTest(test, field, plan, nowMs) ?? compileAnyTest(test, field, plan, nowMs)
}

/** By the values of the field, one after the other. */
function compileAnyTest(test: FieldTest, field: Field, plan: FieldPlan, nowMs: number): RowFilter {
  if (field.kind === 'header') plan.header(field.name)
  const read = compileReader(field, names => plan.slot(names))
  const cellTest = compileCellTest(test, nowMs)
  return new RowTestFilter((block, row) => read(block, row).some(cellTest))
}

/** Of what all records have as a number. */
function compileColumnTest(test: FieldTest, field: Field, plan: FieldPlan, nowMs: number): RowFilter | undefined {
  if (field.kind !== 'metadata' || field.name === 'key' || field.name === 'topic') return undefined
  const { name } = field
  switch (test.kind) {
    case 'exists':
      return new ConstantFilter(true)
    case 'string-test':
      return new ConstantFilter(false)
    case 'compare': {
      const interval = wholeNumberInterval(test.operator, test.value, nowMs)
      return interval === undefined ? new ConstantFilter(false) : new RecordNumberFilter(name, interval)
    }
    default:
      return compileParts(test, plan, nowMs)
  }
}

function compileSlotTest(test: FieldTest, slot: Slot, plan: FieldPlan, nowMs: number): RowFilter {
  switch (test.kind) {
    case 'exists':
      return new SlotKindFilter(slot, present)
    case 'string-test': {
      const { operator, operand } = test
      if (!operand.ignoreCase && operator !== 'like' && operator !== 'matches') {
        return new SlotStringFilter(slot, operator, plan.operand(operand.text))
      }
      return slotCellFilter(slot, strings, compileCellTest(test, nowMs))
    }
    case 'compare': {
      const { value, operator } = test
      const cellTest = compileCellTest(test, nowMs)
      switch (value.kind) {
        case 'string':
          if (value.ignoreCase) return slotCellFilter(slot, strings, cellTest)
          return new SlotStringFilter(slot, operator === '!=' ? '==' : operator, plan.operand(value.text))
        case 'null':
        case 'boolean':
          // These have no order, and only equal themselves.
          if (operator === '<' || operator === '>') return new ConstantFilter(false)
          return new SlotKindFilter(slot, kindSet(value.kind === 'null' ? 'null' : value.value ? 'true' : 'false'))
        case 'time':
        case 'now':
          return new SlotTimeFilter(slot, timeInterval(operator, value, nowMs), cellTest)
        default:
          return new SlotNumberFilter(slot, exactNumberInterval(operator, value)!, cellTest)
      }
    }
    default:
      return compileParts(test, plan, nowMs)
  }
}

/** Of a field that has one value at most: `in` is any of its equations, `between` both of its bounds. */
function compileParts(test: Extract<FieldTest, { kind: 'in' | 'between' }>, plan: FieldPlan, nowMs: number): RowFilter {
  const { field, span } = test
  const compile = (operator: '==' | '>=' | '<=', value: Extract<FieldTest, { kind: 'compare' }>['value']): RowFilter =>
    compileTest({ kind: 'compare', field, operator, value, span }, plan, nowMs)
  if (test.kind === 'between') return new AndFilter([compile('>=', test.low), compile('<=', test.high)])
  return compileOr(
    test.values.map(value => () => compile('==', value)),
    plan,
  )
}
