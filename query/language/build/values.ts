/** Values and strings of the tree. A part that the text does not have, or has wrong, makes the value undefined. */
import type { CstNode, IToken } from 'chevrotain'
import type { Span, StringValue, Value } from '../ast.ts'
import {
  durationUnitMs,
  formatDuration,
  formatNumber,
  formatSize,
  type Measure,
  readMeasure,
  sizeUnitBytes,
} from '../measure.ts'
import { type DecodedString, decodeEscapes, decodeRaw, formatString } from '../strings.ts'
import { formatTime, parseTime } from '../time.ts'
import * as t from '../tokens.ts'
import { type BuildContext, isMadeUp, joinSpans, spanOf, spanOfNode, tokenOf, tokensOf } from './context.ts'

export function buildValue(context: BuildContext, node: CstNode): Value | undefined {
  const span = spanOfNode(node)
  const text = tokenOf(node, t.Text)
  if (text !== undefined) return readString(context, text).value
  const now = tokenOf(node, t.Now)
  if (now !== undefined) return buildNow(context, node, now)
  const number = tokenOf(node, t.NumberToken)
  if (number !== undefined) return buildNumber(context, number, tokenOf(node, t.Minus))
  const time = tokenOf(node, t.Time)
  if (time !== undefined) return buildTime(context, time)
  const word = tokenOf(node, t.Name)
  if (word !== undefined) {
    context.rewrites.replace(span, formatString(word.image))
    return { kind: 'string', text: word.image, ignoreCase: false, span }
  }
  for (const constant of [t.True, t.False, t.Null]) {
    const token = tokenOf(node, constant)
    if (token === undefined) continue
    context.keyword(token)
    return constant === t.Null ? { kind: 'null', span } : { kind: 'boolean', value: constant === t.True, span }
  }
  return undefined
}

export interface WrittenString {
  readonly value: StringValue
  readonly decoded: DecodedString
}

export function readString(context: BuildContext, token: IToken): WrittenString {
  const span = spanOf(token)
  const type = token.tokenType
  const ignoreCase = type !== t.UnterminatedString && token.image.endsWith('i')
  const body = token.image.slice(1, type === t.UnterminatedString ? undefined : ignoreCase ? -2 : -1)
  if (type === t.UnterminatedString) {
    const quote = token.image[0] === '`' ? '`' : '"'
    context.report('unterminated-string', `this string has no closing ${quote}`, span, {
      expected: [quote],
      fixes: [{ label: `close it with ${quote}`, edit: { span: { from: span.to, to: span.to }, text: quote } }],
    })
  }
  // Two single quotes are one in SQL; as an escape they keep their length.
  const escaped = type === t.SingleQuotedString ? body.replaceAll("''", "\\'") : body
  const decoded =
    type === t.RawString || type === t.SlashedString
      ? decodeRaw(body, span.from + 1)
      : decodeEscapes(escaped, span.from + 1)
  if (decoded.badEscape !== undefined && type !== t.UnterminatedString) {
    context.report(
      'bad-escape',
      'this escape is not known: use \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX',
      decoded.badEscape,
      {
        hint: 'in backticks a backslash is itself',
        ...(body.includes('`') ? {} : { fixes: [rawFix(span, body, ignoreCase)] }),
      },
    )
  }
  const value: StringValue = { kind: 'string', text: decoded.text, ignoreCase, span }
  if (rewrittenStrings.has(type)) {
    context.rewrites.replace(span, formatString(value.text, ignoreCase))
  }
  return { value, decoded }
}

const rewrittenStrings = new Set([t.SingleQuotedString, t.SmartQuotedString, t.SlashedString])

function rawFix(span: Span, body: string, ignoreCase: boolean) {
  const text = `\`${body}\`${ignoreCase ? 'i' : ''}`
  return { label: `write ${text}`, edit: { span, text } }
}

/** Reports what is wrong with a number token; undefined then. */
export function readNumber(context: BuildContext, token: IToken): Measure | undefined {
  if (isMadeUp(token)) return undefined
  const measure = readMeasure(token.image)
  if (measure.kind !== 'problem') return measure
  const span = { from: token.startOffset + measure.from, to: t.endOf(token) }
  const fixes =
    measure.unit === undefined ? [] : [{ label: `write ${measure.unit}`, edit: { span, text: measure.unit } }]
  context.report(measure.code, measure.message, span, { fixes })
  return undefined
}

export type MeasuredValue = Extract<Value, { kind: 'number' | 'size' | 'duration' }>

export function buildNumber(
  context: BuildContext,
  token: IToken,
  minus: IToken | undefined,
): MeasuredValue | undefined {
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  const span = minus === undefined ? spanOf(token) : joinSpans(spanOf(minus), spanOf(token))
  if (measure.kind === 'percent') {
    context.report('unknown-unit', 'a percentage stands only behind sample', span)
    return undefined
  }
  rewriteUnit(context, token, measure)
  const isNegative = minus !== undefined
  if (measure.kind === 'size') return { kind: 'size', bytes: negate(measure.bytes, isNegative), span }
  if (measure.kind === 'duration') return { kind: 'duration', ms: negate(measure.ms, isNegative), span }
  const { value } = measure
  return {
    kind: 'number',
    value: typeof value === 'bigint' ? (isNegative ? -value : value) : negate(value, isNegative),
    span,
  }
}

function negate(value: number, isNegative: boolean): number {
  return isNegative && value !== 0 ? -value : value
}

/** `250 ms`, `10kib` and `5 minutes` become `250ms`, `10KiB` and `5m`. */
function rewriteUnit(context: BuildContext, token: IToken, measure: Measure): void {
  const unit = /[A-Za-z%\u00b5 \t]+$/.exec(token.image)?.[0] ?? ''
  if (unit === '' || Object.hasOwn(durationUnitMs, unit) || Object.hasOwn(sizeUnitBytes, unit)) return
  const text =
    measure.kind === 'size'
      ? formatSize(measure.bytes)
      : measure.kind === 'duration'
        ? formatDuration(measure.ms)
        : measure.kind === 'number'
          ? formatNumber(measure.value)
          : token.image
  context.rewrites.replace(spanOf(token), text)
}

/** A duration that must be longer than nothing. */
export function buildPositiveDuration(
  context: BuildContext,
  token: IToken,
  minus: IToken | undefined,
  what: string,
): number | undefined {
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  const span = minus === undefined ? spanOf(token) : joinSpans(spanOf(minus), spanOf(token))
  if (measure.kind === 'duration' && measure.ms > 0 && minus === undefined) {
    rewriteUnit(context, token, measure)
    return measure.ms
  }
  if (measure.kind === 'duration' || (measure.kind === 'number' && measure.value === 0)) {
    context.report('span-not-positive', `${what} must be longer than nothing`, span, { expected: ['duration'] })
    return undefined
  }
  const text = `${token.image}m`
  context.report('expected-duration', `${what} is a duration such as 30s, 5m or 1h`, span, {
    expected: ['duration'],
    fixes: measure.kind === 'number' ? [{ label: `write ${text}`, edit: { span, text } }] : [],
  })
  return undefined
}

function buildNow(context: BuildContext, node: CstNode, now: IToken): Value | undefined {
  context.keyword(now)
  const span = spanOfNode(node)
  const token = tokensOf(node, t.NumberToken)[0]
  if (token === undefined) return { kind: 'now', agoMs: 0, span }
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  if (measure.kind !== 'duration') {
    context.report('expected-duration', 'a duration such as 30s, 5m or 1h is expected behind now -', spanOf(token), {
      expected: ['duration'],
    })
    return undefined
  }
  rewriteUnit(context, token, measure)
  return { kind: 'now', agoMs: measure.ms, span }
}

function buildTime(context: BuildContext, token: IToken): Value | undefined {
  const span = spanOf(token)
  const epochNs = parseTime(token.image)
  if (epochNs === undefined) {
    context.report('bad-time', `${token.image} is not in the calendar`, span, { expected: ['time'] })
    return undefined
  }
  if (token.image.includes(' ')) context.rewrites.replace(span, formatTime(epochNs))
  return { kind: 'time', epochNs, span }
}
