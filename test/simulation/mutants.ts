/**
 * Proves that the simulation can fail: breaks Floe on purpose, one rule at a time, in a copy of the tree, and runs seeds until a
 * checker notices. `npm run sim:mutants [-- --seeds 200] [--first 1] [--only NAME] [--workers 2]`; ends with 1 when a mutant lives.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

import { type Edit, type Mutant, mutants } from './mutant-list.ts'

const run = promisify(execFile)
const outputBytesMax = 64 * 1024 * 1024

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
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
    const args = [join(copy, 'test/simulation/run.ts'), '--seed', values.first, '--count', values.seeds]
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
