/** What is known of the events, by having looked at some: fields with their types and values. Counts are of the events looked at. */

export type ObservedType = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array' | 'time'

export interface FieldKnowledge {
  /** As formatField writes it. */
  readonly path: string
  /** In how many events a value of the type was seen. `time`: a string that is an ISO 8601 time. */
  readonly types: Readonly<Partial<Record<ObservedType, number>>>
  /** Frequent values, in any order. */
  readonly values?: readonly { readonly value: string | number | bigint | boolean; readonly count: number }[]
  /** Of the numbers seen. */
  readonly min?: number
  readonly max?: number
}

export interface Knowledge {
  readonly fields: readonly FieldKnowledge[]
  /** Names for `from table`. */
  readonly tables?: readonly string[]
}

/** In how many events the field was seen. */
export function countSeen(field: FieldKnowledge): number {
  return Object.values(field.types).reduce((sum, count) => sum + count, 0)
}

/** What every record has. */
export const metadataKnowledge: readonly FieldKnowledge[] = [
  { path: '@timestamp', types: { time: 0 } },
  { path: '@key', types: { string: 0 } },
  { path: '@offset', types: { number: 0 } },
  { path: '@partition', types: { number: 0 } },
  { path: '@size', types: { number: 0 } },
  { path: '@topic', types: { string: 0 } },
]
