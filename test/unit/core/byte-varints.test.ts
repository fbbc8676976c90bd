import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader } from '../../../core/byte-reader.ts'
import { ByteWriter } from '../../../core/byte-writer.ts'

const edges = [
  0,
  1,
  127,
  128,
  16_383,
  16_384,
  2 ** 21 - 1,
  2 ** 21,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
]

test('unsigned varints of every length come back, also at the very end of the bytes', () => {
  const number = fc.oneof(fc.constantFrom(...edges), fc.nat(), fc.maxSafeNat())
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 20 }), numbers => {
      const writer = new ByteWriter(1)
      for (const value of numbers) writer.uvarint(value)
      const reader = new ByteReader(writer.take(), 'numbers')
      expect(numbers.map(() => reader.uvarint())).toEqual(numbers)
      expect(reader.remaining).toBe(0)
    }),
  )
})

test('signed varints come back', () => {
  const number = fc.oneof(fc.constantFrom(-1, 0, 1, -(2 ** 52) + 1, 2 ** 52 - 1), fc.integer())
  fc.assert(
    fc.property(number, value => {
      const writer = new ByteWriter()
      writer.varint(value)
      expect(new ByteReader(writer.take(), 'number').varint()).toBe(value)
    }),
  )
})

test('a varint cut short or longer than 2^53 is corrupt', () => {
  for (const bytes of [[], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], Array(9).fill(0xff)]) {
    const reader = new ByteReader(new Uint8Array(bytes), 'numbers')
    expect(() => reader.uvarint()).toThrow(/^numbers: (needs 1 bytes|varint too long|integer beyond)/)
  }
  const narrowed = new ByteReader(new Uint8Array([1, 2, 3, 4, 5]), 'numbers', 0, 1)
  expect(narrowed.uvarint()).toBe(1)
  expect(() => narrowed.uvarint()).toThrow(/0 are left/)
})
