/** What building the tree goes along with: the text, the mistakes found, the rewrites made. And the ways into Chevrotain's tree. */
import type { CstNode, IToken, TokenType } from 'chevrotain'
import type { Span } from '../ast.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { Rewrites } from '../lenient.ts'
import * as t from '../tokens.ts'

export class BuildContext {
  readonly text: string
  readonly problems: Diagnostic[] = []
  readonly rewrites: Rewrites

  constructor(text: string) {
    this.text = text
    this.rewrites = new Rewrites(text)
  }

  report(
    code: string,
    message: string,
    span: Span,
    more: Partial<Omit<Diagnostic, 'code' | 'message' | 'span'>> = {},
  ): void {
    this.problems.push({ code, message, span, expected: [], fixes: [], ...more })
  }

  /** A word of the language becomes lower case, and a word of another tool ours. */
  keyword(token: IToken | undefined): void {
    if (token === undefined || isMadeUp(token)) return
    const word = keywordOf.get(token.tokenType)
    if (word !== undefined && token.image !== word) this.rewrites.replaceWord(spanOf(token), word)
  }

  /** A token that says nothing here, with the blanks behind it. */
  drop(token: IToken): void {
    const rest = /^\s*/.exec(this.text.slice(t.endOf(token)))![0].length
    this.rewrites.replace({ from: token.startOffset, to: t.endOf(token) + rest }, '')
  }
}

const keywordOf = new Map<TokenType, string>([
  [t.AndWord, 'and'],
  [t.AndSign, 'and'],
  [t.OrWord, 'or'],
  [t.OrSign, 'or'],
  [t.NotWord, 'not'],
  [t.NotSign, 'not'],
  [t.Minus, 'not'],
  [t.In, 'in'],
  [t.Between, 'between'],
  [t.Exists, 'exists'],
  [t.Contains, 'contains'],
  [t.StartsWith, 'startsWith'],
  [t.EndsWith, 'endsWith'],
  [t.Like, 'like'],
  [t.Now, 'now'],
  [t.True, 'true'],
  [t.False, 'false'],
  [t.Null, 'null'],
  [t.From, 'from'],
  [t.Table, 'table'],
  [t.Stats, 'stats'],
  [t.Timechart, 'timechart'],
  [t.Top, 'top'],
  [t.Facets, 'facets'],
  [t.Fields, 'fields'],
  [t.Sort, 'sort'],
  [t.Limit, 'limit'],
  [t.Sample, 'sample'],
  [t.Estimate, 'estimate'],
  [t.By, 'by'],
  [t.Over, 'over'],
  [t.As, 'as'],
  [t.If, 'if'],
  [t.Descending, 'desc'],
  [t.Equals, '=='],
  [t.SingleEquals, '=='],
  [t.NotEquals, '!='],
])

export function spanOf(token: IToken): Span {
  return { from: token.startOffset, to: t.endOf(token) }
}

/** Made up by recovery: it is not in the text. */
export function isMadeUp(token: IToken): boolean {
  return token.isInsertedInRecovery === true
}

/** From the first token to the last, without those that recovery made up; empty when nothing is left. */
export function spanOfNode(node: CstNode): Span {
  const from = node.location?.startOffset ?? -1
  const last = node.location?.endOffset ?? -1
  if (from >= 0 && last >= from) return { from, to: last + 1 }
  const spans = Object.values(node.children)
    .flat()
    .map(child => ('children' in child ? spanOfNode(child) : spanOf(child)))
    .filter(span => span.from >= 0 && span.to > span.from)
  return spans.length === 0 ? { from: 0, to: 0 } : spans.reduce(joinSpans)
}

export function joinSpans(a: Span, b: Span): Span {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) }
}

/** The tokens that a rule consumed as `name`, in order. */
export function tokensOf(node: CstNode, name: TokenType | string): IToken[] {
  const children = node.children[typeof name === 'string' ? name : name.name] ?? []
  return children.filter((child): child is IToken => 'image' in child)
}

export function tokenOf(node: CstNode, name: TokenType | string): IToken | undefined {
  return tokensOf(node, name)[0]
}

export function nodesOf(node: CstNode, name: string): CstNode[] {
  return (node.children[name] ?? []).filter((child): child is CstNode => 'children' in child)
}

export function nodeOf(node: CstNode, name: string): CstNode | undefined {
  return nodesOf(node, name)[0]
}
