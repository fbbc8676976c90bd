/** An event as the reference evaluator sees it: a record, and its value read as JSON with every number exact. */

import type { Cell } from '../../../query/values/cell.ts'

export { type Cell, isObjectCell as isObject, Time } from '../../../query/values/cell.ts'

export interface QueryRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: string | null
  /** In order; of several with one name the last counts. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The value as text; null is a tombstone. */
  readonly value: string | null
}

/** Undefined when the text is no JSON. */
export function readJson(text: string): Cell | undefined {
  try {
    return JSON.parse(text, (_, value: unknown, { source }: { source?: string } = {}) => {
      return typeof value === 'number' && source !== undefined ? exactNumber(value, source) : value
    }) as Cell
  } catch {
    return undefined
  }
}

/** Written in digits alone, it is that number; otherwise the nearest double, which may be whole. */
export function exactNumber(value: number, source: string): number | bigint {
  if (/^-?\d+$/.test(source)) return BigInt(source)
  return Number.isInteger(value) ? BigInt(value) : value
}
