/**
 * The journal's promises, wherever it lies: what was answered is never lost, what was not answered is there once or not at all, one leader at a time, retries get the first answer, damage is named.
 */
import { describe, expect, test } from 'vitest'
import { openSession } from '../../catalog/commands/name-commands.ts'
import { createTopic } from '../../catalog/commands/topic-commands.ts'
import { journalKey, parseJournalKey } from '../../catalog/journal/journal-keys.ts'
import { receiptsPerClientMax } from '../../catalog/limits.ts'
import { type Catalog, type CatalogOptions, openCatalog } from '../../catalog/open-catalog.ts'
import { replayOnly } from '../../catalog/replica/recover.ts'
import { readOnAndTakeLead } from '../../catalog/replica/take-lead.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import { silentLog } from '../../core/log.ts'
import { seededRandom } from '../../core/random.ts'
import { HandClock } from '../unit/catalog/catalog-fixture.ts'
import {
  type JournalHome,
  makeMortality,
  modelHashes,
  runWorkload,
  workload,
  workloadSteps,
} from './journal-harness.ts'

export interface JournalSuite {
  readonly name: string
  /** A new and empty home. */
  makeHome(clock: HandClock): Promise<JournalHome>
  readonly losesAnswers?: boolean
}

let seed = 1
export function open(home: JournalHome, clock: HandClock, options?: Partial<CatalogOptions>): Promise<Catalog> {
  const { journal, store } = home
  const random = seededRandom(seed++)
  return openCatalog({ journal, store, clock, random, log: silentLog, ...(options === undefined ? {} : { options }) })
}

/** Opens until the store lets it. */
export async function openStubbornly(
  home: JournalHome,
  clock: HandClock,
  options?: Partial<CatalogOptions>,
): Promise<Catalog> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(home, clock, options)
    } catch (error) {
      if (!isFloeError(error, 'unavailable') || attempt > 200) throw error
    }
  }
}

export async function failure(promise: Promise<unknown>): Promise<FloeError> {
  try {
    await promise
  } catch (error) {
    if (isFloeError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

export async function topicNames(catalog: Catalog): Promise<string[]> {
  return (await catalog.client.topics()).map(topic => topic.name).sort()
}

const retryingClientId = new Uint8Array(16).fill(3)

function submitTopic(catalog: Catalog, requestNumber: number, name: string) {
  return catalog.leader.submit(retryingClientId, requestNumber, createTopic, {
    topicId: seededRandom(requestNumber).bytes(16),
    name,
    partitionCount: 1,
    configs: {},
  })
}

/** One client that creates 38 topics, each command retried under its number, the process being given up again and again. */
export async function retryThroughCrashes(home: JournalHome, clock: HandClock): Promise<void> {
  const options = { snapshotEntryCount: 5, appendTimeoutMs: 3000 }
  let catalog: Catalog | undefined
  const tries = async <T>(attempt: (catalog: Catalog) => Promise<T>): Promise<T> => {
    for (let count = 0; ; count++) {
      try {
        catalog ??= await open(home, clock, options)
        return await attempt(catalog)
      } catch (error) {
        if (!isFloeError(error) || count > 300) throw error
        if (error.code === 'receipt-expired') throw error
        catalog = undefined
      }
    }
  }
  await tries(opened => opened.leader.submit(retryingClientId, 1, openSession, undefined))
  for (let number = 2; number < 40; number++) {
    const answer = await tries(opened => submitTopic(opened, number, `topic-${number}`))
    expect(answer.outcome).toBe('created')
    if (number % 7 === 0) catalog = undefined
  }
}

async function readEntry(home: JournalHome, key: string): Promise<Uint8Array> {
  const { epoch, sequence } = parseJournalKey(key)!
  return (await home.journal.read(epoch, sequence))!
}

/** What every home keeps, also one that loses answers. */
export function describeJournalBasics({ name, makeHome, losesAnswers = false }: JournalSuite): void {
  describe(`journal on ${name}`, () => {
    test('what was answered is there after a restart, byte for byte', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const first = await openStubbornly(home, clock)
      let answered = 0
      await runWorkload(
        first,
        () => {},
        () => answered++,
      )
      expect(answered).toBe(workloadSteps.length)
      const second = await openStubbornly(home, clock)
      expect(second.state.hash()).toBe(first.state.hash())
      expect(second.state.hash()).toBe(modelHashes(second.state.clusterId, clock.time).at(-1))
      // It takes the first one's node off the list by itself, and must not do so in a directory that is being removed.
      await second.close()
    })

    test('a second opener takes the lead; the first one is fenced and nothing it wanted is applied', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const lost: FloeError[] = []
      const first = await openCatalog({
        ...home.through(async (_method, _key, call) => {
          for (;;) {
            try {
              return await call()
            } catch (error) {
              if (!isFloeError(error, 'unavailable')) throw error
            }
          }
        }),
        clock,
        random: seededRandom(seed++),
        log: silentLog,
        onLost: error => lost.push(error),
      })
      await first.client.createTopic('before', 1, {})
      const second = await openStubbornly(home, clock)
      await second.client.createTopic('by second', 1, {})
      const [a, b] = await Promise.all([
        failure(first.client.createTopic('too late', 1, {})),
        failure(first.client.createTopic('too late as well', 1, {})),
      ])
      expect([a.kind, a.code, b.code]).toEqual(['fenced', 'catalog-fenced', 'catalog-fenced'])
      expect((await failure(first.client.topics())).code).toBe('catalog-fenced')
      expect(lost).toEqual([a])
      expect(await topicNames(second)).toEqual(['before', 'by second'])
      await first.close()
      const third = await openStubbornly(home, clock)
      expect(await topicNames(third)).toEqual(['before', 'by second'])
    })

    test('snapshots replace the journal, keep the last two, and give the same state', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const catalog = await openStubbornly(home, clock, { snapshotEntryCount: 1_000_000 })
      for (let round = 0; round < 5; round++) {
        for (let index = 0; index < 3; index++) await catalog.client.createTopic(`t-${round}-${index}`, 1, {})
        await catalog.takeSnapshot()
      }
      // A failed snapshot is only logged; on the store that loses answers deletes may be repeated by the next one.
      await catalog.client.createTopic('last', 1, {})
      const hash = catalog.state.hash()
      const again = await openStubbornly(home, clock)
      expect(again.state.hash()).toBe(hash)
      expect(again.status().sequence).toBeGreaterThan(16)
      if (losesAnswers) return
      const keys = [
        ...(await home.store.list('catalog/')).objects.map(object => object.key),
        ...(await home.entryKeys()),
      ]
      expect(keys.filter(key => key.endsWith('/manifest')).length).toBe(2)
      expect(keys).toContain(journalKey(1, 1))
      expect(keys).toContain(journalKey(1, 2))
      expect(new Set(keys.filter(key => key.startsWith('catalog/journal/0000000002/'))).size).toBeLessThan(8)
      expect(keys).toContain('catalog/trimmed')
    })
  })
}

export function describeJournal({ name, makeHome }: JournalSuite): void {
  describe(`journal on ${name}: a process that dies at any call`, () => {
    const options = { snapshotEntryCount: 3 }

    async function runUntilDeath(inner: JournalHome, clock: HandClock, fatalCall: number, applied: boolean) {
      const mortal = makeMortality(fatalCall, applied)
      let submitted = 0
      let answered = 0
      const life = open(inner.through(mortal.around), clock, options).then(catalog =>
        runWorkload(
          catalog,
          () => submitted++,
          () => answered++,
        ).then(() => catalog.close()),
      )
      await Promise.race([life, mortal.died])
      // Answers that were decided before the death are still being handed out.
      for (let turn = 0; turn < 3; turn++) await clock.yield()
      return { submitted, answered, calls: mortal.calls() }
    }

    test('loses nothing answered, applies nothing twice, and the next leader works on', async () => {
      const clock = new HandClock()
      const { calls } = await runUntilDeath(await makeHome(clock), clock, Number.POSITIVE_INFINITY, false)
      expect(calls).toBeGreaterThan(40)
      const seen = new Set<number>()
      for (let fatalCall = 1; fatalCall <= calls; fatalCall++) {
        for (const applied of [false, true]) {
          const inner = await makeHome(clock)
          const { submitted, answered } = await runUntilDeath(inner, clock, fatalCall, applied)
          const recovered = await open(inner, clock, options)
          const { state } = recovered
          const appliedCount = modelHashes(state.clusterId, clock.time).indexOf(state.hash())
          const place = `death at call ${fatalCall}, ${applied ? 'after' : 'before'} it took effect`
          expect(appliedCount, place).toBeGreaterThanOrEqual(answered)
          expect(appliedCount, place).toBeLessThanOrEqual(submitted)
          seen.add(appliedCount)
          await recovered.client.createTopic('after the fall', 1, {})
          await recovered.close()
          const hash = state.hash()
          const again = await open(inner, clock)
          expect(again.state.hash(), place).toBe(hash)
        }
      }
      // Nearly every group of the workload was the last survivor in some run: over a network, calls overtake each other.
      expect(seen.size).toBeGreaterThanOrEqual(workload.length - 1)
    })
  })

  describe(`journal on ${name}: leaders that overlap`, () => {
    /** Holds up calls whose method and key match until they are let go. */
    function makeGate(inner: JournalHome, matches: (method: string, key: string) => boolean) {
      const arrived = Promise.withResolvers<void>()
      const opened = Promise.withResolvers<void>()
      let closed = false
      const store = inner.through(async (method, key, call) => {
        if (closed && matches(method, key)) {
          arrived.resolve()
          await opened.promise
        }
        return call()
      })
      return {
        store,
        arrived: arrived.promise,
        close: () => {
          closed = true
        },
        open: () => {
          closed = false
          opened.resolve()
        },
      }
    }
    const isJournalPut = (method: string, key: string): boolean =>
      method === 'putIfAbsent' && key.startsWith('catalog/journal/')

    test('a put of a paused leader that arrives after a seal, snapshots and trims is refused', async () => {
      const clock = new HandClock()
      const inner = await makeHome(clock)
      const gate = makeGate(inner, isJournalPut)
      const paused = await open(gate.store, clock)
      await paused.client.createTopic('early', 1, {})
      gate.close()
      const late = failure(paused.client.createTopic('late', 1, {}))
      await gate.arrived
      const second = await open(inner, clock)
      for (let round = 0; round < 4; round++) {
        await second.client.createTopic(`round-${round}`, 1, {})
        await second.takeSnapshot()
      }
      clock.advance(365 * 24 * 3600_000)
      gate.open()
      expect((await late).code).toBe('catalog-fenced')
      const third = await open(inner, clock)
      expect(await topicNames(third)).toEqual(['early', 'round-0', 'round-1', 'round-2', 'round-3'])
    })

    test('a put that lands between the end of the replay and the seal is kept and answered', async () => {
      const clock = new HandClock()
      const inner = await makeHome(clock)
      const gateA = makeGate(inner, isJournalPut)
      const a = await open(gateA.store, clock)
      gateA.close()
      const answer = a.client.createTopic('squeezed in', 1, {})
      await gateA.arrived
      const gateB = makeGate(inner, isJournalPut)
      gateB.close()
      const opening = open(gateB.store, clock)
      await gateB.arrived
      gateA.open()
      expect((await answer).outcome).toBe('created')
      gateB.open()
      const b = await opening
      expect(await topicNames(b)).toEqual(['squeezed in'])
      expect((await failure(a.client.createTopic('no more', 1, {}))).kind).toBe('fenced')
      expect(b.state.hash()).toBe((await open(inner, clock)).state.hash())
    })

    test('two that start at once end with one leader, and each answer is kept', async () => {
      for (let round = 0; round < 20; round++) {
        const clock = new HandClock()
        const inner = await makeHome(clock)
        const random = seededRandom(round)
        const jittery = (): JournalHome =>
          inner.through(async (_method, _key, call) => {
            for (let turns = random.fraction() * 6; turns > 0; turns--) await clock.yield()
            return call()
          })
        const kept: string[] = []
        const refused: string[] = []
        const life = async (who: string): Promise<void> => {
          const catalog = await open(jittery(), clock, { snapshotEntryCount: 4 })
          for (let index = 0; index < 6; index++) {
            const name = `${who}-${index}`
            try {
              await catalog.client.createTopic(name, 1, {})
              kept.push(name)
            } catch (error) {
              if (!isFloeError(error, 'fenced')) throw error
              refused.push(name)
            }
          }
        }
        await Promise.all([life('a'), life('b'), life('c')])
        expect(await topicNames(await open(inner, clock))).toEqual(kept.sort())
        expect(kept.length + refused.length).toBe(18)
        expect(kept.length).toBeGreaterThanOrEqual(6)
      }
    })

    test.each([
      ['from a snapshot', 2],
      ['from genesis', 0],
    ])('a recovery %s whose journal is trimmed underneath it starts again', async (_name, snapshotsBefore) => {
      for (const trimAtRead of [1, 2, 3, 4, 5, 8, 12, 20, 30, 36]) {
        const clock = new HandClock()
        const inner = await makeHome(clock)
        const live = await open(inner, clock)
        for (let index = 0; index < snapshotsBefore; index++) {
          await live.client.createTopic(`old-${index}`, 1, {})
          await live.takeSnapshot()
        }
        for (let index = 0; index < 3; index++) await live.client.createTopic(`topic-${index}`, 1, {})
        let reads = 0
        const recovering = await open(
          inner.through(async (_method, _key, call) => {
            if (++reads === trimAtRead) {
              for (let index = 0; index < 3; index++) {
                await live.client.createTopic(`during-${index}`, 1, {})
                await live.takeSnapshot()
              }
            }
            return call()
          }),
          clock,
        )
        const names = await topicNames(recovering)
        expect(names.length, `trimmed at read ${trimAtRead}`).toBe(await topicNames(live).then(all => all.length))
        expect((await failure(live.client.createTopic('fenced', 1, {}))).kind).toBe('fenced')
        await recovering.client.createTopic('goes on', 1, {})
        const last = await open(inner, clock)
        expect(last.state.hash()).toBe(recovering.state.hash())
      }
    })

    test('replicas that slept through a seal and a trim do not take each other for leaders', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const first = await open(home, clock)
      await first.client.createTopic('early', 1, {})
      const { journal, store } = home
      const sleepers = [
        await replayOnly({ journal, store, clock, log: silentLog }),
        await replayOnly({ journal, store, clock, log: silentLog }),
      ]
      const second = await open(home, clock)
      for (let round = 0; round < 4; round++) {
        await second.client.createTopic(`round-${round}`, 1, {})
        await second.takeSnapshot()
      }
      for (const [index, sleeper] of sleepers.entries()) {
        const writerId = new Uint8Array(16).fill(index + 1)
        const claim = { journal, store, clock, log: silentLog, writerId, address: '', appendTimeoutMs: 1_000 }
        // The seal of the first leader's epoch is still there, what came after it is gone: the key behind it is free.
        for (let attempt = 0; attempt < 3; attempt++) expect(await readOnAndTakeLead(sleeper, claim)).toBe('behind')
        expect([...sleeper.state.topics.all()].map(topic => topic.name)).toEqual(['early'])
      }
      expect((await second.client.createTopic('still leading', 1, {})).outcome).toBe('created')
      const third = await open(home, clock)
      expect(third.state.hash()).toBe(second.state.hash())
    })

    test('a trimmed journal without any snapshot is never taken for a new catalog', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const catalog = await open(home, clock)
      for (let round = 0; round < 3; round++) {
        await catalog.client.createTopic(`t-${round}`, 1, {})
        await catalog.takeSnapshot()
      }
      const manifests = (await home.store.list('catalog/snapshots/')).objects.map(object => object.key)
      await home.store.delete(manifests)
      const error = await failure(open(home, clock))
      expect([error.kind, error.code]).toEqual(['unavailable', 'catalog-snapshots-missing'])
    })
  })

  describe(`journal on ${name}: receipts`, () => {
    test('a retried request gets its first answer, in the same process, after a restart and from a snapshot', async () => {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const first = await open(home, clock)
      await first.leader.submit(retryingClientId, 1, openSession, undefined)
      const answer = await submitTopic(first, 2, 'orders')
      expect(answer.outcome).toBe('created')
      expect(await submitTopic(first, 2, 'orders')).toEqual(answer)
      const second = await open(home, clock)
      expect(await submitTopic(second, 2, 'orders')).toEqual(answer)
      await second.takeSnapshot()
      const third = await open(home, clock)
      expect(await submitTopic(third, 2, 'orders')).toEqual(answer)
      expect((await submitTopic(third, 3, 'orders')).outcome).toBe('exists')
    })

    test('a request that is too old, or whose client is unknown or long silent, is refused and not applied', async () => {
      const clock = new HandClock()
      const catalog = await open(await makeHome(clock), clock)
      expect((await failure(submitTopic(catalog, 2, 'stranger'))).code).toBe('receipt-expired')
      await catalog.leader.submit(retryingClientId, 1, openSession, undefined)
      for (let number = 2; number <= receiptsPerClientMax + 2; number++) await submitTopic(catalog, number, 'same')
      expect((await failure(submitTopic(catalog, 2, 'again'))).code).toBe('receipt-expired')
      expect((await submitTopic(catalog, 3, 'again')).outcome).toBe('exists')
      clock.advance(25 * 3600_000)
      expect((await failure(submitTopic(catalog, 1000, 'later'))).code).toBe('receipt-expired')
      expect(await topicNames(catalog)).toEqual(['same'])
    })

    test('requests that overtake each other within the window are each applied once', async () => {
      const clock = new HandClock()
      const catalog = await open(await makeHome(clock), clock)
      await catalog.leader.submit(retryingClientId, 1, openSession, undefined)
      await Promise.all([5, 3, 4, 2].map(number => submitTopic(catalog, number, `topic-${number}`)))
      expect(await topicNames(catalog)).toEqual(['topic-2', 'topic-3', 'topic-4', 'topic-5'])
    })

    test('a client that retries through crashes and lost answers applies each command exactly once', async () => {
      const clock = new HandClock()
      const inner = await makeHome(clock)
      const random = seededRandom(11)
      let lostCount = 0
      const faulty = inner.through(async (_method, _key, call) => {
        const luck = random.fraction()
        const answer = luck < 0.15 ? undefined : await call()
        if (luck >= 0.3) return answer
        lostCount++
        throw new FloeError('unavailable', 'answer-lost', 'it may or may not have been done')
      })
      await retryThroughCrashes(faulty, clock)
      expect(lostCount).toBeGreaterThan(40)
      expect((await topicNames(await open(inner, clock))).length).toBe(38)
    })
  })

  describe(`journal on ${name}: damage`, () => {
    async function filled(): Promise<{ clock: HandClock; home: JournalHome; keys: string[] }> {
      const clock = new HandClock()
      const home = await makeHome(clock)
      const catalog = await open(home, clock)
      for (let index = 0; index < 4; index++) await catalog.client.createTopic(`t-${index}`, 1, {})
      return { clock, home, keys: await home.entryKeys() }
    }

    test('a changed byte anywhere in any entry stops recovery with the name of the object', async () => {
      const { clock, home, keys } = await filled()
      const random = seededRandom(3)
      for (const key of keys) {
        const good = await readEntry(home, key)
        for (let round = 0; round < 12; round++) {
          const bad = good.slice()
          bad[Math.floor(random.fraction() * bad.length)]! ^= 1 << Math.floor(random.fraction() * 8)
          await home.overwrite(key, round < 10 ? bad : good.subarray(0, good.length - round))
          const error = await failure(open(home, clock))
          expect([error.kind, error.message.includes(key)]).toEqual(['corrupt', true])
        }
        await home.overwrite(key, good)
      }
      expect((await topicNames(await open(home, clock))).length).toBe(4)
    })

    test('a missing entry before later ones is damage, not the end', async () => {
      const { clock, home, keys } = await filled()
      const missing = keys.at(-3)!
      await home.overwrite(missing, undefined)
      const error = await failure(open(home, clock))
      expect([error.kind, error.message.includes(missing)]).toEqual(['corrupt', true])
    })

    test('entries of another journal do not fit in', async () => {
      const { clock, home, keys } = await filled()
      const other = await filled()
      await home.overwrite(keys.at(-1)!, await readEntry(other.home, keys.at(-1)!))
      expect((await failure(open(home, clock))).message).toMatch(/does not continue|not written by the leader/)
    })

    test('a damaged snapshot is passed over for the one before it; two damaged ones stop recovery', async () => {
      const { clock, home } = await filled()
      const catalog = await open(home, clock)
      for (let round = 0; round < 3; round++) {
        await catalog.client.createTopic(`s-${round}`, 1, {})
        await catalog.takeSnapshot()
      }
      await catalog.client.createTopic('after', 1, {})
      const chunks = (await home.store.list('catalog/snapshots/')).objects
        .map(({ key }) => key)
        .filter(key => /chunk/.test(key))
      expect(chunks.length).toBe(2)
      const damage = async (key: string): Promise<void> => {
        const bytes = (await home.store.get(key))!
        bytes[bytes.length >> 1]! ^= 1
        await home.store.put(key, bytes)
      }
      await damage(chunks[1]!)
      expect((await open(home, clock)).state.hash()).toBe(catalog.state.hash())
      await damage(chunks[0]!)
      const error = await failure(open(home, clock))
      expect([error.kind, error.message.includes(chunks[1]!)]).toEqual(['corrupt', true])
    })
  })

  describe(`journal on ${name}: cost`, () => {
    test('commands of one moment share one put, and an idle catalog makes no request', async () => {
      const clock = new HandClock()
      const calls: string[] = []
      const home = (await makeHome(clock)).through((method, _key, call) => {
        calls.push(method)
        return call()
      })
      const catalog = await open(home, clock)
      calls.length = 0
      await Promise.all(Array.from({ length: 500 }, (_, index) => catalog.client.createTopic(`t-${index}`, 1, {})))
      expect(calls).toEqual(['putIfAbsent'])
      clock.advance(3600_000)
      for (let turn = 0; turn < 20; turn++) await clock.yield()
      await catalog.client.topics()
      expect(calls).toEqual(['putIfAbsent'])
    })

    test('a full queue refuses with exhausted, and the commands before it are answered', async () => {
      const clock = new HandClock()
      const catalog = await open(await makeHome(clock), clock, { queueCommandCountMax: 10 })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) => catalog.client.createTopic(`t-${index}`, 1, {})),
      )
      const refused = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(refused.length).toBe(11)
      for (const error of refused) expect(error).toMatchObject({ kind: 'exhausted', code: 'catalog-queue-full' })
      expect((await topicNames(catalog)).length).toBe(9)
      expect((await catalog.client.createTopic('later', 1, {})).outcome).toBe('created')
    })

    test('an oversized command is refused alone', async () => {
      const clock = new HandClock()
      const catalog = await open(await makeHome(clock), clock)
      const configs = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`k${index}`, 'x'.repeat(100_000)]))
      const [large, small] = await Promise.allSettled([
        catalog.client.createTopic('large', 1, configs),
        catalog.client.createTopic('small', 1, {}),
      ])
      expect(large).toMatchObject({ status: 'rejected', reason: { code: 'catalog-command-too-large' } })
      expect(small.status).toBe('fulfilled')
    })
  })

  test(`journal on ${name}: silence ends the lead with an unknown outcome, which recovery settles`, async () => {
    const clock = new HandClock()
    const inner = await makeHome(clock)
    let silent = false
    const home = inner.through(async (method, _key, call) => {
      if (!silent) return call()
      if (method === 'putIfAbsent') await call()
      throw new FloeError('unavailable', 'silent', 'the store is silent')
    })
    const catalog = await open(home, clock, { appendTimeoutMs: 5000 })
    silent = true
    const queued: Promise<FloeError>[] = []
    const first = failure(catalog.client.createTopic('unknown', 1, {}))
    await clock.yield()
    queued.push(failure(catalog.client.createTopic('never written', 1, {})))
    expect((await first).code).toBe('catalog-outcome-unknown')
    expect((await queued[0]!).code).toBe('catalog-not-written')
    expect(await topicNames(await open(inner, clock))).toEqual(['unknown'])
  })
}
