/** What the rows are that a stage leaves: events, or columns with names. */
import type { Aggregate, Field, Query, Stage } from './ast.ts'
import { formatCall } from './format.ts'
import { formatField } from './names.ts'

/** Names of the columns in order; undefined for events, whose fields are not known. */
export type Columns = readonly string[] | undefined

/** `count()` makes the column `count`, `sum(data.size)` the column `sum(data.size)`, unless `as` says another. */
export function columnName(aggregate: Aggregate): string {
  if (aggregate.alias !== undefined) return aggregate.alias
  return aggregate.field === undefined ? aggregate.function : formatCall(aggregate)
}

/** The name of the column of a time chart's buckets. */
export const bucketColumn = 'bucket'

export function columnsAfter(stage: Stage, before: Columns): Columns {
  switch (stage.kind) {
    case 'stats':
      return [...stage.keys.map(key => formatField(key.field)), ...stage.aggregates.map(columnName)]
    case 'timechart': {
      const by = stage.by === undefined ? [] : [formatField(stage.by)]
      return [bucketColumn, ...by, columnName(stage.aggregate)]
    }
    case 'top':
      return [formatField(stage.field), 'count']
    case 'facets':
      return ['field', 'value', 'count']
    case 'fields':
      return stage.fields.map(field => findColumn(field, before) ?? formatField(field))
    case 'estimate':
      return ['partitions', 'offsets', 'bytes']
    case 'sort':
    case 'limit':
    case 'sample':
      return before
  }
}

/** The columns of the result; undefined when it is events. */
export function resultColumns(query: Query): Columns {
  let columns: Columns
  for (const stage of query.stages) columns = columnsAfter(stage, columns)
  return columns
}

/**
 * The column that a field names: spelled as the field was, or a name in quotes. `data.level` finds the key `data.level`, and
 * "sum(data.size)" the column of that aggregate.
 */
export function findColumn(field: Field, columns: Columns): string | undefined {
  if (columns === undefined) return undefined
  const written = formatField(field)
  if (columns.includes(written)) return written
  const step = field.kind === 'path' && field.steps.length === 1 ? field.steps[0] : undefined
  if (step?.kind === 'name' && columns.includes(step.name)) return step.name
  return undefined
}
