/**
 * Dates and times from ISO 8601 text (the profile of RFC 3339 with a few liberties that producers take).
 *
 *   date       YYYY-MM-DD
 *   timestamp  YYYY-MM-DD ('T' | 't' | ' ') hh:mm[:ss[(. | ,) 1 to 9 digits]] [Z | z | (+ | -) hh[[:]mm]]
 *
 * Years 0000 to 9999, proleptic Gregorian calendar. Digits beyond microseconds are cut, never rounded up. Without an offset
 * the text is taken as UTC. A leap second (:60) is refused: int64 microseconds cannot hold it.
 */

/** Days since 1970-01-01 of a valid date (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = ((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) | 0
  const dayOfEra = yearOfEra * 365 + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0) + dayOfYear + day - 1
  return era * 146097 + dayOfEra - 719468
}

const daysInMonth = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  if (day <= daysInMonth[month]!) return true
  return month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Not a number when a byte is no digit: callers test with `>= 0`. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1
  return tens * 10 + ones
}

export const noDate = -0x8000_0000
const dateLength = 10

/** Days since 1970-01-01, or noDate. */
export function parseDate(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== dateLength) return noDate
  return parseDatePart(bytes, start)
}

function parseDatePart(bytes: Uint8Array, at: number): number {
  const century = twoDigits(bytes, at)
  const yearOfCentury = twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  if (century < 0 || yearOfCentury < 0 || bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return noDate
  const year = century * 100 + yearOfCentury
  if (!isDate(year, month, day)) return noDate
  return daysFromCivil(year, month, day)
}

/** Where parseTimestamp leaves its result: microseconds = milliseconds * 1000 + microsOfMilli. */
export class TimestampParts {
  milliseconds = 0
  /** 0 to 999. */
  microsOfMilli = 0
  /** The last date seen and its day: timestamps of one stream mostly share it. */
  readonly #date = new Uint8Array(dateLength)
  #dateDays = noDate

  /** Whether bytes[start, end) are a timestamp. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 16) return false
    const days = this.#parseDate(bytes, start)
    if (days === noDate) return false
    const separator = bytes[start + 10]!
    if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return false
    const hour = twoDigits(bytes, start + 11)
    const minute = twoDigits(bytes, start + 14)
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || bytes[start + 13] !== 0x3a) return false
    let at = start + 16
    let second = 0
    let micros = 0
    if (at < end && bytes[at] === 0x3a) {
      if (at + 3 > end) return false
      second = twoDigits(bytes, at + 1)
      if (second < 0 || second > 59) return false
      at += 3
      if (at < end && (bytes[at] === 0x2e || bytes[at] === 0x2c)) {
        at++
        let digits = 0
        for (; at < end; at++) {
          const digit = bytes[at]! - 0x30
          if (digit < 0 || digit > 9) break
          if (digits < 6) micros = micros * 10 + digit
          digits++
        }
        if (digits === 0 || digits > 9) return false
        for (; digits < 6; digits++) micros *= 10
      }
    }
    let offsetMinutes = 0
    if (at < end) {
      const sign = bytes[at]!
      if (sign === 0x5a || sign === 0x7a) {
        at++
      } else if (sign === 0x2b || sign === 0x2d) {
        if (at + 3 > end) return false
        const hours = twoDigits(bytes, at + 1)
        at += 3
        let minutes = 0
        if (at < end) {
          if (bytes[at] === 0x3a) at++
          if (at + 2 > end) return false
          minutes = twoDigits(bytes, at)
          at += 2
        }
        if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return false
        offsetMinutes = sign === 0x2d ? -(hours * 60 + minutes) : hours * 60 + minutes
      }
    }
    if (at !== end) return false
    const microsOfMilli = micros % 1000
    this.milliseconds =
      ((days * 24 + hour) * 60 + minute - offsetMinutes) * 60_000 + second * 1000 + (micros - microsOfMilli) / 1000
    this.microsOfMilli = microsOfMilli
    return true
  }

  #parseDate(bytes: Uint8Array, start: number): number {
    const date = this.#date
    // From the end, where dates differ.
    let at = dateLength - 1
    while (at >= 0 && date[at] === bytes[start + at]) at--
    if (at < 0) return this.#dateDays
    for (let index = 0; index < dateLength; index++) date[index] = bytes[start + index]!
    this.#dateDays = parseDatePart(bytes, start)
    return this.#dateDays
  }
}
