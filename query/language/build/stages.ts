/** Stages of the tree. */
import type { CstNode, IToken } from 'chevrotain'
import type { Aggregate, Field, Key, SortKey, Span, Stage } from '../ast.ts'
import { columnName } from '../columns.ts'
import { formatColumn } from '../format.ts'
import { queryLimits } from '../limits.ts'
import { isBareName } from '../names.ts'
import { findNearest } from '../nearest.ts'
import * as t from '../tokens.ts'
import { findFunction, functionNames, isReserved, needsField } from '../words.ts'
import { type BuildContext, isMadeUp, joinSpans, nodeOf, nodesOf, spanOf, spanOfNode, tokenOf } from './context.ts'
import { buildField, buildSegment } from './fields.ts'
import { buildFilter } from './filters.ts'
import { buildNumber, buildPositiveDuration, readNumber } from './values.ts'

/** Undefined when the text does not have all of it. `where` is no stage of the tree: the query's builder asks for it before. */
export function buildStage(context: BuildContext, node: CstNode): Stage | undefined {
  const span = spanOfNode(node)
  const estimate = tokenOf(node, t.Estimate)
  if (estimate !== undefined) {
    context.keyword(estimate)
    return { kind: 'estimate', span }
  }
  const count = tokenOf(node, t.Count)
  if (count !== undefined) {
    context.rewrites.replace(spanOf(count), 'stats count()')
    return { kind: 'stats', aggregates: [countOf(span)], keys: [], span }
  }
  for (const [rule, build] of builders) {
    const child = nodeOf(node, rule)
    if (child !== undefined) return build(context, child, span)
  }
  return undefined
}

type StageBuilder = (context: BuildContext, node: CstNode, span: Span) => Stage | undefined

function countOf(span: Span): Aggregate {
  return { function: 'count', field: undefined, condition: undefined, alias: undefined, span }
}

/** What was left out is put behind the token. */
function insertAfter(context: BuildContext, token: IToken, text: string): void {
  const at = t.endOf(token)
  context.rewrites.replace({ from: at, to: at }, text)
}

function isComplete<T>(items: readonly (T | undefined)[]): items is readonly T[] {
  return items.length > 0 && !items.includes(undefined)
}

function checkLength(context: BuildContext, nodes: readonly CstNode[], span: Span): boolean {
  if (nodes.length <= queryLimits.listLengthMax) return true
  context.report('list-too-long', `a stage has at most ${queryLimits.listLengthMax} of these`, span)
  return false
}

function buildStats(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  const word = tokenOf(node, t.Stats)!
  context.keyword(word)
  context.keyword(tokenOf(node, t.By))
  const keyNodes = nodesOf(node, 'key')
  const aggregateNodes = nodesOf(node, 'aggregate')
  if (!checkLength(context, keyNodes, span) || !checkLength(context, aggregateNodes, span)) return undefined
  const keys = keyNodes.map(key => buildKey(context, key))
  const aggregates = aggregateNodes.map(each => buildAggregate(context, each))
  if (aggregates.length === 0 && keyNodes.length > 0) {
    aggregates.push(countOf(spanOf(word)))
    insertAfter(context, word, ' count()')
  } else if (aggregates.length === 0 && node.recoveredNode !== true) {
    reportMissingAggregate(context, word)
  }
  if (!isComplete(aggregates) || (keys.length > 0 && !isComplete(keys))) return undefined
  return { kind: 'stats', aggregates, keys: keys.filter(key => key !== undefined), span }
}

function reportMissingAggregate(context: BuildContext, word: IToken): void {
  const at = t.endOf(word)
  context.report(
    'expected-aggregate',
    'expected an aggregate such as count()',
    { from: at, to: at },
    {
      expected: functionNames.map(name => `${name}()`),
      fixes: [{ label: 'count the events', edit: { span: { from: at, to: at }, text: ' count()' } }],
    },
  )
}

function buildTimechart(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  const word = tokenOf(node, t.Timechart)!
  for (const type of [t.Timechart, t.By, t.Over, t.Limit]) context.keyword(tokenOf(node, type))
  const width = tokenOf(node, 'width')
  const spanMs =
    width === undefined
      ? undefined
      : buildPositiveDuration(context, width, tokenOf(node, t.Minus), 'the span of a bucket')
  const limitToken = tokenOf(node, 'limit')
  const limit = limitToken === undefined ? undefined : buildCount(context, limitToken, undefined, 'limit')
  const by = buildOnce(context, node, 'by')
  const over = buildOnce(context, node, 'over')
  const aggregateNode = nodeOf(node, 'aggregate')
  let aggregate: Aggregate | undefined
  if (aggregateNode !== undefined) {
    aggregate = buildAggregate(context, aggregateNode)
  } else if (node.recoveredNode !== true) {
    aggregate = countOf(spanOf(word))
    insertAfter(context, width ?? word, ' count()')
  }
  const isBroken =
    (width !== undefined && spanMs === undefined) ||
    (limitToken !== undefined && limit === undefined) ||
    by === 'broken' ||
    over === 'broken'
  if (aggregate === undefined || isBroken) return undefined
  return { kind: 'timechart', spanMs, aggregate, by, over, limit, span }
}

function buildOnce(context: BuildContext, node: CstNode, label: string): Field | undefined | 'broken' {
  const [first, second] = nodesOf(node, label)
  if (second !== undefined) {
    context.report('duplicate-clause', `${label} stands here twice`, spanOfNode(second))
    return 'broken'
  }
  if (first === undefined) return undefined
  return buildField(context, first) ?? 'broken'
}

function buildTop(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  const word = tokenOf(node, t.Top)!
  context.keyword(word)
  const by = tokenOf(node, t.By)
  if (by !== undefined) context.drop(by)
  const field = buildField(context, nodeOf(node, 'field'))
  const token = tokenOf(node, t.NumberToken)
  if (token === undefined) insertAfter(context, word, ` ${topCountDefault}`)
  const count = token === undefined ? topCountDefault : buildCount(context, token, undefined, 'top')
  return field === undefined || count === undefined ? undefined : { kind: 'top', count, field, span }
}

const topCountDefault = 10

function buildFacets(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  context.keyword(tokenOf(node, t.Facets))
  const token = tokenOf(node, t.NumberToken)
  if (token === undefined) return { kind: 'facets', count: undefined, span }
  const count = buildCount(context, token, undefined, 'facets')
  return count === undefined ? undefined : { kind: 'facets', count, span }
}

function buildFields(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  context.keyword(tokenOf(node, t.Fields))
  const nodes = nodesOf(node, 'column')
  if (!checkLength(context, nodes, span)) return undefined
  const fields = nodes.map(column => buildColumn(context, column))
  return isComplete(fields) ? { kind: 'fields', fields, span } : undefined
}

function buildSort(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  context.keyword(tokenOf(node, t.Sort))
  const by = tokenOf(node, t.By)
  if (by !== undefined) context.drop(by)
  const nodes = nodesOf(node, 'sortKey')
  if (!checkLength(context, nodes, span)) return undefined
  const keys = nodes.map(key => buildSortKey(context, key))
  return isComplete(keys) ? { kind: 'sort', keys, span } : undefined
}

function buildSortKey(context: BuildContext, node: CstNode): SortKey | undefined {
  const columnNode = nodeOf(node, 'column')
  const field = columnNode === undefined ? undefined : buildColumn(context, columnNode)
  const minus = tokenOf(node, t.Minus)
  const descending = tokenOf(node, t.Descending)
  const ascending = tokenOf(node, t.Ascending)
  context.keyword(descending)
  if (minus !== undefined) {
    context.drop(minus)
    if (descending === undefined && ascending === undefined && columnNode !== undefined) {
      const end = spanOfNode(columnNode).to
      context.rewrites.replace({ from: end, to: end }, ' desc')
    }
  }
  if (ascending !== undefined && columnNode !== undefined) {
    context.rewrites.replace(
      { from: spanOfNode(columnNode).to, to: t.endOf(ascending) },
      minus === undefined ? '' : ' desc',
    )
  }
  if (field === undefined) return undefined
  return { field, descending: descending !== undefined || minus !== undefined, span: spanOfNode(node) }
}

/** A field, or an aggregate in the place of the column that it made. */
function buildColumn(context: BuildContext, node: CstNode): Field | undefined {
  const aggregateNode = nodeOf(node, 'aggregate')
  if (aggregateNode === undefined) return buildField(context, nodeOf(node, 'field'))
  const aggregate = buildAggregate(context, aggregateNode)
  if (aggregate === undefined) return undefined
  const name = columnName(aggregate)
  const { span } = aggregate
  context.rewrites.replace(span, isBareName(name) && !isReserved(name) ? name : formatColumn(name))
  return { kind: 'path', steps: [{ kind: 'name', name }], span }
}

function buildLimit(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  context.keyword(tokenOf(node, t.Limit))
  const token = tokenOf(node, t.NumberToken)
  if (token === undefined) return undefined
  const count = buildCount(context, token, tokenOf(node, t.Minus), 'limit')
  return count === undefined ? undefined : { kind: 'limit', count, span }
}

/** A positive whole number. */
function buildCount(context: BuildContext, token: IToken, minus: IToken | undefined, what: string): number | undefined {
  if (isMadeUp(token)) return undefined
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  const value = measure.kind === 'number' ? measure.value : 0
  if (minus === undefined && typeof value === 'number' && Number.isInteger(value) && value >= 1) {
    if (value <= queryLimits.rowCountMax) return value
  } else {
    const span = minus === undefined ? spanOf(token) : joinSpans(spanOf(minus), spanOf(token))
    context.report('not-a-count', `${what} needs a positive whole number`, span, { expected: ['number'] })
    return undefined
  }
  const message = `${what} is at most ${queryLimits.rowCountMax}`
  const text = String(queryLimits.rowCountMax)
  const fixes = [{ label: `write ${text}`, edit: { span: spanOf(token), text } }]
  context.report('count-too-large', message, spanOf(token), { fixes })
  return undefined
}

function buildSample(context: BuildContext, node: CstNode, span: Span): Stage | undefined {
  context.keyword(tokenOf(node, t.Sample))
  const token = tokenOf(node, t.NumberToken)
  if (token === undefined || isMadeUp(token)) return undefined
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  const isPercent = measure.kind === 'percent'
  const percent = isPercent ? measure.percent : measure.kind === 'number' ? Number(measure.value) : 0
  if (percent > 0 && percent <= 100 && tokenOf(node, t.Minus) === undefined) {
    if (!isPercent) context.rewrites.replace(spanOf(token), `${token.image}%`)
    return { kind: 'sample', percent, span }
  }
  context.report('not-a-percentage', 'sample needs more than 0% and at most 100%', spanOf(token), { expected: ['10%'] })
  return undefined
}

const builders: readonly (readonly [string, StageBuilder])[] = [
  ['stats', buildStats],
  ['timechart', buildTimechart],
  ['top', buildTop],
  ['facets', buildFacets],
  ['fields', buildFields],
  ['sort', buildSort],
  ['limit', buildLimit],
  ['sample', buildSample],
]

function buildAggregate(context: BuildContext, node: CstNode): Aggregate | undefined {
  const token = tokenOf(node, 'function')
  if (token === undefined || isMadeUp(token)) return undefined
  const span = spanOfNode(node)
  for (const type of [t.If, t.As]) context.keyword(tokenOf(node, type))
  const name = findFunction(token.image)
  const filterNode = nodeOf(node, 'filter')
  const condition = buildFilter(context, filterNode)
  const aliasNode = nodeOf(node, 'alias')
  const alias = aliasNode === undefined ? undefined : buildSegment(context, aliasNode)
  if (name === undefined) {
    reportUnknownFunction(context, token)
    return undefined
  }
  if (token.image !== name) context.rewrites.replace(spanOf(token), name)
  const field = buildArgument(context, node, token, name)
  if (field === 'broken' || (filterNode !== undefined && condition === undefined)) return undefined
  if (aliasNode !== undefined && alias === undefined) return undefined
  return { function: name, field, condition, alias, span }
}

function reportUnknownFunction(context: BuildContext, token: IToken): void {
  const nearest = findNearest(token.image, functionNames)
  context.report('unknown-function', `there is no function ${token.image}`, spanOf(token), {
    expected: functionNames,
    fixes: nearest === undefined ? [] : [{ label: `write ${nearest}`, edit: { span: spanOf(token), text: nearest } }],
  })
}

/** The field in the parentheses, if there is to be one. */
function buildArgument(
  context: BuildContext,
  node: CstNode,
  token: IToken,
  name: string & Aggregate['function'],
): Field | undefined | 'broken' {
  const nodes = nodesOf(node, 'argument')
  const [first] = nodes
  const behind = { from: t.endOf(token), to: t.endOf(token) }
  if (first === undefined) {
    if (needsField(name)) {
      const paren = tokenOf(node, t.RightParen)
      const span = paren === undefined || isMadeUp(paren) ? behind : spanOf(paren)
      context.report('wrong-argument-count', `${name} needs a field: ${name}(data.size)`, span, { expected: ['field'] })
      return 'broken'
    }
    if (tokenOf(node, t.LeftParen) === undefined) context.rewrites.replace(behind, '()')
    return undefined
  }
  if (nodes.length > 1) {
    const span = joinSpans(spanOfNode(nodes[1]!), spanOfNode(nodes.at(-1)!))
    context.report('wrong-argument-count', `${name} takes one field`, span, { expected: [')'] })
    return 'broken'
  }
  const star = tokenOf(first, t.Star)
  if (star !== undefined && !needsField(name)) {
    context.drop(star)
    return undefined
  }
  const fieldNode = nodeOf(first, 'field')
  if (fieldNode === undefined) {
    context.report('expected-field', `${name} takes a field`, spanOfNode(first), { expected: ['field'] })
    return 'broken'
  }
  return buildField(context, fieldNode) ?? 'broken'
}

function buildKey(context: BuildContext, node: CstNode): Key | undefined {
  const field = buildField(context, nodeOf(node, 'field'))
  const token = tokenOf(node, t.NumberToken)
  if (field === undefined) return undefined
  const span = spanOfNode(node)
  if (token === undefined) return tokenOf(node, t.Colon) === undefined ? { field, width: undefined, span } : undefined
  const width = buildNumber(context, token, tokenOf(node, t.Minus))
  return width === undefined ? undefined : { field, width, span }
}
