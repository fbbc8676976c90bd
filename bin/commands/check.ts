/** `floe check FILE...`: every mistake with its place; nothing is contacted and no secret is needed. */
import { type ConfigResult, formatProblems, parseConfig } from '../../config/config.ts'
import { formatProblem } from '../../config/problems.ts'
import type { TableConfig } from '../../config/table-config.ts'
import { errorMessage } from '../../core/errors.ts'
import { planTable } from '../../ingest/plan-table.ts'
import { ToldFailure } from '../cli/failure.ts'
import { type Environment, findMissingSecrets, readConfigText } from '../cli/load-config.ts'
import type { Output } from '../cli/output.ts'

interface CheckedFile {
  readonly file: string
  readonly valid: boolean
  readonly problems: readonly string[]
  readonly tables: readonly string[]
  readonly clusters: readonly string[]
  /** Environment variables that are named and not set here. */
  readonly missingSecrets: readonly string[]
}

export function runCheck(files: readonly string[], output: Output, environment: Environment): void {
  const checked = files.map(file => checkFile(file, environment))
  const valid = checked.every(each => each.valid)
  if (output.isJson) output.result({ valid, files: checked }, () => '')
  else for (const each of checked) printFile(each, output)
  if (!valid) throw new ToldFailure()
}

function printFile({ file, valid, problems, tables, missingSecrets }: CheckedFile, output: Output): void {
  for (const problem of problems) output.note(problem)
  if (!valid) return
  const count = tables.length === 1 ? '1 table' : `${tables.length} tables`
  output.line(`${file}: ${output.colors.green('ok')}, ${count}${tables.length === 0 ? '' : `: ${tables.join(', ')}`}`)
  for (const secret of missingSecrets) output.note(`${file}: note: not set here, and needed to serve: ${secret}`)
}

function checkFile(file: string, environment: Environment): CheckedFile {
  let result: ConfigResult
  try {
    result = parseConfig(readConfigText(file), file)
  } catch (error) {
    return invalid(file, [errorMessage(error)])
  }
  if (result.outcome === 'invalid') {
    return invalid(
      file,
      result.droppedCount === 0 ? result.problems.map(formatProblem) : formatProblems(result).split('\n'),
    )
  }
  const { config } = result
  // Schemas in their own languages are read as ingestion would read them.
  const problems = config.tables.flatMap(table => planProblem(table) ?? [])
  if (problems.length > 0) return invalid(file, problems)
  return {
    file,
    valid: true,
    problems: [],
    tables: config.tables.map(table => table.name),
    clusters: config.clusters.map(cluster => cluster.name),
    missingSecrets: findMissingSecrets(config, environment),
  }
}

function planProblem(table: TableConfig): string | undefined {
  try {
    planTable(table)
    return undefined
  } catch (error) {
    const message = errorMessage(error)
    return message.startsWith(table.place) ? message : `${table.place}: table ${table.name}: ${message}`
  }
}

function invalid(file: string, problems: readonly string[]): CheckedFile {
  return { file, valid: false, problems, tables: [], clusters: [], missingSecrets: [] }
}
