/**
 * Types and values of the sample tables, and the text in which every reader's rows are compared. All of it is the test's own:
 * what a reader should return is computed from the records that were produced and never from what Floe made of them.
 *
 *   value   boolean | number (int, float, double; date as days since 1970) | bigint (long; timestamps as microseconds; decimals
 *           unscaled) | string | bytes | array (list) | object (struct) | Map (map) | null
 *   text    null, a string for a scalar, an array for anything nested; structs in the order of their fields, maps as pairs
 *           sorted by key; floats as the hex of their bits, so that -0.0 and the last digit count (one NaN only)
 */
export type ScalarKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'binary'

export type SampleType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'struct'; readonly fields: readonly SampleColumn[] }
  | { readonly kind: 'list'; readonly element: SampleType }
  | { readonly kind: 'map'; readonly value: SampleType }

export interface SampleColumn {
  readonly name: string
  readonly type: SampleType
}

export type SampleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly SampleValue[]
  | ReadonlyMap<string, SampleValue>
  | SampleRow
export interface SampleRow {
  readonly [name: string]: SampleValue
}

export const scalar = (kind: ScalarKind): SampleType => ({ kind })
export const decimal = (precision: number, scale: number): SampleType => ({ kind: 'decimal', precision, scale })
export const struct = (fields: Readonly<Record<string, SampleType>>): SampleType => ({
  kind: 'struct',
  fields: columns(fields),
})
export const list = (element: SampleType): SampleType => ({ kind: 'list', element })
export const map = (value: SampleType): SampleType => ({ kind: 'map', value })
export const columns = (fields: Readonly<Record<string, SampleType>>): SampleColumn[] =>
  Object.entries(fields).map(([name, type]) => ({ name, type }))

export const isRow = (value: SampleValue): value is SampleRow =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Map) &&
  !Array.isArray(value)

export const isList = (value: SampleValue): value is readonly SampleValue[] => Array.isArray(value)

// ── Comparable text ──────────────────────────────────────────────────────────────────────────────────────────────────

export type Canonical = null | string | readonly Canonical[]

/** One row as JSON text. */
export const rowText = (row: readonly Canonical[]): string => JSON.stringify(row)

export function canonicalRow(of: readonly SampleColumn[], row: SampleRow): Canonical[] {
  return of.map(({ name, type }) => canonical(type, row[name] ?? null))
}

export function canonical(type: SampleType, value: SampleValue): Canonical {
  if (value === null) return null
  if (type.kind === 'struct' && isRow(value)) return canonicalRow(type.fields, value)
  if (type.kind === 'list' && isList(value)) return value.map(each => canonical(type.element, each))
  if (type.kind === 'map' && value instanceof Map) return canonicalEntries(type.value, [...value])
  if (type.kind === 'float' && typeof value === 'number') return floatBits(value)
  if (type.kind === 'double' && typeof value === 'number') return doubleBits(value)
  if (type.kind === 'binary' && value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (type.kind === 'decimal' && typeof value === 'bigint') return decimalText(value, type.scale)
  if (typeof value === 'object') throw new TypeError(`${JSON.stringify(value)} is no ${type.kind}`)
  return String(value)
}

export function canonicalEntries(type: SampleType, entries: readonly (readonly [string, SampleValue])[]): Canonical[] {
  return entries
    .map(([key, value]): [string, Canonical] => [key, canonical(type, value)])
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

const view = new DataView(new ArrayBuffer(8))

export function doubleBits(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  view.setFloat64(0, value)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

export function floatBits(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  view.setFloat32(0, value)
  return view.getUint32(0).toString(16).padStart(8, '0')
}

export function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : '.'}${digits.slice(point)}`
}

// ── Time, by the Date of the language ────────────────────────────────────────────────────────────────────────────────

const dayMs = 86_400_000

export function daysOf(text: string): number {
  return Math.floor(Date.parse(`${text}T00:00:00Z`) / dayMs)
}

/** `2024-02-29T23:59:59.999999`, or a space for the T; always with six digits of the second. */
export function microsOf(text: string): bigint {
  const [, date = '', time = '', fraction = ''] = /^(\S{10})[T ](\S{8})\.(\d{6})$/.exec(text) ?? []
  const ms = Date.parse(`${date}T${time}Z`)
  if (Number.isNaN(ms)) throw new Error(`${text} is no timestamp`)
  return BigInt(ms) * 1000n + BigInt(fraction)
}

export const dateText = (days: number): string => new Date(days * dayMs).toISOString().slice(0, 10)

/** ISO 8601 with microseconds and no zone. */
export function timestampText(micros: bigint, separator = 'T'): string {
  const microsOfSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const date = new Date(Number((micros - microsOfSecond) / 1000n))
  const text = date.toISOString().slice(0, 19).replace('T', separator)
  return `${text}.${String(microsOfSecond).padStart(6, '0')}`
}

// ── Order ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How two scalars of one type compare in SQL; text by its UTF-8 bytes. NaN is not a value here. */
export function compareScalars(a: SampleValue, b: SampleValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (typeof a === 'boolean' || typeof a === 'number') return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  throw new TypeError(`${String(a)} and ${String(b)} do not compare`)
}
