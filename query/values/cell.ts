/** Single values, where the engine has to look at one: behind `[*]`, in sorts, in results. Never one per record of what is merely counted. */

/** Numbers are bigint when they are whole, else the nearest double: so equal numbers are the same value. */
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
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  readonly epochNs: bigint

  constructor(epochNs: bigint) {
    this.epochNs = epochNs
  }
}

/** `text` is valid JSON. */
export function readJsonCell(text: string): Cell {
  return JSON.parse(text, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? numberCell(context?.source ?? String(value)) : value,
  ) as Cell
}

/** `text` is a JSON number. Whole numbers in digits alone are exact, however long; others are the nearest double, which may be whole. */
export function numberCell(text: string): number | bigint {
  if (/^-?\d+$/.test(text)) return BigInt(text)
  const value = Number(text)
  return Number.isInteger(value) ? BigInt(value) : value
}

export function isObjectCell(cell: Cell): cell is { readonly [name: string]: Cell } {
  return typeof cell === 'object' && cell !== null && !Array.isArray(cell) && !(cell instanceof Time)
}
