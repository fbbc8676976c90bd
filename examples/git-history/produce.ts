/**
 * Streams the history of a git repository into Kafka topics, one record per changed file: `produce.ts --help`.
 *
 * Progress is shown on a terminal only. The last line on standard output tells the totals, with --json as one object.
 */

import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type FormatName, formatNames } from './formats.ts'
import { readGitLog } from './git-log.ts'
import { nameTopic, type ProduceTotals, produceHistory } from './producer.ts'
import { type Freshness, TableWatch } from './table-watch.ts'

interface Options {
  readonly repo: string
  readonly revision: string
  readonly brokers: string
  readonly topicPrefix: string
  readonly format: readonly FormatName[]
  readonly partitions: number
  readonly limit?: number
  readonly watch?: string
  readonly json?: boolean
}

const watchMinutesMax = 30

function readCount(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('must be a whole number from 1 on.')
  return count
}

function readFormats(text: string): FormatName[] {
  const names = new Set(text.split(','))
  const formats = formatNames.filter(format => names.has(format))
  if (formats.length !== names.size) throw new InvalidArgumentError(`must name some of ${formatNames.join(', ')}.`)
  return formats
}

const program = new Command('produce')
  .description('Streams the history of a git repository into Kafka topics, one record per changed file.')
  .requiredOption('--repo <dir>', 'work tree or bare repository')
  .option('--revision <name>', 'branch, tag or range', 'HEAD')
  .option('--brokers <list>', 'Kafka brokers, host:port with commas', '127.0.0.1:9092')
  .option('--topic-prefix <prefix>', 'topics are <prefix>-json, <prefix>-avro, <prefix>-protobuf', 'git-history')
  .addOption(
    new Option('--format <list>', 'formats with commas').argParser(readFormats).default([...formatNames], 'all three'),
  )
  .option('--partitions <count>', 'of topics that do not exist yet', readCount, 4)
  .option('--limit <commits>', 'the newest so many commits', readCount)
  .option(
    '--watch <catalog>',
    'an Iceberg REST catalog, such as http://127.0.0.1:8080/catalog/iceberg: wait until it shows every row in the tables' +
      ' <prefix>_<format> (- becomes _), and measure how long rows took to get there',
  )
  .option('--json', 'totals as one JSON object')

async function main(): Promise<void> {
  const options = program.parse().opts<Options>()
  const showProgress = process.stderr.isTTY === true
  const startMs = performance.now()
  const watch =
    options.watch === undefined
      ? undefined
      : await TableWatch.start(
          options.watch,
          options.format.map(format => nameTopic(options.topicPrefix, format).replaceAll('-', '_')),
        )
  const totals = await produceHistory(
    readGitLog({
      repo: options.repo,
      revision: options.revision,
      ...(options.limit === undefined ? {} : { commitCountMax: options.limit }),
    }),
    {
      brokers: options.brokers.split(','),
      topicPrefix: options.topicPrefix,
      formats: options.format,
      partitionCount: options.partitions,
      onProgress: progress => {
        watch?.acknowledged(progress.fileCount)
        if (showProgress) process.stderr.write(`\r${describe(progress)}\u001b[K`)
      },
    },
  )
  const seconds = (performance.now() - startMs) / 1000
  if (showProgress) process.stderr.write('\r\u001b[K')
  const freshness = await watch?.untilComplete(totals.fileCount, watchMinutesMax * 60_000)
  tell(totals, seconds, freshness, options)
}

function tell(
  totals: ProduceTotals,
  seconds: number,
  freshness: readonly Freshness[] | undefined,
  options: Options,
): void {
  if (options.json === true) {
    writeFileSync(1, `${JSON.stringify({ ...totals, seconds, ...(freshness && { tables: freshness }) })}\n`)
    return
  }
  const rate = Math.round(totals.recordCount / seconds)
  const lines = [`${describe(totals)}, in ${seconds.toFixed(1)} s (${rate} records/s)`]
  for (const table of freshness ?? []) {
    lines.push(
      `${table.table}: ${table.rows} rows; visible ${table.secondsP50.toFixed(1)} s after the acknowledgement (median), ` +
        `${table.secondsP99.toFixed(1)} s (99 of 100), the last one after ${table.secondsLast.toFixed(1)} s`,
    )
  }
  writeFileSync(1, `${lines.join('\n')}\n`)
}

function describe(totals: ProduceTotals): string {
  const { commitCount, fileCount, recordCount, valueBytes } = totals
  return `${commitCount} commits, ${fileCount} changed files, ${recordCount} records, ${(valueBytes / 1e6).toFixed(1)} MB`
}

// kafkajs 2.2.4 sets timers that are already due, which Node.js corrects and warns of.
const warn = process.listeners('warning')
process.removeAllListeners('warning')
process.on('warning', warning => {
  if (warning.name !== 'TimeoutNegativeWarning') for (const listener of warn) listener(warning)
})

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
