/**
 * JSON with exact 64-bit integers. Iceberg snapshot ids lie above 2^53, where a JavaScript number silently rounds.
 *
 * print  bigint as plain digits; -0 as `-0.0`; NaN and infinities are our mistake; keys in insertion order, undefined left out
 * parse  integers that a number cannot hold exactly become bigint, everything else is as in JSON.parse
 */
import { assert } from '../core/assert.ts'
import { FloeError } from '../core/errors.ts'

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

export type JsonObject = { readonly [key: string]: JsonValue | undefined }

/** Digits to print as they are: for decimals, which are JSON numbers but neither number nor bigint. */
export class JsonNumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type PrintableJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonNumberText
  | readonly PrintableJson[]
  | { readonly [key: string]: PrintableJson | undefined }

export function printJson(value: PrintableJson): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      assert(Number.isFinite(value), 'JSON has no NaN and no infinities')
      return Object.is(value, -0) ? '-0.0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
  }
  if (value === null) return 'null'
  if (value instanceof JsonNumberText) return value.text
  if (isArray(value)) {
    let elements = ''
    for (const element of value) elements += elements === '' ? printJson(element) : `,${printJson(element)}`
    return `[${elements}]`
  }
  let members = ''
  for (const key in value) {
    const member = value[key]
    if (member === undefined) continue
    const name = plainKey.test(key) ? `"${key}"` : JSON.stringify(key)
    members += members === '' ? `${name}:${printJson(member)}` : `,${name}:${printJson(member)}`
  }
  return `{${members}}`
}

/** Keys that need no escape; quoting them by hand is several times faster. */
const plainKey = /^[\w.-]*$/
const isArray = (value: object): value is readonly PrintableJson[] => Array.isArray(value)

const integerText = /^-?\d+$/
/** Every integer that a number cannot hold exactly has so many digits. */
const longInteger = /\d{16}/
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** errors  corrupt, with `what` in the message: not UTF-8, not JSON */
export function parseJson(bytes: Uint8Array | string, what: string): JsonValue {
  try {
    const text = typeof bytes === 'string' ? bytes : utf8.decode(bytes)
    // Looking at every value takes several times longer.
    if (!longInteger.test(text)) return JSON.parse(text)
    const parsed: JsonValue = JSON.parse(text, (_key, value: JsonValue, context?: { readonly source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
      const source = context?.source
      return source !== undefined && integerText.test(source) ? BigInt(source) : value
    })
    return parsed
  } catch (cause) {
    throw new FloeError('corrupt', 'malformed-json', `${what} is not JSON`, {}, cause)
  }
}

/**
 * Reads members of parsed JSON by expected type. Every mismatch is a `corrupt` error that names the object and the member, so
 * that broken metadata is found by name and not by a TypeError somewhere else.
 */
export class JsonReader {
  readonly #object: JsonObject
  readonly #what: string

  constructor(value: JsonValue | undefined, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FloeError('corrupt', 'malformed-metadata', `${what} is not a JSON object`)
    }
    this.#object = value as JsonObject
    this.#what = what
  }

  /** The path of a member, for errors and nested readers. */
  path(key: string): string {
    return `${this.#what}: ${key}`
  }
  get keys(): string[] {
    return Object.keys(this.#object)
  }
  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== null
  }
  value(key: string): JsonValue | undefined {
    return Object.hasOwn(this.#object, key) ? this.#object[key] : undefined
  }
  #wrong(key: string, expected: string): FloeError {
    return new FloeError('corrupt', 'malformed-metadata', `${this.path(key)} is not ${expected}`)
  }

  string(key: string): string {
    const value = this.value(key)
    if (typeof value !== 'string') throw this.#wrong(key, 'a string')
    return value
  }
  boolean(key: string): boolean {
    const value = this.value(key)
    if (typeof value !== 'boolean') throw this.#wrong(key, 'a boolean')
    return value
  }
  /** A whole number within ±2^53. */
  integer(key: string): number {
    const value = this.value(key)
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#wrong(key, 'a whole number')
    return value
  }
  int64(key: string): bigint {
    const value = this.value(key)
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
    throw this.#wrong(key, 'a 64-bit integer')
  }
  array(key: string): readonly JsonValue[] {
    const value = this.value(key)
    if (!Array.isArray(value)) throw this.#wrong(key, 'an array')
    return value
  }
  object(key: string): JsonReader {
    return new JsonReader(this.value(key), this.path(key))
  }
  objects(key: string): JsonReader[] {
    return this.array(key).map((element, index) => new JsonReader(element, this.path(`${key}[${index}]`)))
  }
  /** An object whose members are all strings. */
  strings(key: string): Record<string, string> {
    const reader = this.object(key)
    return Object.fromEntries(reader.keys.map(name => [name, reader.string(name)]))
  }
}
