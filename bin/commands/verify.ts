/** `floe verify TABLE...`: exit code 0 only when every table is proved. */
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { ToldFailure } from '../cli/failure.ts'
import { formatCount, formatTable, type Output } from '../cli/output.ts'
import { openPlace } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'

export async function runVerify(names: readonly string[], options: PlaceOptions, output: Output): Promise<void> {
  const place = await openPlace(options)
  let allProved = true
  const reports = []
  for (const name of names) {
    const report = await verifyTable(
      { ...place, onProgress: ({ files, filesTotal }) => output.progress(`${name}: file ${files} of ${filesTotal}`) },
      name,
    )
    output.progress('')
    reports.push(report)
    if (!report.proved) allProved = false
    if (output.isJson) continue
    const word = report.proved ? output.colors.green('proved') : output.colors.red('NOT PROVED')
    const counts = `${formatCount(report.rows)} rows, ${formatCount(report.deadLetters)} dead letters, ${formatCount(report.missing)} missing, ${formatCount(report.duplicated)} duplicated`
    output.line(`${name}: ${word}: ${counts} (${formatCount(report.files)} ${report.files === 1 ? 'file' : 'files'})`)
    const rows = report.partitions.map(each =>
      [
        each.partition,
        each.generation,
        each.start,
        each.end,
        each.rows,
        each.rejected,
        each.deadLetters,
        each.filtered,
        each.control,
        each.gap,
      ].map(String),
    )
    output.line(
      formatTable(
        ['partition', 'generation', 'start', 'end', 'rows', 'rejected', 'dead letters', 'filtered', 'control', 'gap'],
        rows,
        Array(10).fill('right'),
      ),
    )
    for (const problem of report.problems) output.line(output.colors.red(problem))
  }
  if (output.isJson) output.result({ proved: allProved, tables: reports }, () => '')
  if (!allProved) throw new ToldFailure()
}
