/** Where in a query the cursor is: what may be written there. Looks at tokens alone, so that it works in text that is broken. */
import { type IToken, tokenMatcher } from 'chevrotain'
import type { Span } from '../ast.ts'
import * as t from '../tokens.ts'
import { type FilterPlace, findFilterPlace } from './filter-place.ts'
import { findStagePlace, type StagePlace } from './stage-place.ts'

export type Place = FilterPlace | StagePlace | { readonly kind: 'table' }

export interface Cursor {
  readonly place: Place
  /** What stands there already and is to be replaced. */
  readonly span: Span
  /** The part of it before the cursor, without quotes. */
  readonly prefix: string
  /** It is a string. */
  readonly isQuoted: boolean
  /** Where the stage that the cursor is in begins: its pipe. Undefined in the filter. */
  readonly pipeAt: number | undefined
}

export function findCursor(text: string, at: number): Cursor {
  const before = t.tokenize(text.slice(0, at)).tokens
  const start = startOfWritten(before, at)
  const done = before.slice(0, start)
  const first = before[start]
  const pipe = done.findLastIndex(token => token.tokenType === t.Pipe)
  const span = { from: first?.startOffset ?? at, to: endOfWritten(text, at, first) }
  const isQuoted = first !== undefined && tokenMatcher(first, t.Text) && start === before.length - 1
  const written = text.slice(span.from, at)
  return {
    place: findPlace(done, pipe, text, first),
    span,
    prefix: isQuoted ? written.slice(1).replaceAll(/\\(.)/g, '$1') : written,
    isQuoted,
    pipeAt: pipe < 0 ? undefined : done[pipe]!.startOffset,
  }
}

function findPlace(done: readonly IToken[], pipe: number, text: string, written: IToken | undefined): Place {
  if (pipe >= 0) return findStagePlace(done.slice(pipe + 1), text, written)
  const [from, table] = done
  if (from?.tokenType === t.From && table?.tokenType === t.Table) {
    return done.length === 2 ? { kind: 'table' } : findFilterPlace(done.slice(3), text)
  }
  return findFilterPlace(done, text)
}

/** Index of the token where what is being written at the cursor begins; tokens.length when the cursor is behind a blank. */
function startOfWritten(tokens: readonly IToken[], at: number): number {
  let start = tokens.length
  const last = tokens.at(-1)
  if (last === undefined || t.endOf(last) !== at) return start
  if (!isPathPart(last) && last.tokenType !== t.NumberToken && last.tokenType !== t.LuceneValue) return start
  if (last.tokenType === t.Now || last.tokenType === t.LuceneValue) return start - 1
  start--
  if (!isPathPart(last)) return start
  // A path is one piece: back to where it begins.
  while (start > 0 && t.endOf(tokens[start - 1]!) === tokens[start]!.startOffset && isPathPart(tokens[start - 1]!)) {
    if (!tokenMatcher(tokens[start]!, t.Dot) && !tokenMatcher(tokens[start - 1]!, t.Dot) && !isAt(tokens[start - 1]!))
      break
    start--
  }
  return start
}

function isPathPart(token: IToken): boolean {
  return (
    tokenMatcher(token, t.Word) || tokenMatcher(token, t.Text) || token.tokenType === t.Dot || token.tokenType === t.At
  )
}

function isAt(token: IToken): boolean {
  return token.tokenType === t.At
}

/** To the end of the token that the cursor is in, and of the path that goes on behind it. */
function endOfWritten(text: string, at: number, first: IToken | undefined): number {
  if (first === undefined) return at
  const { tokens } = t.tokenize(text)
  let index = tokens.findIndex(token => token.startOffset < at && t.endOf(token) >= at)
  const inside = tokens[index]
  // A string without its end would take all that follows.
  if (inside === undefined || inside.tokenType === t.UnterminatedString) return at
  let end = t.endOf(inside)
  if (!isPathPart(first) || tokenMatcher(inside, t.Text)) return end
  for (index++; index < tokens.length; index++) {
    const token = tokens[index]!
    const grows = token.tokenType === t.Dot || tokens[index - 1]!.tokenType === t.Dot
    if (token.startOffset !== end || !grows || !isPathPart(token)) return end
    end = t.endOf(token)
  }
  return end
}
