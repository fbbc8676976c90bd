/** The whole of a query over records, one at a time and one stage after the other. The oracle for the engine: slow, and plainly right. */
import type { Query } from '../../../query/language/ast.ts'
import { formatTime } from '../../../query/language/time.ts'
import { passes } from './evaluate-filter.ts'
import { type QueryScope, runStage } from './evaluate-stage.ts'
import { type Cell, isObject, type QueryRecord, Time } from './event.ts'
import { eventRow, type Row } from './rows.ts'

/** Rows in the order of the records, or in that of the stages. */
export function evaluateQuery(query: Query, records: readonly QueryRecord[], scope: QueryScope): readonly Row[] {
  const { filter } = query
  let rows: readonly Row[] = records.map(eventRow)
  if (filter !== undefined) rows = rows.filter(row => passes(row, filter, scope.nowMs))
  for (const stage of query.stages) rows = runStage(stage, rows, scope)
  return rows
}

/** A value as text: JSON, with times in ISO 8601 and every digit of whole numbers. */
export function showCell(cell: Cell): string {
  if (cell === null || typeof cell === 'boolean' || typeof cell === 'number' || typeof cell === 'bigint') {
    return String(cell)
  }
  if (typeof cell === 'string') return JSON.stringify(cell)
  if (cell instanceof Time) return formatTime(cell.epochNs)
  if (isObject(cell)) {
    return `{${Object.entries(cell).map(([name, part]) => `${JSON.stringify(name)}:${showCell(part)}`)}}`
  }
  return `[${cell.map(showCell)}]`
}
