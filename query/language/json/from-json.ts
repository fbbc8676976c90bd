/** Queries from their JSON form (to-json.ts). Hostile input: everything is checked, and nothing goes deeper than a query may. */
import {
  type Aggregate,
  emptySpan,
  type Filter,
  joinFilters,
  type Key,
  type Query,
  type SortKey,
  type Stage,
  type TimechartStage,
} from '../ast.ts'
import { checkQuery } from '../check.ts'
import { queryLimits } from '../limits.ts'
import { isFunction, needsField } from '../words.ts'
import { readTest } from './read-test.ts'
import { type NodePaths, readField, readValue } from './read-value.ts'
import { type JsonProblem, JsonRefusal, ObjectReader, readArray, readText, readWhole } from './reader.ts'
import { jsonVersion } from './to-json.ts'

export type JsonParseResult =
  | { readonly query: Query; readonly problem: undefined }
  | { readonly query: undefined; readonly problem: JsonProblem }

/**
 * json     what `JSON.parse` gave, of any origin
 * returns  the query, or the first thing that is wrong with it and its path. Never throws.
 */
export function queryFromJson(json: unknown): JsonParseResult {
  const paths: NodePaths = new Map()
  try {
    const query = readQuery(json, paths)
    const [finding] = checkQuery(query)
    if (finding === undefined) return { query, problem: undefined }
    const { code, message, node } = finding
    return { query: undefined, problem: { code, message, path: paths.get(node) ?? '$' } }
  } catch (error) {
    if (error instanceof JsonRefusal) return { query: undefined, problem: error.problem }
    throw error
  }
}

function readQuery(json: unknown, paths: NodePaths): Query {
  const reader = new ObjectReader(json, '$', ['version', 'from', 'filter', 'stages'])
  if (reader.require('version') !== jsonVersion) {
    throw new JsonRefusal('unknown-version', `must be ${jsonVersion}`, '$.version')
  }
  const stages = readArray(reader.get('stages') ?? [], '$.stages', 0, queryLimits.stageCountMax)
  return {
    kind: 'query',
    source: reader.has('from') ? readSource(reader.get('from')) : undefined,
    filter: reader.has('filter') ? readFilter(reader.get('filter'), '$.filter', paths, 0) : undefined,
    stages: stages.map((stage, index) => readStage(stage, `$.stages[${index}]`, paths)),
    span: emptySpan,
  }
}

function readSource(json: unknown): Query['source'] {
  const reader = new ObjectReader(json, '$.from', ['table'])
  const name = readText(reader.require('table'), '$.from.table', 200)
  if (/^[A-Za-z0-9_]+$/.test(name)) return { kind: 'table', name, span: emptySpan }
  throw new JsonRefusal('bad-table-name', 'must be a name of letters, digits and _', '$.from.table')
}

function readFilter(json: unknown, path: string, paths: NodePaths, depth: number): Filter {
  if (depth > queryLimits.nestingDepthMax) {
    throw new JsonRefusal('nesting-too-deep', `must not go deeper than ${queryLimits.nestingDepthMax}`, path)
  }
  const has = (key: string): boolean => typeof json === 'object' && json !== null && Object.hasOwn(json, key)
  const kind = has('and') ? 'and' : has('or') ? 'or' : undefined
  let filter: Filter
  if (kind !== undefined) {
    const reader = new ObjectReader(json, path, [kind])
    const terms = readArray(reader.get(kind), reader.at(kind), 1, queryLimits.testCountMax)
    const read = terms.map((term, index) => readFilter(term, `${reader.at(kind)}[${index}]`, paths, depth + 1))
    filter = joinFilters(kind, read, emptySpan)!
  } else if (has('not')) {
    const reader = new ObjectReader(json, path, ['not'])
    filter = { kind: 'not', term: readFilter(reader.get('not'), reader.at('not'), paths, depth + 1), span: emptySpan }
  } else {
    filter = readTest(json, path, paths)
  }
  paths.set(filter, path)
  return filter
}

const stageReaders: Readonly<Record<Stage['kind'], (json: unknown, path: string, paths: NodePaths) => Stage>> = {
  stats: readStats,
  timechart: readTimechart,
  top: (json, path, paths) => {
    const reader = new ObjectReader(json, path, ['count', 'field'])
    return {
      kind: 'top',
      count: readCount(reader.require('count'), reader.at('count')),
      field: readField(reader.require('field'), reader.at('field'), paths),
      span: emptySpan,
    }
  },
  facets: (json, path) => {
    const reader = new ObjectReader(json, path, ['count'])
    return { kind: 'facets', count: optionalCount(reader, 'count'), span: emptySpan }
  },
  fields: (json, path, paths) => ({
    kind: 'fields',
    fields: readList(json, path, 1, (item, at) => readField(item, at, paths)),
    span: emptySpan,
  }),
  sort: (json, path, paths) => ({
    kind: 'sort',
    keys: readList(json, path, 1, (item, at) => readSortKey(item, at, paths)),
    span: emptySpan,
  }),
  limit: (json, path) => ({ kind: 'limit', count: readCount(json, path), span: emptySpan }),
  sample: (json, path) => {
    if (typeof json === 'number' && json > 0 && json <= 100) return { kind: 'sample', percent: json, span: emptySpan }
    throw new JsonRefusal('not-a-percentage', 'must be more than 0 and at most 100', path)
  },
  estimate: (json, path) => {
    if (json === true) return { kind: 'estimate', span: emptySpan }
    throw new JsonRefusal('expected-true', 'must be true', path)
  },
}

function readStage(json: unknown, path: string, paths: NodePaths): Stage {
  const names = Object.keys(stageReaders) as Stage['kind'][]
  const reader = new ObjectReader(json, path, names)
  const present = names.filter(name => reader.has(name))
  const [name] = present
  if (name === undefined || present.length > 1) {
    throw new JsonRefusal('expected-stage', `must have one of ${names.join(', ')}`, path)
  }
  const stage = stageReaders[name](reader.get(name), reader.at(name), paths)
  paths.set(stage, reader.at(name))
  return stage
}

function readList<T>(
  json: unknown,
  path: string,
  min: number,
  readItem: (item: unknown, path: string) => T,
): readonly T[] {
  return readArray(json, path, min, queryLimits.listLengthMax).map((item, index) => readItem(item, `${path}[${index}]`))
}

function readStats(json: unknown, path: string, paths: NodePaths): Stage {
  const reader = new ObjectReader(json, path, ['aggregates', 'by'])
  return {
    kind: 'stats',
    aggregates: readList(reader.require('aggregates'), reader.at('aggregates'), 1, (item, at) =>
      readAggregate(item, at, paths),
    ),
    keys: reader.has('by')
      ? readList(reader.get('by'), reader.at('by'), 0, (item, at) => readKey(item, at, paths))
      : [],
    span: emptySpan,
  }
}

function readTimechart(json: unknown, path: string, paths: NodePaths): TimechartStage {
  const reader = new ObjectReader(json, path, ['spanMs', 'aggregate', 'by', 'over', 'limit'])
  const field = (key: string) => (reader.has(key) ? readField(reader.get(key), reader.at(key), paths) : undefined)
  return {
    kind: 'timechart',
    spanMs: reader.has('spanMs')
      ? readWhole(reader.get('spanMs'), reader.at('spanMs'), 1, Number.MAX_SAFE_INTEGER)
      : undefined,
    aggregate: readAggregate(reader.require('aggregate'), reader.at('aggregate'), paths),
    by: field('by'),
    over: field('over'),
    limit: optionalCount(reader, 'limit'),
    span: emptySpan,
  }
}

function readAggregate(json: unknown, path: string, paths: NodePaths): Aggregate {
  const reader = new ObjectReader(json, path, ['function', 'field', 'if', 'as'])
  const name = readText(reader.require('function'), reader.at('function'), 40)
  if (!isFunction(name)) {
    throw new JsonRefusal('unknown-function', `must be a function, not ${JSON.stringify(name)}`, reader.at('function'))
  }
  if (needsField(name) && !reader.has('field')) {
    throw new JsonRefusal('wrong-argument-count', `must have a field: ${name} needs one`, path)
  }
  const aggregate: Aggregate = {
    function: name,
    field: reader.has('field') ? readField(reader.get('field'), reader.at('field'), paths) : undefined,
    condition: reader.has('if') ? readFilter(reader.get('if'), reader.at('if'), paths, 0) : undefined,
    alias: reader.has('as') ? readText(reader.get('as'), reader.at('as'), aliasLengthMax) : undefined,
    span: emptySpan,
  }
  paths.set(aggregate, path)
  return aggregate
}

const aliasLengthMax = 200

function readKey(json: unknown, path: string, paths: NodePaths): Key {
  const reader = new ObjectReader(json, path, ['field', 'width'])
  const width = reader.has('width') ? readValue(reader.get('width'), reader.at('width'), paths) : undefined
  if (width !== undefined && width.kind !== 'number' && width.kind !== 'size' && width.kind !== 'duration') {
    throw new JsonRefusal('expected-number', 'must be a number, a size or a duration', reader.at('width'))
  }
  const key: Key = { field: readField(reader.require('field'), reader.at('field'), paths), width, span: emptySpan }
  paths.set(key, path)
  return key
}

function readSortKey(json: unknown, path: string, paths: NodePaths): SortKey {
  const reader = new ObjectReader(json, path, ['field', 'descending'])
  const descending = reader.get('descending') ?? false
  if (typeof descending !== 'boolean') {
    throw new JsonRefusal('expected-boolean', 'must be true or false', reader.at('descending'))
  }
  return { field: readField(reader.require('field'), reader.at('field'), paths), descending, span: emptySpan }
}

function readCount(json: unknown, path: string): number {
  return readWhole(json, path, 1, queryLimits.rowCountMax)
}

function optionalCount(reader: ObjectReader, key: string): number | undefined {
  return reader.has(key) ? readCount(reader.get(key), reader.at(key)) : undefined
}
