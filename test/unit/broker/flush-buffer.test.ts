/** When segments are sealed, on a clock that is moved by hand and a store that answers when told to. */
import { afterEach, expect, it } from 'vitest'
import { BrokerMetrics } from '../../../broker/metrics.ts'
import { brokerOptionDefaults } from '../../../broker/options.ts'
import { type BatchResult, FlushBuffer } from '../../../broker/produce/flush-buffer.ts'
import { openCatalog } from '../../../catalog/open-catalog.ts'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { systemRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { RangeCache } from '../../../storage/range-cache.ts'
import { makeBatch } from './harness.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

class HandClock implements Clock {
  #nowMs = 1_000
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []
  nowMs = systemClock.nowMs
  monotonicMs = (): number => this.#nowMs
  sleep = systemClock.sleep
  yield = systemClock.yield

  startTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return { cancel: () => this.#drop(timer) }
  }

  #drop(timer: { readonly atMs: number; readonly callback: () => void }): void {
    this.#timers = this.#timers.filter(other => other !== timer)
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)) {
      this.#drop(timer)
      timer.callback()
    }
  }
}

/** Sizes of the segments being put; each is put when its turn is released. */
class GatedStore extends MemoryStore {
  readonly puts: { readonly key: string; readonly release: () => void }[] = []
  override async put(key: string, body: Uint8Array): Promise<void> {
    await new Promise<void>(release => this.puts.push({ key, release }))
    await super.put(key, body)
  }
}

async function begin() {
  const catalog = await openCatalog({
    store: new MemoryStore(systemClock),
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  })
  closing.push(() => catalog.close())
  const { topic } = await catalog.client.createTopic('t', 1, {})
  const clock = new HandClock()
  const store = new GatedStore(systemClock)
  const metrics = new BrokerMetrics()
  const options = { ...brokerOptionDefaults, flushIntervalMs: 250, uploadsInFlightMax: 2, segmentBytesTarget: 10_000 }
  const cache = new RangeCache(store, { bytesMax: 1_000_000 })
  const buffer = new FlushBuffer({ catalog: catalog.client, store, cache, clock, log: silentLog, options, metrics })
  const add = (value: string): Promise<BatchResult> => {
    const bytes = makeBatch([value])
    return new Promise(settle =>
      buffer.add(
        [
          {
            topicName: 't',
            topicId: topic.topicId,
            partition: 0,
            bytes,
            byteLength: bytes.length,
            usesLogAppendTime: false,
            byteOffset: -1,
            offsetCount: 1,
            maxTimestampMs: 0,
            producerId: -1n,
            producerEpoch: -1,
            baseSequence: -1,
            settle,
          },
        ],
        bytes,
      ),
    )
  }
  /** Once everything that could begin has begun: a granted name is the catalog's answer, and more than one turn away. */
  const putCount = async (expected: number): Promise<number> => {
    for (let turn = 0; turn < 200 && store.puts.length < expected; turn++) await systemClock.yield()
    for (let turn = 0; turn < 20; turn++) await systemClock.yield()
    return store.puts.length
  }
  return { buffer, clock, store, metrics, add, putCount }
}

it('seals at once after a pause, and what follows when the interval is over', async () => {
  const { clock, store, add, putCount } = await begin()
  const first = add('a')
  expect(await putCount(1)).toBe(1)
  const rest = [add('b'), add('c')]
  clock.advance(249)
  expect(await putCount(1)).toBe(1)
  clock.advance(1)
  expect(await putCount(2)).toBe(2)
  for (const { release } of store.puts) release()
  expect(await Promise.all([first, ...rest])).toMatchObject([
    { outcome: 'appended', baseOffset: 0n },
    { outcome: 'appended', baseOffset: 1n },
    { outcome: 'appended', baseOffset: 2n },
  ])
  clock.advance(10_000)
  add('d')
  expect(await putCount(3)).toBe(3)
})

it('gathers what comes while all uploads are taken into one segment, however long they take', async () => {
  const { clock, store, metrics, add, putCount } = await begin()
  const settled = [add('a')]
  clock.advance(250)
  settled.push(add('b'))
  expect(await putCount(2)).toBe(2)
  for (let index = 0; index < 5; index++) {
    clock.advance(250)
    settled.push(add(`late ${index}`))
  }
  expect(await putCount(2)).toBe(2)
  store.puts[1]!.release()
  expect(await putCount(3)).toBe(3)
  for (const { release } of store.puts) release()
  const results = await Promise.all(settled)
  expect(results.map(result => ('baseOffset' in result ? result.baseOffset : result.outcome))).toEqual(
    settled.map((_, index) => BigInt(index)),
  )
  expect(metrics.flushes).toBe(3)
})

it('seals a full buffer although it is not due, and keeps the order of what waits for an upload', async () => {
  const { store, add, putCount } = await begin()
  const settled = Array.from({ length: 6 }, () => add('x'.repeat(11_000)))
  expect(await putCount(2)).toBe(2)
  for (let released = 0; released < 6; released++) {
    expect(await putCount(released + 1)).toBeGreaterThan(released)
    store.puts[released]!.release()
  }
  const results = await Promise.all(settled)
  expect(results.map(result => ('baseOffset' in result ? result.baseOffset : result.outcome))).toEqual(
    settled.map((_, index) => BigInt(index)),
  )
})
