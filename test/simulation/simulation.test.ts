/**
 * Simulated clusters (simulate.ts): seeds that once broke something, a run of others, and that a seed means one life.
 *
 *   FLOE_SIM_SEEDS   how many (60); FLOE_SIM_FIRST   from which on (1000)
 */
import { describe, expect, test } from 'vitest'
import { simulate } from './simulate.ts'

const count = Number(process.env.FLOE_SIM_SEEDS ?? 20)
const first = Number(process.env.FLOE_SIM_FIRST ?? 1000)
const seedsPerTest = 20

describe('seeds that broke something', () => {
  test.each([
    [9, 'a commit that failed was not noticed until the next one was due, which never was'],
    [5020, 'a bad read beside a write that failed ended the process'],
    [64054, 'the hint of a version that others had completed, and gone beyond, stayed'],
    [105838, 'a table was compared with its topic of a later moment, when records had come that nobody waited for'],
    [80, 'whoever slept through a trim took its own stray seal for one, and led beside the cluster'],
    [114, 'a follower took the end of what was trimmed for the end, and never followed again'],
    [181, 'a worker compared an old account with what the topic has now, and stopped its table'],
    [21, 'a leader that was replaced gave back late what it was writing, which undid what was committed since'],
    [24, 'a leader that slept passed a barrier on an entry of its own that was trimmed'],
    [46, 'a publisher went on from what it had read badly'],
  ])('%i: %s', { timeout: 120_000 }, async seed => {
    expect((await simulate(seed)).violations).toEqual([])
  })
})

test.each([
  [5, 'in the store'],
  [24, 'in a database'],
])(
  '%i, with the journal %s: the same seed gives the same life, another seed another',
  { timeout: 120_000 },
  async seed => {
    const [one, again, other] = [await simulate(seed), await simulate(seed), await simulate(seed + 1)]
    expect(again.traceHash).toBe(one.traceHash)
    expect(again.events).toBe(one.events)
    expect(other.traceHash).not.toBe(one.traceHash)
  },
)

describe.each(Array.from({ length: Math.ceil(count / seedsPerTest) }, (_, index) => first + index * seedsPerTest))(
  'seeds from %i on',
  from => {
    test('lose nothing, repeat nothing, and go on', { timeout: 600_000 }, async () => {
      const until = Math.min(from + seedsPerTest, first + count)
      let acknowledged = 0
      for (let seed = from; seed < until; seed++) {
        const result = await simulate(seed)
        expect(result.violations, `npm run sim -- --seed ${seed} --verbose`).toEqual([])
        acknowledged += result.acknowledged
      }
      // Lives in which nothing happens prove nothing.
      expect(acknowledged).toBeGreaterThan(100 * (until - from))
    })
  },
)
