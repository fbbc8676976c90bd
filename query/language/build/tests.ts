/** Tests of the tree: a field and what is asked of it, in our way of writing and in those of others. */
import type { CstNode, IToken } from 'chevrotain'
import type { CompareOperator, Field, Filter, Span, StringOperator, StringTest, StringValue, Value } from '../ast.ts'
import { formatFilter, formatList, formatValue } from '../format.ts'
import { fromSqlPattern, isSqlPattern, normalizeGlob, parseGlob } from '../glob.ts'
import { queryLimits } from '../limits.ts'
import { compilePattern } from '../pattern.ts'
import { formatString } from '../strings.ts'
import { parseTime } from '../time.ts'
import * as t from '../tokens.ts'
import { type BuildContext, isMadeUp, nodeOf, nodesOf, spanOf, spanOfNode, tokenOf, tokensOf } from './context.ts'
import { buildField } from './fields.ts'
import { buildValue, readString, type WrittenString } from './values.ts'

export function buildTest(context: BuildContext, node: CstNode): Filter | undefined {
  const fieldNode = nodeOf(node, 'field')
  if (fieldNode === undefined) return undefined
  const condition = nodeOf(node, 'condition')
  if (condition === undefined) return node.recoveredNode === true ? undefined : buildText(context, fieldNode)
  const field = buildField(context, fieldNode)
  if (field === undefined) return undefined
  const span = spanOfNode(node)
  const comparison = nodeOf(condition, 'comparison')
  if (comparison !== undefined) return buildComparison(context, field, comparison, span)
  const colon = nodeOf(condition, 'colon')
  if (colon !== undefined) return rewritten(context, buildColon(context, field, colon, span))
  const nullTest = nodeOf(condition, 'nullTest')
  if (nullTest !== undefined) {
    const exists: Filter = { kind: 'exists', field, span }
    const isNot = tokenOf(nullTest, t.Not) !== undefined
    return rewritten(context, isNot ? exists : { kind: 'not', term: exists, span })
  }
  return buildWordTest(context, field, condition, span)
}

/** The test was written in another way: its text becomes ours. */
function rewritten(context: BuildContext, test: Filter | undefined): Filter | undefined {
  if (test !== undefined) context.rewrites.replace(test.span, formatFilter(test))
  return test
}

/** A string alone is searched for in the text of the value. A word alone as well; more than a word lacks its operator. */
function buildText(context: BuildContext, node: CstNode): Filter | undefined {
  const span = spanOfNode(node)
  const isAlone = nodesOf(node, 'step').length === 0
  const text = tokenOf(node, t.Text)
  if (text !== undefined && isAlone) {
    return { kind: 'text', operand: readString(context, text).value, span }
  }
  const name = tokenOf(node, t.Name)
  if (name !== undefined && isAlone) {
    context.rewrites.replace(span, formatString(name.image))
    return { kind: 'text', operand: { kind: 'string', text: name.image, ignoreCase: false, span }, span }
  }
  if (buildField(context, node) === undefined) return undefined
  context.report(
    'expected-operator',
    'expected an operator behind the field',
    { from: span.to, to: span.to },
    {
      expected: operatorWords,
      hint: 'text to search for is written in quotes',
      fixes: [
        { label: 'ask whether it exists', edit: { span, text: `exists(${context.text.slice(span.from, span.to)})` } },
      ],
    },
  )
  return undefined
}

export const operatorWords: readonly string[] = [
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '=~',
  '!~',
  'in',
  'not in',
  'between',
  'contains',
  'startsWith',
  'endsWith',
  'like',
]

const comparisons = new Map<unknown, CompareOperator>([
  [t.Equals, '=='],
  [t.SingleEquals, '=='],
  [t.NotEquals, '!='],
  [t.Less, '<'],
  [t.LessOrEqual, '<='],
  [t.More, '>'],
  [t.MoreOrEqual, '>='],
])

function buildComparison(context: BuildContext, field: Field, node: CstNode, span: Span): Filter | undefined {
  const token = tokenOf(node, t.Comparator)
  const valueNode = nodeOf(node, 'value')
  if (token === undefined || valueNode === undefined) return undefined
  const isNegated = token.tokenType === t.MatchesNot
  if (isNegated || token.tokenType === t.Matches) {
    return buildStringTest(context, field, 'matches', isNegated, valueNode, span)
  }
  const operator = comparisons.get(token.tokenType)!
  context.keyword(token)
  const value = timeOfString(context, field, buildValue(context, valueNode))
  return value === undefined ? undefined : { kind: 'compare', field, operator, value, span }
}

/** The record's timestamp is never a string: a time in quotes was meant as a time. */
function timeOfString(context: BuildContext, field: Field, value: Value | undefined): Value | undefined {
  if (value?.kind !== 'string' || field.kind !== 'metadata' || field.name !== 'timestamp') return value
  const epochNs = parseTime(value.text)
  if (epochNs === undefined) return value
  const time: Value = { kind: 'time', epochNs, span: value.span }
  context.rewrites.replace(value.span, formatValue(time))
  return time
}

/** What stands behind a colon; the caller rewrites the whole test. */
function buildColon(context: BuildContext, field: Field, node: CstNode, span: Span): Filter | undefined {
  const comparison = nodeOf(node, 'comparison')
  if (comparison !== undefined) return buildComparison(context, field, comparison, span)
  const membership = nodeOf(node, 'membership')
  const list = nodeOf(node, 'list') ?? (membership === undefined ? undefined : nodeOf(membership, 'list'))
  if (list !== undefined) return buildColonList(context, field, list, span)
  if (tokenOf(node, t.Star) !== undefined) return { kind: 'exists', field, span }
  const lucene = tokenOf(node, t.LuceneValue)
  if (lucene !== undefined) return buildLucene(context, field, lucene, span)
  const valueNode = nodeOf(node, 'value')
  const value = valueNode === undefined ? undefined : timeOfString(context, field, buildValue(context, valueNode))
  return value === undefined ? undefined : { kind: 'compare', field, operator: '==', value, span }
}

/** `field:(a OR b)`, `field:[1 TO 5]`, `field:IN [a b]`. */
function buildColonList(context: BuildContext, field: Field, node: CstNode, span: Span): Filter | undefined {
  const values = buildList(context, node)
  if (values === undefined) return undefined
  if (tokensOf(node, t.To).length === 0) return { kind: 'in', field, negated: false, values, span }
  const [low, high] = values
  if (low !== undefined && high !== undefined && values.length === 2) {
    return { kind: 'between', field, negated: false, low, high, span }
  }
  context.report('expected-range', 'a range has two ends: between 1 and 5', spanOfNode(node))
  return undefined
}

function buildLucene(context: BuildContext, field: Field, token: IToken, span: Span): Filter | undefined {
  const written = token.image
  const valueSpan = spanOf(token)
  const pattern = /^\/(.+)\/$/.exec(written)?.[1]
  if (pattern !== undefined) {
    const operand: StringValue = { kind: 'string', text: pattern, ignoreCase: false, span: valueSpan }
    const offsets = Array.from({ length: pattern.length + 1 }, (_, at) => valueSpan.from + 1 + at)
    return checkPattern(context, operand, offsets)
      ? { kind: 'string-test', field, operator: 'matches', negated: false, operand, span }
      : undefined
  }
  return fromGlob(field, normalizeGlob(written), valueSpan, false, span)
}

/** The simplest test that means the pattern. */
function fromGlob(field: Field, pattern: string, valueSpan: Span, ignoreCase: boolean, span: Span): Filter {
  const parts = parseGlob(pattern)
  const shape = parts.map(part => part.kind).join(' ')
  const text = parts.map(part => (part.kind === 'literal' ? part.text : '')).join('')
  const operand = (of: string): StringValue => ({ kind: 'string', text: of, ignoreCase, span: valueSpan })
  if (shape === 'any') return { kind: 'exists', field, span }
  if (shape === 'literal' || shape === '') return { kind: 'compare', field, operator: '==', value: operand(text), span }
  const operator = Object.hasOwn(simpleShapes, shape) ? simpleShapes[shape]! : 'like'
  return {
    kind: 'string-test',
    field,
    operator,
    negated: false,
    operand: operand(operator === 'like' ? pattern : text),
    span,
  }
}

const simpleShapes: Readonly<Record<string, StringOperator>> = {
  'any literal any': 'contains',
  'literal any': 'startsWith',
  'any literal': 'endsWith',
}

/** Tests whose operator is a word: in, between, contains and its like, and `exists` behind the field. */
function buildWordTest(context: BuildContext, field: Field, node: CstNode, span: Span): Filter | undefined {
  const not = tokenOf(node, t.Not)
  const negated = not !== undefined
  const membership = nodeOf(node, 'membership')
  if (tokenOf(node, t.Exists) !== undefined) {
    const exists: Filter = { kind: 'exists', field, span }
    return rewritten(context, negated ? { kind: 'not', term: exists, span } : exists)
  }
  context.keyword(not)
  if (membership !== undefined) {
    context.keyword(tokenOf(membership, t.In))
    const values = buildList(context, nodeOf(membership, 'list'))
    return values === undefined ? undefined : { kind: 'in', field, negated, values, span }
  }
  const range = nodeOf(node, 'range')
  if (range !== undefined) return buildRange(context, field, negated, range, span)
  const stringTest = nodeOf(node, 'stringTest')
  const operator = stringTest === undefined ? undefined : tokenOf(stringTest, t.StringOperator)
  const valueNode = stringTest === undefined ? undefined : nodeOf(stringTest, 'value')
  if (operator === undefined || valueNode === undefined) return undefined
  context.keyword(operator)
  return buildStringTest(context, field, stringOperators.get(operator.tokenType)!, negated, valueNode, span)
}

const stringOperators = new Map<unknown, StringOperator>([
  [t.Contains, 'contains'],
  [t.StartsWith, 'startsWith'],
  [t.EndsWith, 'endsWith'],
  [t.Like, 'like'],
])

function buildRange(
  context: BuildContext,
  field: Field,
  negated: boolean,
  node: CstNode,
  span: Span,
): Filter | undefined {
  context.keyword(tokenOf(node, t.Between))
  const and = tokenOf(node, t.And)
  context.keyword(and)
  const [low, high] = nodesOf(node, 'value').map(value => timeOfString(context, field, buildValue(context, value)))
  return low === undefined || high === undefined ? undefined : { kind: 'between', field, negated, low, high, span }
}

/** Values of a list; parentheses and missing commas become ours. */
function buildList(context: BuildContext, node: CstNode | undefined): Value[] | undefined {
  if (node === undefined) return undefined
  const nodes = nodesOf(node, 'value')
  const span = spanOfNode(node)
  if (nodes.length > queryLimits.valueCountMax) {
    context.report('too-many-values', `a list has at most ${queryLimits.valueCountMax} values`, span)
    return undefined
  }
  const values = nodes.map(value => buildValue(context, value)).filter(value => value !== undefined)
  if (values.length < nodes.length || values.length === 0) return undefined
  const closed = [...tokensOf(node, t.RightBracket), ...tokensOf(node, t.RightParen)]
  const isOurs =
    tokenOf(node, t.LeftBracket) !== undefined &&
    tokenOf(node, t.RightBracket) !== undefined &&
    tokensOf(node, t.Comma).length === values.length - 1
  if (!isOurs && !closed.some(isMadeUp)) context.rewrites.replace(span, formatList(values))
  return values
}

function buildStringTest(
  context: BuildContext,
  field: Field,
  operator: StringOperator,
  negated: boolean,
  node: CstNode,
  span: Span,
): Filter | undefined {
  const written = buildOperand(context, node)
  if (written === undefined) return undefined
  if (operator === 'matches') return buildMatches(context, field, negated, written, span)
  const operand = written.value
  if (operator !== 'like') return { kind: 'string-test', field, operator, negated, operand, span }
  if (!isSqlPattern(operand.text)) {
    const text = normalizeGlob(operand.text)
    return { kind: 'string-test', field, operator, negated, operand: { ...operand, text }, span }
  }
  const test = fromGlob(field, fromSqlPattern(operand.text), operand.span, operand.ignoreCase, span)
  return rewritten(context, negated ? negate(test) : test)
}

/** The opposite, in the way that reads best. */
function negate(test: Filter): Filter {
  if (test.kind === 'string-test') return { ...test, negated: true }
  if (test.kind === 'compare') return { ...test, operator: '!=' }
  return { kind: 'not', term: test, span: test.span }
}

/** The operand of an operator on strings. */
function buildOperand(context: BuildContext, node: CstNode): WrittenString | undefined {
  const token = tokenOf(node, t.Text)
  if (token !== undefined) return readString(context, token)
  const value = buildValue(context, node)
  if (value?.kind === 'string') {
    return { value, decoded: { text: value.text, offsets: offsetsFrom(value), badEscape: undefined } }
  }
  if (value === undefined) return undefined
  const text = formatString(context.text.slice(value.span.from, value.span.to))
  context.report('expected-string', 'expected a string', value.span, {
    expected: ['string'],
    fixes: [{ label: `write ${text}`, edit: { span: value.span, text } }],
  })
  return undefined
}

function offsetsFrom(value: StringValue): number[] {
  return Array.from({ length: value.text.length + 1 }, (_, at) => value.span.from + at)
}

function buildMatches(
  context: BuildContext,
  field: Field,
  negated: boolean,
  { value, decoded }: WrittenString,
  span: Span,
): StringTest | undefined {
  // The flag that people know from elsewhere, where it can be said in our way.
  const isFlagged = value.text.startsWith('(?i)')
  const operand = isFlagged ? { ...value, text: value.text.slice(4), ignoreCase: true } : value
  if (isFlagged) context.rewrites.replace(value.span, formatString(operand.text, true))
  if (!checkPattern(context, operand, isFlagged ? decoded.offsets.slice(4) : decoded.offsets)) return undefined
  return { kind: 'string-test', field, operator: 'matches', negated, operand, span }
}

/** `offsets` say where each unit of the pattern stands in the query. */
function checkPattern(context: BuildContext, operand: StringValue, offsets: readonly number[]): boolean {
  const compiled = compilePattern(operand.text)
  if (!('problem' in compiled)) return true
  const { message, hint, from, to } = compiled.problem
  const end = offsets.at(-1)!
  const span = { from: offsets[from] ?? end, to: offsets[to] ?? end }
  context.report('unsupported-pattern', message, span, hint === undefined ? {} : { hint })
  return false
}
