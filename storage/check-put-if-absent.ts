/**
 * The check at start-up that a store honours put-if-absent. The catalog's journal stands on it: a store that ignores
 * `If-None-Match` lets two leaders write the same journal entry and loses acknowledged records, in silence.
 *
 * Probe keys are unique to one check, so removing them can never remove anything else. A probe whose delete fails, or that
 * lands after it, stays behind under `probe/` and means nothing.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import { type Random, randomUuid } from '../core/random.ts'
import type { ObjectStore } from './object-store.ts'

const probePrefix = 'probe/'
const racerCount = 8
const raceCount = 4
const attemptCountMax = 5
const backoffMs = 200

/**
 * errors  unsupported `put-if-absent-ignored`: the store overwrites or lets several writers win;
 *         unavailable, invalid, exhausted: the store cannot be used at all, in its own words
 */
export async function checkPutIfAbsent(store: ObjectStore, deps: { clock: Clock; random: Random }): Promise<void> {
  // Reads first: a wrong address, bucket or password is told most plainly by a listing.
  await store.list(probePrefix)
  const keys: string[] = []
  const makeKey = (): string => {
    const key = `${probePrefix}${randomUuid(deps.random)}`
    keys.push(key)
    return key
  }
  try {
    await untilClear(store, deps.clock, () => checkSecondWrite(store, makeKey()))
    for (let race = 0; race < raceCount; race++) await untilClear(store, deps.clock, () => checkRace(store, makeKey()))
  } finally {
    await store.delete(keys).catch(() => {})
  }
}

/** Repeats a check, on a fresh key, whose outcome the store left unknown. */
async function untilClear(store: ObjectStore, clock: Clock, check: () => Promise<boolean>): Promise<void> {
  for (let count = 1; count <= attemptCountMax; count++) {
    if (await check()) return
    await clock.sleep(backoffMs * count)
  }
  throw new FloeError(
    'unavailable',
    'put-if-absent-unclear',
    `${store.uri} left the outcome of a conditional put open ${attemptCountMax} times; check the connection to the store and its health`,
  )
}

async function checkSecondWrite(store: ObjectStore, key: string): Promise<boolean> {
  const bodies = [probeBody(key, 0), probeBody(key, 1)] as const
  const first = await store.putIfAbsent(key, bodies[0])
  if (first === 'unknown') return false
  const second = await store.putIfAbsent(key, bodies[1])
  if (second === 'unknown') return false
  if (first !== 'applied') throw ignored(store, 'it refused to create an object that did not exist')
  if (second !== 'refused') throw ignored(store, 'it overwrote an object that existed')
  await checkHolds(store, key, bodies[0])
  return true
}

async function checkRace(store: ObjectStore, key: string): Promise<boolean> {
  const bodies = Array.from({ length: racerCount }, (_, racer) => probeBody(key, racer))
  const outcomes = await Promise.all(bodies.map(body => store.putIfAbsent(key, body)))
  const winners = outcomes.filter(outcome => outcome === 'applied').length
  if (winners > 1) throw ignored(store, `${winners} of ${racerCount} writers at once created the same object`)
  if (outcomes.includes('unknown')) return false
  if (winners === 0) throw ignored(store, 'of several writers at once none created the object')
  await checkHolds(store, key, bodies[outcomes.indexOf('applied')]!)
  return true
}

async function checkHolds(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  const found = await store.get(key)
  if (found === undefined) throw ignored(store, 'an object it had created was not there to read')
  if (Buffer.compare(found, body) !== 0) throw ignored(store, "a refused writer's bytes replaced the object")
}

function probeBody(key: string, writer: number): Uint8Array {
  return new TextEncoder().encode(`${key} written by ${writer}\n`)
}

function ignored(store: ObjectStore, what: string): FloeError {
  return new FloeError(
    'unsupported',
    'put-if-absent-ignored',
    `${store.uri} does not honour put-if-absent (If-None-Match: *): ${what}. Floe would lose data on it; use a store that does, see docs/object-stores.md`,
  )
}
