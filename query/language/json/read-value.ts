/** Values and fields of the JSON form. */
import { emptySpan, type Field, type StringValue, type Value } from '../ast.ts'
import { BuildContext } from '../build/context.ts'
import { buildField } from '../build/fields.ts'
import { queryLimits } from '../limits.ts'
import { toExactNumber } from '../measure.ts'
import { isTimeInRange, parseTime } from '../time.ts'
import { tokenize } from '../tokens.ts'
import { readTree } from '../tree.ts'
import { withoutSpans } from '../without-spans.ts'
import { describeJson, JsonRefusal, ObjectReader, readText, readWhole } from './reader.ts'

/** Where the nodes of the tree come from; a finding names a node. */
export type NodePaths = Map<object, string>

/** A field as it stands in a text, in our way of writing. */
export function readField(json: unknown, path: string, paths: NodePaths): Field {
  const text = readText(json, path, fieldLengthMax)
  const context = new BuildContext(text)
  const { tokens, unknown } = tokenize(text)
  const { tree, mistakes } = readTree(tokens, 'field')
  const field = buildField(context, tree)
  const isBroken = unknown.length > 0 || mistakes.length > 0 || field === undefined
  if (isBroken || context.problems.length > 0 || context.rewrites.list().length > 0) {
    const message = context.problems[0]?.message ?? 'must be a field such as data.level or @timestamp'
    throw new JsonRefusal(context.problems[0]?.code ?? 'expected-field', message, path)
  }
  const bare = withoutSpans(field)
  paths.set(bare, path)
  return bare
}

const fieldLengthMax = 2_000

export function readString(json: unknown, path: string, paths: NodePaths): StringValue {
  const isPlain = typeof json === 'string'
  const reader = isPlain ? undefined : new ObjectReader(json, path, ['string', 'ignoreCase'])
  const text = readText(
    isPlain ? json : reader?.require('string'),
    reader?.at('string') ?? path,
    queryLimits.textLengthMax,
  )
  const ignoreCase = reader?.get('ignoreCase') ?? false
  if (typeof ignoreCase !== 'boolean') {
    throw new JsonRefusal('expected-boolean', 'must be true or false', `${path}.ignoreCase`)
  }
  const value: StringValue = { kind: 'string', text, ignoreCase, span: emptySpan }
  paths.set(value, path)
  return value
}

export function readValue(json: unknown, path: string, paths: NodePaths): Value {
  const value = readAnyValue(json, path, paths)
  paths.set(value, path)
  return value
}

function readAnyValue(json: unknown, path: string, paths: NodePaths): Value {
  const span = emptySpan
  if (json === null) return { kind: 'null', span }
  if (typeof json === 'boolean') return { kind: 'boolean', value: json, span }
  if (typeof json === 'number' && Number.isFinite(json)) return readJsonNumber(json, path)
  if (typeof json === 'string') return readString(json, path, paths)
  const kind =
    typeof json === 'object' && !Array.isArray(json)
      ? ['string', 'integer', 'bytes', 'ms', 'time', 'now'].find(key => Object.hasOwn(json, key))
      : undefined
  switch (kind) {
    case 'string':
      return readString(json, path, paths)
    case 'integer':
      return readInteger(json, path)
    case 'bytes':
      return { kind: 'size', bytes: readOnly(json, path, 'bytes'), span }
    case 'ms':
      return { kind: 'duration', ms: readOnly(json, path, 'ms'), span }
    case 'time':
      return readTime(json, path)
    case 'now':
      return readNow(json, path)
    default:
      throw new JsonRefusal('expected-value', `must be a value, not ${describeJson(json)}`, path)
  }
}

function readJsonNumber(json: number, path: string): Value {
  if (Number.isInteger(json) && !Number.isSafeInteger(json)) {
    const message = 'is beyond 2^53, where JSON loses digits: write { "integer": "..." }'
    throw new JsonRefusal('number-out-of-range', message, path)
  }
  return { kind: 'number', value: json === 0 ? 0 : json, span: emptySpan }
}

function readOnly(json: unknown, path: string, key: string): number {
  const reader = new ObjectReader(json, path, [key])
  const whole = readWhole(reader.get(key), reader.at(key), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  return whole === 0 ? 0 : whole
}

function readInteger(json: unknown, path: string): Value {
  const reader = new ObjectReader(json, path, ['integer'])
  const text = readText(reader.get('integer'), reader.at('integer'), queryLimits.textLengthMax)
  if (!/^-?\d+$/.test(text)) throw new JsonRefusal('expected-integer', 'must be digits', reader.at('integer'))
  const number = Number(text)
  if (!Number.isFinite(number)) throw new JsonRefusal('number-out-of-range', 'is too large', reader.at('integer'))
  return { kind: 'number', value: toExactNumber(number, text), span: emptySpan }
}

function readTime(json: unknown, path: string): Value {
  const reader = new ObjectReader(json, path, ['time'])
  const epochNs = parseTime(readText(reader.get('time'), reader.at('time'), 64))
  if (epochNs !== undefined && isTimeInRange(epochNs)) return { kind: 'time', epochNs, span: emptySpan }
  throw new JsonRefusal('bad-time', 'must be a time such as 2026-01-02T03:04:05Z', reader.at('time'))
}

function readNow(json: unknown, path: string): Value {
  const reader = new ObjectReader(json, path, ['now', 'agoMs'])
  if (reader.get('now') !== true) throw new JsonRefusal('expected-true', 'must be true', reader.at('now'))
  const agoMs = reader.has('agoMs') ? readWhole(reader.get('agoMs'), reader.at('agoMs'), 0, Number.MAX_SAFE_INTEGER) : 0
  return { kind: 'now', agoMs, span: emptySpan }
}
