/**
 * The tokens. Words are recognized in any case; only those of `words.ts` are reserved, every other may name a field. A line's end
 * is a blank like any other: tests beside each other are joined by `and`.
 *
 * Besides what the language has there are tokens for what people bring along from other tools: typographic and single quotes,
 * `&&`, single `=`, values of Lucene. They are rewritten (lenient.ts).
 */
import { type CustomPatternMatcherFunc, createToken, type IToken, Lexer, type TokenType } from 'chevrotain'
import { bareNameSource } from './names.ts'

/** Any word, as it may stand behind a dot. */
export const Word = createToken({ name: 'Word', pattern: Lexer.NA })
/** A word that is not reserved, as it may begin a field. */
export const Name = createToken({ name: 'Name', pattern: Lexer.NA, categories: Word })
export const Identifier = createToken({
  name: 'Identifier',
  pattern: new RegExp(bareNameSource),
  categories: Name,
})

const keywords: TokenType[] = []

function keyword(name: string, pattern: RegExp, categories: TokenType | TokenType[] = Name): TokenType {
  const token = createToken({ name, pattern, longer_alt: Identifier, categories })
  keywords.push(token)
  return token
}

/** Words that take one operand behind the field. */
export const StringOperator = createToken({ name: 'StringOperator', pattern: Lexer.NA, categories: Word })
/** Operators of comparison, equality and matching. */
export const Comparator = createToken({ name: 'Comparator', pattern: Lexer.NA })
export const And = createToken({ name: 'And', pattern: Lexer.NA })
export const Or = createToken({ name: 'Or', pattern: Lexer.NA })
export const Not = createToken({ name: 'Not', pattern: Lexer.NA })

// Before `or` and `as`, which they begin with.
export const Sort = keyword('Sort', /sort|order/i)
export const Ascending = keyword('Ascending', /asc(?:ending)?/i)

export const AndWord = keyword('AndWord', /and/i, [Word, And])
export const OrWord = keyword('OrWord', /or/i, [Word, Or])
export const NotWord = keyword('NotWord', /not/i, [Word, Not])
export const In = keyword('In', /in/i, Word)
export const Between = keyword('Between', /between/i, Word)
export const Exists = keyword('Exists', /exists/i, Word)
export const Is = keyword('Is', /is/i, Word)
export const True = keyword('True', /true/i, Word)
export const False = keyword('False', /false/i, Word)
export const Null = keyword('Null', /null/i, Word)
export const Contains = keyword('Contains', /contains/i, StringOperator)
export const StartsWith = keyword('StartsWith', /starts_?with/i, StringOperator)
export const EndsWith = keyword('EndsWith', /ends_?with/i, StringOperator)
export const Like = keyword('Like', /like/i, StringOperator)

export const From = keyword('From', /from/i)
export const Table = keyword('Table', /table/i)
export const Where = keyword('Where', /where|filter/i)
export const Stats = keyword('Stats', /stats|summarize/i)
export const Timechart = keyword('Timechart', /timechart/i)
export const Top = keyword('Top', /top/i)
export const Facets = keyword('Facets', /facets/i)
export const Fields = keyword('Fields', /fields|project|select|keep/i)
export const Limit = keyword('Limit', /limit|head|take/i)
export const Sample = keyword('Sample', /sample/i)
export const Estimate = keyword('Estimate', /estimate/i)
export const Count = keyword('Count', /count/i)
export const By = keyword('By', /by/i)
export const Over = keyword('Over', /over/i)
export const As = keyword('As', /as/i)
export const If = keyword('If', /if/i)
export const To = keyword('To', /to/i)
export const Descending = keyword('Descending', /desc(?:ending)?/i)

/** `now` ends before a minus with a number behind it, although names may have hyphens inside. */
export const Now = createToken({
  name: 'Now',
  pattern: /now(?=\s*-\s*\d)|now(?![\w$-])/i,
  categories: Word,
})

export const Time = createToken({
  name: 'Time',
  pattern: /\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)?/,
})

/** A unit may stand apart where nothing but the end of the value can follow it, so that it is not taken for a field. */
const spacedUnit =
  '[ \\t]+(?:ms|[smhdw]|B|[kKMGT]i?B|milliseconds?|seconds?|sec|minutes?|mins?|hours?|days?|weeks?|bytes?)(?=\\s*(?:$|[|)\\],]|&&|(?:and|or|AND|OR)\\b))'
const numberPattern = (unit: string): RegExp =>
  new RegExp(
    `\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+(?!\\w))?(?:${unit}[A-Za-z_\\u00b5][\\w\\u00b5]*(?:\\.\\d+[a-z]+)?|%)?`,
    'y',
  )
const anyNumber = numberPattern(`${spacedUnit}|`)
const closeNumber = numberPattern('')

// A function, since the lexer does not take patterns that look for the end of the text.
const matchNumber: CustomPatternMatcherFunc = (text, offset, tokens) => {
  // `top 5 s`: a field follows.
  const pattern = tokens.at(-1)?.tokenType === Top ? closeNumber : anyNumber
  pattern.lastIndex = offset
  return pattern.exec(text)
}

export const NumberToken = createToken({
  name: 'Number',
  pattern: matchNumber,
  start_chars_hint: [...'0123456789'],
  line_breaks: false,
})

// Strings. `i` belongs to one when no other letter follows.
export const Text = createToken({ name: 'Text', pattern: Lexer.NA })
export const QuotedString = createToken({
  name: 'QuotedString',
  pattern: /"(?:[^"\\\n]|\\[^\n])*"(?:i(?![\w$]))?/,
  categories: Text,
})
export const RawString = createToken({
  name: 'RawString',
  pattern: /`[^`]*`(?:i(?![\w$]))?/,
  categories: Text,
  line_breaks: true,
})
export const SingleQuotedString = createToken({
  name: 'SingleQuotedString',
  pattern: /'(?:[^'\\\n]|\\[^\n]|'')*'(?:i(?![\w$]))?/,
  categories: Text,
})
export const SmartQuotedString = createToken({
  name: 'SmartQuotedString',
  pattern:
    /[\u201c\u201d\u201e](?:[^\u201c\u201d"\n])*[\u201c\u201d"](?:i(?![\w$]))?|[\u2018\u2019\u201a](?:[^\u2018\u2019'\n])*[\u2018\u2019'](?:i(?![\w$]))?|\u00ab[^\u00bb\n]*\u00bb/,
  categories: Text,
})
/** `=~ /text/i`, as JavaScript has it. */
const slashPattern = /\/(?:[^/\\\n]|\\[^\n])+\/(?:i(?![\w$]))?/y
const matchSlashes: CustomPatternMatcherFunc = (text, offset, tokens) => {
  const last = tokens.at(-1)?.tokenType
  if (last !== Matches && last !== MatchesNot) return null
  slashPattern.lastIndex = offset
  return slashPattern.exec(text)
}
export const SlashedString = createToken({
  name: 'SlashedString',
  pattern: matchSlashes,
  start_chars_hint: ['/'],
  line_breaks: false,
  categories: Text,
})
export const UnterminatedString = createToken({
  name: 'UnterminatedString',
  pattern: /["'`\u201c\u201d\u2018\u2019][^\n]*/,
  categories: Text,
})

/** Lucene's values need no quotes: what follows `field:` up to a blank, a bracket or a quote. */
const lucenePattern =
  /\/(?:[^/\\\n]|\\[^\n])+\/(?=[\s)|]|$)|[^\s()[\]{}"'`|,<>=!~\u201c\u201d\u2018\u2019][^\s()[\]{}"'`|,\u201c\u201d\u2018\u2019]*/y
const ownValue =
  /^(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[a-zA-Z]+|%)?|\d{4}-\d\d-\d\d(?:T[\d:.,]+(?:Z|[+-][\d:]+)?)?|true|false|null|now)$/i

const matchLuceneValue: CustomPatternMatcherFunc = (text, offset, tokens) => {
  const last = tokens.at(-1)
  if (last?.tokenType !== Colon || endOf(last) !== offset) return null
  // Behind a pipe, a colon may also stand before the width of a bucket.
  if (tokens.some(token => token.tokenType === Pipe)) return null
  lucenePattern.lastIndex = offset
  const match = lucenePattern.exec(text)
  if (match === null || ownValue.test(match[0])) return null
  return /^in$/i.test(match[0]) && /^\s*[[(]/.test(text.slice(lucenePattern.lastIndex)) ? null : match
}

export const LuceneValue = createToken({ name: 'LuceneValue', pattern: matchLuceneValue, line_breaks: false })

export const Equals = createToken({ name: 'Equals', pattern: /===?/, categories: Comparator })
export const NotEquals = createToken({ name: 'NotEquals', pattern: /!==?|<>/, categories: Comparator })
export const Matches = createToken({ name: 'Matches', pattern: /=~/, categories: Comparator })
export const MatchesNot = createToken({ name: 'MatchesNot', pattern: /!~/, categories: Comparator })
export const LessOrEqual = createToken({ name: 'LessOrEqual', pattern: /<=/, categories: Comparator })
export const MoreOrEqual = createToken({ name: 'MoreOrEqual', pattern: />=/, categories: Comparator })
export const Less = createToken({ name: 'Less', pattern: /</, categories: Comparator })
export const More = createToken({ name: 'More', pattern: />/, categories: Comparator })
export const SingleEquals = createToken({ name: 'SingleEquals', pattern: /=/, categories: Comparator })
export const AndSign = createToken({ name: 'AndSign', pattern: /&&/, categories: And })
export const OrSign = createToken({ name: 'OrSign', pattern: /\|\|/, categories: Or })
export const NotSign = createToken({ name: 'NotSign', pattern: /!/, categories: Not })

export const Colon = createToken({ name: 'Colon', pattern: /:/ })
export const Pipe = createToken({ name: 'Pipe', pattern: /\|/ })
export const Dot = createToken({ name: 'Dot', pattern: /\./ })
export const Comma = createToken({ name: 'Comma', pattern: /,/ })
export const Minus = createToken({ name: 'Minus', pattern: /-/ })
export const Star = createToken({ name: 'Star', pattern: /\*/ })
export const At = createToken({ name: 'At', pattern: /@/ })
export const LeftParen = createToken({ name: 'LeftParen', pattern: /\(/ })
export const RightParen = createToken({ name: 'RightParen', pattern: /\)/ })
export const LeftBracket = createToken({ name: 'LeftBracket', pattern: /\[/ })
export const RightBracket = createToken({ name: 'RightBracket', pattern: /\]/ })

const Blank = createToken({
  name: 'Blank',
  pattern: /[\s\u00a0\u200b\ufeff]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
})

/** In the order in which they are tried. */
export const allTokens: TokenType[] = [
  Blank,
  LuceneValue,
  Time,
  NumberToken,
  Now,
  ...keywords,
  Identifier,
  QuotedString,
  RawString,
  SingleQuotedString,
  SmartQuotedString,
  SlashedString,
  UnterminatedString,
  Equals,
  Matches,
  MatchesNot,
  NotEquals,
  LessOrEqual,
  MoreOrEqual,
  Less,
  More,
  SingleEquals,
  AndSign,
  OrSign,
  NotSign,
  Colon,
  Pipe,
  Dot,
  Comma,
  Minus,
  Star,
  At,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Word,
  Name,
  StringOperator,
  Comparator,
  And,
  Or,
  Not,
  Text,
]

const lexer = new Lexer(allTokens, { positionTracking: 'full' })

export interface LexedText {
  readonly tokens: IToken[]
  /** Runs of characters that no token begins with. */
  readonly unknown: readonly { readonly from: number; readonly to: number }[]
}

export function tokenize(text: string): LexedText {
  const { tokens, errors } = lexer.tokenize(text)
  return { tokens, unknown: errors.map(error => ({ from: error.offset, to: error.offset + error.length })) }
}

/** Behind the token's last character. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length
}
