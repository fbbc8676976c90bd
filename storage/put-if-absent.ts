/**
 * Put-if-absent with its three outcomes brought down to two. An unknown outcome is resolved by reading the object back; a
 * store that stays silent for a bounded number of attempts ends in the error `outcome-unknown`, never in a guess.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError, isFloeError } from '../core/errors.ts'
import type { ObjectBody, ObjectStore, WriteOutcome } from './object-store.ts'

export interface CreateOptions {
  readonly clock: Clock
  /** How often to try before giving up with `outcome-unknown`. */
  readonly attemptCountMax?: number
}

const createAttemptCountMax = 8
const backoffMsFirst = 50
const backoffMsMax = 2_000

/**
 * Creates an object whose bytes only this writer can have made.
 *
 * body     must hold something unique to this writer and this call, such as a writer id and a sequence number: after a lost
 *          answer, finding these very bytes under the key is taken as proof that this call created them
 * returns  applied: the object is ours; refused: another writer's object has the key
 * errors   unavailable `outcome-unknown`: it may or may not exist, now or later; the caller must ask again before it acts
 */
export async function createObject(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  options: CreateOptions,
): Promise<'applied' | 'refused'> {
  // Once an attempt was lost, a refusal no longer tells whose object is there: it may be the lost attempt's.
  let lost = false
  return untilKnown(store, key, options, async () => {
    const outcome = await tryPutIfAbsent(store, key, body)
    if (outcome === 'applied' || (outcome === 'refused' && !lost)) return outcome
    lost = true
    const existing = await store.get(key)
    if (existing === undefined) return undefined
    return equalsBody(existing, body) ? 'applied' : 'refused'
  })
}

/**
 * Creates an object whose bytes follow from its key, so that every writer would write the same: finding them there is success,
 * whoever wrote them.
 *
 * errors  corrupt `object-differs`: other bytes have the key; unavailable `outcome-unknown` as above
 */
export async function createIdenticalObject(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  options: CreateOptions,
): Promise<void> {
  await untilKnown(store, key, options, async () => {
    if ((await tryPutIfAbsent(store, key, body)) === 'applied') return true
    const existing = await store.get(key)
    if (existing === undefined) return undefined
    if (equalsBody(existing, body)) return true
    throw new FloeError(
      'corrupt',
      'object-differs',
      `${key} in ${store.uri} exists with other bytes than Floe would write; keep a copy of it for analysis, then remove it`,
      { key, bytes: existing.length },
    )
  })
}

/** A failure that leaves the outcome open is an unknown outcome; every other one is thrown. */
async function tryPutIfAbsent(store: ObjectStore, key: string, body: ObjectBody): Promise<WriteOutcome> {
  try {
    return await store.putIfAbsent(key, body)
  } catch (error) {
    if (isFloeError(error, 'unavailable')) return 'unknown'
    throw error
  }
}

async function untilKnown<T>(
  store: ObjectStore,
  key: string,
  { clock, attemptCountMax = createAttemptCountMax }: CreateOptions,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  let cause: FloeError | undefined
  let backoffMs = backoffMsFirst
  for (let count = 1; count <= attemptCountMax; count++) {
    try {
      const answer = await attempt()
      if (answer !== undefined) return answer
    } catch (error) {
      if (!isFloeError(error, 'unavailable')) throw error
      cause = error
    }
    if (count === attemptCountMax) break
    await clock.sleep(backoffMs)
    backoffMs = Math.min(backoffMs * 2, backoffMsMax)
  }
  const reason = cause === undefined ? 'the store lost the answer each time' : cause.message
  throw new FloeError(
    'unavailable',
    'outcome-unknown',
    `whether ${key} was created in ${store.uri} is unknown after ${attemptCountMax} attempts: ${reason}`,
    { key, attempts: attemptCountMax },
    cause,
  )
}

function equalsBody(bytes: Uint8Array, body: ObjectBody): boolean {
  let at = 0
  for (const chunk of body instanceof Uint8Array ? [body] : body) {
    if (Buffer.compare(bytes.subarray(at, at + chunk.length), chunk) !== 0) return false
    at += chunk.length
  }
  return at === bytes.length
}
