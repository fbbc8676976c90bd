import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SnapshotReader } from '../../../catalog/snapshot/snapshot-reader.ts'
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
  const edge = fc.constantFrom(...edges, ...edges.map(value => -value), -64, -65, 63, 64, 2 ** 52, -(2 ** 52))
  fc.assert(
    fc.property(fc.oneof(edge, fc.integer(), fc.maxSafeInteger()), value => {
      const writer = new ByteWriter()
      writer.varint(value)
      const bytes = writer.take()
      expect(new ByteReader(bytes, 'number').varint()).toBe(value + 0)
      expect(new SnapshotReader([bytes], 'number').varint()).toBe(value + 0)
    }),
  )
})

test('a signed varint beyond 2^53 is corrupt', () => {
  for (const first of [0x80, 0x81]) {
    const bytes = new Uint8Array([first, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])
    expect(new ByteReader(bytes, 'number').varint()).toBe(first === 0x80 ? 2 ** 48 : -(2 ** 48) - 1)
    bytes[7] = 0x20
    expect(() => new ByteReader(bytes, 'number').varint()).toThrow('integer beyond 2^53')
    expect(() => new SnapshotReader([bytes], 'number').varint()).toThrow('integer beyond 2^53')
  }
})

test('a varint cut short or longer than 2^53 is corrupt', () => {
  for (const bytes of [[], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], Array(9).fill(0xff)]) {
    const reader = new ByteReader(new Uint8Array(bytes), 'numbers')
    expect(() => reader.uvarint()).toThrow(/^numbers: (needs [1-4] bytes|varint too long|integer beyond)/)
  }
  const narrowed = new ByteReader(new Uint8Array([1, 2, 3, 4, 5]), 'numbers', 0, 1)
  expect(narrowed.uvarint()).toBe(1)
  expect(() => narrowed.uvarint()).toThrow(/0 are left/)
})
