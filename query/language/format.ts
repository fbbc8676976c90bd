/**
 * The one way to write a query. Reading it gives the same query, and writing that the same text.
 *
 *   filter | stage | stage            without a filter: | stage | stage
 */
import type { Aggregate, Field, Filter, Key, Query, Stage, Test, TimechartStage, Value } from './ast.ts'
import { formatDuration, formatNumber, formatSize } from './measure.ts'
import { formatField, formatName } from './names.ts'
import { formatString, quoteString } from './strings.ts'
import { formatTime } from './time.ts'

export function formatQuery(query: Query): string {
  const head: string[] = []
  if (query.source !== undefined) head.push(`from table ${formatSource(query.source.name)}`)
  if (query.filter !== undefined) head.push(formatFilter(query.filter))
  const stages = query.stages.map(stage => `| ${formatStage(stage)}`)
  return [...head, ...stages].join(' ')
}

function formatSource(name: string): string {
  return formatName(name)
}

export function formatFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'or':
      return filter.terms.map(formatFilter).join(' or ')
    case 'and':
      return filter.terms
        .map(term => (term.kind === 'or' ? `(${formatFilter(term)})` : formatFilter(term)))
        .join(' and ')
    case 'not': {
      const isJoined = filter.term.kind === 'and' || filter.term.kind === 'or'
      return isJoined ? `not (${formatFilter(filter.term)})` : `not ${formatFilter(filter.term)}`
    }
    default:
      return formatTest(filter)
  }
}

function formatTest(test: Test): string {
  switch (test.kind) {
    case 'compare':
      return `${formatField(test.field)} ${test.operator} ${formatValue(test.value)}`
    case 'in':
      return `${formatField(test.field)} ${test.negated ? 'not ' : ''}in ${formatList(test.values)}`
    case 'between': {
      const operator = test.negated ? 'not between' : 'between'
      return `${formatField(test.field)} ${operator} ${formatValue(test.low)} and ${formatValue(test.high)}`
    }
    case 'exists':
      return `exists(${formatField(test.field)})`
    case 'string-test': {
      const operand = formatValue(test.operand)
      if (test.operator === 'matches') return `${formatField(test.field)} ${test.negated ? '!~' : '=~'} ${operand}`
      return `${formatField(test.field)} ${test.negated ? 'not ' : ''}${test.operator} ${operand}`
    }
    case 'text': {
      const { text, ignoreCase } = test.operand
      return formatString(text, ignoreCase)
    }
  }
}

export function formatList(values: readonly Value[]): string {
  return `[${values.map(formatValue).join(', ')}]`
}

export function formatValue(value: Value): string {
  switch (value.kind) {
    case 'string':
      return formatString(value.text, value.ignoreCase)
    case 'number':
      return formatNumber(value.value)
    case 'size':
      return formatSize(value.bytes)
    case 'duration':
      return formatDuration(value.ms)
    case 'time':
      return formatTime(value.epochNs)
    case 'now':
      return value.agoMs === 0 ? 'now' : `now - ${formatDuration(value.agoMs)}`
    case 'boolean':
      return String(value.value)
    case 'null':
      return 'null'
  }
}

export function formatStage(stage: Stage): string {
  switch (stage.kind) {
    case 'stats': {
      const by = stage.keys.length === 0 ? '' : ` by ${stage.keys.map(formatKey).join(', ')}`
      return `stats ${stage.aggregates.map(formatAggregate).join(', ')}${by}`
    }
    case 'timechart':
      return formatTimechart(stage)
    case 'top':
      return `top ${stage.count} ${formatField(stage.field)}`
    case 'facets':
      return stage.count === undefined ? 'facets' : `facets ${stage.count}`
    case 'fields':
      return `fields ${stage.fields.map(formatField).join(', ')}`
    case 'sort':
      return `sort ${stage.keys.map(key => `${formatField(key.field)}${key.descending ? ' desc' : ''}`).join(', ')}`
    case 'limit':
      return `limit ${stage.count}`
    case 'sample':
      return `sample ${formatNumber(stage.percent)}%`
    case 'estimate':
      return 'estimate'
  }
}

function formatTimechart(stage: TimechartStage): string {
  const words = ['timechart']
  if (stage.spanMs !== undefined) words.push(formatDuration(stage.spanMs))
  words.push(formatAggregate(stage.aggregate))
  if (stage.by !== undefined) words.push(`by ${formatField(stage.by)}`)
  if (stage.over !== undefined) words.push(`over ${formatField(stage.over)}`)
  if (stage.limit !== undefined) words.push(`limit ${stage.limit}`)
  return words.join(' ')
}

export function formatAggregate(aggregate: Aggregate): string {
  let text = formatCall(aggregate)
  if (aggregate.condition !== undefined) text += ` if (${formatFilter(aggregate.condition)})`
  if (aggregate.alias !== undefined) text += ` as ${formatName(aggregate.alias)}`
  return text
}

export function formatCall(aggregate: { readonly function: string; readonly field: Field | undefined }): string {
  return `${aggregate.function}(${aggregate.field === undefined ? '' : formatField(aggregate.field)})`
}

export function formatKey(key: Key): string {
  return key.width === undefined ? formatField(key.field) : `${formatField(key.field)}:${formatValue(key.width)}`
}

/** The name that stands for a column wherever a field may stand. */
export function formatColumn(name: string): string {
  return quoteString(name)
}
