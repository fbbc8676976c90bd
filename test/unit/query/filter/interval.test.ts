import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactNumberInterval } from '../../../../query/filter/interval.ts'
import { emptySpan } from '../../../../query/language/ast.ts'
import { orderTest } from '../../../../query/values/cell-test.ts'

const bits = new DataView(new ArrayBuffer(8))

/** The double so many doubles further from zero. */
function neighbour(value: number, steps: number): number {
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(steps))
  return bits.getFloat64(0)
}

const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0)
const operand = fc.oneof(
  double,
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 70n), max: -(2n ** 53n) }),
)

test('an interval holds the numbers that compare so, also where they lie next to each other', () => {
  const operators = fc.constantFrom<'==' | '<' | '<=' | '>' | '>='>('==', '<', '<=', '>', '>=')
  fc.assert(
    fc.property(operators, operand, double, fc.integer({ min: -2, max: 2 }), (operator, value, other, steps) => {
      const { low, high } = exactNumberInterval(operator, { kind: 'number', value, span: emptySpan })!
      const near = typeof value === 'number' && value !== 0 ? neighbour(value, steps) : other
      // Beside the largest and the smallest ones lie infinity and what is no number.
      const exact = typeof value === 'bigint' ? other % 2 ** 53 : Number.isFinite(near) ? near : other
      const order = exact < value ? -1 : exact > value ? 1 : 0
      expect(exact >= low && exact <= high).toBe(orderTest(operator)(order))
    }),
    { numRuns: 5000 },
  )
})
