/**
 * Numbers with and without a unit, as they are written: `12`, `0.5`, `1e6`, `10KiB`, `250ms`, `1h30m`, `10%`.
 *
 * A number written in digits alone is kept exactly, every other is the nearest double. A size is whole bytes, a duration whole
 * milliseconds.
 */

export type Measure =
  | { readonly kind: 'number'; readonly value: number | bigint }
  | { readonly kind: 'size'; readonly bytes: number }
  | { readonly kind: 'duration'; readonly ms: number }
  | { readonly kind: 'percent'; readonly percent: number }

export interface MeasureProblem {
  readonly kind: 'problem'
  readonly code: 'unknown-unit' | 'number-out-of-range'
  readonly message: string
  /** Within the text, in UTF-16 units. */
  readonly from: number
  /** The unit that was probably meant. */
  readonly unit?: string
}

export const durationUnitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

export const sizeUnitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Words of other tools and spellings in full. */
const unitAliases: Readonly<Record<string, string>> = {
  msec: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  sec: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
  week: 'w',
  weeks: 'w',
  byte: 'B',
  bytes: 'B',
  kilobytes: 'KB',
  megabytes: 'MB',
  gigabytes: 'GB',
}

const numberPattern = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/
const compoundPattern = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw])){2,}$/
const partPattern = /(\d+(?:\.\d+)?)(ms|[smhdw])/g

/** `text` is a Number token: digits, perhaps a fraction and an exponent, perhaps a unit. Without a sign. */
export function readMeasure(text: string): Measure | MeasureProblem {
  if (compoundPattern.test(text)) {
    let ms = 0
    for (const [, count, unit] of text.matchAll(partPattern)) ms += Number(count) * durationUnitMs[unit!]!
    return wholeDuration(ms)
  }
  const digits = numberPattern.exec(text)?.[0] ?? ''
  const written = text.slice(digits.length).trimStart()
  if (written === '') return readNumber(digits)
  const count = Number(digits)
  if (written === '%') return { kind: 'percent', percent: count }
  const unit = findUnit(written)
  if (unit === undefined) {
    return {
      kind: 'problem',
      code: 'unknown-unit',
      message: `unknown unit ${written.slice(0, 20)}: use ms, s, m, h, d or w, or B, KB, MB, GB, KiB, MiB or GiB`,
      from: text.length - written.length,
      ...suggestUnit(written),
    }
  }
  if (Object.hasOwn(durationUnitMs, unit)) return wholeDuration(count * durationUnitMs[unit]!)
  const bytes = Math.round(count * sizeUnitBytes[unit]!)
  return Number.isSafeInteger(bytes) ? { kind: 'size', bytes } : tooLarge
}

const tooLarge: MeasureProblem = {
  kind: 'problem',
  code: 'number-out-of-range',
  message: 'this number is too large',
  from: 0,
}

function wholeDuration(ms: number): Measure | MeasureProblem {
  const whole = Math.round(ms)
  return Number.isSafeInteger(whole) ? { kind: 'duration', ms: whole } : tooLarge
}

function readNumber(digits: string): Measure | MeasureProblem {
  const value = Number(digits)
  return Number.isFinite(value) ? { kind: 'number', value: toExactNumber(value, digits) } : tooLarge
}

/** `text` is a number that is nearest to the double `value`: a bigint when it is whole and beyond 2^53. Never -0. */
export function toExactNumber(value: number, text: string): number | bigint {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value === 0 ? 0 : value
  return /^-?\d+$/.test(text) ? BigInt(text) : BigInt(value)
}

/** The unit of that name, of another case, or in full. `M` is neither minutes nor megabytes: it is not guessed. */
function findUnit(written: string): string | undefined {
  if (Object.hasOwn(durationUnitMs, written) || Object.hasOwn(sizeUnitBytes, written)) return written
  const lower = written.toLowerCase()
  if (Object.hasOwn(unitAliases, lower)) return unitAliases[lower]
  if (written === 'M') return undefined
  return [...Object.keys(durationUnitMs), ...Object.keys(sizeUnitBytes)].find(unit => unit.toLowerCase() === lower)
}

function suggestUnit(written: string): { unit?: string } {
  if (written === 'M') return { unit: 'm' }
  const first = written[0]!.toLowerCase()
  if (written.length === 1 && 'kgt'.includes(first)) return { unit: `${first.toUpperCase()}B` }
  return {}
}

/** The shortest exact way to write a whole number of milliseconds. */
export function formatDuration(ms: number): string {
  return formatScaled(ms, durationUnitMs)
}

/** The shortest exact way to write a whole number of bytes. */
export function formatSize(bytes: number): string {
  return formatScaled(bytes, sizeUnitBytes)
}

function formatScaled(amount: number, units: Readonly<Record<string, number>>): string {
  const [smallest] = Object.keys(units)
  let shortest = `${amount}${smallest}`
  if (amount === 0) return shortest
  for (const [unit, scale] of Object.entries(units)) {
    const text = `${amount / scale}${unit}`
    if (amount % scale === 0 && text.length <= shortest.length) shortest = text
  }
  return shortest
}

/** Reads back as the same number. */
export function formatNumber(value: number | bigint): string {
  return String(value).replace('e+', 'e')
}
