/** Which candidates go with what stands at the cursor, and in which order. */
import type { Cursor } from './place.ts'

export interface Candidate {
  readonly label: string
  readonly insert: string
  readonly kind: 'field' | 'operator' | 'value' | 'aggregate' | 'stage' | 'word' | 'unit' | 'table'
  readonly detail?: string
  /** What the prefix is compared with, when it is not the label. */
  readonly match?: string
}

/** Those that begin as the prefix does, then those of which a part does, then those that contain it; within that, as they came. */
export function rankCandidates(cursor: Cursor, candidates: readonly Candidate[]): Candidate[] {
  const prefix = cursor.prefix.toLowerCase()
  if (prefix === '') return [...candidates]
  return candidates
    .map(candidate => ({ candidate, rank: rankOf((candidate.match ?? candidate.label).toLowerCase(), prefix) }))
    .filter(({ rank }) => rank < noMatch)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ candidate }) => candidate)
}

const noMatch = 3

function rankOf(label: string, prefix: string): number {
  if (label.startsWith(prefix)) return 0
  if (label.includes(`.${prefix}`) || label.includes(`_${prefix}`) || label.includes(`"${prefix}`)) return 1
  return label.includes(prefix) ? 2 : noMatch
}
