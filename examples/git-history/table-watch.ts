/**
 * Watches how many rows an Iceberg REST catalog shows, for the time between the acknowledgement of a record and the moment
 * when readers can see it. Records are not told apart: the nth acknowledged record counts as visible with the nth row.
 */

import { setTimeout as delay } from 'node:timers/promises'

const pollIntervalMs = 100
/** A server that is restarted comes back within this time; the producer waits about as long. */
const unreachableMsMax = 120_000
const namespace = 'default'

export interface Freshness {
  readonly table: string
  readonly rows: number
  /** Over all records. */
  readonly secondsP50: number
  readonly secondsP99: number
  /** From the last acknowledgement until the table was complete. */
  readonly secondsLast: number
}

interface Moment {
  readonly count: number
  readonly atMs: number
}

interface LoadedTable {
  readonly metadata: {
    readonly 'current-snapshot-id'?: number | null
    readonly snapshots?: readonly { readonly 'sequence-number': number; readonly summary?: Record<string, string> }[]
  }
}

export class TableWatch {
  /** Rising; one moment per acknowledged batch. */
  readonly #acknowledged: Moment[] = []
  readonly #tables: readonly { readonly name: string; readonly before: number; readonly visible: Moment[] }[]
  readonly #catalog: string
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #polling: Promise<void> | undefined

  private constructor(catalog: string, tables: readonly { name: string; before: number; visible: Moment[] }[]) {
    this.#catalog = catalog
    this.#tables = tables
  }

  /** Rows that are there already do not count. */
  static async start(catalog: string, names: readonly string[]): Promise<TableWatch> {
    const tables = []
    for (const name of names) tables.push({ name, before: await countRows(catalog, name), visible: [] })
    const watch = new TableWatch(catalog, tables)
    watch.#polling = watch.#poll()
    return watch
  }

  acknowledged(count: number): void {
    this.#acknowledged.push({ count, atMs: performance.now() })
  }

  /** Waits until every table has `count` more rows than before. */
  async untilComplete(count: number, waitMsMax: number): Promise<Freshness[]> {
    const deadlineMs = performance.now() + waitMsMax
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error
        const late = this.#tables.find(table => lastCount(table.visible) < count)
        if (late === undefined) break
        if (performance.now() > deadlineMs) {
          throw new Error(`${late.name} shows ${lastCount(late.visible)} of ${count} rows after ${waitMsMax / 1000} s`)
        }
        await delay(pollIntervalMs)
      }
    } finally {
      this.#isOver = true
      await this.#polling
    }
    return this.#tables.map(({ name, visible }) => measure(name, this.#acknowledged, visible))
  }

  async #poll(): Promise<void> {
    let reachedMs = performance.now()
    while (!this.#isOver) {
      try {
        for (const { name, before, visible } of this.#tables) {
          const count = (await countRows(this.#catalog, name)) - before
          if (count > lastCount(visible)) visible.push({ count, atMs: performance.now() })
        }
        reachedMs = performance.now()
      } catch (error) {
        if (performance.now() - reachedMs > unreachableMsMax) {
          this.#failure = { error }
          return
        }
      }
      await delay(pollIntervalMs)
    }
  }
}

function lastCount(moments: readonly Moment[]): number {
  return moments.at(-1)?.count ?? 0
}

/** Both lists rise. Every acknowledged batch is cut where the visible counts step, and weighs as many records as it has. */
function measure(table: string, acknowledged: readonly Moment[], visible: readonly Moment[]): Freshness {
  const waits: { readonly seconds: number; readonly weight: number }[] = []
  let done = 0
  let step = 0
  for (const { count, atMs } of acknowledged) {
    while (done < count) {
      while (visible[step]!.count <= done) step++
      const end = Math.min(count, visible[step]!.count)
      waits.push({ seconds: Math.max(0, visible[step]!.atMs - atMs) / 1000, weight: end - done })
      done = end
    }
  }
  waits.sort((a, b) => a.seconds - b.seconds)
  const secondsLast = Math.max(0, (visible.at(-1)?.atMs ?? 0) - (acknowledged.at(-1)?.atMs ?? 0)) / 1000
  return {
    table,
    rows: done,
    secondsP50: findQuantile(waits, done * 0.5),
    secondsP99: findQuantile(waits, done * 0.99),
    secondsLast,
  }
}

function findQuantile(waits: readonly { readonly seconds: number; readonly weight: number }[], rank: number): number {
  let passed = 0
  for (const { seconds, weight } of waits) {
    passed += weight
    if (passed >= rank) return seconds
  }
  return 0
}

/** Rows of the current snapshot; 0 for a table that the catalog does not show yet. */
async function countRows(catalog: string, table: string): Promise<number> {
  const url = `${catalog.replace(/\/$/, '')}/v1/namespaces/${namespace}/tables/${encodeURIComponent(table)}?snapshots=refs`
  const answer = await fetch(url).catch((error: unknown) => {
    throw new Error(`cannot reach the catalog: ${url}`, { cause: error })
  })
  if (answer.status === 404) {
    await answer.body?.cancel()
    return 0
  }
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`)
  const { metadata } = (await answer.json()) as LoadedTable
  // Snapshot ids are beyond what a JSON number holds exactly; sequence numbers are not.
  const snapshots = [...(metadata.snapshots ?? [])].sort((a, b) => a['sequence-number'] - b['sequence-number'])
  return Number(snapshots.at(-1)?.summary?.['total-records'] ?? 0)
}
