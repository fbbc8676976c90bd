/**
 * A git repository of a few hundred commits with what real histories hold and examples forget: names and paths in every
 * script and in none (bytes that are not UTF-8), quotes, tabs and line ends in paths, binary and empty files, mode changes,
 * links, merges, commits without files, zones that do not exist and a commit without a date.
 *
 * Everything but the first part is drawn from a fixed sequence, so that each run makes the same commits.
 */

import { mkdirSync } from 'node:fs'
import { run } from '../peers/index.ts'

const drawnCommitCount = 300
const drawnPathCount = 60
const startSeconds = 1_577_836_800 // 2020-01-01T00:00:00Z

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8')

const authors: readonly Buffer[] = [
  utf8('Ada Lovelace'),
  utf8('ada lovelace'),
  utf8('Zoë Ångström'),
  // The same to the eye: a letter and a combining mark.
  utf8('Zoe\u0308 A\u030angstro\u0308m'),
  utf8('Лев Николаевич Толстой'),
  utf8('山田 太郎'),
  utf8('محمد بن موسى'),
  utf8('🦀 crab 👩‍🚀'),
  utf8(`Conan "the \\ back" O'Brien, Jr`),
  utf8('tab\there and {json: [1]}'),
  utf8('\ufeffstarts with a byte order mark'),
  utf8('null'),
  utf8(''),
  utf8('ends with a wide space\u3000'),
  utf8(`long ${'名'.repeat(400)}`),
  latin1('André Müller'),
  Buffer.from([0x78, 0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf5, 0xff]),
]

const oddPaths: readonly Buffer[] = [
  utf8('plain.txt'),
  utf8('with space and => arrow.txt'),
  utf8('"quoted".txt'),
  utf8('back\\slash.txt'),
  utf8('tab\tin path'),
  utf8('line\nend'),
  utf8('\u0001control\u007f'),
  utf8('-dash'),
  utf8('@0123456789abcdef'),
  utf8('1\t2\tthree'),
  utf8('Ünïcode/ピカチュウ/файл.bin'),
  utf8('caf\u00e9'),
  latin1('café'),
  utf8('cafe\u0301'),
  utf8(`${'deep/'.repeat(60)}leaf`),
  utf8("it's ~^:?*[.txt"),
]

const zones = ['+0000', '-0500', '+0530', '+1400', '-1200', '+0545', '+5180', '-7530'] as const

/** Makes the repository in `directory` (bare). */
export async function makeOddRepository(directory: string): Promise<void> {
  mkdirSync(directory)
  const git: RunGit = async (args, input) => {
    const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_INDEX_FILE: `${directory}/index` }
    return (await run('git', ['-C', directory, ...args], { ...(input && { input }), env })).stdout.trim()
  }
  await git(['init', '--quiet', '--bare', '--initial-branch=main'])
  await git(['fast-import', '--quiet', '--date-format=raw-permissive'], writeStream())
  await addCommitWithoutDate(git)
}

type RunGit = (args: readonly string[], input?: Uint8Array) => Promise<string>

/** fast-import refuses such a commit; old tools made them. */
async function addCommitWithoutDate(git: RunGit): Promise<void> {
  const parent = await git(['rev-parse', 'main'])
  const blob = await git(['hash-object', '-w', '--stdin'], utf8('no date\n'))
  await git(['read-tree', 'main'])
  await git(['update-index', '--add', '--cacheinfo', `100644,${blob},undated.txt`])
  const tree = await git(['write-tree'])
  const author = 'author Undated <u@example.org>\ncommitter C <c@example.org> 1900000000 +0000'
  const text = utf8(`tree ${tree}\nparent ${parent}\n${author}\n\nold\n`)
  const commit = await git(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], text)
  await git(['update-ref', 'refs/heads/main', commit])
}

function writeStream(): Buffer {
  const out: Buffer[] = []
  const print = (...parts: (string | Buffer)[]): void => {
    for (const part of parts) out.push(typeof part === 'string' ? utf8(part) : part)
    out.push(utf8('\n'))
  }
  let mark = 0
  let seconds = startSeconds

  interface CommitOptions {
    readonly author: Buffer
    readonly encoding?: string
    readonly zone?: string
    readonly atSeconds?: number
    readonly branch?: string
    readonly from?: number
    readonly merge?: number
  }
  const commit = (options: CommitOptions): number => {
    mark++
    const { author, zone = '+0000', atSeconds = seconds, branch = 'main' } = options
    print(`commit refs/heads/${branch}`)
    print(`mark :${mark}`)
    print('author ', author, ` <a@example.org> ${atSeconds} ${zone}`)
    print(`committer C <c@example.org> ${seconds} +0000`)
    if (options.encoding !== undefined) print(`encoding ${options.encoding}`)
    print('data 2\nm\n')
    if (options.from !== undefined) print(`from :${options.from}`)
    if (options.merge !== undefined) print(`merge :${options.merge}`)
    return mark
  }
  const write = (path: Buffer, content: Buffer, mode = '100644'): void => {
    print(`M ${mode} inline `, quotePath(path))
    print(`data ${content.length}`)
    print(content)
  }

  // The newest minute of a month in one zone is the next month in another.
  const ada = authors[0]!
  commit({ author: ada, zone: '-0500', atSeconds: startSeconds - 1800 })
  for (const path of oddPaths) write(path, utf8('one\ntwo\n'))
  commit({ author: latin1('André Müller'), encoding: 'ISO-8859-1' })
  write(utf8('noted-encoding.txt'), utf8('x'))
  commit({ author: utf8('at the beginning of time'), atSeconds: 0 })
  write(utf8('empty'), utf8(''))
  commit({ author: utf8('far away'), atSeconds: 4_102_444_799, zone: '+1400' })
  write(utf8('bytes.bin'), Buffer.from([0, 1, 2, 0xff, 0x0a, 0]))
  write(utf8('many lines'), utf8('line\n'.repeat(100_000)))
  commit({ author: ada })
  write(utf8('plain.txt'), utf8('one\ntwo\n'), '100755')
  commit({ author: ada })
  write(utf8('link'), utf8('plain.txt'), '120000')
  print(`M 160000 ${'1234567890'.repeat(4)} submodule`)
  const base = commit({ author: utf8('nothing changes here') })
  const side = commit({ author: utf8('on a side'), branch: 'side', from: base })
  write(utf8('side.txt'), utf8('s\n'))
  commit({ author: utf8('merger'), from: base, merge: side })

  const draw = makeDraws(20_200_101)
  const versions = new Map<number, number>()
  for (let index = 0; index < drawnCommitCount; index++) {
    seconds += 1 + draw(500_000)
    commit({ author: authors[draw(authors.length)]!, zone: zones[draw(zones.length)]! })
    for (let change = draw(6); change > 0; change--) {
      const which = draw(drawnPathCount)
      const path = which < oddPaths.length ? oddPaths[which]! : utf8(`src/módulo ${which}.txt`)
      const version = (versions.get(which) ?? 0) + 1
      versions.set(which, version)
      if (version % 7 === 0) print('D ', quotePath(path))
      else if (version % 5 === 0) write(path, Buffer.from([version, 0, which, draw(256)]))
      else write(path, utf8(drawLines(draw)))
    }
  }
  print('done')
  return Buffer.concat(out)
}

function drawLines(draw: (below: number) => number): string {
  let text = ''
  for (let line = draw(40); line > 0; line--) text += `line ${draw(25)}\n`
  return text
}

/** As fast-import wants paths that begin with a quote or hold a line end: C style. */
function quotePath(path: Buffer): Buffer {
  const escaped: Buffer[] = [utf8('"')]
  for (const byte of path) {
    if (byte === 0x22 || byte === 0x5c) escaped.push(utf8('\\'), Buffer.from([byte]))
    else if (byte < 0x20 || byte >= 0x7f) escaped.push(utf8(`\\${byte.toString(8).padStart(3, '0')}`))
    else escaped.push(Buffer.from([byte]))
  }
  return Buffer.concat([...escaped, utf8('"')])
}

/** A small linear congruential generator: the same numbers everywhere, below the bound. */
function makeDraws(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
