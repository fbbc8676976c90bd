/** Places in a stage. */
import type { IToken } from 'chevrotain'
import * as t from '../tokens.ts'
import { type FilterPlace, findFilterPlace } from './filter-place.ts'

export type StagePlace =
  | FilterPlace
  /** Behind a pipe. */
  | { readonly kind: 'stage' }
  | { readonly kind: 'aggregate'; readonly allowsSpan: boolean }
  /** A duration, size or number that a bucket is wide. */
  | { readonly kind: 'width'; readonly field: string }
  | { readonly kind: 'count'; readonly counts: readonly string[] }

/** `tokens` are those behind the pipe. */
export function findStagePlace(tokens: readonly IToken[], text: string, written: IToken | undefined): StagePlace {
  const [word, ...rest] = tokens
  if (word === undefined) return { kind: 'stage' }
  const inside = findOpenParenthesis(rest)
  if (inside !== undefined) {
    const behind = rest.slice(inside + 1)
    return rest[inside - 1]?.tokenType === t.If ? findFilterPlace(behind, text) : { kind: 'field' }
  }
  switch (word.tokenType) {
    case t.Stats:
      return findStatsPlace(rest, text)
    case t.Timechart:
      return findTimechartPlace(rest, written)
    case t.Where:
      return findFilterPlace(rest, text)
    case t.Top:
      return rest.length === 0 ? { kind: 'count', counts: ['5', '10', '20'] } : afterField(rest, 1, [])
    case t.Fields:
      return afterField(rest, 0, [','])
    case t.Sort:
      return afterField(rest, 0, ['desc', ','])
    case t.Limit:
      return rest.length === 0 ? { kind: 'count', counts: ['10', '100', '1000'] } : pipeOnly
    case t.Facets:
      return rest.length === 0 ? { kind: 'count', counts: ['10', '20'] } : pipeOnly
    case t.Sample:
      return rest.length === 0 ? { kind: 'count', counts: ['1%', '10%'] } : pipeOnly
    default:
      return pipeOnly
  }
}

const pipeOnly: StagePlace = { kind: 'words', words: ['|'] }

/** Index of the innermost parenthesis that is open at the end and belongs to an aggregate or to `if`. */
function findOpenParenthesis(tokens: readonly IToken[]): number | undefined {
  const open: number[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.tokenType === t.LeftParen) open.push(index)
    else if (token.tokenType === t.RightParen) open.pop()
  }
  // Parentheses within the filter of `if` are the filter's own.
  return open.find(index => tokens[index - 1]?.tokenType === t.If) ?? open[0]
}

function findStatsPlace(tokens: readonly IToken[], text: string): StagePlace {
  const by = tokens.findLastIndex(token => token.tokenType === t.By)
  const last = tokens.at(-1)
  if (last === undefined || (by < 0 && last.tokenType === t.Comma)) return { kind: 'aggregate', allowsSpan: false }
  if (by < 0) return behindAggregate(last, ['by', ','])
  if (last.tokenType === t.Colon) {
    const start = tokens.findLastIndex(token => token.tokenType === t.Comma || token.tokenType === t.By) + 1
    return { kind: 'width', field: text.slice(tokens[start]?.startOffset, last.startOffset).trim() }
  }
  return afterField(tokens, by + 1, [':', ','])
}

function behindAggregate(last: IToken, words: readonly string[]): StagePlace {
  if (last.tokenType === t.As) return { kind: 'words', words: [] }
  return { kind: 'words', words: last.tokenType === t.RightParen ? ['if (', 'as', ...words, '|'] : [...words, '|'] }
}

function findTimechartPlace(tokens: readonly IToken[], written: IToken | undefined): StagePlace {
  const last = tokens.at(-1)
  if (last === undefined) return { kind: 'aggregate', allowsSpan: written?.tokenType !== t.Identifier }
  if (last.tokenType === t.By || last.tokenType === t.Over) return { kind: 'field' }
  if (last.tokenType === t.Limit) return { kind: 'count', counts: ['5', '10'] }
  if (tokens.length === 1 && last.tokenType === t.NumberToken) return { kind: 'aggregate', allowsSpan: false }
  const used = new Set(tokens.map(token => token.tokenType.name.toLowerCase()))
  return behindAggregate(
    last,
    ['by', 'over', ...(used.has('by') ? ['limit'] : [])].filter(word => !used.has(word)),
  )
}

/** A field stands behind the first `skip` tokens and behind each comma. */
function afterField(tokens: readonly IToken[], skip: number, words: readonly string[]): StagePlace {
  const last = tokens[tokens.length - 1]
  if (tokens.length <= skip || last?.tokenType === t.Comma || last?.tokenType === t.By) return { kind: 'field' }
  return { kind: 'words', words: [...words, '|'] }
}
