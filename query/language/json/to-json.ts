/**
 * A query as JSON, for URLs, the API and saved queries. Stable: what version 1 says it will always mean, and names are only added.
 *
 *   query      { "version": 1, "from": { "table": NAME }?, "filter": FILTER?, "stages": [STAGE]? }
 *   FILTER     { "and": [FILTER, FILTER, ...] } | { "or": [...] } | { "not": FILTER }
 *              | { "field": FIELD, "op": "==" | "!=" | "<" | "<=" | ">" | ">=", "value": VALUE }
 *              | { "field": FIELD, "op": "in" | "not in", "values": [VALUE, ...] }
 *              | { "field": FIELD, "op": "between" | "not between", "low": VALUE, "high": VALUE }
 *              | { "field": FIELD, "op": "contains" | "startsWith" | "endsWith" | "like" | "not contains" | ... | "=~" | "!~",
 *                  "value": STRING }
 *              | { "exists": FIELD } | { "text": STRING }
 *   FIELD      as in the text: "data.level", "data.\"k8s.pod\"", "@timestamp", "@headers.name"
 *   STRING     "text" | { "string": "text", "ignoreCase": true }
 *   VALUE      STRING | number | true | false | null | { "integer": "12345678901234567890" } | { "bytes": 1024 }
 *              | { "ms": 250 } | { "time": "2026-01-02T03:04:05Z" } | { "now": true, "agoMs": 3600000? }
 *   STAGE      { "stats": { "aggregates": [AGGREGATE, ...], "by": [{ "field": FIELD, "width": VALUE? }, ...]? } }
 *              | { "timechart": { "spanMs": n?, "aggregate": AGGREGATE, "by": FIELD?, "over": FIELD?, "limit": n? } }
 *              | { "top": { "count": n, "field": FIELD } } | { "facets": { "count": n? } } | { "fields": [FIELD, ...] }
 *              | { "sort": [{ "field": FIELD, "descending": true? }, ...] } | { "limit": n } | { "sample": percent }
 *              | { "estimate": true }
 *   AGGREGATE  { "function": "count" | ..., "field": FIELD?, "if": FILTER?, "as": NAME? }
 *
 * `?` marks what may be left out.
 */
import type { Aggregate, Filter, Key, Query, Stage, StringTest, StringValue, Test, Value } from '../ast.ts'
import { formatField } from '../names.ts'
import { formatTime } from '../time.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export const jsonVersion = 1

/** The JSON form; places in the text are not part of it. */
export function queryToJson(query: Query): JsonObject {
  return {
    version: jsonVersion,
    ...(query.source === undefined ? {} : { from: { table: query.source.name } }),
    ...(query.filter === undefined ? {} : { filter: filterToJson(query.filter) }),
    ...(query.stages.length === 0 ? {} : { stages: query.stages.map(stageToJson) }),
  }
}

function filterToJson(filter: Filter): JsonObject {
  switch (filter.kind) {
    case 'and':
      return { and: filter.terms.map(filterToJson) }
    case 'or':
      return { or: filter.terms.map(filterToJson) }
    case 'not':
      return { not: filterToJson(filter.term) }
    default:
      return testToJson(filter)
  }
}

function testToJson(test: Test): JsonObject {
  if (test.kind === 'text') return { text: stringToJson(test.operand) }
  const field = formatField(test.field)
  switch (test.kind) {
    case 'exists':
      return { exists: field }
    case 'compare':
      return { field, op: test.operator, value: valueToJson(test.value) }
    case 'in':
      return { field, op: test.negated ? 'not in' : 'in', values: test.values.map(valueToJson) }
    case 'between': {
      const op = test.negated ? 'not between' : 'between'
      return { field, op, low: valueToJson(test.low), high: valueToJson(test.high) }
    }
    case 'string-test':
      return { field, op: stringOperator(test), value: stringToJson(test.operand) }
  }
}

function stringOperator({ operator, negated }: StringTest): string {
  if (operator === 'matches') return negated ? '!~' : '=~'
  return negated ? `not ${operator}` : operator
}

function stringToJson(value: StringValue): Json {
  return value.ignoreCase ? { string: value.text, ignoreCase: true } : value.text
}

function valueToJson(value: Value): Json {
  switch (value.kind) {
    case 'string':
      return stringToJson(value)
    case 'number':
      return typeof value.value === 'bigint' ? { integer: String(value.value) } : value.value
    case 'size':
      return { bytes: value.bytes }
    case 'duration':
      return { ms: value.ms }
    case 'time':
      return { time: formatTime(value.epochNs) }
    case 'now':
      return value.agoMs === 0 ? { now: true } : { now: true, agoMs: value.agoMs }
    case 'boolean':
      return value.value
    case 'null':
      return null
  }
}

function stageToJson(stage: Stage): JsonObject {
  switch (stage.kind) {
    case 'stats': {
      const by = stage.keys.length === 0 ? {} : { by: stage.keys.map(keyToJson) }
      return { stats: { aggregates: stage.aggregates.map(aggregateToJson), ...by } }
    }
    case 'timechart':
      return {
        timechart: {
          ...(stage.spanMs === undefined ? {} : { spanMs: stage.spanMs }),
          aggregate: aggregateToJson(stage.aggregate),
          ...(stage.by === undefined ? {} : { by: formatField(stage.by) }),
          ...(stage.over === undefined ? {} : { over: formatField(stage.over) }),
          ...(stage.limit === undefined ? {} : { limit: stage.limit }),
        },
      }
    case 'top':
      return { top: { count: stage.count, field: formatField(stage.field) } }
    case 'facets':
      return { facets: stage.count === undefined ? {} : { count: stage.count } }
    case 'fields':
      return { fields: stage.fields.map(formatField) }
    case 'sort':
      return {
        sort: stage.keys.map(({ field, descending }) => ({
          field: formatField(field),
          ...(descending ? { descending } : {}),
        })),
      }
    case 'limit':
      return { limit: stage.count }
    case 'sample':
      return { sample: stage.percent }
    case 'estimate':
      return { estimate: true }
  }
}

function keyToJson({ field, width }: Key): JsonObject {
  return { field: formatField(field), ...(width === undefined ? {} : { width: valueToJson(width) }) }
}

function aggregateToJson(aggregate: Aggregate): JsonObject {
  return {
    function: aggregate.function,
    ...(aggregate.field === undefined ? {} : { field: formatField(aggregate.field) }),
    ...(aggregate.condition === undefined ? {} : { if: filterToJson(aggregate.condition) }),
    ...(aggregate.alias === undefined ? {} : { as: aggregate.alias }),
  }
}
