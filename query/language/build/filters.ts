/** Filters of the tree: tests joined by `and`, `or` and `not`. */
import type { CstNode } from 'chevrotain'
import { type Filter, joinFilters, type Span } from '../ast.ts'
import { formatFilter } from '../format.ts'
import * as t from '../tokens.ts'
import { type BuildContext, nodeOf, nodesOf, spanOf, spanOfNode, tokenOf, tokensOf } from './context.ts'
import { buildField } from './fields.ts'
import { buildTest } from './tests.ts'

export function buildFilter(context: BuildContext, node: CstNode | undefined): Filter | undefined {
  if (node === undefined) return undefined
  for (const token of tokensOf(node, t.Or)) context.keyword(token)
  const terms = nodesOf(node, 'conjunction').map(each => buildConjunction(context, each))
  return join('or', terms, spanOfNode(node))
}

function buildConjunction(context: BuildContext, node: CstNode): Filter | undefined {
  for (const token of tokensOf(node, t.And)) context.keyword(token)
  const terms = nodesOf(node, 'unary').map(each => buildUnary(context, each))
  return join('and', terms, spanOfNode(node))
}

function join(kind: 'and' | 'or', terms: readonly (Filter | undefined)[], span: Span): Filter | undefined {
  return joinFilters(
    kind,
    terms.filter(term => term !== undefined),
    span,
  )
}

function buildUnary(context: BuildContext, node: CstNode): Filter | undefined {
  const signs = [...tokensOf(node, t.Not), ...tokensOf(node, t.Minus)].toSorted((a, b) => a.startOffset - b.startOffset)
  for (const sign of signs) context.keyword(sign)
  const group = nodeOf(node, 'group')
  const exists = nodeOf(node, 'exists')
  const test = nodeOf(node, 'test')
  let filter: Filter | undefined
  if (group !== undefined) filter = buildFilter(context, nodeOf(group, 'filter'))
  else if (exists !== undefined) filter = buildExists(context, exists)
  else if (test !== undefined) filter = buildTest(context, test)
  const end = spanOfNode(node).to
  for (const sign of signs.reverse()) {
    if (filter !== undefined) filter = { kind: 'not', term: filter, span: { from: spanOf(sign).from, to: end } }
  }
  return filter
}

function buildExists(context: BuildContext, node: CstNode): Filter | undefined {
  const word = tokenOf(node, t.Exists)
  if (word !== undefined) context.rewrites.replace(spanOf(word), 'exists')
  const field = buildField(context, nodeOf(node, 'field'))
  if (field === undefined) return undefined
  const test: Filter = { kind: 'exists', field, span: spanOfNode(node) }
  if (tokenOf(node, t.LeftParen) === undefined) context.rewrites.replace(test.span, formatFilter(test))
  return test
}
