/**
 * The example examples/git-history, run as its README says, on a repository made of what histories hold and examples forget:
 * produced while Floe ingests, then read back by every reader and held against git and awk.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findDifferences, parseExpected } from '../../examples/git-history/compare.ts'
import { type ChangedFile, GitLogParser, readGitLog } from '../../examples/git-history/git-log.ts'
import { askReaders, readerNames } from '../../examples/git-history/readers.ts'
import { run, type Server, startServer, waitUntilReady } from '../peers/index.ts'
import { makeOddRepository } from './git-history-repo.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/git-history')
const floe = join(root, 'bin/floe.js')
const tables = ['git_history_json', 'git_history_avro', 'git_history_protobuf']

let folder: string
let repo: string
let expected: string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'floe-git-history-'))
  repo = join(folder, 'repo.git')
  await makeOddRepository(repo)
  expected = parseExpected((await run(join(example, 'expected.sh'), [repo])).stdout, 'expected.sh')
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function readAll(options: { commitCountMax?: number } = {}): Promise<ChangedFile[]> {
  const files: ChangedFile[] = []
  for await (const part of readGitLog({ repo, ...options })) files.push(...part.files)
  return files
}

test('names, paths and dates come out of git as they are, and as null where there is none', async () => {
  const files = await readAll()
  const of = (author: string) => files.filter(file => file.author === author)
  expect(
    of('Ada Lovelace')
      .slice(0, 17)
      .map(file => file.path),
  ).toEqual([
    '\u0001control\u007f',
    '"quoted".txt',
    '-dash',
    '1\t2\tthree',
    '@0123456789abcdef',
    'back\\slash.txt',
    'cafe\u0301',
    'caf\u00e9',
    // The name in Latin-1 looks the same once it is decoded; expected.sh counts one path too.
    'caf\u00e9',
    `${'deep/'.repeat(60)}leaf`,
    "it's ~^:?*[.txt",
    'line\nend',
    'plain.txt',
    'tab\tin path',
    'with space and => arrow.txt',
    'Ünïcode/ピカチュウ/файл.bin',
    // A change of the mode alone.
    'plain.txt',
  ])
  expect(of('Undated')).toEqual([
    {
      commitId: expect.stringMatching(/^[0-9a-f]{40}$/),
      author: 'Undated',
      authoredAt: null,
      authoredAtMs: null,
      path: 'undated.txt',
      linesAdded: 1,
      linesDeleted: 0,
    },
  ])
  expect(of('far away').map(({ authoredAt, path, linesAdded }) => [authoredAt, path, linesAdded])).toEqual([
    ['2100-01-01T13:59:59+14:00', 'bytes.bin', null],
    ['2100-01-01T13:59:59+14:00', 'many lines', 100_000],
  ])
  // Zones that do not exist are told in UTC: every text is a moment, the same one.
  const dated = files.filter(file => file.authoredAt !== null)
  expect(dated.map(file => Date.parse(file.authoredAt!))).toEqual(dated.map(file => file.authoredAtMs))
  expect(files.some(file => file.author === 'nothing changes here' || file.author === 'merger')).toBe(false)
})

test('the output of git is read the same however it is cut', async () => {
  const args = ['log', '-z', '--reverse', '--numstat', '--no-renames', '--format=@%H%x00%an%x00%at%x00%aI']
  const whole = Buffer.from((await run('git', ['-C', repo, ...args, '--max-count=20'])).stdout)
  const read = (size: number): ChangedFile[] => {
    const parser = new GitLogParser()
    const files: ChangedFile[] = []
    for (let start = 0; start < whole.length; start += size)
      files.push(...parser.parse(whole.subarray(start, start + size)))
    parser.end()
    expect(parser.commitCount).toBe(20)
    return files
  }
  const files = read(whole.length)
  expect(files.length).toBeGreaterThan(20)
  for (const size of [1, 2, 3, 7, 64, 1000]) expect(read(size)).toEqual(files)
  expect(() => new GitLogParser().parse(Buffer.from('1\t2 no tab\0'))).toThrow('git log: not a changed file')
})

test('a limit takes the newest commits, and a git that fails is an error', async () => {
  const files = await readAll()
  const newest = await readAll({ commitCountMax: 7 })
  expect(newest.length).toBeGreaterThan(0)
  expect(files.slice(-newest.length)).toEqual(newest)
  const reading = readGitLog({ repo, revision: 'no-such-branch' })
  await expect(reading.next()).rejects.toThrow(/git log ended with code 128: .*no-such-branch/)
})

test('a wrong, missing, surplus or repeated line is a difference', () => {
  const lines = ['total\t1', 'group\ta\t1', 'group\tb\t1']
  expect(findDifferences(lines, ['group\tb\t1', 'total\t1', 'group\ta\t1'])).toEqual([])
  expect(findDifferences(lines, ['total\t1', 'group\ta\t2', 'group\tb\t1'])).toEqual(['- group\ta\t1', '+ group\ta\t2'])
  expect(findDifferences(lines, lines.slice(1))).toEqual(['- total\t1'])
  expect(findDifferences(lines, [...lines, 'group\tb\t1'])).toEqual(['+ group\tb\t1'])
})

test('every reader finds in the three tables what git and awk find in the repository', async () => {
  const checked = await run(process.execPath, [floe, 'check', join(example, 'floe.yaml')])
  expect(checked.stdout).toContain(`ok, 3 tables: ${tables.join(', ')}`)
  const config = join(folder, 'floe.yaml')
  const places = `data_dir: ${folder}/data\nkafka: { port: 0 }\nhttp: { port: 0 }\nlog: { level: warn }\n`
  writeFileSync(config, places + readFileSync(join(example, 'floe.yaml'), 'utf8'))
  const server = startServer(process.execPath, [floe, 'serve', '--json', '-c', config])
  try {
    await waitUntilReady('Floe', server, () => findPlaces(server) !== undefined, 60_000)
    const { kafka, icebergCatalog } = findPlaces(server)!
    const args = ['--repo', repo, '--brokers', kafka, '--watch', icebergCatalog, '--json']
    const produced = await run(process.execPath, [join(example, 'produce.ts'), ...args])
    expect(produced.stderr).toBe('')
    const total = expected.find(line => line.startsWith('total\t'))!
    const rows = Number(total.split('\t')[3])
    expect(rows).toBeGreaterThan(500)
    expect(JSON.parse(produced.stdout)).toMatchObject({
      fileCount: rows,
      recordCount: rows * 3,
      tables: tables.map(table => ({ table, rows })),
    })

    const answers = new Map<string, string[]>()
    for await (const { reader, table, lines, error } of askReaders({
      catalog: icebergCatalog,
      tables,
      readers: readerNames,
    })) {
      answers.set(`${reader} ${table}`, error === undefined ? findDifferences(expected, lines) : [error])
    }
    const all = readerNames.flatMap(reader => tables.map(table => `${reader} ${table}`))
    expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(all.map(name => [name, []])))
  } finally {
    await server.stop()
  }
  for (const table of tables) {
    const verified = await run(process.execPath, [floe, 'verify', table, '-c', config])
    expect(verified.stdout).toContain('0 dead letters, 0 missing, 0 duplicated')
  }
})

interface Places {
  readonly kafka: string
  readonly icebergCatalog: string
}

function findPlaces(server: Server): Places | undefined {
  const line = server
    .output()
    .split('\n')
    .find(text => text.startsWith('{"kafka"'))
  return line === undefined ? undefined : (JSON.parse(line) as Places)
}
