/** A catalog over a memory store with a hand-moved clock, and the definitions that the tests share. */

import type { CoverageRange, NewDataFile, TableDefinition } from '../../../catalog/client.ts'
import { type Catalog, type CatalogOptions, openCatalog } from '../../../catalog/open-catalog.ts'
import type { Clock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { type Random, seededRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { primitive } from '../../../table/types.ts'

/** Time stands still unless moved; sleeps and timers of at most a minute end in the next turn of the event loop. */
export class HandClock implements Clock {
  time = 1_800_000_000_000
  #monotonic = 0
  nowMs(): number {
    return this.time
  }
  monotonicMs(): number {
    return this.#monotonic
  }
  advance(ms: number): void {
    this.time += ms
    this.#monotonic += ms
  }
  startTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = setTimeout(callback, Math.min(delayMs, 20))
    return { cancel: () => clearTimeout(timer) }
  }
  async sleep(delayMs: number): Promise<void> {
    this.#monotonic += delayMs
    await this.yield()
  }
  yield(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
  }
}

export interface Fixture {
  readonly clock: HandClock
  readonly random: Random
  readonly store: ObjectStore
  open(options?: Partial<CatalogOptions>, store?: ObjectStore): Promise<Catalog>
}

export function makeFixture(seed = 1): Fixture {
  const clock = new HandClock()
  const random = seededRandom(seed)
  const store = new MemoryStore(clock)
  return {
    clock,
    random,
    store,
    open: (options, otherStore = store) =>
      openCatalog({ store: otherStore, clock, random, log: silentLog, ...(options === undefined ? {} : { options }) }),
  }
}

export function tableDefinition(name = 'local__orders'): TableDefinition {
  return {
    name,
    source: { clusterName: 'local', topic: 'orders' },
    schema: { schemaId: 0, fields: [{ id: 1, name: 'id', required: true, type: primitive('long') }] },
    spec: { specId: 0, fields: [] },
    properties: { owner: 'tests' },
    settings: '{"freshness":"1s"}',
  }
}

export function dataFile(grantId: number, nameIndex: number, recordCount: number): NewDataFile {
  return {
    grantId,
    nameIndex,
    partition: [new Uint8Array([1, 2, 3, 4]), null],
    recordCount,
    fileBytes: 1000 + recordCount,
    splitOffsets: [4, 500],
    columns: [
      {
        fieldId: 1,
        columnBytes: 300,
        valueCount: recordCount,
        nullCount: 1,
        nanCount: undefined,
        lower: new Uint8Array(8),
        upper: new Uint8Array(8).fill(255),
        lowerExact: true,
        upperExact: false,
      },
      {
        fieldId: 7,
        columnBytes: 0,
        valueCount: recordCount,
        nullCount: 0,
        nanCount: 2,
        lower: undefined,
        upper: undefined,
        lowerExact: false,
        upperExact: false,
      },
    ],
  }
}

export function range(partition: number, start: bigint, written: number, ownerEpoch: number): CoverageRange {
  return {
    partition,
    topicId: undefined,
    start,
    end: start + BigInt(written),
    written,
    filtered: 0,
    rejected: 0,
    control: 0,
    gap: 0n,
    maxTimestampMs: 1000,
    ownerEpoch,
  }
}
