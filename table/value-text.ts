/**
 * Values as text: for people, for Iceberg's JSON single-value form and for Delta partition values.
 *
 *   date        2017-11-16
 *   timestamp   2017-11-16T22:31:08.000001        timestamptz  2017-11-16T22:31:08.000001+00:00
 *   decimal     -12.30, always with `scale` digits after the point
 *   binary      lower-case hex
 *
 * Years outside 0000 to 9999 carry a sign as in ISO 8601's expanded form (+10000-01-01, -0001-12-31). The calendar is the
 * proleptic Gregorian one. Date is not used: its range is smaller than that of the types.
 *
 * source  Iceberg specification, appendix D "JSON single-value serialization"
 */
import { decodeSingleValue, type PrimitiveValue } from './single-value.ts'
import type { PrimitiveType, SingleValue } from './types.ts'

export const microsPerSecond = 1_000_000n
export const microsPerMilli = 1_000n
export const microsPerHour = 3_600n * microsPerSecond
export const microsPerDay = 24n * microsPerHour

/** Division of whole numbers rounded toward negative infinity; the divisor is positive. */
export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

export interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** Days since 1970-01-01 to a calendar date: eras of 400 years that begin on 1 March, so that leap days come last. */
export function dateOfDays(days: number): CivilDate {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** The inverse of dateOfDays for valid calendar dates. */
export function daysOfDate({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

const pad = (value: number | bigint, width: number): string => String(value).padStart(width, '0')

function formatYear(year: number): string {
  if (year < 0) return `-${pad(-year, 4)}`
  return year > 9999 ? `+${year}` : pad(year, 4)
}

export function formatDate(days: number): string {
  const { year, month, day } = dateOfDays(days)
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `fractionDigits` of the second are printed; the rest is cut off, so round the value before if that matters. */
export function formatTimestamp(micros: bigint, fractionDigits: 3 | 6, suffix: '' | 'Z' | '+00:00'): string {
  const days = floorDivide(micros, microsPerDay)
  const microsOfDay = micros - days * microsPerDay
  const seconds = Number(microsOfDay / microsPerSecond)
  const fraction = pad(microsOfDay % microsPerSecond, 6).slice(0, fractionDigits)
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${formatDate(Number(days))}T${time}.${fraction}${suffix}`
}

export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled)
  const digits = pad(unscaled < 0n ? -unscaled : unscaled, scale + 1)
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
}

export function formatValue(type: PrimitiveType, value: PrimitiveValue): string {
  if (type.kind === 'decimal' && typeof value === 'bigint') return formatDecimal(value, type.scale)
  if (type.kind === 'primitive') {
    if (type.name === 'date' && typeof value === 'number') return formatDate(value)
    if (type.name === 'timestamp' && typeof value === 'bigint') return formatTimestamp(value, 6, '')
    if (type.name === 'timestamptz' && typeof value === 'bigint') return formatTimestamp(value, 6, '+00:00')
  }
  if (Object.is(value, -0)) return '-0.0'
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')
  return String(value)
}

/** For people: `null`, or the value's text. */
export function formatSingleValue(type: PrimitiveType, value: SingleValue): string {
  return value === null ? 'null' : formatValue(type, decodeSingleValue(type, value))
}

/** Iceberg's JSON form: booleans and numbers as such (long as bigint, for exact-json.ts), everything else as text. */
export function toJsonSingleValue(type: PrimitiveType, value: SingleValue): boolean | number | bigint | string | null {
  if (value === null) return null
  const decoded = decodeSingleValue(type, value)
  if (typeof decoded === 'boolean' || typeof decoded === 'number') {
    return type.kind === 'primitive' && type.name === 'date' ? formatValue(type, decoded) : decoded
  }
  if (typeof decoded === 'bigint' && type.kind === 'primitive' && type.name === 'long') return decoded
  return formatValue(type, decoded)
}
