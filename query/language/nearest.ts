/** The word that was probably meant. */

/** The candidate that a third of the letters or less tell from `written`, whatever the case; undefined when none is near. */
export function findNearest(written: string, candidates: readonly string[]): string | undefined {
  if (written.length > writtenLengthMax) return undefined
  const lower = written.toLowerCase()
  let best: string | undefined
  let bestEdits = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = countEdits(lower, candidate.toLowerCase())
    if (edits < bestEdits && edits <= Math.floor(Math.max(lower.length, candidate.length) / 3)) {
      best = candidate
      bestEdits = edits
    }
  }
  return best
}

const writtenLengthMax = 100

/** Letters inserted, left out, replaced, or swapped with their neighbour (optimal string alignment). */
function countEdits(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let edits = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, beforeLast[column - 2]! + 1)
      }
      current.push(edits)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
