/**
 * The changed files of a git repository's history, oldest commit first, as git counts their lines.
 *
 * git is asked for NUL-separated output, so that no path needs quoting. Per commit it prints
 *
 *   @<hash> NUL <author> NUL <seconds since 1970> NUL <ISO 8601 date> NUL [LF file NUL ...]
 *   file = <lines added, or -> TAB <lines deleted, or -> TAB <path>
 *
 * Merges show no files (git's default) and empty commits have none: neither gives a record. Reading pauses git: its output is
 * taken chunk by chunk, and while nobody asks for the next one the pipe stays full.
 *
 * Bytes that are not UTF-8 (old commits whose encoding nobody noted) are read as Latin-1, which is also what git assumes.
 */

import { isUtf8 } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Longer than any path a file system takes; a longer field means that this is not the output we asked for. */
const fieldBytesMax = 1 << 20
const stderrCharsMax = 8 * 1024

export interface ChangedFile {
  readonly commitId: string
  readonly author: string
  /** ISO 8601 with the author's zone; null where the commit has no date that can be read. */
  readonly authoredAt: string | null
  /** The same moment in milliseconds since 1970. */
  readonly authoredAtMs: number | null
  readonly path: string
  /** Null for binary files, like linesDeleted. */
  readonly linesAdded: number | null
  readonly linesDeleted: number | null
}

export interface GitLogOptions {
  /** A work tree or a bare repository. */
  readonly repo: string
  /** Branch, tag or range; HEAD by default. */
  readonly revision?: string
  /** The newest so many commits. */
  readonly commitCountMax?: number
}

/** What one chunk of git's output held. */
export interface HistoryPart {
  readonly files: readonly ChangedFile[]
  /** Commits begun so far, with those that have no files. */
  readonly commitCount: number
}

/** The history in parts as they arrive. A wrong path, an unknown revision or a failing git is an Error. */
export async function* readGitLog(options: GitLogOptions): AsyncGenerator<HistoryPart, void> {
  const args = ['-C', options.repo, '-c', 'i18n.logOutputEncoding=UTF-8', '-c', 'log.showSignature=false', 'log', '-z']
  args.push('--reverse', '--no-color', '--numstat', '--no-renames', '--no-ext-diff', '--no-textconv')
  args.push('--submodule=short', '--format=@%H%x00%an%x00%at%x00%aI')
  if (options.commitCountMax !== undefined) args.push(`--max-count=${options.commitCountMax}`)
  args.push('--end-of-options', options.revision ?? 'HEAD', '--')
  const git = spawn('git', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  git.stderr.setEncoding('utf8')
  git.stderr.on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrCharsMax)
  })
  const closed = once(git, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  // Awaited below; a reader that stops early must not leave it unhandled.
  closed.catch(() => {})
  const parser = new GitLogParser()
  try {
    for await (const chunk of git.stdout as AsyncIterable<Buffer>) {
      const files = parser.parse(chunk)
      yield { files, commitCount: parser.commitCount }
    }
    const [code, signal] = await closed
    if (code !== 0) throw new Error(`git log ended with ${signal ?? `code ${code}`}: ${stderr.trim()}`)
    parser.end()
  } finally {
    git.kill()
  }
}

/** Takes the output in chunks of any size. */
export class GitLogParser {
  commitCount = 0
  #rest: Buffer = Buffer.alloc(0)
  /** Fields of the commit's header still to come. */
  #headerFieldsLeft = 0
  #commitId = ''
  #author = ''
  #seconds = ''
  #authoredAt: string | null = null
  #authoredAtMs: number | null = null

  parse(chunk: Buffer): ChangedFile[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const files: ChangedFile[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(0, start)
      if (end < 0) break
      this.#takeField(bytes.subarray(start, end), files)
      start = end + 1
    }
    // A copy: the chunk would otherwise be kept for a few bytes of it.
    this.#rest = Buffer.from(bytes.subarray(start))
    if (this.#rest.length > fieldBytesMax) throw new Error('git log: a field is longer than 1 MiB')
    return files
  }

  end(): void {
    // The last commit ends without NUL when it has no files.
    if (this.#headerFieldsLeft === 1 && this.#rest.length > 0) this.#takeField(this.#rest, [])
    else if (this.#rest.toString().trim() !== '') throw new Error('git log: the output ends within a file')
    if (this.#headerFieldsLeft > 0) throw new Error('git log: the output ends within a commit')
  }

  #takeField(field: Buffer, files: ChangedFile[]): void {
    switch (this.#headerFieldsLeft) {
      case 3:
        this.#author = decodeText(field)
        break
      case 2:
        this.#seconds = field.toString('latin1')
        break
      case 1:
        this.#takeDate(field.toString('latin1'))
        break
      default:
        if (field[0] === 0x40 /* @ */) {
          this.commitCount++
          this.#commitId = field.toString('latin1', 1)
          this.#headerFieldsLeft = 3
        } else if (field.length > 0) {
          files.push(this.#readFile(field))
        }
        return
    }
    this.#headerFieldsLeft--
  }

  #takeDate(text: string): void {
    const seconds = /^-?\d+$/.test(this.#seconds) ? Number(this.#seconds) : undefined
    const isReadable = seconds !== undefined && Math.abs(seconds) <= 8.64e12
    this.#authoredAtMs = isReadable ? seconds * 1000 : null
    // History holds zones such as +5180, which no reader of ISO 8601 takes: those moments are told in UTC.
    const isUsual = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-](0\d|1[0-4]):[0-5]\d)$/.test(text)
    this.#authoredAt = isReadable ? (isUsual ? text : new Date(seconds * 1000).toISOString()) : null
  }

  #readFile(field: Buffer): ChangedFile {
    const start = field[0] === 0x0a ? 1 : 0
    const firstTab = field.indexOf(0x09, start)
    const secondTab = firstTab < 0 ? -1 : field.indexOf(0x09, firstTab + 1)
    if (secondTab < 0) throw new Error(`git log: not a changed file: ${JSON.stringify(decodeText(field))}`)
    return {
      commitId: this.#commitId,
      author: this.#author,
      authoredAt: this.#authoredAt,
      authoredAtMs: this.#authoredAtMs,
      path: decodeText(field.subarray(secondTab + 1)),
      linesAdded: readLineCount(field.toString('latin1', start, firstTab)),
      linesDeleted: readLineCount(field.toString('latin1', firstTab + 1, secondTab)),
    }
  }
}

function readLineCount(text: string): number | null {
  if (text === '-') return null
  if (!/^\d{1,15}$/.test(text)) throw new Error(`git log: not a number of lines: ${JSON.stringify(text)}`)
  return Number(text)
}

function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}
