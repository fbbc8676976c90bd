/**
 * What a well-formed query may still have wrong: values that cannot have an order, operators that a field of the record can never
 * satisfy, columns that no stage before has made, names twice. Works on trees of any origin; a finding names the node it is about.
 */
import type { Aggregate, Field, Filter, Query, Span, Stage, Test } from './ast.ts'
import { checkMetadataTest } from './check-metadata.ts'
import { checkValues } from './check-values.ts'
import { bucketColumn, type Columns, columnName, columnsAfter, findColumn } from './columns.ts'
import type { Diagnostic, Fix } from './diagnostic.ts'
import { formatColumn } from './format.ts'
import { queryLimits } from './limits.ts'
import { formatField, formatName, hasEach, isBareName } from './names.ts'
import { findNearest } from './nearest.ts'
import { isReserved } from './words.ts'

export interface Finding {
  readonly code: string
  readonly message: string
  readonly node: { readonly span: Span }
  readonly hint?: string
  readonly fixes?: readonly Fix[]
}

export function findingToDiagnostic(finding: Finding): Diagnostic {
  const { code, message, node, hint, fixes = [] } = finding
  return { code, message, span: node.span, expected: [], fixes, ...(hint === undefined ? {} : { hint }) }
}

/** In the order of the query; at most `errorCountMax`. */
export function checkQuery(query: Query): Finding[] {
  const findings: Finding[] = []
  const tests = { count: 0 }
  if (query.filter !== undefined) checkFilter(query.filter, undefined, findings, tests)
  let columns: Columns
  for (const [index, stage] of query.stages.entries()) {
    checkOrder(stage, columns, index === query.stages.length - 1, findings)
    checkStage(stage, columns, findings, tests)
    columns = columnsAfter(stage, columns)
  }
  if (tests.count > queryLimits.testCountMax) {
    findings.unshift({
      code: 'too-many-tests',
      message: `a query has at most ${queryLimits.testCountMax} tests`,
      node: query,
      hint: 'many values of one field are one test: field in [...]',
    })
  }
  return findings.slice(0, queryLimits.errorCountMax)
}

function checkFilter(filter: Filter, columns: Columns, findings: Finding[], tests: { count: number }): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const term of filter.terms) checkFilter(term, columns, findings, tests)
      return
    case 'not':
      checkFilter(filter.term, columns, findings, tests)
      return
    default:
      tests.count++
      checkTest(filter, columns, findings)
  }
}

function checkTest(test: Test, columns: Columns, findings: Finding[]): void {
  if (test.kind === 'text') {
    if (columns !== undefined) {
      findings.push({ code: 'needs-events', message: 'there is no text to search behind this stage', node: test })
    }
    return
  }
  checkField(test.field, columns, findings)
  checkValues(test, findings)
  if (columns === undefined) checkMetadataTest(test, findings)
}

/** Behind a stage that makes columns, a field is one of them. */
function checkField(field: Field, columns: Columns, findings: Finding[]): void {
  if (columns === undefined || findColumn(field, columns) !== undefined) return
  const written = formatField(field)
  const nearest = findNearest(written, columns)
  findings.push({
    code: 'unknown-column',
    message: `there is no column ${written} here`,
    node: field,
    hint: `the stages before leave ${columns.slice(0, shownColumnsMax).map(showColumn).join(', ')}`,
    fixes: nearest === undefined ? [] : [replacement(field.span, showColumn(nearest))],
  })
}

const shownColumnsMax = 12

function replacement(span: Span, text: string): Fix {
  return { label: `write ${text}`, edit: { span, text } }
}

/** As it would be written: columns that are named like fields need no quotes. */
function showColumn(name: string): string {
  if (/^[@A-Za-z_][\w.@[\]*]*$/.test(name) && !isReserved(name)) return name
  return formatColumn(name)
}

const needsEvents = new Set<Stage['kind']>(['timechart', 'facets', 'sample', 'estimate'])

function checkOrder(stage: Stage, columns: Columns, isLast: boolean, findings: Finding[]): void {
  if (columns !== undefined && needsEvents.has(stage.kind)) {
    const message = `${stage.kind} works on events: it stands before the stages that make columns`
    findings.push({ code: 'needs-events', message, node: stage })
  }
  if (stage.kind === 'estimate' && !isLast) {
    findings.push({ code: 'estimate-not-last', message: 'nothing can follow estimate', node: stage })
  }
}

function checkStage(stage: Stage, columns: Columns, findings: Finding[], tests: { count: number }): void {
  switch (stage.kind) {
    case 'stats': {
      for (const key of stage.keys) {
        checkField(key.field, columns, findings)
        checkWidth(key, findings)
      }
      for (const aggregate of stage.aggregates) checkAggregate(aggregate, columns, findings, tests)
      checkNames(
        [
          ...stage.keys.map(key => ({ name: formatField(key.field), node: key })),
          ...stage.aggregates.map(aggregate => ({ name: columnName(aggregate), node: aggregate, isNamed: true })),
        ],
        findings,
      )
      return
    }
    case 'timechart': {
      checkAggregate(stage.aggregate, columns, findings, tests)
      if (stage.over !== undefined) refuseEach(stage.over, 'the clock', findings)
      if (stage.limit !== undefined && stage.by === undefined) {
        const message = 'without by there is only one series to limit'
        findings.push({ code: 'limit-without-by', message, node: stage })
      }
      if (stage.spanMs !== undefined && !(stage.spanMs > 0)) {
        findings.push({
          code: 'span-not-positive',
          message: 'the span of a bucket must be longer than nothing',
          node: stage,
        })
      }
      const by = stage.by === undefined ? [] : [{ name: formatField(stage.by), node: stage.by }]
      checkNames(
        [
          { name: bucketColumn, node: stage },
          ...by,
          { name: columnName(stage.aggregate), node: stage.aggregate, isNamed: true },
        ],
        findings,
      )
      return
    }
    case 'top':
      checkField(stage.field, columns, findings)
      checkNames(
        [
          { name: 'count', node: stage },
          { name: formatField(stage.field), node: stage.field },
        ],
        findings,
      )
      return
    case 'fields':
      for (const field of stage.fields) checkField(field, columns, findings)
      checkNames(
        stage.fields.map(field => ({ name: findColumn(field, columns) ?? formatField(field), node: field })),
        findings,
      )
      return
    case 'sort':
      for (const { field } of stage.keys) {
        checkField(field, columns, findings)
        if (columns === undefined) refuseEach(field, 'a sort key', findings)
      }
      return
    default:
      return
  }
}

function checkWidth(key: Extract<Stage, { kind: 'stats' }>['keys'][number], findings: Finding[]): void {
  const { width } = key
  if (width === undefined) return
  const amount = width.kind === 'number' ? width.value : width.kind === 'size' ? width.bytes : width.ms
  if (amount > 0) return
  findings.push({ code: 'span-not-positive', message: 'the width of a bucket must be more than 0', node: width })
}

function checkAggregate(aggregate: Aggregate, columns: Columns, findings: Finding[], tests: { count: number }): void {
  if (aggregate.condition !== undefined) checkFilter(aggregate.condition, columns, findings, tests)
  const { field } = aggregate
  if (field === undefined) return
  checkField(field, columns, findings)
  if (columns !== undefined || !isNumeric(aggregate.function)) return
  if (field.kind === 'header' || (field.kind === 'metadata' && (field.name === 'key' || field.name === 'topic'))) {
    const message = `${aggregate.function} needs numbers, and ${formatField(field)} is a string`
    findings.push({ code: 'type-mismatch', message, node: field })
  }
}

function isNumeric(name: Aggregate['function']): boolean {
  return name === 'sum' || name === 'avg' || name === 'rate' || /^p\d/.test(name)
}

function refuseEach(field: Field, what: string, findings: Finding[]): void {
  if (!hasEach(field)) return
  findings.push({
    code: 'each-not-allowed',
    message: `${what} needs one value, and [*] may yield several`,
    node: field,
    hint: 'write the place in the array: [0]',
  })
}

interface NamedColumn {
  readonly name: string
  readonly node: { readonly span: Span }
  /** `as` can give it another name. */
  readonly isNamed?: boolean
}

function checkNames(columns: readonly NamedColumn[], findings: Finding[]): void {
  const seen = new Set<string>()
  for (const { name, node, isNamed = false } of columns) {
    if (seen.has(name)) {
      findings.push({
        code: 'duplicate-name',
        message: `there are two columns called ${name}`,
        node,
        ...(isNamed ? nameAnother(name, seen, node.span) : {}),
      })
    }
    seen.add(name)
  }
}

function nameAnother(name: string, taken: ReadonlySet<string>, span: Span): Pick<Finding, 'hint' | 'fixes'> {
  const stem = name.replaceAll(/[^A-Za-z0-9_]+/g, '_').replaceAll(/^_+|_+$/g, '')
  let number = 2
  while (taken.has(`${stem}_${number}`)) number++
  const alias = isBareName(`${stem}_${number}`) ? `${stem}_${number}` : formatName(`column_${number}`)
  const end = { from: span.to, to: span.to }
  return {
    hint: 'as gives a column another name',
    fixes: [{ label: `name it ${alias}`, edit: { span: end, text: ` as ${alias}` } }],
  }
}
