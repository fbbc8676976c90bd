/** The words of the language: what is reserved, what functions there are, and which word of another tool means which of ours. */
import type { AggregateFunction, MetadataName, Stage } from './ast.ts'

/** A field whose first name is one of these is written in quotes. Words are recognized in any case. */
export const reservedWords = [
  'and',
  'or',
  'not',
  'in',
  'between',
  'exists',
  'contains',
  'startsWith',
  'endsWith',
  'like',
  'is',
  'now',
  'true',
  'false',
  'null',
] as const

/** With the spellings of others that are taken for them. */
const reserved = new Set<string>([...reservedWords.map(word => word.toLowerCase()), 'starts_with', 'ends_with'])

export function isReserved(word: string): boolean {
  return reserved.has(word.toLowerCase())
}

export const metadataNames: readonly MetadataName[] = ['offset', 'partition', 'key', 'timestamp', 'size', 'topic']

export function isMetadataName(name: string): name is MetadataName {
  return (metadataNames as readonly string[]).includes(name)
}

export const stageNames: readonly Stage['kind'][] = [
  'stats',
  'timechart',
  'top',
  'facets',
  'fields',
  'sort',
  'limit',
  'sample',
  'estimate',
]

/** Shown and completed; any of p1 to p99 is accepted. */
export const functionNames: readonly AggregateFunction[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'count_distinct',
  'p50',
  'p75',
  'p90',
  'p95',
  'p99',
  'rate',
  'first',
  'last',
]

/** Names of other tools: SQL, Kusto, Splunk, LogsQL. */
const functionAliases: Readonly<Record<string, AggregateFunction>> = {
  average: 'avg',
  mean: 'avg',
  median: 'p50',
  dc: 'count_distinct',
  dcount: 'count_distinct',
  distinct: 'count_distinct',
  uniq: 'count_distinct',
  count_uniq: 'count_distinct',
  cardinality: 'count_distinct',
  earliest: 'first',
  latest: 'last',
  minimum: 'min',
  maximum: 'max',
}

/** The function of that name, of another case, or of another tool; undefined when there is none. */
export function findFunction(name: string): AggregateFunction | undefined {
  const lower = name.toLowerCase()
  if (isFunction(lower)) return lower
  return Object.hasOwn(functionAliases, lower) ? functionAliases[lower] : undefined
}

export function isFunction(name: string): name is AggregateFunction {
  return (functionNames as readonly string[]).includes(name) || /^p[1-9]\d?$/.test(name)
}

/** What `count` and `rate` may do without, all others need. */
export function needsField(name: AggregateFunction): boolean {
  return name !== 'count' && name !== 'rate'
}
