/**
 * Proves that the simulation can fail: breaks Floe on purpose, one rule at a time, in a copy of the tree, and runs seeds until a
 * checker notices. `npm run sim:mutants [-- --seeds 200] [--only NAME] [--workers 2]`; ends with 1 when a mutant lives.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

const run = promisify(execFile)
const outputBytesMax = 64 * 1024 * 1024

interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

interface Mutant {
  readonly name: string
  /** Several: a rule and the one that covers for it. */
  readonly edits: readonly Edit[]
}

const mutants: readonly Mutant[] = [
  {
    name: 'owner epochs are not looked at',
    edits: [
      {
        file: 'catalog/commands/commit-table-files.ts',
        from: 'if (ownerEpoch === 0 || ownerEpoch !== numbers[at + 9]) {',
        to: 'if (ownerEpoch === 0) {',
      },
    ],
  },
  {
    name: 'a range may begin anywhere',
    edits: [
      {
        file: 'catalog/commands/commit-table-files.ts',
        from: 'if (accounts.ends[partition] !== numbers[at + 1]) {',
        to: 'if (numbers[at + 1]! < 0) {',
      },
    ],
  },
  {
    name: 'receipts are forgotten',
    edits: [
      {
        file: 'catalog/state/client-sessions.ts',
        from: "if (held < requestNumber) return 'new'",
        to: "if (held <= requestNumber) return 'new'",
      },
    ],
  },
  {
    name: 'a put whose answer was lost counts as applied',
    edits: [
      {
        file: 'storage/put-if-absent.ts',
        from: "if (isFloeError(error, 'unavailable')) return 'unknown'",
        to: "if (isFloeError(error, 'unavailable')) return 'applied'",
      },
    ],
  },
  {
    // Whoever appends an entry compares what lies there by itself, since it may have given up and begun again: it covers.
    name: 'an unknown put counts as refused, and nobody compares what lies there',
    edits: [
      {
        file: 'storage/put-if-absent.ts',
        from: "if (outcome === 'applied' || (outcome === 'refused' && !lost)) return outcome",
        to: "if (outcome !== 'unknown' || !lost) return outcome === 'applied' ? 'applied' : 'refused'",
      },
      {
        file: 'catalog/journal/append-entry.ts',
        from: "if (equalsParts(existing, parts)) return 'applied'",
        to: '',
      },
    ],
  },
  {
    name: 'a fenced leader goes on',
    edits: [
      {
        file: 'catalog/leader.ts',
        from: "return outcome === 'applied' ? { sequence, crc, nowMs, parts } : fencedError(key)",
        to: 'return { sequence, crc, nowMs, parts, ...(outcome === undefined ? { key } : {}) }',
      },
    ],
  },
  {
    name: 'duplicates of a producer are appended again',
    edits: [
      {
        file: 'catalog/commands/commit-segment.ts',
        from: 'const outcome = log === undefined ? 2 : judge(state, log, rows, row)',
        to: 'const outcome = log === undefined ? 2 : judge(state, log, rows, row) * 0',
      },
    ],
  },
  {
    name: 'a command that was lost is sent under a new number',
    edits: [
      {
        file: 'catalog/node/command-session.ts',
        from: 'if (this.#sink === command.sink) this.#sink = undefined',
        to: 'command.requestNumber = command.lane!.take(0)\n    if (this.#sink === command.sink) this.#sink = undefined',
      },
    ],
  },
  {
    // Over one connection an entry comes before the answers to its commands, because the leader sends it first: that covers.
    name: 'a leader tells of entries late, and a follower hands out answers before it has them',
    edits: [
      {
        file: 'catalog/node/follower-feed.ts',
        from: 'else follower.connection.send([entryHeader, bytes])',
        to: 'else this.#clock.startTimer(5, () => follower.connection.send([entryHeader, bytes]))',
      },
      {
        file: 'catalog/node/leader-link.ts',
        from: 'if (answer.sequence > this.#parts.replica.position.sequence) this.#early.push(answer)',
        to: 'if (answer.sequence < 0) this.#early.push(answer)',
      },
    ],
  },
  {
    name: 'a lane goes on behind what it did not commit',
    edits: [
      {
        file: 'ingest/table-lane.ts',
        from: 'if (this.#commitFailure !== undefined) throw this.#commitFailure\n    if (this.#msUntilDue',
        to: 'this.#commitFailure = undefined\n    if (this.#msUntilDue',
      },
    ],
  },
  {
    name: 'what a version is continued from is read once',
    edits: [
      {
        file: 'storage/get-agreed.ts',
        from: 'if (first === undefined && second === undefined) return undefined',
        to: 'if (first === undefined || second !== undefined) return first',
      },
    ],
  },
  {
    name: 'a version is visible before its objects are there',
    edits: [
      {
        file: 'ingest/publish/table-publisher.ts',
        from: 'await writeVersion(store, folder, rendered, clock)',
        to: 'void writeVersion(store, folder, rendered, clock).catch(() => {})',
      },
    ],
  },
]

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
    /** So many mutants are tried at once. */
    workers: { type: 'string', default: '1' },
  },
})
const root = join(import.meta.dirname, '../..')
const folders = ['bin', 'api', 'broker', 'catalog', 'config', 'core', 'ingest', 'kafka', 'storage', 'table', 'test']
const untried = mutants.filter(({ name }) => name.includes(values.only))
let livingCount = 0
await Promise.all(Array.from({ length: Number(values.workers) }, tryMutants))
process.exit(livingCount > 0 ? 1 : 0)

async function tryMutants(): Promise<void> {
  for (let mutant = untried.shift(); mutant !== undefined; mutant = untried.shift()) {
    const outcome = await tryMutant(mutant)
    process.stdout.write(`${mutant.name}: ${outcome ?? `lives after ${values.seeds} seeds`}\n`)
    if (outcome === undefined) livingCount++
  }
}

/** What caught it, and with which seed; undefined when nothing did. */
async function tryMutant(mutant: Mutant): Promise<string | undefined> {
  const copy = mkdtempSync(join(tmpdir(), 'floe-mutant-'))
  try {
    for (const folder of folders) cpSync(join(root, folder), join(copy, folder), { recursive: true })
    cpSync(join(root, 'package.json'), join(copy, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const edit of mutant.edits) applyEdit(copy, edit)
    const args = [join(copy, 'test/simulation/run.ts'), '--seed', '1', '--count', values.seeds]
    const { failed, stdout, stderr } = await run(process.execPath, args, { maxBuffer: outputBytesMax }).then(
      output => ({ failed: false, ...output }),
      (error: { readonly stdout: string; readonly stderr: string }) => ({ failed: true, ...error }),
    )
    if (!failed) return undefined
    const seed = /seed (\d+) breaks/.exec(stderr)?.[1] ?? `${stdout.split('\n').length} (by falling over)`
    const why = /must hold:\n {2}(.*)/.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1)
    return `noticed with seed ${seed}: ${why?.slice(0, 140)}`
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function applyEdit(copy: string, { file, from, to }: Edit): void {
  const text = readFileSync(join(copy, file), 'utf8')
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold ${from} exactly once`)
  writeFileSync(
    join(copy, file),
    text.replace(from, () => to),
  )
}
