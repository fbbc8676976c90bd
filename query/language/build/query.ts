/** The tree of a whole query from Chevrotain's tree, as far as recovery has left one. */
import { type CstNode, tokenMatcher } from 'chevrotain'
import { type Filter, joinFilters, type Query, type Span, type Stage, type TableSource } from '../ast.ts'
import { formatFilter } from '../format.ts'
import { queryLimits } from '../limits.ts'
import { isBareName } from '../names.ts'
import { quoteString } from '../strings.ts'
import * as t from '../tokens.ts'
import { type BuildContext, nodeOf, nodesOf, spanOf, spanOfNode, tokenOf, tokensOf } from './context.ts'
import { buildFilter } from './filters.ts'
import { buildStage } from './stages.ts'
import { readString } from './values.ts'

export function buildQuery(context: BuildContext, node: CstNode): Query {
  const span: Span = { from: 0, to: context.text.length }
  const source = buildSource(context, nodeOf(node, 'from'))
  const where = tokenOf(node, t.Where)
  if (where !== undefined) context.drop(where)
  const star = tokenOf(node, t.Star)
  if (star !== undefined) context.drop(star)
  const filterNode = nodeOf(node, 'filter')
  let filter = buildFilter(context, filterNode)
  const stages: Stage[] = []
  const stageNodes = nodesOf(node, 'stage')
  if (stageNodes.length > queryLimits.stageCountMax) {
    const { from, to } = spanOfNode(stageNodes[queryLimits.stageCountMax]!)
    context.report('too-many-stages', `a query has at most ${queryLimits.stageCountMax} stages`, { from, to })
  }
  const pipes = tokensOf(node, t.Pipe)
  let filterFrom = filterNode === undefined ? undefined : spanOfNode(filterNode).from
  for (const [index, stageNode] of stageNodes.slice(0, queryLimits.stageCountMax).entries()) {
    const whereNode = nodeOf(stageNode, 'where')
    if (whereNode !== undefined) {
      filterFrom ??= pipes[index]?.startOffset
      filter = addWhere(context, whereNode, filter, filterFrom ?? 0, stages.length > 0)
      continue
    }
    const stage = buildStage(context, stageNode)
    if (stage !== undefined) stages.push(stage)
  }
  return { kind: 'query', source, filter, stages, span }
}

/** `| where filter` before all other stages is part of the filter. */
function addWhere(
  context: BuildContext,
  node: CstNode,
  before: Filter | undefined,
  from: number,
  isLate: boolean,
): Filter | undefined {
  const added = buildFilter(context, nodeOf(node, 'filter'))
  if (isLate) {
    const span = spanOf(tokenOf(node, t.Where)!)
    const hint = 'inside a stage, an aggregate may have its own: count() if (...)'
    context.report('filter-after-stage', 'a filter stands before all stages', span, { hint })
    return before
  }
  if (added === undefined) return before
  const span = { from, to: spanOfNode(node).to }
  const joined = before === undefined ? added : joinFilters('and', [before, added], span)
  if (joined !== undefined) context.rewrites.replace(span, formatFilter(joined))
  return joined
}

function buildSource(context: BuildContext, node: CstNode | undefined): TableSource | undefined {
  if (node === undefined) return undefined
  for (const type of [t.From, t.Table]) context.keyword(tokenOf(node, type))
  const token = tokenOf(node, 'name')
  if (token === undefined) return undefined
  const isString = tokenMatcher(token, t.Text)
  const name = isString ? readString(context, token).value.text : token.image
  if (!isString && !isBareName(name)) context.rewrites.replace(spanOf(token), quoteString(name))
  if (/^[A-Za-z0-9_]{1,200}$/.test(name)) return { kind: 'table', name, span: spanOfNode(node) }
  context.report('bad-table-name', 'the name of a table has letters, digits and _', spanOf(token))
  return undefined
}
