/** `floe sql 'select ...'`: DuckDB in this process over the published tables; nothing is written. */
import { suggestNearest } from '../../config/problems.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import { formatCount, formatTable, type Output } from '../cli/output.ts'
import { openPlace, type Place } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'
import { type QueryResult, SqlEngine } from '../sql/duckdb.ts'
import { LocalFiles } from '../sql/local-files.ts'
import { createTableViews } from '../sql/table-views.ts'

/** Rows printed for people; `--json` prints all. */
const rowsShownMax = 200
const cellLengthMax = 80

export async function runSql(query: string, options: PlaceOptions, output: Output): Promise<void> {
  const place = await openPlace(options)
  const files = new LocalFiles(place.store)
  const engine = await SqlEngine.open()
  try {
    await createTableViews(engine, place, files, query, output.progress)
    output.progress('')
    const { columns, rows } = await runQuery(engine, query, place)
    const names = columns.map(column => column.name)
    if (output.isJson) {
      const objects = rows.map(row => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
      output.result({ columns, rows: objects }, () => '')
      return
    }
    const aligns = columns.map(({ type }) =>
      /^(U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|DECIMAL|FLOAT|DOUBLE)/.test(type) ? 'right' : 'left',
    )
    output.line(
      formatTable(
        names,
        rows.slice(0, rowsShownMax).map(row => row.map(formatCell)),
        aligns,
      ),
    )
    const more = rows.length > rowsShownMax ? `, ${rowsShownMax} shown (--json prints all)` : ''
    output.note(`${formatCount(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}${more}`)
  } finally {
    engine.close()
    await files.close()
  }
}

async function runQuery(engine: SqlEngine, query: string, { catalog }: Place): Promise<QueryResult> {
  try {
    return await engine.query(query)
  } catch (error) {
    const missing = /Table with name (\S+) does not exist/.exec(errorMessage(error))?.[1]
    if (missing === undefined) throw error
    const known = (await catalog.tables()).map(table => table.definition.name)
    const hint = suggestNearest(missing, known) || `; tables: ${known.join(', ') || 'none'}`
    throw new FloeError('invalid', 'unknown-table', `there is no table ${missing}${hint}`, {}, error)
  }
}

export function formatCell(value: unknown): string {
  const text =
    value === null || value === undefined ? 'null' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  const line = text.replaceAll(/\p{Cc}/gu, ' ')
  return line.length > cellLengthMax ? `${line.slice(0, cellLengthMax - 1)}…` : line
}
