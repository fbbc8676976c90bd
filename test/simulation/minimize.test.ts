import { expect, test } from 'vitest'
import { type Life, minimize } from './minimize.ts'
import { Spared } from './spared.ts'

const faultCount = 40

/** A life of 40 faults that fails when it has all of these. */
function liveWith(...fatal: number[]): (spared: Spared) => Promise<Life> {
  return async spared => {
    const numbers = Array.from({ length: faultCount }, (_, index) => index + 1).filter(number => !spared.has(number))
    const faults = numbers.map(number => ({ number, atMs: number, what: `fault ${number}` }))
    return { faults, violations: fatal.every(number => numbers.includes(number)) ? ['it fails'] : [] }
  }
}

test.each([[[]], [[1]], [[40]], [[3, 17]], [[1, 2, 39, 40]]])(
  'of 40 faults those that matter are left: %j',
  async fatal => {
    const found = await minimize(liveWith(...fatal))
    expect(found?.life.faults.map(({ number }) => number)).toEqual(fatal)
    const again = await liveWith(...fatal)(Spared.parse(found!.spared.toString()))
    expect(again).toEqual(found!.life)
  },
)

test('a life that does not fail has nothing to minimize', async () => {
  expect(await minimize(liveWith(41))).toBeUndefined()
})

test('faults to spare are read as they are written', () => {
  expect(new Spared([9, 3, 4, 5]).withAllFrom(40).toString()).toBe('3-5,9,40-')
  expect([2, 3, 5, 6, 9, 39, 40, 41].filter(number => Spared.parse('3-5,9,40-').has(number))).toEqual([3, 5, 9, 40, 41])
  expect(() => Spared.parse('3,x')).toThrow('x is not a number of a fault, nor a range of them')
})
