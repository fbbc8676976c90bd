import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeInterval } from '../../../../query/filter/interval.ts'
import { Kernel } from '../../../../query/kernel/kernel.ts'
import { emptySpan } from '../../../../query/language/ast.ts'
import { parseTime } from '../../../../query/language/time.ts'

const kernel = new Kernel({ slots: [['time']], operands: [], selectionCount: 1 })
const allTimes = { low: { ms: Number.NEGATIVE_INFINITY, ns: 0 }, high: { ms: Number.POSITIVE_INFINITY, ns: 0 } }

/** Whether the kernel finds a time in the text, or the very one that is asked for. */
function finds(text: string, epochNs?: bigint): boolean {
  kernel.startBlock()
  const bytes = Buffer.from(JSON.stringify({ time: text }))
  const at = kernel.copyIn(bytes)
  kernel.addRow(at, at + bytes.length)
  kernel.project()
  kernel.selection(0)[0] = 0
  const interval = epochNs === undefined ? allTimes : timeInterval('==', { kind: 'time', epochNs, span: emptySpan }, 0)
  return kernel.selectTimes(0, interval, 0, 1, 0) === 1
}

const digits = (count: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map(value => String(value).padStart(count, '0'))

const spelled = fc
  .tuple(
    fc
      .tuple(
        fc.oneof(digits(4, 9999), fc.constantFrom('0000', '1900', '1970', '2000', '9999')),
        digits(2, 13),
        digits(2, 32),
      )
      .map(parts => parts.join('-')),
    fc.constantFrom('', 'T', 't', ' ', 'x'),
    fc.tuple(digits(2, 25), digits(2, 61)).map(parts => parts.join(':')),
    fc.oneof(
      fc.constant(''),
      digits(2, 61).map(second => `:${second}`),
    ),
    fc.oneof(
      fc.constant(''),
      fc
        .tuple(
          fc.constantFrom('.', ',', ''),
          fc.nat(12).chain(length => digits(length, 10 ** length - 1)),
        )
        .map(parts => parts.join('')),
    ),
    fc.oneof(
      fc.constantFrom('', 'Z', 'z', '+', '+1', '-00:00', ' Z'),
      fc
        .tuple(
          fc.constantFrom('+', '-'),
          digits(2, 20),
          fc.constantFrom('', ':'),
          fc.oneof(fc.constant(''), digits(2, 62)),
        )
        .map(parts => parts.join('')),
    ),
  )
  .map(([date, separator, minutes, seconds, fraction, offset]) =>
    separator === '' ? date : date + separator + minutes + seconds + fraction + offset,
  )

const damaged = fc
  .tuple(spelled, fc.nat(), fc.constantFrom('', '0', '9', ':', '-', 'T', 'Z', '\u0660', ' '))
  .map(([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + 1))

test('a string is a time to the kernel when it is one to the language, and the same one', () => {
  let times = 0
  fc.assert(
    fc.property(fc.oneof(spelled, damaged), text => {
      const epochNs = parseTime(text)
      expect(finds(text)).toBe(epochNs !== undefined)
      if (epochNs === undefined) return
      times++
      expect(finds(text, epochNs)).toBe(true)
      expect(finds(text, epochNs + 1n)).toBe(false)
      expect(finds(text, epochNs - 1n)).toBe(false)
    }),
    { numRuns: 20_000 },
  )
  expect(times).toBeGreaterThan(1000)
})

test('every day of four centuries, and the ends of the calendar', () => {
  for (let day = Date.parse('1899-12-25T00:00:00Z'); day < Date.parse('2301-01-05T00:00:00Z'); day += 86_400_000) {
    expect(finds(new Date(day).toISOString(), BigInt(day) * 1_000_000n)).toBe(true)
  }
  for (const text of ['0000-01-01', '0000-02-29T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z']) {
    expect(finds(text, parseTime(text))).toBe(true)
  }
  for (const text of ['0000-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '2100-02-29', '2026-04-31']) {
    expect(parseTime(text)).toBeUndefined()
    expect(finds(text)).toBe(false)
  }
})
