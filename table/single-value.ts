/**
 * Iceberg's single-value serialization: how one value of a primitive type becomes bytes in column bounds and partition tuples.
 *
 *   boolean          1 byte, 0 or 1                 int, date           4 bytes little-endian
 *   float            4 bytes little-endian IEEE     long, timestamps    8 bytes little-endian (timestamps in microseconds)
 *   double           8 bytes little-endian IEEE     decimal             shortest big-endian two's complement of the unscaled value
 *   string, binary   raw bytes, no length
 *
 * Bounds hold `lower <= every value <= upper` in the order of compareValues: numbers by size (-0.0 before +0.0), strings and
 * binary by unsigned bytes, which for UTF-8 is code point order. NaN has no place in that order and is never a bound.
 *
 * source  Iceberg specification, appendix D "Single-value serialization" and "Bounds"
 */
import { assert } from '../core/assert.ts'
import { FloeError } from '../core/errors.ts'
import { formatType } from './schema.ts'
import type { PrimitiveType } from './types.ts'

/**
 * A value in memory: boolean; number for int, date (days), float, double; bigint for long, timestamps (microseconds) and
 * decimal (unscaled); string; Uint8Array for binary.
 */
export type PrimitiveValue = boolean | number | bigint | string | Uint8Array

const decimalBytesMax = 16
const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The value must be of the type's in-memory form and range: anything else is our mistake. */
export function encodeSingleValue(type: PrimitiveType, value: PrimitiveValue): Uint8Array {
  if (type.kind === 'decimal') {
    assert(typeof value === 'bigint', 'a decimal value is an unscaled bigint')
    return encodeDecimal(value)
  }
  switch (type.name) {
    case 'boolean':
      assert(typeof value === 'boolean', 'a boolean value is a boolean')
      return Uint8Array.of(value ? 1 : 0)
    case 'int':
    case 'date': {
      assert(typeof value === 'number' && (value | 0) === value, `${type.name} value is a 32-bit integer`)
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setInt32(0, value, true)
      return bytes
    }
    case 'float':
    case 'double': {
      assert(typeof value === 'number', `a ${type.name} value is a number`)
      const bytes = new Uint8Array(type.name === 'float' ? 4 : 8)
      const view = new DataView(bytes.buffer)
      if (type.name === 'float') view.setFloat32(0, value, true)
      else view.setFloat64(0, value, true)
      return bytes
    }
    case 'long':
    case 'timestamp':
    case 'timestamptz': {
      assert(
        typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
        `a ${type.name} value is a bigint of 64 bits`,
      )
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, value, true)
      return bytes
    }
    case 'string':
      assert(typeof value === 'string', 'a string value is a string')
      return utf8Encoder.encode(value)
    case 'binary':
      assert(value instanceof Uint8Array, 'a binary value is a Uint8Array')
      return value
  }
}

/**
 * errors  corrupt: the length does not fit the type, or a string is not UTF-8. A 4-byte long and a 4-byte double are accepted:
 *         bounds written before a column was widened stay as they were.
 */
export function decodeSingleValue(type: PrimitiveType, bytes: Uint8Array): PrimitiveValue {
  if (type.kind === 'decimal') {
    if (bytes.length === 0 || bytes.length > decimalBytesMax) throw wrongLength(type, bytes)
    return decodeDecimal(bytes)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (type.name) {
    case 'boolean':
      if (bytes.length !== 1) throw wrongLength(type, bytes)
      return bytes[0] !== 0
    case 'int':
    case 'date':
      if (bytes.length !== 4) throw wrongLength(type, bytes)
      return view.getInt32(0, true)
    case 'float':
      if (bytes.length !== 4) throw wrongLength(type, bytes)
      return view.getFloat32(0, true)
    case 'double':
      if (bytes.length === 4) return view.getFloat32(0, true)
      if (bytes.length !== 8) throw wrongLength(type, bytes)
      return view.getFloat64(0, true)
    case 'long':
      if (bytes.length === 4) return BigInt(view.getInt32(0, true))
      if (bytes.length !== 8) throw wrongLength(type, bytes)
      return view.getBigInt64(0, true)
    case 'timestamp':
    case 'timestamptz':
      if (bytes.length !== 8) throw wrongLength(type, bytes)
      return view.getBigInt64(0, true)
    case 'string':
      try {
        return utf8Decoder.decode(bytes)
      } catch (cause) {
        throw new FloeError('corrupt', 'malformed-single-value', 'a string value is not UTF-8', {}, cause)
      }
    case 'binary':
      return bytes
  }
}

function wrongLength(type: PrimitiveType, bytes: Uint8Array): FloeError {
  return new FloeError(
    'corrupt',
    'malformed-single-value',
    `a ${formatType(type)} value cannot have ${bytes.length} bytes`,
    { bytes: bytes.length },
  )
}

/** The fewest bytes that hold the sign: 127 is 7f, 128 is 00 80, -128 is 80, 0 is 00. */
export function encodeDecimal(unscaled: bigint): Uint8Array {
  let byteCount = 1
  while (BigInt.asIntN(byteCount * 8, unscaled) !== unscaled) byteCount++
  return encodeDecimalFixed(unscaled, byteCount)
}

/** Big-endian two's complement in exactly `byteCount` bytes, as in Avro and Parquet fixed decimals. */
export function encodeDecimalFixed(unscaled: bigint, byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount)
  let rest = BigInt.asUintN(byteCount * 8, unscaled)
  for (let at = byteCount - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

export function decodeDecimal(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

/** The least bytes of a fixed decimal that hold every value of the precision (Avro partition values, Parquet columns). */
export function countDecimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n
  return encodeDecimal(largest).length
}

/** Negative, zero or positive. Both values must be of the type; NaN must not be asked for. */
export function compareValues(type: PrimitiveType, a: PrimitiveValue, b: PrimitiveValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(utf8Encoder.encode(a), utf8Encoder.encode(b))
  if (typeof a === 'number' && typeof b === 'number') {
    assert(!Number.isNaN(a) && !Number.isNaN(b), 'NaN has no order')
    if (a === 0 && b === 0) return (Object.is(a, -0) ? 0 : 1) - (Object.is(b, -0) ? 0 : 1)
  }
  assert(typeof a === typeof b, `values of ${formatType(type)} have one form`)
  return a < b ? -1 : a > b ? 1 : 0
}

/** The same order on serialized values, so that strings need not be decoded. */
export function compareSingleValues(type: PrimitiveType, a: Uint8Array, b: Uint8Array): number {
  if (type.kind === 'primitive' && (type.name === 'string' || type.name === 'binary')) return compareBytes(a, b)
  return compareValues(type, decodeSingleValue(type, a), decodeSingleValue(type, b))
}

/** Unsigned, byte by byte; a prefix comes before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const difference = a[at]! - b[at]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function isNaNValue(type: PrimitiveType, bytes: Uint8Array): boolean {
  if (type.kind !== 'primitive' || (type.name !== 'float' && type.name !== 'double')) return false
  return Number.isNaN(decodeSingleValue(type, bytes))
}

/** A zero bound of a float or double: -0.0 as lower and +0.0 as upper, since the column may hold both. Others stay. */
export function widenZeroBound(type: PrimitiveType, bytes: Uint8Array, side: 'lower' | 'upper'): Uint8Array {
  if (type.kind !== 'primitive' || (type.name !== 'float' && type.name !== 'double')) return bytes
  if (decodeSingleValue(type, bytes) !== 0) return bytes
  return encodeSingleValue(type, side === 'lower' ? -0 : 0)
}
