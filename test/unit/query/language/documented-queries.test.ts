/** docs/query-language.md holds what it says: every example gives the result that stands behind it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Filter, Query } from '../../../../query/language/ast.ts'
import { formatDiagnostic } from '../../../../query/language/diagnostic.ts'
import { formatQuery } from '../../../../query/language/format.ts'
import { queryFromJson } from '../../../../query/language/json/from-json.ts'
import { queryToJson } from '../../../../query/language/json/to-json.ts'
import { queryLimits } from '../../../../query/language/limits.ts'
import { parseQuery } from '../../../../query/language/parse.ts'
import { withoutSpans } from '../../../../query/language/without-spans.ts'
import { functionNames, metadataNames, reservedWords, stageNames } from '../../../../query/language/words.ts'
import { blocksOf, examplesOf, recordsOf, showResult, tableOf } from '../../../support/query/documented-queries.ts'

const page = readFileSync(new URL('../../../../docs/query-language.md', import.meta.url), 'utf8')
const records = recordsOf(page)
const examples = examplesOf(page)

function readOwn(text: string): Query {
  const { query, errors, rewrites } = parseQuery(text)
  expect(errors, text).toEqual([])
  expect(rewrites, text).toEqual([])
  return query!
}

test.each(examples.filter(({ result }) => result !== ''))('$query', ({ query, result }) => {
  expect(showResult(readOwn(query), records)).toBe(result)
})

test('examples without a result are those that need the planner, a table or the clock', () => {
  const bare = examples.filter(({ result }) => result === '').map(({ query }) => formatQuery(readOwn(query)))
  expect(bare).toEqual([
    'time > now - 10m | estimate',
    'from table orders amount > 100 | top 5 customer',
    'data.level in ["error", "warn"] and time > now - 1h | stats count() by data.path | limit 5',
  ])
})

test('every operator, function, stage and metadata field has an example', () => {
  const shown = new Set<string>()
  for (const { query } of examples) {
    const { filter, stages } = readOwn(query)
    if (filter !== undefined) collectOperators(filter, shown)
    for (const stage of stages) {
      shown.add(stage.kind)
      const aggregates = stage.kind === 'stats' ? stage.aggregates : stage.kind === 'timechart' ? [stage.aggregate] : []
      for (const { function: name, condition, alias } of aggregates) {
        shown.add(name)
        if (condition !== undefined) shown.add('if')
        if (alias !== undefined) shown.add('as')
      }
    }
    for (const name of metadataNames) if (query.includes(`@${name}`)) shown.add(`@${name}`)
  }
  const operators = ['==', '!=', '<', '<=', '>', '>=', '=~', '!~', 'in', 'not in', 'between', 'not between', 'exists']
  const strings = ['contains', 'not contains', 'startsWith', 'endsWith', 'not endsWith', 'like', 'not like', 'text']
  const all = [...operators, ...strings, 'and', 'or', 'not', 'if', 'as', ...stageNames, ...functionNames]
  expect(all.filter(name => !shown.has(name))).toEqual([])
  expect(metadataNames.filter(name => !shown.has(`@${name}`))).toEqual([])
})

function collectOperators(filter: Filter, shown: Set<string>): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      shown.add(filter.kind)
      for (const term of filter.terms) collectOperators(term, shown)
      return
    case 'not':
      shown.add('not')
      collectOperators(filter.term, shown)
      return
    case 'compare':
      shown.add(filter.operator)
      return
    case 'string-test':
      if (filter.operator === 'matches') shown.add(filter.negated ? '!~' : '=~')
      else shown.add(filter.negated ? `not ${filter.operator}` : filter.operator)
      return
    case 'in':
    case 'between':
      shown.add(filter.negated ? `not ${filter.kind}` : filter.kind)
      return
    default:
      shown.add(filter.kind)
  }
}

test('what is written in other ways means what the page says', () => {
  const rows = tableOf(page, '| written | means |')
  expect(rows.length).toBeGreaterThan(8)
  for (const [written, means] of rows) {
    const result = parseQuery(written!)
    expect(result.rewrites.length, written).toBeGreaterThan(0)
    expect(withoutSpans(result.query), written).toEqual(withoutSpans(readOwn(means!)))
  }
})

test('mistakes look as the page shows them', () => {
  const shown = blocksOf(page, 'mistake')
  expect(shown).toHaveLength(3)
  for (const block of shown) {
    const text = block.split('\n')[0]!
    expect(parseQuery(text).errors.map(error => formatDiagnostic(text, error))).toEqual([block])
  }
})

test('the JSON form is as the page shows it', () => {
  const [json] = blocksOf(page, 'json')
  const query = readOwn(examples.at(-1)!.query)
  expect(queryToJson(query)).toEqual(JSON.parse(json!))
  expect(queryFromJson(JSON.parse(json!)).query).toEqual(withoutSpans(query))
  const rows = tableOf(page, '| value | JSON |')
  expect(rows.length).toBeGreaterThan(8)
  for (const [value, valueJson] of rows) {
    const filter = { field: 'a', op: '==', value: JSON.parse(valueJson!) as never }
    expect(queryToJson(readOwn(`a == ${value}`)), value).toEqual({ version: 1, filter })
  }
})

test('reserved words and limits are those of the page', () => {
  for (const word of reservedWords) expect(page).toContain(`\`${word}\``)
  const { textLengthMax, testCountMax, nestingDepthMax, valueCountMax, stageCountMax, patternLengthMax } = queryLimits
  for (const phrase of [
    `${textLengthMax.toLocaleString('en-US')} characters`,
    `${testCountMax.toLocaleString('en-US')} tests`,
    `${nestingDepthMax} parentheses`,
    `${valueCountMax.toLocaleString('en-US')} values`,
    `${stageCountMax} stages`,
    `${patternLengthMax.toLocaleString('en-US')} characters`,
  ]) {
    expect(page.replaceAll('\n', ' ')).toContain(phrase)
  }
})
