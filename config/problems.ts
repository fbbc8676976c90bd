/**
 * Mistakes in a configuration file. All of them are collected and reported at once, each with its place, its key path, what is
 * wrong and, where one is near, the key or value that was probably meant.
 */
import { distance } from 'fastest-levenshtein'

export interface ConfigProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** For example `tables[0].source_topic`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** More mistakes than this are counted, not kept. */
export const problemCountMax = 200

/** `floe.yaml:12:5: tables[0].source_topic: must not be empty` */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`
}

/** The candidate that was probably meant, or undefined when none is near. */
export function findNearest(written: string, candidates: readonly string[]): string | undefined {
  if (written.length > 100) return undefined
  const lower = written.toLowerCase().replaceAll('-', '_')
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = distance(lower, candidate.toLowerCase())
    if (edits < bestDistance) {
      best = candidate
      bestDistance = edits
    }
  }
  if (best !== undefined) {
    // A third of the letters may differ, or only their order; beyond that a word left out is the likeliest slip (topic for
    // source_topic, host for hostname).
    if (bestDistance <= Math.floor(Math.max(best.length, lower.length) / 3)) return best
    if (sortLetters(best) === sortLetters(lower)) return best
  }
  if (lower.length < 4) return undefined
  const words = lower.split('_')
  return (
    candidates.find(candidate => words.every(word => candidate.split('_').includes(word))) ??
    candidates.find(candidate => candidate.startsWith(lower))
  )
}

function sortLetters(word: string): string {
  return word.toLowerCase().split('').sort().join('')
}

/** `; did you mean ...?` or nothing. */
export function suggestNearest(written: string, candidates: readonly string[]): string {
  const nearest = findNearest(written, candidates)
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}
