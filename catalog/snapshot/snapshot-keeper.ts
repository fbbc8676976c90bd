/**
 * Decides when a catalog snapshot is due, writes it in the background, and afterwards trims what it makes superfluous.
 *
 * The last two snapshots stay. Trimming goes in the order that recovery relies on: the marker `catalog/trimmed`, manifests of
 * older snapshots, their chunks, then journal entries up to the older of the two that stay. Genesis and the seal that ends an
 * epoch (the last entry under the epoch's prefix) always stay, so a leader that was paused for a year still meets its seal.
 */
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { createObject } from '../../storage/put-if-absent.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalPosition } from '../journal/journal-entry.ts'
import { manifestKey, trimmedKey } from '../journal/journal-keys.ts'
import type { Replica } from '../replica/replica.ts'
import {
  type CapturedSnapshot,
  captureSnapshot,
  listSnapshots,
  snapshotsKept,
  writeSnapshot,
} from './snapshot-store.ts'

export interface SnapshotOptions {
  /** A snapshot is due after so many journal entries, ... */
  readonly snapshotEntryCount: number
  /** ... or so many bytes of them, or half of the last snapshot's bytes if that is more. */
  readonly snapshotJournalBytes: number
  /** On a clean shutdown it is due after so many entries already. */
  readonly snapshotOnCloseEntryCount: number
}

export const snapshotDefaults: SnapshotOptions = {
  snapshotEntryCount: 4096,
  snapshotJournalBytes: 64 * 1024 * 1024,
  snapshotOnCloseEntryCount: 256,
}

const deleteCountMax = 1000

export class SnapshotKeeper {
  readonly #journal: Journal
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #options: SnapshotOptions
  #lastBytes = 0
  #running: Promise<void> | undefined
  /** What was not written to its end: at the same position it goes on with these very bytes, which chunks that are there must equal. */
  #unfinished: CapturedSnapshot | undefined
  #finished: JournalPosition | undefined

  constructor(journal: Journal, store: ObjectStore, clock: Clock, log: Log, options: SnapshotOptions) {
    this.#journal = journal
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#options = options
  }

  /** After each journal entry was applied. */
  onEntry(replica: Replica): void {
    const { snapshotEntryCount, snapshotJournalBytes } = this.#options
    const bytesMax = Math.max(snapshotJournalBytes, this.#lastBytes / 2)
    if (replica.entryCount >= snapshotEntryCount || replica.entryBytes >= bytesMax) void this.take(replica)
  }

  /** Joins one that is under way. Failures are logged: the journal still has everything, and the next one comes when it is due. */
  take(replica: Replica): Promise<void> {
    this.#running ??= this.#take(replica).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async close(replica: Replica): Promise<void> {
    await this.#running
    if (replica.entryCount >= this.#options.snapshotOnCloseEntryCount) await this.take(replica)
  }

  async #take(replica: Replica): Promise<void> {
    const { sequence } = replica.position
    replica.entryCount = 0
    replica.entryBytes = 0
    try {
      if (this.#finished !== replica.position) await this.#write(replica)
      await this.trim(replica)
    } catch (error) {
      this.#log.warn('catalog snapshot or trim failed; the journal keeps everything', {
        sequence,
        problem: errorMessage(error),
      })
    }
  }

  async #write({ state, position }: Replica): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    if (this.#unfinished?.position !== position) this.#unfinished = captureSnapshot(state, position)
    const pauseMs = Math.round(this.#clock.monotonicMs() - startedMs)
    const { bytes } = this.#unfinished
    this.#lastBytes = bytes
    await writeSnapshot(this.#store, this.#clock, this.#unfinished)
    this.#unfinished = undefined
    this.#finished = position
    const ms = Math.round(this.#clock.monotonicMs() - startedMs)
    this.#log.info('catalog snapshot written', { sequence: position.sequence, bytes, pauseMs, ms })
  }

  /** Removes what the last two snapshots make superfluous. Safe at any time, also by a leader that was fenced meanwhile. */
  async trim(replica: Replica): Promise<void> {
    const folders = await listSnapshots(this.#store)
    const complete = folders.filter(folder => folder.hasManifest)
    const oldestKept = complete.at(-snapshotsKept)
    if (oldestKept === undefined) return
    await createObject(this.#store, trimmedKey, replica.position.writerId, { clock: this.#clock })
    const older = folders.slice(0, folders.indexOf(oldestKept))
    await this.#delete(older.filter(folder => folder.hasManifest).map(folder => manifestKey(folder.prefix)))
    await this.#delete(older.flatMap(folder => folder.keys.filter(key => key !== manifestKey(folder.prefix))))
    await this.#journal.trim(oldestKept.sequence)
  }

  async #delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += deleteCountMax) {
      await this.#store.delete(keys.slice(at, at + deleteCountMax))
    }
  }
}
