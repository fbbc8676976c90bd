/** Diagnostics of what the grammar does not take: the rule that stood there says what was expected, in words of the language. */
import { EOF, type IToken } from 'chevrotain'
import type { Span } from './ast.ts'
import { operatorWords } from './build/tests.ts'
import type { Diagnostic, Fix } from './diagnostic.ts'
import type { ParserMistake } from './expected-tokens.ts'
import { findNearest } from './nearest.ts'
import { quoteString } from './strings.ts'
import * as t from './tokens.ts'
import { functionNames, isReserved, stageNames } from './words.ts'

interface Expectation {
  readonly code: string
  readonly what: string
  readonly expected: readonly string[]
}

const value: Expectation = {
  code: 'expected-value',
  what: 'a value (string, number, duration, time, true, false, null)',
  expected: ['string', 'number', 'duration', 'time', 'true', 'false', 'null'],
}
const test: Expectation = {
  code: 'expected-test',
  what: 'a test such as data.level == "error"',
  expected: ['field', 'string', '(', 'not', 'exists'],
}
const field: Expectation = { code: 'expected-field', what: 'a field', expected: ['field'] }
const operator: Expectation = { code: 'expected-operator', what: 'an operator', expected: operatorWords }
const stage: Expectation = { code: 'expected-stage', what: `a stage (${stageNames.join(', ')})`, expected: stageNames }
const aggregate: Expectation = {
  code: 'expected-aggregate',
  what: 'an aggregate such as count()',
  expected: functionNames.map(name => `${name}()`),
}
const name: Expectation = { code: 'expected-name', what: 'a name', expected: ['name'] }
const number: Expectation = { code: 'expected-number', what: 'a number', expected: ['number'] }

/** What a rule stands for when it cannot even begin. */
const ofRule: Readonly<Record<string, Expectation>> = {
  value,
  colon: value,
  filter: test,
  conjunction: test,
  unary: test,
  test,
  field,
  column: field,
  key: field,
  argument: { code: 'expected-field', what: 'a field or )', expected: ['field', ')'] },
  exists: { code: 'expected-field', what: '( and a field', expected: ['(', 'field'] },
  step: { code: 'expected-index', what: 'a number, * or a name', expected: ['number', '*', 'name'] },
  segment: name,
  stage,
  condition: operator,
  aggregate,
  from: { code: 'expected-table', what: 'the name of a table', expected: ['name'] },
  nullTest: { code: 'expected-null', what: 'null', expected: ['null'] },
  range: { code: 'expected-and', what: 'and, and the other end of the range', expected: ['and'] },
}

/** What a rule misses when it lacks one certain token. */
const ofToken = new Map<unknown, Expectation>([
  [t.RightParen, { code: 'expected-closing', what: ')', expected: [')'] }],
  [t.RightBracket, { code: 'expected-closing', what: ']', expected: [']'] }],
  [t.LeftParen, { code: 'expected-opening', what: '(', expected: ['('] }],
  [t.LeftBracket, { code: 'expected-opening', what: '[', expected: ['['] }],
  [t.NumberToken, number],
  [t.Name, name],
  [t.Word, name],
  [t.Null, { code: 'expected-null', what: 'null', expected: ['null'] }],
])

export function describeMistake(text: string, tokens: readonly IToken[], mistake: ParserMistake): Diagnostic {
  const isEnd = mistake.actual.tokenType === EOF
  const span = isEnd ? endOfText(text) : { from: mistake.actual.startOffset, to: t.endOf(mistake.actual) }
  const expectation = expectationOf(mistake)
  const more = advise(text, tokens, mistake, expectation, span)
  if (expectation === undefined) {
    const shown = mistake.actual.image.slice(0, 40)
    const message = isEnd ? 'the query ends too early' : `${shown} does not belong here`
    const isInStage = tokens.some(token => token.tokenType === t.Pipe && token.startOffset < span.from)
    const expected = isInStage ? [',', '|'] : ['and', 'or', '|']
    return { code: 'unexpected-text', message, span, expected, fixes: [], ...more }
  }
  return {
    code: expectation.code,
    message: `expected ${expectation.what}`,
    span,
    expected: expectation.expected,
    fixes: [],
    ...more,
  }
}

/** Behind the last character that is no blank. */
function endOfText(text: string): Span {
  const at = text.trimEnd().length
  return { from: at, to: at }
}

function expectationOf({ rule, expected }: ParserMistake): Expectation | undefined {
  const [first] = expected
  if (first === undefined || (expected.length === 1 && first === EOF)) return undefined
  if (rule === 'list' && expected.includes(t.RightBracket)) {
    return { code: 'expected-closing', what: ', or ]', expected: [',', ']'] }
  }
  if (rule === 'list') return { code: 'expected-opening', what: '[', expected: ['['] }
  if (rule === 'timechart' && expected.length > 1) return aggregate
  if (expected.length === 1 && rule !== 'range' && rule !== 'nullTest' && rule !== 'from') return ofToken.get(first)
  return ofRule[rule]
}

type Advice = { hint?: string; fixes?: readonly Fix[] }

/** Slips that are known. */
function advise(
  text: string,
  tokens: readonly IToken[],
  { actual }: ParserMistake,
  expectation: Expectation | undefined,
  span: Span,
): Advice {
  const previous = tokens[tokens.indexOf(actual) - 1]
  if (actual.tokenType === t.SingleEquals && previous?.tokenType === t.SingleEquals) {
    const both = { from: previous.startOffset, to: t.endOf(actual) }
    return { hint: 'write == with no space between', fixes: [{ label: 'write ==', edit: { span: both, text: '==' } }] }
  }
  if (expectation?.code === 'expected-closing') {
    const bracket = expectation.expected.at(-1)!
    const at = actual.tokenType === EOF ? span.from : text.slice(0, span.from).trimEnd().length
    return { fixes: [{ label: `close it with ${bracket}`, edit: { span: { from: at, to: at }, text: bracket } }] }
  }
  if (expectation === stage) {
    const nearest = findNearest(actual.image, stageNames)
    return nearest === undefined ? {} : { fixes: [{ label: `write ${nearest}`, edit: { span, text: nearest } }] }
  }
  const [first] = tokens
  const isInFilter = !tokens.some(token => token.tokenType === t.Pipe && token.startOffset < span.from)
  if (isInFilter && first !== undefined && (stageNames as readonly string[]).includes(first.image)) {
    const start = { from: first.startOffset, to: first.startOffset }
    return { hint: 'a stage begins with |', fixes: [{ label: 'write | before it', edit: { span: start, text: '| ' } }] }
  }
  const isName = expectation === test || expectation === field || expectation === name
  if ((isName || actual === first) && isReserved(actual.image)) {
    const quoted = quoteString(actual.image)
    return {
      hint: `${actual.image} is a word of the language; a field of that name is written ${quoted}`,
      fixes: [{ label: `write ${quoted}`, edit: { span, text: quoted } }],
    }
  }
  if (actual.image === ')' && expectation === undefined) {
    return { hint: 'it closes nothing', fixes: [{ label: 'leave it out', edit: { span, text: '' } }] }
  }
  return {}
}
