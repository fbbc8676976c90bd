/**
 * Asks other people's readers for the aggregates of expected.sh: each one finds the tables by itself, through the Iceberg
 * REST catalog or through the Delta log, and none of them shares code with Floe.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** How much a program that fails is quoted. */
const stderrCharsMax = 8 * 1024

const pythonReaders = ['pyiceberg', 'delta-rs', 'duckdb-iceberg', 'duckdb-delta'] as const
const sparkReaders = ['spark-iceberg', 'spark-delta'] as const
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

/** They run the readers that scripts/peers/install.sh has installed. */
const launchers = join(import.meta.dirname, '../../scripts/peers')
const scripts = join(import.meta.dirname, 'readers')

/** Answers as they come. A reader that is not installed or could not be started is an Error. */
export async function* askReaders(options: AskOptions): AsyncGenerator<Answer, void> {
  const { catalog, tables, readers } = options
  const locations = JSON.stringify(Object.fromEntries(await locateTables(catalog, tables)))
  const python = pythonReaders.filter(name => readers.includes(name))
  const spark = sparkReaders.filter(name => readers.includes(name))
  if (python.length > 0) {
    yield* runReaders('python.sh', [join(scripts, 'python_readers.py'), catalog, locations, python.join(',')])
  }
  if (spark.length > 0) {
    const script = join(scripts, 'spark_readers.py')
    yield* runReaders('spark.sh', [...sparkConf(catalog), script, locations, spark.join(',')])
  }
  if (readers.includes('trino')) {
    yield* runReaders('python.sh', [join(scripts, 'trino_reader.py'), catalog, JSON.stringify(tables)])
  }
}

/** The catalog `floe` for Spark. */
function sparkConf(catalog: string): string[] {
  const prefix = 'spark.sql.catalog.floe'
  return [`${prefix}=org.apache.iceberg.spark.SparkCatalog`, `${prefix}.type=rest`, `${prefix}.uri=${catalog}`].flatMap(
    property => ['--conf', property],
  )
}

/** Each script prints one line of JSON for each answer; what else there is on its output is not for us. */
async function* runReaders(launcher: string, args: readonly string[]): AsyncGenerator<Answer, void> {
  const child = spawn(join(launchers, launcher), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrCharsMax)
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  // Awaited below; who stops asking early must not leave it unhandled.
  closed.catch(() => {})
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('{')) yield JSON.parse(line) as Answer
    }
    const [code, signal] = await closed
    if (code !== 0) throw new Error(`${launcher} ended with ${signal ?? `code ${code}`}: ${stderr.trim()}`)
  } finally {
    child.kill()
  }
}

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
