/**
 * Asks other people's readers for the aggregates of expected.sh: each one finds the tables by itself, through the Iceberg
 * REST catalog or through the Delta log, and none of them shares code with Floe.
 */

import { join } from 'node:path'
import {
  type Finished,
  runPython,
  runSpark,
  sparkIcebergConf,
  startTrino,
  type TrinoValue,
} from '../../test/peers/index.ts'

export const pythonReaders = ['pyiceberg', 'delta-rs', 'duckdb-iceberg', 'duckdb-delta'] as const
export const sparkReaders = ['spark-iceberg', 'spark-delta'] as const
export const readerNames = [...pythonReaders, ...sparkReaders, 'trino'] as const
export type ReaderName = (typeof readerNames)[number]

/** What one reader answered for one table, in the lines of expected.sh, in no order. */
export interface Answer {
  readonly reader: string
  readonly table: string
  readonly lines: readonly string[]
  /** It could not read the table. */
  readonly error?: string
}

export interface AskOptions {
  /** The Iceberg REST catalog, for example http://127.0.0.1:8080/catalog/iceberg */
  readonly catalog: string
  readonly tables: readonly string[]
  readonly readers: readonly ReaderName[]
}

const scripts = join(import.meta.dirname, 'readers')

/** Answers as they come. errors  PeerMissing: a reader is not installed; Error: it could not be started */
export async function* askReaders(options: AskOptions): AsyncGenerator<Answer, void> {
  const { catalog, tables, readers } = options
  const locations = JSON.stringify(Object.fromEntries(await locateTables(catalog, tables)))
  const python = pythonReaders.filter(name => readers.includes(name))
  const spark = sparkReaders.filter(name => readers.includes(name))
  if (python.length > 0) {
    const script = join(scripts, 'python_readers.py')
    yield* readAnswers(await runPython(script, [catalog, locations, python.join(',')]))
  }
  if (spark.length > 0) {
    const conf = sparkIcebergConf('floe', catalog)
    yield* readAnswers(await runSpark(join(scripts, 'spark_readers.py'), [locations, spark.join(',')], { conf }))
  }
  if (readers.includes('trino')) yield* askTrino(catalog, tables)
}

function readAnswers({ stdout }: Finished): Answer[] {
  return stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Answer)
}

async function* askTrino(catalog: string, tables: readonly string[]): AsyncGenerator<Answer, void> {
  const sums = 'count(*), coalesce(sum(lines_added), 0), coalesce(sum(lines_deleted), 0), count(*) - count(lines_added)'
  const month = `coalesce(format_datetime(at_timezone(authored_at, 'UTC'), 'yyyy-MM'), '')`
  const trino = await startTrino({ icebergRestUri: catalog })
  try {
    for (const table of tables) {
      const source = `floe."default".${table}`
      let lines: string[] = []
      let failure: { error?: string } = {}
      try {
        const total = await trino.query(
          `SELECT ${sums}, count(DISTINCT path), count(DISTINCT commit_id) FROM ${source}`,
        )
        const groups = await trino.query(
          `SELECT author, ${month}, ${sums}, count(DISTINCT path) FROM ${source} GROUP BY 1, 2`,
        )
        lines = [
          ...total.rows.map(row => joinLine(['total', '-', '-', ...row])),
          ...groups.rows.map(([author, ...rest]) => joinLine(['group', escapeAuthor(String(author)), ...rest])),
        ]
      } catch (error) {
        failure = { error: String(error) }
      }
      yield { reader: 'trino', table, lines, ...failure }
    }
  } finally {
    await trino.stop()
  }
}

const joinLine = (fields: readonly TrinoValue[]): string => fields.map(String).join('\t')

const escapeAuthor = (author: string): string => author.replaceAll('\\', '\\\\').replaceAll('\t', '\\t')

/** Where each table lies; readers of Delta need no more than that. */
async function locateTables(catalog: string, tables: readonly string[]): Promise<Map<string, string>> {
  const locations = new Map<string, string>()
  for (const table of tables) {
    const url = `${catalog}/v1/namespaces/default/tables/${encodeURIComponent(table)}`
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`)
    const { metadata } = (await answer.json()) as { metadata: { location: string } }
    locations.set(table, metadata.location)
  }
  return locations
}
