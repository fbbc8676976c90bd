/**
 * Creates one journal entry, or learns who was faster. The bytes for a sequence are never changed once an attempt was made: a
 * lost attempt may still arrive, and then must say the same.
 */
import type { Clock } from '../../core/clock.ts'
import { type ErrorKind, FloeError, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Journal } from './journal.ts'
import { decodeEntry } from './journal-entry.ts'
import { journalKey } from './journal-keys.ts'

export interface AppendParts {
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
}

const pauseMs = 500
/** Everybody waits for the entry meanwhile: whoever looks into the log should find out why. */
const complaintIntervalMs = 10_000
const worthWaiting: readonly ErrorKind[] = ['unavailable', 'exhausted', 'corrupt']

/**
 * returns  'applied', or the bytes of the other writer's entry that lies there; 'closed': none does, and a later epoch has begun
 * errors   unavailable `catalog-outcome-unknown`: the journal did not tell within `timeoutMs`; the entry may exist or appear
 *          later, so this writer must not write any other entry; anything else the journal throws, with the same consequence
 */
export async function appendEntry(
  { journal, clock, log }: AppendParts,
  epoch: number,
  sequence: number,
  parts: readonly Uint8Array[],
  timeoutMs: number,
): Promise<'applied' | 'closed' | Uint8Array> {
  const key = journalKey(epoch, sequence)
  const startMs = clock.monotonicMs()
  const deadlineMs = startMs + timeoutMs
  let complainedMs = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      const outcome = await journal.append(epoch, sequence, parts)
      if (outcome !== 'refused') return outcome
      const existing = await journal.read(epoch, sequence)
      // It was there a moment ago: only a journal that lost it, or a trim of what lies behind a snapshot, takes it away.
      if (existing !== undefined) {
        if (equalsParts(existing, parts)) return 'applied'
        // Throws when the bytes are no whole entry: a bad read must not be taken for another leader.
        decodeEntry(existing, key)
        return existing
      }
    } catch (error) {
      // A full disk may be emptied, a silent one may answer again, a bad read may be better next time.
      if (!isFloeError(error) || !worthWaiting.includes(error.kind)) throw error
      if (clock.monotonicMs() >= deadlineMs) {
        throw new FloeError(
          'unavailable',
          'catalog-outcome-unknown',
          `journal entry ${key} may or may not be stored: ${error.message}`,
          { key },
          error,
        )
      }
      const nowMs = clock.monotonicMs()
      if (nowMs - complainedMs >= complaintIntervalMs) {
        complainedMs = nowMs
        const forMs = Math.round(nowMs - startMs)
        log.warn('the catalog cannot write its journal; it tries on', { reason: error.message, forMs, timeoutMs })
      }
    }
    if (clock.monotonicMs() >= deadlineMs) {
      throw new FloeError('unavailable', 'catalog-outcome-unknown', `journal entry ${key} comes and goes`, { key })
    }
    await clock.sleep(pauseMs)
  }
}

function equalsParts(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
  let at = 0
  for (const part of parts) {
    if (Buffer.compare(bytes.subarray(at, at + part.length), part) !== 0) return false
    at += part.length
  }
  return at === bytes.length
}
