/**
 * From text to a query.
 *
 * Never throws and never takes long, whatever the text: its length, its nesting and the mistakes in it are bounded.
 */
import { type IToken, tokenMatcher } from 'chevrotain'
import type { Query } from './ast.ts'
import { BuildContext } from './build/context.ts'
import { buildQuery } from './build/query.ts'
import { checkQuery, findingToDiagnostic } from './check.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { ParserMistake } from './expected-tokens.ts'
import type { Rewrite } from './lenient.ts'
import { queryLimits } from './limits.ts'
import { describeMistake } from './syntax-errors.ts'
import * as t from './tokens.ts'
import { readTree } from './tree.ts'

export type ParseResult =
  | { readonly query: Query; readonly errors: readonly []; readonly rewrites: readonly Rewrite[] }
  /** In the order of the text, at least one. */
  | { readonly query: undefined; readonly errors: readonly Diagnostic[]; readonly rewrites: readonly Rewrite[] }

/**
 * text     a query as a person wrote it, perhaps in the way of another tool
 * returns  the query, and what of the text was rewritten to mean it; or what is wrong
 */
export function parseQuery(text: string): ParseResult {
  if (text.length > queryLimits.textLengthMax) {
    return refuse({
      code: 'text-too-long',
      message: `a query has at most ${queryLimits.textLengthMax} characters`,
      span: { from: queryLimits.textLengthMax, to: text.length },
      expected: [],
      fixes: [],
    })
  }
  const { tokens, unknown } = t.tokenize(text)
  const tooDeep = findTooDeep(tokens)
  if (tooDeep !== undefined) {
    return refuse({
      code: 'nesting-too-deep',
      message: `parentheses and not go at most ${queryLimits.nestingDepthMax} deep`,
      span: { from: tooDeep.startOffset, to: t.endOf(tooDeep) },
      expected: [],
      fixes: [],
    })
  }
  const errors: Diagnostic[] = unknown.map(span => ({
    code: 'unexpected-character',
    message: `${JSON.stringify(text.slice(span.from, span.to).slice(0, 20))} means nothing here`,
    span,
    expected: [],
    fixes: [{ label: 'leave it out', edit: { span, text: '' } }],
  }))
  const context = new BuildContext(text)
  const { tree, mistakes } = readTree(tokens, 'query')
  errors.push(...dropEchoes(tokens, mistakes).map(mistake => describeMistake(text, tokens, mistake)))
  const query = tree === undefined ? undefined : buildQuery(context, tree)
  errors.push(...context.problems)
  if (query !== undefined) errors.push(...checkQuery(query).map(findingToDiagnostic))
  const rewrites = context.rewrites.list()
  if (query === undefined || errors.length > 0) return { query: undefined, errors: tidy(errors), rewrites }
  return { query, errors: [], rewrites }
}

function refuse(error: Diagnostic): ParseResult {
  return { query: undefined, errors: [error], rewrites: [] }
}

/** Reading goes as deep as parentheses and `not` do; the first token that is too deep, if any. */
function findTooDeep(tokens: readonly IToken[]): IToken | undefined {
  const opened: number[] = []
  let depth = 0
  let signs = 0
  for (const token of tokens) {
    if (token.tokenType === t.LeftParen) {
      opened.push(signs + 1)
      depth += signs + 1
      signs = 0
    } else if (token.tokenType === t.RightParen) {
      depth -= opened.pop() ?? 0
      signs = 0
    } else {
      signs = tokenMatcher(token, t.Not) || token.tokenType === t.Minus ? signs + 1 : 0
    }
    if (depth + signs > queryLimits.nestingDepthMax) return token
  }
  return undefined
}

/** Without mistakes right behind another: they come of it. */
function dropEchoes(tokens: readonly IToken[], mistakes: readonly ParserMistake[]): ParserMistake[] {
  let last = Number.NEGATIVE_INFINITY
  return mistakes.filter(({ actual }) => {
    const at = tokens.indexOf(actual)
    const position = at < 0 ? tokens.length : at
    if (position === last + 1) return false
    last = position
    return true
  })
}

/** In the order of the text; of several at one place the first, which is the cause of the others. */
function tidy(errors: readonly Diagnostic[]): Diagnostic[] {
  const places = new Set<number>()
  const first = errors.filter(({ span }) => !places.has(span.from) && places.add(span.from))
  return first.toSorted((a, b) => a.span.from - b.span.from).slice(0, queryLimits.errorCountMax)
}
