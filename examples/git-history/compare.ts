/**
 * Compares what each reader says of the tables with what expected.sh says of the repository: `compare.ts --help`.
 * Ends with code 1 if anything differs or a reader could not answer.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { formatNames } from './formats.ts'
import { type Answer, askReaders, type ReaderName, readerNames } from './readers.ts'

const shownDifferencesMax = 5

/** What differs between an answer and the expected lines: `-` expected only, `+` answered only. Empty when equal. */
export function findDifferences(expected: readonly string[], answered: readonly string[]): string[] {
  const surplus = new Map<string, number>()
  for (const line of answered) surplus.set(line, (surplus.get(line) ?? 0) + 1)
  for (const line of expected) surplus.set(line, (surplus.get(line) ?? 0) - 1)
  return [...surplus]
    .filter(([, count]) => count !== 0)
    .map(([line, count]) => `${count < 0 ? '-' : '+'} ${line}`)
    .sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))
}

export function parseExpected(text: string, name: string): string[] {
  const lines = text.split('\n')
  if (lines.pop() !== '' || !lines.some(line => line.startsWith('total\t'))) {
    throw new Error(`${name} is not the output of expected.sh`)
  }
  return lines
}

interface Options {
  readonly expected: string
  readonly catalog: string
  readonly tablePrefix: string
  readonly readers: readonly ReaderName[]
}

function readReaders(text: string): ReaderName[] {
  const names = new Set(text.split(','))
  const readers = readerNames.filter(name => names.has(name))
  if (readers.length !== names.size) throw new InvalidArgumentError(`must name some of ${readerNames.join(', ')}.`)
  return readers
}

const program = new Command('compare')
  .description('Compares the aggregates that each reader finds in the tables with those of expected.sh.')
  .requiredOption('--expected <file>', 'output of expected.sh')
  .option('--catalog <url>', 'Iceberg REST catalog', 'http://127.0.0.1:8080/catalog/iceberg')
  .option('--table-prefix <prefix>', 'tables are <prefix>_json, <prefix>_avro, <prefix>_protobuf', 'git_history')
  .addOption(
    new Option('--readers <list>', `some of ${readerNames.join(', ')}`)
      .argParser(readReaders)
      .default([...readerNames], 'all'),
  )

async function main(): Promise<void> {
  const options = program.parse().opts<Options>()
  const expected = parseExpected(readFileSync(options.expected, 'utf8'), options.expected)
  const total = expected.find(line => line.startsWith('total\t'))
  const [, , , rows, added, deleted, binary, paths, commits] = total?.split('\t') ?? []
  tell(
    `expected: ${rows} rows, ${added} lines added, ${deleted} deleted, ${binary} binary files, ${paths} paths, ` +
      `${commits} commits, ${expected.length - 1} groups by author and month\n`,
  )
  const tables = formatNames.map(format => `${options.tablePrefix}_${format}`)
  let answerCount = 0
  for await (const answer of askReaders({ catalog: options.catalog, tables, readers: options.readers })) {
    answerCount++
    if (!tellAnswer(expected, answer)) process.exitCode = 1
  }
  const missingCount = options.readers.length * tables.length - answerCount
  if (missingCount > 0) throw new Error(`${missingCount} answers are missing`)
}

function tellAnswer(expected: readonly string[], answer: Answer): boolean {
  const start = `${answer.reader.padEnd(14)}  ${answer.table.padEnd(24)}  `
  if (answer.error !== undefined) {
    tell(`${start}FAILED  ${answer.error}\n`)
    return false
  }
  const differences = findDifferences(expected, answer.lines)
  if (differences.length === 0) {
    tell(`${start}equal (${answer.lines.length} lines)\n`)
    return true
  }
  const shown = differences.slice(0, shownDifferencesMax).map(line => `    ${line}\n`)
  tell(`${start}DIFFERENT in ${differences.length} lines, - expected, + answered\n${shown.join('')}`)
  return false
}

function tell(text: string): void {
  writeFileSync(1, text)
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
