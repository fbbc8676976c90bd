/**
 * Numbers in JSON text: one scan that checks the grammar and keeps what conversions need, then conversions that are exact or
 * say no.
 *
 *   -12.50e3   negative, mantissa 1250, digitCount 4, exponent 1 (the value is mantissa * 10^exponent)
 *
 * source  RFC 8259, section 6; Clinger, "How to Read Floating Point Numbers Accurately" for the exact fast path
 */
export class NumberToken {
  start = 0
  end = 0
  negative = false
  /** Exact while digitCount <= 15. */
  mantissa = 0
  /** Digits from the first that is not zero. */
  digitCount = 0
  exponent = 0
  /** No fraction and no exponent part. */
  isInteger = true

  /** Returns the position after the number, or -1. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    let negative = false
    if (bytes[at] === 0x2d) {
      negative = true
      at++
    }
    let mantissa = 0
    let digitCount = 0
    let exponent = 0
    let isInteger = true
    let digit = at < end ? bytes[at]! - 0x30 : -1
    if (digit === 0) {
      at++
      digit = at < end ? bytes[at]! - 0x30 : -1
      // A zero is followed by no other digit.
      if (digit >= 0 && digit <= 9) return -1
    } else {
      if (digit < 1 || digit > 9) return -1
      do {
        mantissa = mantissa * 10 + digit
        digitCount++
        at++
        digit = at < end ? bytes[at]! - 0x30 : -1
      } while (digit >= 0 && digit <= 9)
    }
    if (digit === -2) {
      // A point.
      isInteger = false
      at++
      const fraction = at
      for (; at < end; at++) {
        digit = bytes[at]! - 0x30
        if (digit < 0 || digit > 9) break
        mantissa = mantissa * 10 + digit
        if (digitCount > 0 || digit !== 0) digitCount++
      }
      if (at === fraction) return -1
      exponent = fraction - at
    }
    if (at < end && (bytes[at]! | 0x20) === 0x65) {
      isInteger = false
      at++
      let exponentNegative = false
      const sign = at < end ? bytes[at] : 0
      if (sign === 0x2b || sign === 0x2d) {
        exponentNegative = sign === 0x2d
        at++
      }
      const first = at
      let power = 0
      for (; at < end; at++) {
        digit = bytes[at]! - 0x30
        if (digit < 0 || digit > 9) break
        if (power < exponentMax) power = power * 10 + digit
      }
      if (at === first) return -1
      exponent += exponentNegative ? -power : power
    }
    this.start = start
    this.end = at
    this.negative = negative
    this.mantissa = mantissa
    this.digitCount = digitCount
    this.exponent = exponent
    this.isInteger = isInteger
    return at
  }

  /** The nearest double, the same bits as JSON.parse; an infinity when beyond the largest. */
  toDouble(bytes: Uint8Array): number {
    const { exponent } = this
    if (this.digitCount <= 15) {
      if (exponent === 0) return this.negative ? -this.mantissa : this.mantissa
      if (exponent < 0 && exponent >= -22) {
        const value = this.mantissa / powersOfTen[-exponent]!
        return this.negative ? -value : value
      }
      if (exponent > 0 && exponent <= 22) {
        const value = this.mantissa * powersOfTen[exponent]!
        return this.negative ? -value : value
      }
    }
    return Number(latin1(bytes, this.start, this.end))
  }

  /** value * 10^scale as a whole number, or undefined when it is none or has far more digits than any column holds. */
  toUnscaled(bytes: Uint8Array, scale: number): bigint | undefined {
    if (this.digitCount === 0) return 0n
    const zeros = this.exponent + scale
    if (this.digitCount + zeros > digitsMax || this.digitCount + zeros < 0) return undefined
    let digits = ''
    for (let at = this.start; at < this.end; at++) {
      const byte = bytes[at]!
      if ((byte | 0x20) === 0x65) break
      if (byte >= 0x30 && byte <= 0x39) digits += String.fromCharCode(byte)
    }
    if (zeros >= 0) {
      digits += '0'.repeat(zeros)
    } else {
      const cut = digits.length + zeros
      if (/[1-9]/.test(digits.slice(Math.max(cut, 0)))) return undefined
      digits = cut > 0 ? digits.slice(0, cut) : '0'
    }
    if (digits.length > digitsCheckedMax) digits = digits.replace(/^0+/, '') || '0'
    const value = BigInt(digits)
    return this.negative ? -value : value
  }
}

const exponentMax = 100_000
/** More digits than decimal(38) and int64 have; whatever is larger does not fit anyway. */
const digitsMax = 60
const digitsCheckedMax = 64

export const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
