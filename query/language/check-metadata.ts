/** What is known of a record has a type: a test that could never be true of it is a mistake. */
import type { Field, Span, Test, Value } from './ast.ts'
import type { Finding } from './check.ts'
import type { Fix } from './diagnostic.ts'
import { formatValue } from './format.ts'
import { formatField } from './names.ts'
import { quoteString } from './strings.ts'

type MetadataType = 'number' | 'string' | 'time'

/** Undefined for fields of the value, which may be anything. */
export function metadataType(field: Field): MetadataType | undefined {
  if (field.kind === 'path') return undefined
  if (field.kind === 'header' || field.name === 'key' || field.name === 'topic') return 'string'
  return field.name === 'timestamp' ? 'time' : 'number'
}

export function checkMetadataTest(test: Exclude<Test, { kind: 'text' }>, findings: Finding[]): void {
  const type = metadataType(test.field)
  if (type === undefined || test.kind === 'exists') return
  if (test.kind === 'string-test') {
    if (type === 'string') return
    const message = `${formatField(test.field)} is a ${type}, and ${test.operator} needs a string`
    findings.push({ code: 'type-mismatch', message, node: test.operand })
    return
  }
  const values = test.kind === 'compare' ? [test.value] : test.kind === 'in' ? test.values : [test.low, test.high]
  for (const value of values) checkValue(test.field, type, value, test.span, findings)
}

function checkValue(field: Field, type: MetadataType, value: Value, testSpan: Span, findings: Finding[]): void {
  if (fits(type, value)) return
  const name = formatField(field)
  const message = `${name} is a ${type} and never ${describe(value)}`
  const fixes = mend(type, value)
  if (value.kind === 'null') {
    const text = `not exists(${name})`
    fixes.push({ label: 'ask whether it is missing', edit: { span: testSpan, text } })
  }
  findings.push({ code: 'type-mismatch', message, node: value, fixes })
}

function fits(type: MetadataType, value: Value): boolean {
  if (type === 'string') return value.kind === 'string'
  if (value.kind === 'number' || value.kind === 'size') return true
  return type === 'time' ? value.kind === 'time' || value.kind === 'now' : value.kind === 'duration'
}

function describe(value: Value): string {
  return value.kind === 'null' ? 'null' : `a ${value.kind}`
}

function mend(type: MetadataType, value: Value): Fix[] {
  let text: string | undefined
  if (type === 'string' && value.kind === 'number') text = quoteString(formatValue(value))
  if (type === 'number' && value.kind === 'string' && /^\d{1,15}$/.test(value.text)) text = value.text
  if (type === 'time' && value.kind === 'duration' && value.ms >= 0) text = `now - ${formatValue(value)}`
  return text === undefined ? [] : [{ label: `write ${text}`, edit: { span: value.span, text } }]
}
