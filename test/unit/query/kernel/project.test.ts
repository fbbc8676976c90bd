import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockRowsMax, Kernel, valueKinds, valueStatuses } from '../../../../query/kernel/kernel.ts'
import { compareSlots } from '../../../../query/kernel/slot-tree.ts'
import { damagedJsonText, jsonText, memberNames } from '../../../support/query/arbitrary-json.ts'
import { type Cell, isObject, readJson } from '../../../support/query/event.ts'

const utf8 = new TextEncoder()

function projected(slots: readonly (readonly string[])[], values: readonly (string | null)[]): Kernel {
  const kernel = new Kernel({ slots, operands: [], selectionCount: 0 })
  for (const value of values) {
    if (value === null) {
      kernel.addRow(0, 0)
      continue
    }
    const bytes = utf8.encode(value)
    const at = kernel.copyIn(bytes)
    kernel.addRow(at, at + bytes.length)
  }
  kernel.project()
  return kernel
}

/** What the kernel found, as a value: undefined when it found none. */
function found(kernel: Kernel, slot: number, row: number): Cell | undefined {
  const cell = slot * blockRowsMax + row
  const kind = kernel.kinds[cell]!
  const text = kernel.text(kernel.starts[cell]!, kernel.ends[cell]!)
  switch (kind) {
    case valueKinds.missing:
      return undefined
    case valueKinds.exactNumber: {
      const number = kernel.numbers[cell]!
      expect(readJson(text)).toEqual(Number.isInteger(number) ? BigInt(number) : number)
      expect(Object.is(number, -0)).toBe(false)
      break
    }
    case valueKinds.string:
    case valueKinds.escapedString:
      expect(text.includes('\\')).toBe(kind === valueKinds.escapedString)
      break
    default:
  }
  const value = readJson(text)
  expect(kindOf(value)).toContain(kind)
  return value
}

function kindOf(value: Cell | undefined): number[] {
  if (value === null) return [valueKinds.null]
  if (typeof value === 'boolean') return [value ? valueKinds.true : valueKinds.false]
  if (typeof value === 'string') return [valueKinds.string, valueKinds.escapedString]
  if (Array.isArray(value)) return [valueKinds.array]
  return typeof value === 'object' ? [valueKinds.object] : [valueKinds.exactNumber, valueKinds.otherNumber]
}

function expected(text: string, names: readonly string[]): Cell | undefined {
  let value = readJson(text)
  for (const name of names) {
    if (value === undefined || !isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

const names = fc.array(fc.constantFrom(...memberNames), { minLength: 1, maxLength: 3 })
const slots = fc
  .uniqueArray(names, { selector: each => JSON.stringify(each), maxLength: 8 })
  .map(each => each.toSorted(compareSlots))

test('every field of every document is what JSON.parse finds, and what it refuses is no JSON', () => {
  const texts = fc.array(fc.oneof(jsonText, damagedJsonText, fc.constant(null)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(slots, texts, (fields, values) => {
      const kernel = projected(fields, values)
      for (const [row, text] of values.entries()) {
        const isJson = text !== null && readJson(text) !== undefined
        const status = text === null ? valueStatuses.none : isJson ? valueStatuses.json : valueStatuses.notJson
        expect(kernel.statuses[row]).toBe(status)
        for (const [slot, field] of fields.entries()) {
          expect(found(kernel, slot, row)).toEqual(text === null ? undefined : expected(text, field))
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('any bytes are JSON to the kernel exactly when they are to JSON.parse', () => {
  const pieces = [...'{}[]:,"\\0123456789.-+eEtrufalsn \n\u0001b/', 'true', 'null', '"a":', '\\u00e9']
  const texts = fc.array(
    fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map(each => each.join('')),
    { minLength: 50, maxLength: 50 },
  )
  fc.assert(
    fc.property(texts, values => {
      const kernel = projected([['a']], values)
      const expectedStatuses = values.map(text =>
        readJson(text) === undefined ? valueStatuses.notJson : valueStatuses.json,
      )
      expect([...kernel.statuses.subarray(0, values.length)]).toEqual(expectedStatuses)
    }),
    { numRuns: 400 },
  )
})

test('of members with one name the last counts, with all that is in it', () => {
  const fields = [['a'], ['a', 'b'], ['a', 'c']]
  const kernel = projected(fields, [
    '{"a":{"b":1,"c":2},"a":{"c":3}}',
    '{"a":{"b":1},"\\u0061":5}',
    '{"a":{"b":1,"b":{}}}',
  ])
  expect([0, 1, 2].map(slot => [0, 1, 2].map(row => found(kernel, slot, row)))).toEqual([
    [{ c: 3n }, 5n, { b: {} }],
    [undefined, undefined, {}],
    [3n, undefined, undefined],
  ])
})

test('values lie anywhere in bytes that are not theirs, and nothing around them is read as theirs', () => {
  const kernel = new Kernel({ slots: [['a']], operands: [], selectionCount: 0 })
  const values = ['{"a":1', '"a', '{"a":tru', '[1,', '{"a":"\\u00', '12', '{"a":"x"}']
  const at = kernel.copyIn(utf8.encode(values.join('')))
  let start = at
  for (const value of values) {
    kernel.addRow(start, start + value.length)
    start += value.length
  }
  kernel.project()
  expect([...kernel.statuses.subarray(0, values.length)]).toEqual([2, 2, 2, 2, 2, 1, 1])
})

test('brackets within each other are bounded, whatever is looked at', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const values = [
    nested(1024),
    nested(1025),
    `{"a":${nested(1023)}}`,
    `{"a":${nested(1024)}}`,
    `{"b":{"a":${nested(1023)}}}`,
    nested(200_000),
  ]
  for (const slots of [[['a']], [['b'], ['b', 'a']], [['c']]]) {
    expect([...projected(slots, values).statuses.subarray(0, values.length)]).toEqual([1, 2, 1, 2, 2, 2])
  }
})

test('size is bounded by the memory of a kernel alone', () => {
  const kernel = projected([['a']], [`{"x":[${Array(100_000).fill('{"y":"\\u00e9"}').join()}],"a":7}`, '{"a":1}'])
  expect([...kernel.numbers.subarray(0, 2)]).toEqual([7, 1])
})

test('a block that needs more memory than a kernel may have is refused', () => {
  const kernel = new Kernel({ slots: [['a']], operands: [], selectionCount: 0 })
  expect(() => kernel.copyIn(new Uint8Array(1 << 30))).toThrow(
    expect.objectContaining({ kind: 'exhausted', code: 'query-block-too-large' }),
  )
})
