/**
 * Times in ISO 8601, the profile of RFC 3339 with the liberties that people take: a date alone is its midnight, seconds may be
 * left out, a blank may stand for `T`, and without an offset the time is UTC.
 *
 *   YYYY-MM-DD [(T | t | ' ') hh:mm[:ss[(. | ,) 1 to 9 digits]] [Z | z | (+ | -) hh[[:]mm]]]
 *
 * Years 0000 to 9999, proleptic Gregorian calendar. A leap second is refused.
 */

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)?)?$/

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Nanoseconds since 1970-01-01T00:00:00Z, or undefined when the text is no time. */
export function parseTime(text: string): bigint | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  if (month < 1 || month > 12 || day < 1 || day > lengthOfMonth(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 18 || offsetMinutes > 59) return undefined
  const utc = new Date(0)
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  utc.setUTCFullYear(year, month - 1, day)
  utc.setUTCHours(hour, minute, second)
  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1)
  const ms = utc.getTime() - offset * 60_000
  if (ms < minMs || ms > maxMs) return undefined
  return BigInt(ms) * nsPerMs + BigInt((match[7] ?? '').padEnd(9, '0'))
}

function lengthOfMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : daysInMonth[month - 1]!
}

/** `2026-01-02T03:04:05Z`, with as many digits behind the second as it takes. */
export function formatTime(epochNs: bigint): string {
  const nsOfSecond = ((epochNs % nsPerSecond) + nsPerSecond) % nsPerSecond
  const seconds = new Date(Number((epochNs - nsOfSecond) / nsPerMs)).toISOString().slice(0, 19)
  const fraction = nsOfSecond.toString().padStart(9, '0').replace(/0+$/, '')
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
}

export function isTimeInRange(epochNs: bigint): boolean {
  return epochNs >= minNs && epochNs <= maxNs
}

const nsPerMs = 1_000_000n
const nsPerSecond = 1_000_000_000n
const minMs = Date.parse('0000-01-01T00:00:00Z')
const maxMs = Date.parse('9999-12-31T23:59:59.999Z')
const minNs = BigInt(minMs) * nsPerMs
const maxNs = BigInt(maxMs) * nsPerMs + 999_999n
