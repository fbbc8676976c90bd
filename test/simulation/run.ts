/**
 * Runs simulations: `npm run sim -- --seed S [--count N] [--workers W] [--minimize] [--json]`. Ends with 1 at the first violation and
 * says how to see it again.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { minimize } from './minimize.ts'
import { type SimulationResult, simulate } from './simulate.ts'
import { Spared } from './spared.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    /** So many processes share the seeds. */
    workers: { type: 'string', default: '1' },
    /** The next seed is so far from one: a worker's share. */
    step: { type: 'string', default: '1' },
    /** Lived without these faults: `3,7-9,40-`. */
    spare: { type: 'string', default: '' },
    /** Looks for a small list of faults with which the seed still fails. */
    minimize: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Shows what the processes complained of. */
    verbose: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const count = Number(values.count)
const workers = Number(values.workers)
const step = Number(values.step)
if (![first, count, workers, step].every(Number.isSafeInteger) || count < 1 || workers < 1 || step < 1) {
  process.stderr.write('sim: --seed, --count, --workers and --step take whole numbers\n')
  process.exit(2)
}
if (values.minimize) await printMinimized(first)
else if (workers > 1) await shareSeeds()
else for (let seed = first; seed < first + count; seed += step) await runSeed(seed)
process.exit(0)

async function runSeed(seed: number): Promise<void> {
  // A promise that nobody waits for, of a process that lives no more, is no excuse.
  const fallOver = (error: unknown): void => {
    process.stderr.write(`seed ${seed} breaks what must hold:\n  the process falls over: ${String(error)}\n`)
    process.exit(1)
  }
  process.on('uncaughtException', fallOver)
  const result = await simulate(seed, Spared.parse(values.spare))
  process.off('uncaughtException', fallOver)
  print(result)
  if (result.violations.length === 0) return
  process.stderr.write(`${describeFailure(result)}see it again: npm run sim -- --seed ${seed} --verbose\n`)
  process.stderr.write(`with as few faults as will do: npm run sim -- --seed ${seed} --minimize\n`)
  process.exit(1)
}

function print({ complaints, faults, ...summary }: SimulationResult): void {
  const { seed, acknowledged, virtualMs, events } = summary
  if (values.json) process.stdout.write(`${JSON.stringify({ ...summary, faults: faults.length })}\n`)
  else {
    const blows = Object.entries(summary.blows).map(([blow, times]) => `${times} ${blow}`)
    process.stdout.write(
      `seed ${seed}: ${acknowledged} acknowledged, ${Math.round(virtualMs / 1000)} s, ${events} events, ${faults.length} faults, ${blows.join(', ') || 'no blows'}\n`,
    )
  }
  if (values.verbose) process.stdout.write(`${complaints.join('\n')}\n`)
}

function describeFailure({ seed, violations }: SimulationResult): string {
  return `seed ${seed} breaks what must hold:\n  ${violations.join('\n  ')}\n`
}

async function printMinimized(seed: number): Promise<void> {
  const found = await minimize(seed)
  if (found === undefined) {
    process.stdout.write(`seed ${seed} does not fail\n`)
    return
  }
  const { result, spared, attempts } = found
  const faults = result.faults.map(
    ({ number, atMs, what }) => `  ${number} at ${(atMs / 1000).toFixed(3)} s: ${what}\n`,
  )
  process.stderr.write(describeFailure(result))
  process.stderr.write(`with ${faults.length} faults, found in ${attempts} lives:\n${faults.join('')}`)
  const spare = spared.toString() === '' ? '' : ` --spare ${spared}`
  process.stderr.write(`see it again: npm run sim -- --seed ${seed}${spare} --verbose\n`)
  process.exit(1)
}

/** Each worker lives every so-manieth seed. The first violation ends them all. */
async function shareSeeds(): Promise<void> {
  const children = Array.from({ length: Math.min(workers, count) }, (_, index) =>
    spawn(process.execPath, [import.meta.filename, ...workerArgs(index)], { stdio: 'inherit' }),
  )
  const codes = children.map(
    child =>
      new Promise<number>(resolve => {
        child.on('close', code => resolve(code ?? 1))
      }),
  )
  const failed = await Promise.race([
    Promise.all(codes).then(() => false),
    ...codes.map(async code => (await code) !== 0 || new Promise<never>(() => {})),
  ])
  for (const child of children) child.kill()
  if (failed) process.exit(1)
}

function workerArgs(index: number): string[] {
  const numbers = { seed: first + index, count: count - index, step: workers }
  const given = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  return [...given, ...(values.json ? ['--json'] : []), ...(values.verbose ? ['--verbose'] : [])]
}
