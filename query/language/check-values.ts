/** Whether the values of a test can do what its operator asks of them. */
import type { StringValue, Test, Value } from './ast.ts'
import type { Finding } from './check.ts'

export function checkValues(test: Exclude<Test, { kind: 'text' }>, findings: Finding[]): void {
  if (test.kind === 'compare' && test.operator !== '==' && test.operator !== '!=') {
    checkOrdered(test.value, test.operator, findings)
  }
  if (test.kind !== 'between') return
  const before = findings.length
  checkOrdered(test.low, 'between', findings)
  checkOrdered(test.high, 'between', findings)
  if (findings.length > before) return
  const low = orderOf(test.low)
  const high = orderOf(test.high)
  if (low.kind !== high.kind) {
    const message = `the ends of a range are of one kind, not ${low.kind} and ${high.kind}`
    findings.push({ code: 'type-mismatch', message, node: test.high })
  } else if (low.at !== undefined && high.at !== undefined && low.at > high.at) {
    findings.push({
      code: 'empty-range',
      message: 'the larger end comes first: nothing is between them',
      node: test.low,
    })
  }
}

function checkOrdered(value: Value, operator: string, findings: Finding[]): void {
  if (value.kind === 'boolean' || value.kind === 'null') {
    const message = `${operator} needs a number, a string or a time`
    findings.push({ code: 'type-mismatch', message, node: value })
  } else if (value.kind === 'string' && value.ignoreCase) {
    refuseIgnoreCase(value, operator, findings)
  }
}

function refuseIgnoreCase(value: StringValue, operator: string, findings: Finding[]): void {
  const suffix = { from: value.span.to - 1, to: value.span.to }
  findings.push({
    code: 'ignore-case-not-allowed',
    message: `${operator} orders strings by their code points and cannot ignore case`,
    node: value,
    fixes: [{ label: 'leave out the i', edit: { span: suffix, text: '' } }],
  })
}

/** What a value is compared with, and where it stands there; `now` stands nowhere until the query is run. */
function orderOf(value: Value): { kind: string; at?: number | bigint | string } {
  switch (value.kind) {
    case 'number':
      return { kind: 'a number', at: value.value }
    case 'size':
      return { kind: 'a number', at: value.bytes }
    case 'duration':
      return { kind: 'a number', at: value.ms }
    case 'time':
      return { kind: 'a time', at: value.epochNs }
    case 'now':
      return { kind: 'a time' }
    default:
      return { kind: 'a string' }
  }
}
