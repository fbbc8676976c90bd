/**
 * Runs simulations: `npm run sim -- --seed S [--count N] [--workers W] [--minimize] [--json]`. Ends with 1 at the first violation and
 * says how to see it again.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { type Life, minimize } from './minimize.ts'
import { type SimulationResult, simulate } from './simulate.ts'
import { Spared } from './spared.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    /** So many processes share the seeds. */
    workers: { type: 'string', default: '1' },
    /** Lived without these faults: `3,7-9,40-`. */
    spare: { type: 'string', default: '' },
    /** Looks for a small list of faults with which the seed still fails. */
    minimize: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Shows what the processes complained of. */
    verbose: { type: 'boolean', default: false },
  },
})
/** Starting, and the first lives, whose code is not compiled yet, take longer. */
const seedsPerProcess = 200
const first = Number(values.seed)
const count = Number(values.count)
const workers = Number(values.workers)
if (![first, count, workers].every(Number.isSafeInteger) || count < 1 || workers < 1) {
  process.stderr.write('sim: --seed, --count and --workers take whole numbers\n')
  process.exit(2)
}
if (values.minimize) await printMinimized(first)
else if (workers > 1) await shareSeeds()
else for (let seed = first; seed < first + count; seed++) await runSeed(seed)
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
  process.stderr.write(`${describeFailure(seed, result)}see it again: npm run sim -- --seed ${seed} --verbose\n`)
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

function describeFailure(seed: number, { violations }: Life): string {
  return `seed ${seed} breaks what must hold:\n  ${violations.join('\n  ')}\n`
}

async function printMinimized(seed: number): Promise<void> {
  const found = await minimize(spared => simulate(seed, spared))
  if (found === undefined) {
    process.stdout.write(`seed ${seed} does not fail\n`)
    return
  }
  const { life, spared, attempts } = found
  const faults = life.faults.map(({ number, atMs, what }) => `  ${number} at ${(atMs / 1000).toFixed(3)} s: ${what}\n`)
  process.stderr.write(describeFailure(seed, life))
  process.stderr.write(`with ${faults.length} faults, found in ${attempts} lives:\n${faults.join('')}`)
  const spare = spared.toString() === '' ? '' : ` --spare ${spared}`
  process.stderr.write(`see it again: npm run sim -- --seed ${seed}${spare} --verbose\n`)
  process.exit(1)
}

/** Processes take a few seeds each, the next ones when they are through. The first violation ends them all. */
async function shareSeeds(): Promise<void> {
  let next = first
  const running = new Set<ChildProcess>()
  const work = async (): Promise<void> => {
    while (next < first + count) {
      const seed = next
      next += seedsPerProcess
      const args = ['--seed', String(seed), '--count', String(Math.min(seedsPerProcess, first + count - seed))]
      const child = spawn(process.execPath, [import.meta.filename, ...args, ...passedOn()], { stdio: 'inherit' })
      running.add(child)
      const [code] = await once(child, 'close')
      running.delete(child)
      if (code === 0) continue
      for (const other of running) other.kill()
      process.exit(1)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

function passedOn(): string[] {
  return [...(values.json ? ['--json'] : []), ...(values.verbose ? ['--verbose'] : [])]
}
