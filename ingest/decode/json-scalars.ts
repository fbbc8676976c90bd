/**
 * JSON values into columns of one type each, by the rules of docs/types.md: exact or rejected.
 *
 *   boolean         true, false
 *   int, long       a number with a whole value, or a string that holds one
 *   float, double   a number (the nearest representable one), a string that holds one, "NaN", "Infinity", "-Infinity"
 *   decimal(p,s)    a number or a string that holds one, without more than s decimals or p digits
 *   date            "YYYY-MM-DD", or a whole number: days since 1970-01-01
 *   timestamp(tz)   ISO 8601 text (temporal.ts), or a whole number: milliseconds since 1970-01-01T00:00:00Z
 *   binary          a string in base64
 */
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import type {
  BooleanBuilder,
  BytesBuilder,
  DecimalBuilder,
  Float32Builder,
  Float64Builder,
  Int32Builder,
  Int64Builder,
} from '../columns/builders.ts'
import { decodeBase64 } from './base64.ts'
import { type JsonNode, jsonCode } from './json-plan.ts'
import type { JsonScanner } from './json-scanner.ts'
import { powersOfTen } from './number-token.ts'
import { reject } from './reject.ts'
import { noDate, parseDate, TimestampParts } from './temporal.ts'

const quote = 0x22
const typeMismatch = -reject.typeMismatch
const outOfRange = -reject.outOfRange
/** Every whole number of this many digits is exact in a double. */
const exactDigits = 15
const int64Max = 0x7fff_ffff_ffff_ffffn

export class JsonScalars {
  readonly #scanner: JsonScanner
  readonly #timestamp = new TimestampParts()
  /** The text of the string last entered: a view into the record, or into the scanner's scratch when it had escapes. */
  #text: Uint8Array = new Uint8Array(0)
  #textStart = 0
  #textEnd = 0

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner
  }

  /** Not for null, strings and nested types. Returns the position after the value, or a negative reject code. */
  parse(node: JsonNode, bytes: Uint8Array, at: number, end: number): number {
    switch (node.code) {
      case jsonCode.boolean:
        return this.#parseBoolean(node.column as BooleanBuilder, bytes, at, end)
      case jsonCode.date:
        return this.#parseDate(node.column as Int32Builder, bytes, at, end)
      case jsonCode.timestamp:
        return this.#parseTimestamp(node.column as Int64Builder, bytes, at, end)
      case jsonCode.binary:
        return this.#parseBinary(node.column as BytesBuilder, bytes, at, end)
      default:
        return this.#parseNumber(node, bytes, at, end)
    }
  }

  /** What is wrong with a value that the column cannot take: its type, or even its grammar. */
  #mismatch(bytes: Uint8Array, at: number, end: number): number {
    const next = this.#scanner.skipValue(bytes, at, end, 0)
    return next < 0 ? next : typeMismatch
  }

  #parseBoolean(column: BooleanBuilder, bytes: Uint8Array, at: number, end: number): number {
    const byte = bytes[at]
    if (byte !== 0x74 && byte !== 0x66) return this.#mismatch(bytes, at, end)
    const next = this.#scanner.skipLiteral(bytes, at, end)
    if (next > 0) column.push(byte === 0x74 ? 1 : 0)
    return next
  }

  #parseNumber(node: JsonNode, bytes: Uint8Array, at: number, end: number): number {
    const { token } = this.#scanner
    if (bytes[at] === quote) return this.#parseQuotedNumber(node, bytes, at, end)
    if (node.code === jsonCode.long) {
      const next = pushPlainDigits(node.column as Int64Builder, bytes, at, end)
      if (next > 0) return next
    }
    const next = token.scan(bytes, at, end)
    if (next < 0) return this.#mismatch(bytes, at, end)
    const code = this.#pushNumber(node, bytes)
    return code < 0 ? code : next
  }

  #parseQuotedNumber(node: JsonNode, bytes: Uint8Array, at: number, end: number): number {
    const next = this.#enterString(bytes, at, end)
    if (next < 0) return next
    const numberEnd = this.#scanner.token.scan(this.#text, this.#textStart, this.#textEnd)
    if (numberEnd === this.#textEnd) {
      const code = this.#pushNumber(node, this.#text)
      return code < 0 ? code : next
    }
    if (node.code !== jsonCode.double && node.code !== jsonCode.float) return typeMismatch
    const text = Buffer.from(this.#text.subarray(this.#textStart, this.#textEnd)).toString('latin1')
    if (text !== 'NaN' && text !== 'Infinity' && text !== '-Infinity') return typeMismatch
    const column = node.column as Float32Builder | Float64Builder
    column.push(Number(text))
    return next
  }

  /** Pushes the scanner's token; returns a negative reject code if it does not fit. */
  #pushNumber(node: JsonNode, bytes: Uint8Array): number {
    const { token } = this.#scanner
    switch (node.code) {
      case jsonCode.double: {
        const value = token.toDouble(bytes)
        if (value === Infinity || value === -Infinity) return outOfRange
        const column = node.column as Float64Builder
        column.push(value)
        return 0
      }
      case jsonCode.float: {
        const value = Math.fround(token.toDouble(bytes))
        if (value === Infinity || value === -Infinity) return outOfRange
        const column = node.column as Float32Builder
        column.push(value)
        return 0
      }
      case jsonCode.int: {
        let value = token.negative ? -token.mantissa : token.mantissa
        if (!token.isInteger || token.digitCount > exactDigits) {
          const whole = token.toUnscaled(bytes, 0)
          if (whole === undefined) return this.#inexact()
          value = Number(whole)
        }
        if (value > 0x7fff_ffff || value < -0x8000_0000) return outOfRange
        const column = node.column as Int32Builder
        column.push(value)
        return 0
      }
      case jsonCode.long: {
        const column = node.column as Int64Builder
        if (token.isInteger && token.digitCount <= exactDigits) {
          column.pushNumber(token.negative ? -token.mantissa : token.mantissa)
          return 0
        }
        if (token.isInteger && token.digitCount <= 19) return pushLongDigits(column, bytes, token.end, token.negative)
        const whole = token.toUnscaled(bytes, 0)
        if (whole === undefined) return this.#inexact()
        if (whole > int64Max || whole < -int64Max - 1n) return outOfRange
        column.pushBigint(whole)
        return 0
      }
      default:
        return this.#pushDecimal(node.column as DecimalBuilder, bytes)
    }
  }

  /** A fraction in a whole-number column is the wrong type; a number of too many digits is out of range. */
  #inexact(): number {
    const { token } = this.#scanner
    return token.digitCount + token.exponent > exactDigits ? outOfRange : typeMismatch
  }

  #pushDecimal(column: DecimalBuilder, bytes: Uint8Array): number {
    const { token } = this.#scanner
    const { precision, scale } = column
    const zeros = scale + token.exponent
    if (zeros >= 0 && token.digitCount + zeros <= exactDigits) {
      if (token.digitCount + zeros > precision && token.digitCount > 0) return outOfRange
      const magnitude = token.mantissa * powersOfTen[zeros < 23 ? zeros : 0]!
      column.pushNumber(token.negative ? -magnitude : magnitude)
      return 0
    }
    const unscaled = token.toUnscaled(bytes, scale)
    if (unscaled === undefined) return outOfRange
    const limit = 10n ** BigInt(precision)
    if (unscaled >= limit || unscaled <= -limit) return outOfRange
    column.pushBigint(unscaled)
    return 0
  }

  #parseDate(column: Int32Builder, bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] === quote) {
      const next = this.#enterString(bytes, at, end)
      if (next < 0) return next
      const days = parseDate(this.#text, this.#textStart, this.#textEnd)
      if (days === noDate) return typeMismatch
      column.push(days)
      return next
    }
    const { token } = this.#scanner
    const next = token.scan(bytes, at, end)
    if (next < 0) return this.#mismatch(bytes, at, end)
    if (!token.isInteger) return typeMismatch
    const value = token.negative ? -token.mantissa : token.mantissa
    if (value > 0x7fff_ffff || value < -0x8000_0000) return outOfRange
    column.push(value)
    return next
  }

  #parseTimestamp(column: Int64Builder, bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] === quote) {
      const next = this.#enterString(bytes, at, end)
      if (next < 0) return next
      if (!this.#timestamp.parse(this.#text, this.#textStart, this.#textEnd)) return typeMismatch
      pushMicros(column, this.#timestamp.milliseconds, this.#timestamp.microsOfMilli)
      return next
    }
    const { token } = this.#scanner
    const next = token.scan(bytes, at, end)
    if (next < 0) return this.#mismatch(bytes, at, end)
    if (!token.isInteger) return typeMismatch
    if (token.digitCount > exactDigits) return outOfRange
    pushMicros(column, token.negative ? -token.mantissa : token.mantissa, 0)
    return next
  }

  #parseBinary(column: BytesBuilder, bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== quote) return this.#mismatch(bytes, at, end)
    const next = this.#enterString(bytes, at, end)
    if (next < 0) return next
    column.reserve(this.#textEnd - this.#textStart)
    const to = decodeBase64(this.#text, this.#textStart, this.#textEnd, column.bytes, column.used + bytesPrefix)
    if (to < 0) return typeMismatch
    column.pushEnd(to)
    return next
  }

  #enterString(bytes: Uint8Array, at: number, end: number): number {
    const next = this.#scanner.skipString(bytes, at, end)
    if (next < 0) return next
    if (this.#scanner.hasEscapes) {
      this.#textEnd = this.#scanner.unescape(bytes, at + 1, next - 1)
      this.#textStart = 0
      this.#text = this.#scanner.scratch
    } else {
      this.#text = bytes
      this.#textStart = at + 1
      this.#textEnd = next - 1
    }
    return next
  }
}

/**
 * The usual whole number: 1 to 15 digits that a comma or brace ends. Returns the position after it, or 0 without having pushed:
 * then it needs a closer look.
 */
function pushPlainDigits(column: Int64Builder, bytes: Uint8Array, start: number, end: number): number {
  let value = bytes[start]! - 0x30
  if (value < 1 || value > 9) return 0
  let at = start + 1
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  if (at - start > exactDigits || at >= end) return 0
  const stop = bytes[at]
  if (stop !== 0x2c && stop !== 0x7d) return 0
  column.pushNumber(value)
  return at
}

/** milliseconds * 1000 + micros; exact for every whole |milliseconds| below 9e15. */
export function pushMicros(column: Int64Builder, milliseconds: number, micros: number): void {
  if (milliseconds < 9e12 && milliseconds > -9e12) {
    column.pushNumber(milliseconds * 1000 + micros)
    return
  }
  column.pushBigint(BigInt(milliseconds) * 1000n + BigInt(micros))
}

/**
 * 16 to 19 digits that end at `end`, exactly and without BigInt: the last nine apart from the rest, then both in base 2^16.
 */
function pushLongDigits(column: Int64Builder, bytes: Uint8Array, end: number, negative: boolean): number {
  let upper = 0
  let at = end
  while (at > 0 && end - at < 19) {
    const digit = bytes[at - 1]! - 0x30
    if (digit < 0 || digit > 9) break
    at--
  }
  for (; at < end - 9; at++) upper = upper * 10 + (bytes[at]! - 0x30)
  let lower = 0
  for (; at < end; at++) lower = lower * 10 + (bytes[at]! - 0x30)
  const upperHigh = Math.floor(upper / 65536)
  const upperLow = upper % 65536
  const small = upperLow * 1e9 + lower
  const large = upperHigh * 1e9 + Math.floor(small / 65536)
  const high = Math.floor(large / 65536)
  const low = (large % 65536) * 65536 + (small % 65536)
  if (high >= 0x8000_0000 && !(negative && high === 0x8000_0000 && low === 0)) return outOfRange
  if (!negative) column.pushWords(low, high)
  else column.pushWords(-low, low === 0 ? -high : ~high)
  return 0
}
