/** The command line: what each command takes. What it does stands in commands/, loaded only when it runs. */

import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { formatFailure, ToldFailure } from './cli/failure.ts'
import { ConfigFailure } from './cli/load-config.ts'
import { createOutput, type Output } from './cli/output.ts'
import type { CatalogMoveOptions } from './commands/catalog-move.ts'
import type { DemoOptions } from './commands/demo.ts'
import type { ServeOptions } from './commands/serve.ts'

interface CommonOptions {
  readonly json?: boolean
  readonly debug?: boolean
}

/** Where a command that asks questions finds the catalog and the store. */
export interface PlaceOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly url?: string
}

export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`floe tables | head -1`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  endWithParent()
  await createProgram().parseAsync([...argv])
}

/** Started by an older Node.js (floe.js), this process must not outlive the one that was asked for, however that ends. */
function endWithParent(): void {
  if (process.channel === undefined) return
  process.channel.unref()
  process.once('disconnect', () => process.exit(1))
}

function createProgram(): Command {
  const program = new Command('floe')
    .description('Kafka goes in, Iceberg and Delta tables come out, and every step can be asked what it did.')
    .version(readVersion())
    .showHelpAfterError('(floe --help shows the commands)')
    .showSuggestionAfterError()

  addCommand(program, 'demo', 'run everything embedded, with sample producers and tables')
    .option('--once', 'produce records, publish and verify them, print the totals, exit')
    .option('--records <count>', 'how many with --once', parseRecordCount, 100_000)
    .option('--data-dir <dir>', 'where everything is kept', './floe-data')
    .option('--kafka-port <port>', 'port of the Kafka listener; 0 takes a free one', parsePort)
    .option('--http-port <port>', 'port of the HTTP listener; 0 takes a free one', parsePort)
    .action(
      run(async (output, options: DemoOptions) => {
        const { runDemo } = await import('./commands/demo.ts')
        await runDemo(options, output)
      }),
    )

  addCommand(program, 'serve', 'run the broker, ingestion and the HTTP port until stopped')
    .option('-c, --config <file>', 'configuration; without it a broker without tables')
    .option('--data-dir <dir>', 'overrides data_dir')
    .option(
      '--roles <roles>',
      'what this process does: catalog, broker, ingest, maintain, query; all of it when left out',
    )
    .option('--processes <count>', 'so many processes under this one, each with ports of its own')
    .addOption(new Option('--process-index <index>', 'which of them this is').hideHelp())
    .action(
      run(async (output, options: ServeOptions & { processes?: string }) => {
        const { processes } = options
        if (processes === undefined) {
          const { runServe } = await import('./commands/serve.ts')
          await runServe(options, output)
        } else {
          const { runServeProcesses } = await import('./commands/serve-processes.ts')
          await runServeProcesses({ ...options, processes }, output)
        }
      }),
    )

  addCommand(program, 'check', 'find every mistake in configuration files')
    .argument('<file...>', 'configuration files')
    .action(
      run(async (output, _options, files: string[]) => {
        const { runCheck } = await import('./commands/check.ts')
        runCheck(files, output, process.env)
      }),
    )

  addPlace(addCommand(program, 'topics', 'list the topics of the included broker')).action(
    run(async (output, place: PlaceOptions) => {
      const { runTopics } = await import('./commands/topics.ts')
      await runTopics(place, output)
    }),
  )

  addPlace(addCommand(program, 'tables', 'list the tables')).action(
    run(async (output, place: PlaceOptions) => {
      const { runTables } = await import('./commands/tables.ts')
      await runTables(place, output)
    }),
  )

  addPlace(addCommand(program, 'table', 'show one table: columns, account of its topic, published versions'))
    .argument('<name>', 'table name')
    .action(
      run(async (output, place: PlaceOptions, name: string) => {
        const { runTable } = await import('./commands/tables.ts')
        await runTable(name, place, output)
      }),
    )

  addStorePlace(addCommand(program, 'verify', 'prove that every committed offset is in the table once'))
    .argument('<name...>', 'table names')
    .action(
      run(async (output, place: PlaceOptions, names: string[]) => {
        const { runVerify } = await import('./commands/verify.ts')
        await runVerify(names, place, output)
      }),
    )

  const catalog = program.command('catalog').description('the catalog as it lies in the store')
  addStorePlace(addCommand(catalog, 'inspect', 'show what the catalog holds, who leads it and who serves')).action(
    run(async (output, place: PlaceOptions) => {
      const { runCatalogInspect } = await import('./commands/catalog.ts')
      await runCatalogInspect(place, output)
    }),
  )
  addStorePlace(addCommand(catalog, 'check', 'prove that journal and snapshots are whole and agree')).action(
    run(async (output, place: PlaceOptions) => {
      const { runCatalogCheck } = await import('./commands/catalog.ts')
      await runCatalogCheck(place, output)
    }),
  )
  addStorePlace(
    addCommand(catalog, 'export', 'print all that the catalog says about data, one line of JSON each'),
  ).action(
    run(async (output, place: PlaceOptions) => {
      const { runCatalogExport } = await import('./commands/catalog.ts')
      await runCatalogExport(place, output)
    }),
  )

  addStorePlace(
    addCommand(catalog, 'move', 'move the journal from the store into a database, or back; nobody may serve it'),
  )
    .requiredOption('--to <journal>', 'where to: store, or a URL as in catalog.journal_url')
    .option('--from <journal>', 'where it is; without it, where the configuration says')
    .option('--password-env <name>', 'environment variable with the password; overrides catalog.journal_password_env')
    .option('--fence', 'take the lead away from processes that are still registered')
    .action(
      run(async (output, options: CatalogMoveOptions) => {
        const { runCatalogMove } = await import('./commands/catalog-move.ts')
        await runCatalogMove(options, output)
      }),
    )

  const dlq = program.command('dlq').description('records that did not fit their table')
  addPlace(addCommand(dlq, 'list', 'count the dead letters of each table')).action(
    run(async (output, place: PlaceOptions) => {
      const { runDlqList } = await import('./commands/dlq.ts')
      await runDlqList(place, output)
    }),
  )
  addStorePlace(addCommand(dlq, 'show', 'show the dead letters of a table, newest first'))
    .argument('<name>', 'table name')
    .option('-n, --limit <count>', 'how many at most', parseCount, 20)
    .action(
      run(async (output, options: PlaceOptions & { limit: number }, name: string) => {
        const { runDlqShow } = await import('./commands/dlq.ts')
        await runDlqShow(name, options.limit, options, output)
      }),
    )

  addStorePlace(addCommand(program, 'sql', 'ask the published tables a question in SQL (DuckDB)'))
    .argument('<query>', 'for example: select count(*) from floe__orders')
    .action(
      run(async (output, place: PlaceOptions, query: string) => {
        const { runSql } = await import('./commands/sql.ts')
        await runSql(query, place, output)
      }),
    )
  return program
}

function addCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--json', 'print JSON')
    .option('--debug', 'show where an error came from')
}

/** For commands that also read data files. */
function addStorePlace(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration that says where the store is')
    .option('--data-dir <dir>', 'overrides data_dir (which is ./floe-data when nothing names it)')
}

function addPlace(command: Command): Command {
  return addStorePlace(command).addOption(
    new Option('--url <url>', 'ask a running server instead, for example http://127.0.0.1:8080 (token in FLOE_TOKEN)'),
  )
}

/** Commander calls actions with (arguments..., options, command). */
function run<O extends object, A extends readonly unknown[]>(
  action: (output: Output, options: O, ...args: A) => Promise<void>,
): (...args: unknown[]) => Promise<void> {
  return async (...received) => {
    const options = received.at(-2) as O & CommonOptions
    try {
      await action(createOutput(options.json === true), options, ...(received.slice(0, -2) as unknown as A))
    } catch (error) {
      process.exitCode = 1
      if (error instanceof ToldFailure) return
      const text = error instanceof ConfigFailure ? error.message : formatFailure(error, options.debug === true)
      process.stderr.write(`${text}\n`)
    }
  }
}

function parsePort(text: string): number {
  return parseWhole(text, 0, 65_535)
}

function parseRecordCount(text: string): number {
  return parseWhole(text, 1, 100_000_000)
}

function parseCount(text: string): number {
  return parseWhole(text, 1, 10_000)
}

function parseWhole(text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value
  throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`)
}
