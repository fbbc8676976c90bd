/**
 * Times in strings: ISO 8601 with the liberties that query/language/time.ts tells, and which it is held against.
 *
 * A time is milliseconds since 1970 and nanoseconds above them, 0 to 999,999: both together do not fit 64 bits up to the year 9999.
 */

/** What `parseTime` and `timeOfNumber` found last. */
export let timeMs: f64 = 0
export let timeNs: i32 = 0

const nsPerMs: i32 = 1_000_000
const msPerDay: i64 = 86_400_000
/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z. */
const firstMs: i64 = -62_167_219_200_000
const lastMs: i64 = 253_402_300_799_999

/** Whether [start, end), without quotes and escapes, is a time. */
export function parseTime(start: usize, end: usize): bool {
  if (end - start < 10) return false
  const year = digits(start, 4)
  const month = digits(start + 5, 2)
  const day = digits(start + 8, 2)
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false
  if (load<u8>(start, 4) !== 0x2d || load<u8>(start, 7) !== 0x2d) return false
  let ms = daysSince1970(year, month, day) * msPerDay
  let ns: i32 = 0
  if (end - start > 10) {
    const separator = load<u8>(start, 10)
    if (end - start < 16 || ((separator | 0x20) !== 0x74 && separator !== 0x20)) return false
    const hour = digits(start + 11, 2)
    const minute = digits(start + 14, 2)
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || load<u8>(start, 13) !== 0x3a) return false
    ms += i64(hour) * 3_600_000 + i64(minute) * 60_000
    let at = start + 16
    if (at < end && load<u8>(at) === 0x3a) {
      if (end - at < 3) return false
      const second = digits(at + 1, 2)
      if (second < 0 || second > 59) return false
      ms += i64(second) * 1000
      at += 3
      if (at < end && (load<u8>(at) === 0x2e || load<u8>(at) === 0x2c)) {
        const fractionAt = ++at
        while (at < end && at - fractionAt < 9 && isDigit(load<u8>(at))) {
          ns = ns * 10 + i32(load<u8>(at) - 0x30)
          at++
        }
        if (at === fractionAt) return false
        for (let place = at - fractionAt; place < 9; place++) ns *= 10
      }
    }
    const offsetMs = offsetAt(at, end)
    if (offsetMs === noOffset) return false
    ms -= offsetMs
  }
  ms += ns / nsPerMs
  if (ms < firstMs || ms > lastMs) return false
  timeMs = f64(ms)
  timeNs = ns % nsPerMs
  return true
}

const noOffset: i64 = i64.MIN_VALUE

/** Milliseconds east of UTC; `noOffset` when [at, end) is no offset. None at all is UTC. */
function offsetAt(at: usize, end: usize): i64 {
  if (at === end) return 0
  const sign = load<u8>(at)
  if ((sign | 0x20) === 0x7a) return at + 1 === end ? 0 : noOffset
  if (sign !== 0x2b && sign !== 0x2d) return noOffset
  const length = end - at
  if (length !== 3 && length !== 5 && length !== 6) return noOffset
  if (length === 6 && load<u8>(at, 3) !== 0x3a) return noOffset
  const hours = digits(at + 1, 2)
  const minutes = length === 3 ? 0 : digits(end - 2, 2)
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return noOffset
  const ms = i64(hours) * 3_600_000 + i64(minutes) * 60_000
  return sign === 0x2d ? -ms : ms
}

/** -1 when these are not so many digits. */
function digits(start: usize, count: usize): i32 {
  let value: i32 = 0
  for (let at = start; at < start + count; at++) {
    const byte = load<u8>(at)
    if (!isDigit(byte)) return -1
    value = value * 10 + i32(byte - 0x30)
  }
  return value
}

function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39
}

function daysIn(year: i32, month: i32): i32 {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Proleptic Gregorian calendar; years begin in March, so that the day that comes and goes is the last one. */
function daysSince1970(year: i32, month: i32, day: i32): i64 {
  const marchYear = month > 2 ? year : year - 1
  const era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
  const yearOfEra = marchYear - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return i64(era) * 146_097 + i64(dayOfEra) - 719_468
}

/** A number of milliseconds, rounded to nanoseconds. */
export function timeOfNumber(number: f64): void {
  const whole = Math.floor(number)
  const fraction = (number - whole) * 1e6
  let ns = Math.floor(fraction)
  if (fraction - ns >= 0.5) ns += 1
  timeMs = ns >= 1e6 ? whole + 1 : whole
  timeNs = ns >= 1e6 ? 0 : i32(ns)
}

/** Whether what was found last lies between the two, both included; infinities are open ends. */
export function isTimeBetween(lowMs: f64, lowNs: i32, highMs: f64, highNs: i32): bool {
  if (timeMs < lowMs || (timeMs === lowMs && timeNs < lowNs)) return false
  return timeMs < highMs || (timeMs === highMs && timeNs <= highNs)
}
