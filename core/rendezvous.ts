/**
 * Rendezvous hashing: everybody who knows the same candidates picks the same one for a key, and when a candidate comes or goes only
 * the keys that were, or become, its own move. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
 * 1998.
 */
import { crc32c } from './crc32c.ts'

/** The hash of a key, for `rendezvousScore`. */
export function hashKey(key: string): number {
  return crc32c(Buffer.from(key))
}

/** Unsigned 32 bits; the candidate with the highest score has the key. */
export function rendezvousScore(keyHash: number, candidate: number): number {
  // The finalizer of MurmurHash3, so that neighbouring candidates have unrelated scores.
  let mixed = keyHash ^ Math.imul(candidate + 1, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The candidate that has the key. `candidates` is not empty. */
export function pickByRendezvous(keyHash: number, candidates: readonly number[]): number {
  let best = candidates[0]!
  let bestScore = -1
  for (const candidate of candidates) {
    const score = rendezvousScore(keyHash, candidate)
    if (score > bestScore || (score === bestScore && candidate < best)) {
      best = candidate
      bestScore = score
    }
  }
  return best
}
