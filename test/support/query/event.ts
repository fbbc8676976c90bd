/** An event as the reference evaluator sees it: a record, and its value read as JSON with every number exact. */

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

/** A number in JSON: a bigint when it is whole, else the nearest double. */
export type Cell =
  | null
  | boolean
  | number
  | bigint
  | string
  | Time
  | readonly Cell[]
  | { readonly [name: string]: Cell }

/** A moment, as opposed to a string that spells one. */
export class Time {
  readonly epochNs: bigint

  constructor(epochNs: bigint) {
    this.epochNs = epochNs
  }
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

export function isObject(cell: Cell): cell is { readonly [name: string]: Cell } {
  return typeof cell === 'object' && cell !== null && !Array.isArray(cell) && !(cell instanceof Time)
}
