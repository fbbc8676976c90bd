/** What must hold of every process at every moment, looked at now and then. */
import type { Catalog } from '../../catalog/open-catalog.ts'
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

const checkIntervalMs = 500

export class Checker {
  readonly #hosts: readonly FloeHost[]
  readonly #violations: string[]
  readonly #hashes = new Map<number, string>()
  readonly #sequences = new Map<Catalog, number>()
  /** By catalog and topic id, so that a topic that was created again begins at 0. */
  readonly #offsets = new Map<Catalog, Map<string, { readonly logStart: number; readonly highWatermark: number }>>()
  #isStopped = false

  constructor(hosts: readonly FloeHost[], violations: string[]) {
    this.#hosts = hosts
    this.#violations = violations
  }

  watch(world: World): void {
    world.schedule(checkIntervalMs, () => {
      if (this.#isStopped) return
      this.#look()
      this.watch(world)
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  #look(): void {
    for (const { name, catalog } of this.#hosts) {
      if (catalog === undefined) continue
      const { sequence } = catalog.status()
      const before = this.#sequences.get(catalog)
      // The same entry is the same state.
      if (sequence === before) continue
      if (before !== undefined && sequence < before) {
        this.#violations.push(`${name} went back from entry ${before} to ${sequence}`)
      }
      this.#sequences.set(catalog, sequence)
      this.#checkState(name, sequence, catalog.state.hash())
      this.#checkLogs(name, catalog)
      this.#checkAccounts(name, catalog)
    }
  }

  #checkState(name: string, sequence: number, hash: string): void {
    const known = this.#hashes.get(sequence)
    if (known !== undefined && known !== hash) {
      this.#violations.push(`${name} has another state at entry ${sequence} than others had`)
    }
    this.#hashes.set(sequence, hash)
  }

  #checkLogs(name: string, catalog: Catalog): void {
    const seen = this.#offsets.get(catalog) ?? new Map<string, { logStart: number; highWatermark: number }>()
    this.#offsets.set(catalog, seen)
    for (const topic of catalog.state.topics.all()) {
      for (const [partition, { logStartOffset: logStart, highWatermark }] of topic.partitions.entries()) {
        const place = `${topic.name}/${partition}`
        const key = `${topic.topicId}/${partition}`
        const before = seen.get(key)
        if (highWatermark < (before?.highWatermark ?? 0))
          this.#violations.push(`${name}: high watermark of ${place} went back`)
        if (logStart < (before?.logStart ?? 0)) this.#violations.push(`${name}: log start of ${place} went back`)
        seen.set(key, { logStart, highWatermark })
      }
    }
  }

  #checkAccounts(name: string, catalog: Catalog): void {
    for (const { definition, accounts } of catalog.state.tables.all()) {
      const { starts, ends, written, filtered, rejected, control, gaps } = accounts
      for (let at = 0; at < accounts.length; at++) {
        const sum = written[at]! + filtered[at]! + rejected[at]! + control[at]! + gaps[at]!
        if (sum === ends[at]! - starts[at]!) continue
        const range = `${starts[at]} to ${ends[at]}`
        this.#violations.push(`${name}: ${definition.name}/${at} accounts for ${sum} offsets of ${range}`)
      }
    }
  }
}
