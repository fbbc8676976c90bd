/** JSON records decoded the slow and obvious way, through JSON.parse: what the byte decoder is held to. */
import type { Field, FieldType } from '../../table/types.ts'
import type { Plain } from '../unit/ingest/read-columns.ts'

class Rejected extends Error {}
/** A number as it was written. */
class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Row = { [name: string]: Plain }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The row, or undefined when the record is rejected. String columns that hold other JSON: `{ json: value }`. */
export function decodeWithJsonParse(fields: readonly Field[], bytes: Uint8Array): Row | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes), (_, part: unknown, context?: { source?: string }) =>
      typeof part === 'number' ? new NumberText(context!.source!) : part,
    )
    return convertStruct(fields, value)
  } catch (error) {
    if (error instanceof Rejected || error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

function convertStruct(fields: readonly Field[], value: unknown): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof NumberText) {
    throw new Rejected()
  }
  const entries = new Map<string, unknown>(Object.entries(value))
  return Object.fromEntries(
    fields.map(({ name, required, type }) => [name, convert(type, required, entries.get(name) ?? null)]),
  )
}

function convert(type: FieldType, required: boolean, value: unknown): Plain {
  if (value === null) {
    if (required) throw new Rejected()
    return null
  }
  switch (type.kind) {
    case 'struct':
      return convertStruct(type.fields, value)
    case 'list':
      if (!Array.isArray(value)) throw new Rejected()
      return value.map(element => convert(type.element, type.elementRequired, element))
    case 'map': {
      if (typeof value !== 'object' || Array.isArray(value) || value instanceof NumberText) throw new Rejected()
      // Two keys that differ only in a lone surrogate become one in UTF-8.
      const entries = new Map(Object.entries(value).map(([key, entry]) => [wellFormed(key), entry as unknown]))
      return [...entries]
        .map(([key, entry]): [string, Plain] => [key, convert(type.value, type.valueRequired, entry)])
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    }
    case 'decimal': {
      const unscaled = unscale(numberText(value), type.scale)
      if (unscaled === undefined || String(unscaled).replace('-', '').length > type.precision) throw new Rejected()
      return unscaled
    }
    case 'primitive':
      return convertPrimitive(type.name, value)
  }
}

function convertPrimitive(name: string, value: unknown): Plain {
  switch (name) {
    case 'boolean':
      if (typeof value !== 'boolean') throw new Rejected()
      return value
    case 'int':
    case 'long': {
      const whole = unscale(numberText(value), 0)
      const bits = name === 'int' ? 32 : 64
      if (whole === undefined || BigInt.asIntN(bits, whole) !== whole) throw new Rejected()
      return name === 'int' ? Number(whole) : whole
    }
    case 'float':
    case 'double': {
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
      const number = Number(numberText(value))
      const rounded = name === 'float' ? Math.fround(number) : number
      if (!Number.isFinite(rounded)) throw new Rejected()
      return rounded
    }
    case 'string':
      if (typeof value === 'string') return wellFormed(value)
      return { json: unwrap(value) }
    case 'binary':
      return convertBase64(value)
    case 'date':
      return convertDate(value)
    default:
      return convertTimestamp(value)
  }
}

const wellFormed = (text: string): string => new TextDecoder().decode(new TextEncoder().encode(text))

/** Numbers back in. */
export function unwrap(value: unknown): Plain {
  if (value instanceof NumberText) return Number(value.text)
  if (Array.isArray(value)) return value.map(unwrap)
  if (typeof value !== 'object' || value === null) return value as Plain
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unwrap(part)]))
}

function numberText(value: unknown): string {
  if (value instanceof NumberText) return value.text
  if (typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return value
  throw new Rejected()
}

function unscale(text: string, scale: number): bigint | undefined {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  let digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '') return 0n
  let zeros = Number(exponent) - fraction.length + scale
  while (digits.endsWith('0')) {
    digits = digits.slice(0, -1)
    zeros++
  }
  if (zeros < 0 || zeros > 100) return undefined
  const magnitude = BigInt(digits) * 10n ** BigInt(zeros)
  return text.startsWith('-') ? -magnitude : magnitude
}

function convertBase64(value: unknown): string {
  if (typeof value !== 'string') throw new Rejected()
  const bare = value.length % 4 === 0 ? value.replace(/={1,2}$/, '') : value
  if (!/^[A-Za-z0-9+/_-]*$/.test(bare) || bare.length % 4 === 1) throw new Rejected()
  const bytes = Buffer.from(bare, 'base64')
  const canonical = bytes.toString('base64').replace(/=+$/, '')
  if (canonical !== bare.replaceAll('-', '+').replaceAll('_', '/')) throw new Rejected()
  return bytes.toString('hex')
}

function convertDate(value: unknown): number {
  if (value instanceof NumberText) {
    if (!/^-?\d+$/.test(value.text)) throw new Rejected()
    const days = Number(value.text)
    if ((days | 0) !== days && days !== 0) throw new Rejected()
    return days | 0
  }
  const match = typeof value === 'string' ? /^(\d{4})-(\d\d)-(\d\d)$/.exec(value) : null
  if (match === null) throw new Rejected()
  return midnight(match[1]!, match[2]!, match[3]!) / 86_400_000
}

function midnight(year: string, month: string, day: string): number {
  const text = `${year}-${month}-${day}T00:00:00.000Z`
  const date = new Date(text)
  // Date accepts the 31st of short months.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== text) throw new Rejected()
  return date.getTime()
}

function convertTimestamp(value: unknown): bigint {
  if (value instanceof NumberText) {
    if (!/^-?\d{1,15}$/.test(value.text)) throw new Rejected()
    return BigInt(value.text) * 1000n
  }
  const pattern =
    /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/
  const match = typeof value === 'string' ? pattern.exec(value) : null
  if (match === null) throw new Rejected()
  const [, year, month, day, hour, minute, second = '00', fraction = '', sign, offsetHour = '00', offsetMinute = '00'] =
    match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw new Rejected()
  if (Number(offsetHour) > 18 || Number(offsetMinute) > 59) throw new Rejected()
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -1 : 1)
  const seconds = Number(hour) * 3600 + (Number(minute) - offset) * 60 + Number(second)
  const micros = BigInt(fraction.padEnd(6, '0').slice(0, 6))
  return BigInt(midnight(year!, month!, day!) + seconds * 1000) * 1000n + micros
}
