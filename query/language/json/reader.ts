/** Reads JSON that anybody may have written: every value is checked, and a refusal names its path. */
import { findNearest } from '../nearest.ts'

export interface JsonProblem {
  readonly code: string
  /** One sentence without a full stop. */
  readonly message: string
  /** `$.filter.and[1].value` */
  readonly path: string
}

export class JsonRefusal extends Error {
  override readonly name = 'JsonRefusal'
  readonly problem: JsonProblem

  constructor(code: string, message: string, path: string) {
    super(message)
    this.problem = { code, message, path }
  }
}

/** An object of which every key must be known. */
export class ObjectReader {
  readonly path: string
  readonly #entries: ReadonlyMap<string, unknown>

  constructor(value: unknown, path: string, keys: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new JsonRefusal('expected-object', `must be an object, not ${describeJson(value)}`, path)
    }
    this.path = path
    this.#entries = new Map(Object.entries(value))
    for (const key of this.#entries.keys()) {
      if (keys.includes(key)) continue
      const nearest = findNearest(key, keys)
      const advice = nearest === undefined ? `known are ${keys.join(', ')}` : `did you mean ${nearest}?`
      throw new JsonRefusal('unknown-key', `is not known here; ${advice}`, this.at(key))
    }
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): unknown {
    return this.#entries.get(key)
  }

  /** errors  missing */
  require(key: string): unknown {
    if (this.#entries.has(key)) return this.#entries.get(key)
    throw new JsonRefusal('missing-key', `must have ${key}`, this.path)
  }

  at(key: string): string {
    return /^[A-Za-z_]\w*$/.test(key) ? `${this.path}.${key}` : `${this.path}[${JSON.stringify(key.slice(0, 40))}]`
  }
}

export function readArray(value: unknown, path: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value))
    throw new JsonRefusal('expected-array', `must be an array, not ${describeJson(value)}`, path)
  if (value.length < min) throw new JsonRefusal('too-few', `must have at least ${min}`, path)
  if (value.length > max) throw new JsonRefusal('too-many', `must have at most ${max}`, path)
  return value
}

export function readText(value: unknown, path: string, lengthMax: number): string {
  if (typeof value !== 'string') {
    throw new JsonRefusal('expected-string', `must be a string, not ${describeJson(value)}`, path)
  }
  if (value.length <= lengthMax) return value
  throw new JsonRefusal('too-long', `must have at most ${lengthMax} characters`, path)
}

/** A whole number between `min` and `max`. */
export function readWhole(value: unknown, path: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const message = `must be a whole number from ${min} to ${max}, not ${describeJson(value)}`
  throw new JsonRefusal('number-out-of-range', message, path)
}

export function describeJson(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return value.length > 40 ? 'a long string' : JSON.stringify(value)
  return String(value)
}
