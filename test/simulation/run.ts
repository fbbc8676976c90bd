/**
 * Runs simulations: `npm run sim -- --seed S [--count N] [--json]`. Ends with 1 at the first violation and says how to see it again.
 */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    /** Shows what the processes complained of. */
    verbose: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const count = Number(values.count)
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  process.stderr.write('sim: --seed and --count take whole numbers\n')
  process.exit(2)
}
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate(seed)
  const { violations, complaints, ...summary } = result
  if (values.json) process.stdout.write(`${JSON.stringify({ ...summary, violations })}\n`)
  else {
    const blows = Object.entries(summary.blows).map(([blow, times]) => `${times} ${blow}`)
    process.stdout.write(
      `seed ${seed}: ${summary.acknowledged} acknowledged, ${Math.round(summary.virtualMs / 1000)} s, ${summary.events} events, ${blows.join(', ') || 'no blows'}\n`,
    )
  }
  if (values.verbose) process.stdout.write(`${complaints.join('\n')}\n`)
  if (violations.length > 0) {
    process.stderr.write(
      `seed ${seed} breaks what must hold:\n  ${violations.join('\n  ')}\nsee it again: npm run sim -- --seed ${seed} --verbose\n`,
    )
    process.exit(1)
  }
}
process.exit(0)
