/** Tests of the JSON form. */
import { type CompareOperator, emptySpan, type StringOperator, type Test } from '../ast.ts'
import { normalizeGlob } from '../glob.ts'
import { queryLimits } from '../limits.ts'
import { compilePattern } from '../pattern.ts'
import { type NodePaths, readField, readString, readValue } from './read-value.ts'
import { JsonRefusal, ObjectReader, readArray, readText } from './reader.ts'

const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>='] satisfies CompareOperator[]
const stringOperators = new Map<string, StringOperator>([
  ['contains', 'contains'],
  ['startsWith', 'startsWith'],
  ['endsWith', 'endsWith'],
  ['like', 'like'],
])

export function readTest(json: unknown, path: string, paths: NodePaths): Test {
  const has = (key: string): boolean => typeof json === 'object' && json !== null && Object.hasOwn(json, key)
  if (has('exists')) {
    const reader = new ObjectReader(json, path, ['exists'])
    return { kind: 'exists', field: readField(reader.get('exists'), reader.at('exists'), paths), span: emptySpan }
  }
  if (has('text')) {
    const reader = new ObjectReader(json, path, ['text'])
    return { kind: 'text', operand: readString(reader.get('text'), reader.at('text'), paths), span: emptySpan }
  }
  const op = has('op') ? readText((json as { op: unknown }).op, `${path}.op`, 40) : undefined
  const negated = op?.startsWith('not ') ?? false
  const word = negated ? op?.slice(4) : op
  if (word === 'in') return readIn(json, path, paths, negated)
  if (word === 'between') return readBetween(json, path, paths, negated)
  return readComparison(json, path, paths)
}

function readIn(json: unknown, path: string, paths: NodePaths, negated: boolean): Test {
  const reader = new ObjectReader(json, path, ['field', 'op', 'values'])
  const values = readArray(reader.require('values'), reader.at('values'), 1, queryLimits.valueCountMax)
  return {
    kind: 'in',
    field: readField(reader.require('field'), reader.at('field'), paths),
    negated,
    values: values.map((value, index) => readValue(value, `${reader.at('values')}[${index}]`, paths)),
    span: emptySpan,
  }
}

function readBetween(json: unknown, path: string, paths: NodePaths, negated: boolean): Test {
  const reader = new ObjectReader(json, path, ['field', 'op', 'low', 'high'])
  return {
    kind: 'between',
    field: readField(reader.require('field'), reader.at('field'), paths),
    negated,
    low: readValue(reader.require('low'), reader.at('low'), paths),
    high: readValue(reader.require('high'), reader.at('high'), paths),
    span: emptySpan,
  }
}

/** A test of one value. */
function readComparison(json: unknown, path: string, paths: NodePaths): Test {
  const reader = new ObjectReader(json, path, ['field', 'op', 'value', 'and', 'or', 'not', 'exists', 'text'])
  const field = readField(reader.require('field'), reader.at('field'), paths)
  const op = readText(reader.require('op'), reader.at('op'), 40)
  if (comparisons.includes(op)) {
    const value = readValue(reader.require('value'), reader.at('value'), paths)
    return { kind: 'compare', field, operator: op as CompareOperator, value, span: emptySpan }
  }
  const negated = op === '!~' || op.startsWith('not ')
  const operator = op === '=~' || op === '!~' ? 'matches' : stringOperators.get(negated ? op.slice(4) : op)
  if (operator === undefined) {
    throw new JsonRefusal('unknown-operator', `is no operator: ${JSON.stringify(op)}`, reader.at('op'))
  }
  const written = readString(reader.require('value'), reader.at('value'), paths)
  const operand = operator === 'like' ? { ...written, text: normalizeGlob(written.text) } : written
  paths.set(operand, reader.at('value'))
  if (operator === 'matches') {
    const compiled = compilePattern(operand.text)
    if ('problem' in compiled) {
      const { message, from } = compiled.problem
      throw new JsonRefusal('unsupported-pattern', `${message}, at character ${from + 1}`, reader.at('value'))
    }
  }
  return { kind: 'string-test', field, operator, negated, operand, span: emptySpan }
}
