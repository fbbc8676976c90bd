/**
 * What a query that is right in itself is likely to have wrong, by what was seen of the events: fields that no event has, and values of a
 * type that the field never has. Only advice: events that were not looked at may have them.
 */
import type { Field, Filter, Query, Span, Test, Value } from '../ast.ts'
import type { Diagnostic, Fix } from '../diagnostic.ts'
import { formatValue } from '../format.ts'
import { queryLimits } from '../limits.ts'
import { formatField } from '../names.ts'
import { findNearest } from '../nearest.ts'
import { quoteString } from '../strings.ts'
import { countSeen, type FieldKnowledge, type Knowledge } from './knowledge.ts'

/** In the order of the text. Fields are looked at up to the first stage that makes columns. */
export function adviseQuery(query: Query, knowledge: Knowledge): Diagnostic[] {
  const advice: Diagnostic[] = []
  if (knowledge.fields.length === 0 || query.source !== undefined) return advice
  const known = new Map(knowledge.fields.map(field => [field.path, field]))
  if (query.filter !== undefined) adviseFilter(query.filter, known, advice)
  const [first] = query.stages
  if (first?.kind === 'stats') {
    for (const { field, condition } of first.aggregates) {
      if (field !== undefined) adviseField(field, known, advice)
      if (condition !== undefined) adviseFilter(condition, known, advice)
    }
    for (const { field } of first.keys) adviseField(field, known, advice)
  } else if (first?.kind === 'timechart') {
    for (const field of [first.aggregate.field, first.by, first.over]) {
      if (field !== undefined) adviseField(field, known, advice)
    }
  } else if (first?.kind === 'top') adviseField(first.field, known, advice)
  else if (first?.kind === 'fields') for (const field of first.fields) adviseField(field, known, advice)
  else if (first?.kind === 'sort') for (const { field } of first.keys) adviseField(field, known, advice)
  return advice.slice(0, queryLimits.errorCountMax)
}

type KnownFields = ReadonlyMap<string, FieldKnowledge>

function adviseFilter(filter: Filter, known: KnownFields, advice: Diagnostic[]): void {
  if (filter.kind === 'and' || filter.kind === 'or') {
    for (const term of filter.terms) adviseFilter(term, known, advice)
  } else if (filter.kind === 'not') adviseFilter(filter.term, known, advice)
  else if (filter.kind !== 'text' && adviseField(filter.field, known, advice)) adviseTypes(filter, known, advice)
}

/** Whether the field was seen, as far as it can be told. */
function adviseField(field: Field, known: KnownFields, advice: Diagnostic[]): boolean {
  if (field.kind !== 'path') return true
  const path = formatField(field)
  // A place in an array is seen as one of its elements.
  const seen = path.replaceAll(/\[\d+\]/g, '[*]')
  if (known.has(seen) || [...known.keys()].some(each => each.startsWith(`${seen}.`) || each.startsWith(`${seen}[`))) {
    return true
  }
  const nearest = findNearest(seen, [...known.keys()])
  const fixes = nearest === undefined ? [] : [replacement(field.span, nearest)]
  advice.push({ code: 'unknown-field', message: `no event seen has ${path}`, span: field.span, expected: [], fixes })
  return false
}

function replacement(span: Span, text: string): Fix {
  return { label: `write ${text}`, edit: { span, text } }
}

function adviseTypes(test: Exclude<Test, { kind: 'text' }>, known: KnownFields, advice: Diagnostic[]): void {
  const field = known.get(formatField(test.field).replaceAll(/\[\d+\]/g, '[*]'))
  if (field === undefined || countSeen(field) === 0) return
  for (const value of valuesOf(test)) {
    const wanted = typesOf(value)
    if (wanted.length === 0 || wanted.some(type => (field.types[type] ?? 0) > 0)) continue
    advice.push({
      code: 'type-mismatch',
      message: `${field.path} was seen only as ${listTypes(field)}, which never compares with ${formatValue(value)}`,
      span: value.span,
      expected: [],
      fixes: mend(field, value),
    })
  }
}

function valuesOf(test: Exclude<Test, { kind: 'text' }>): readonly Value[] {
  switch (test.kind) {
    case 'compare':
      return [test.value]
    case 'in':
      return test.values
    case 'between':
      return [test.low, test.high]
    case 'string-test':
      return [test.operand]
    case 'exists':
      return []
  }
}

/** The types that a value can be compared with. */
function typesOf(value: Value): ('string' | 'number' | 'boolean' | 'null' | 'time')[] {
  switch (value.kind) {
    case 'string':
      return ['string', 'time']
    case 'number':
    case 'size':
    case 'duration':
      return ['number']
    case 'time':
    case 'now':
      return ['time', 'number']
    case 'boolean':
      return ['boolean']
    case 'null':
      return ['null']
  }
}

function listTypes(field: FieldKnowledge): string {
  const types = Object.entries(field.types).filter(([, count]) => count > 0)
  return types.map(([type]) => type).join(' and ')
}

/** `500` for "500" and the other way round, when that type was seen. */
function mend(field: FieldKnowledge, value: Value): Fix[] {
  if (value.kind === 'number' && (field.types.string ?? 0) > 0) {
    return [replacement(value.span, quoteString(formatValue(value)))]
  }
  if (value.kind !== 'string') return []
  if ((field.types.number ?? 0) > 0 && /^-?\d{1,15}(?:\.\d+)?$/.test(value.text)) {
    return [replacement(value.span, value.text)]
  }
  return (field.types.boolean ?? 0) > 0 && /^(?:true|false)$/.test(value.text)
    ? [replacement(value.span, value.text)]
    : []
}
