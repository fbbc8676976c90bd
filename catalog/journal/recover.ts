/**
 * Recovery: the newest snapshot, then the journal to its end, then a seal that makes this process the leader of the next epoch.
 * The protocol and why it is safe: docs/design/0001-catalog-journal.md.
 */

import { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock } from '../../core/clock.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { applyBatch, BatchAnswers } from '../apply-batch.ts'
import { listSnapshots, readSnapshot, type SnapshotFolder } from '../snapshot/snapshot-store.ts'
import { CatalogState } from '../state/catalog-state.ts'
import { appendEntry } from './append-entry.ts'
import {
  checkContinues,
  corruptEntry,
  decodeEntry,
  encodeEntry,
  encodeSealBody,
  entryKinds,
  equalBytes,
  type JournalEntry,
  type JournalPosition,
  positionAfter,
} from './journal-entry.ts'
import { journalKey, manifestKey, trimmedKey } from './journal-keys.ts'
import { makeReadsPersistent } from './persistent-reads.ts'

export interface RecoveryOptions {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  /** Fresh random 16 bytes: this leader's writer id. */
  readonly writerId: Uint8Array
  /** Fresh random 16 bytes: the cluster's id, should the catalog be new. */
  readonly newClusterId: Uint8Array
  readonly appendTimeoutMs: number
}

export interface Recovered {
  readonly state: CatalogState
  /** Of an epoch that this process leads. */
  readonly position: JournalPosition
  /** Of the snapshot it began with; undefined when it began with the genesis entry. */
  readonly snapshotSequence: number | undefined
  /** Entries replayed after the start, and their bytes: what the next snapshot saves. */
  readonly entryCount: number
  readonly entryBytes: number
}

const entryReadsInFlight = 16
const restartsMax = 20

/**
 * errors  corrupt: an object of the catalog is damaged, the message names it; unavailable: the store does not answer, or what
 *         is there is not complete; unsupported: a newer Floe wrote it; fenced: others keep taking the lead
 */
export async function recover(given: RecoveryOptions): Promise<Recovered> {
  const options = { ...given, store: makeReadsPersistent(given.store, given.clock) }
  for (let attempt = 1; attempt <= restartsMax; attempt++) {
    const recovered = await tryRecover(options)
    if (recovered !== undefined) return recovered
    options.log.warn('catalog recovery starts again: the journal was trimmed underneath it', { attempt })
    await options.clock.sleep(Math.min(100 * attempt, 1000))
  }
  throw new FloeError(
    'unavailable',
    'catalog-recovery-raced',
    `the catalog's journal was trimmed during recovery ${restartsMax} times in a row: another live leader is very busy`,
  )
}

export type ReplayOptions = Pick<RecoveryOptions, 'store' | 'clock' | 'log'>

/**
 * The state at the journal's end, without taking the lead: nothing is written, and a leader at work notices nothing. What is
 * appended later is not seen.
 *
 * errors  invalid: the store holds no catalog; otherwise those of recovery
 */
export async function replayOnly(given: ReplayOptions): Promise<CatalogState> {
  const options = { ...given, store: makeReadsPersistent(given.store, given.clock) }
  for (let attempt = 1; attempt <= restartsMax; attempt++) {
    const start = (await startFromSnapshot(options)) ?? (await readGenesis(options))
    if (start === undefined) {
      throw new FloeError(
        'invalid',
        'catalog-missing',
        `${options.store.uri} holds no Floe catalog: nothing was ever served from it`,
      )
    }
    if (start !== 'restart') {
      const replay = new Replay(options, start)
      const ended = await replay.toEnd()
      if (!(await startIsGone(options.store, start.folder))) {
        if (ended) return replay.state
        throw replay.hole()
      }
    }
    await options.clock.sleep(Math.min(100 * attempt, 1000))
  }
  throw new FloeError(
    'unavailable',
    'catalog-recovery-raced',
    `the catalog's journal was trimmed while it was read ${restartsMax} times in a row`,
  )
}

/** undefined: what it started from was removed meanwhile; start again. */
async function tryRecover(options: RecoveryOptions): Promise<Recovered | undefined> {
  const { store } = options
  const start = (await startFromSnapshot(options)) ?? (await startFromGenesis(options))
  if (start === 'restart') return undefined
  const replay = new Replay(options, start)
  for (;;) {
    if (!(await replay.toEnd())) {
      if (await startIsGone(store, start.folder)) return undefined
      throw replay.hole()
    }
    const existing = await replay.seal(options)
    if (existing === 'sealed') break
    // Somebody was faster: their entry is read like any other.
  }
  // A missing entry may have been a trimmed one. Trimming removes the manifest we began with before any entry behind it.
  if (await startIsGone(store, start.folder)) return undefined
  return replay.result(options.writerId)
}

interface Start {
  readonly state: CatalogState
  readonly position: JournalPosition
  /** undefined: the genesis entry. */
  readonly folder: SnapshotFolder | undefined
}

/** Whether journal entries behind the start may have been trimmed. */
async function startIsGone(store: ObjectStore, folder: SnapshotFolder | undefined): Promise<boolean> {
  if (folder !== undefined) return (await store.head(manifestKey(folder.prefix))) === undefined
  return (await store.head(trimmedKey)) !== undefined
}

/** The newest snapshot that reads. A damaged one is passed over with a loud word: the one before it, with the journal, has all. */
async function startFromSnapshot({ store, log }: ReplayOptions): Promise<Start | undefined | 'restart'> {
  let damage: FloeError | undefined
  const folders = (await listSnapshots(store)).filter(folder => folder.hasManifest)
  for (const folder of folders.reverse()) {
    let found = await tryReadSnapshot(store, folder)
    // Damage must be seen twice, as for entries.
    if (found instanceof FloeError) found = await tryReadSnapshot(store, folder)
    if (found === undefined) return 'restart'
    if (!(found instanceof FloeError)) return found
    damage ??= found
    log.error('a catalog snapshot is damaged; trying the one before it', { problem: found.message })
  }
  if (damage !== undefined) throw damage
  return undefined
}

/** undefined: it was removed meanwhile; an error: it is damaged. */
async function tryReadSnapshot(store: ObjectStore, folder: SnapshotFolder): Promise<Start | FloeError | undefined> {
  try {
    const snapshot = await readSnapshot(store, folder)
    if (snapshot !== undefined) return { ...snapshot, folder }
    if (await startIsGone(store, folder)) return undefined
    return new FloeError('corrupt', 'catalog-snapshot-corrupt', `catalog snapshot ${folder.prefix}: a chunk is missing`)
  } catch (error) {
    if (isFloeError(error, 'corrupt')) return error
    throw error
  }
}

/** The genesis entry, if there is one. */
async function readGenesis({ store }: ReplayOptions): Promise<Start | undefined | 'restart'> {
  if (await startIsGone(store, undefined)) {
    // A snapshot may have been replaced between listing and reading: only a second look tells.
    if ((await listSnapshots(store)).some(folder => folder.hasManifest)) return 'restart'
    throw new FloeError(
      'unavailable',
      'catalog-snapshots-missing',
      `${store.uri} has a trimmed catalog journal but no catalog snapshot: the catalog cannot be rebuilt from what is left. ` +
        'Restore the objects under catalog/snapshots/; Floe does not start an empty catalog over existing data.',
    )
  }
  const bytes = await store.get(journalKey(1, 1))
  return bytes && openGenesis(store, bytes)
}

async function startFromGenesis(options: RecoveryOptions): Promise<Start | 'restart'> {
  const existing = await readGenesis(options)
  if (existing !== undefined) return existing
  const { store, clock, writerId, newClusterId, appendTimeoutMs } = options
  const header = {
    kind: entryKinds.genesis,
    epoch: 1,
    sequence: 1,
    writerId,
    nowMs: Math.floor(clock.nowMs()),
    previousCrc: 0,
  }
  const { parts } = encodeEntry(header, [], 0, newClusterId)
  const outcome = await appendEntry(store, clock, journalKey(1, 1), parts, appendTimeoutMs)
  return openGenesis(store, outcome === 'applied' ? Buffer.concat(parts) : outcome)
}

async function openGenesis(store: ObjectStore, bytes: Uint8Array): Promise<Start> {
  const key = journalKey(1, 1)
  const entry = await decodeTwice(store, bytes, key)
  if (entry.kind !== entryKinds.genesis || entry.epoch !== 1 || entry.sequence !== 1) {
    throw corruptEntry(key, 'it is not a genesis entry')
  }
  return { state: new CatalogState(entry.body, entry.nowMs), position: positionAfter(entry, key), folder: undefined }
}

/** Damage must be seen twice: a bad read is not a bad object. */
async function decodeTwice(store: ObjectStore, bytes: Uint8Array, key: string): Promise<JournalEntry> {
  try {
    return decodeEntry(bytes, key)
  } catch (error) {
    const again = isFloeError(error, 'corrupt') ? await store.get(key) : undefined
    if (again === undefined) throw error
    return decodeEntry(again, key)
  }
}

class Replay {
  readonly #options: ReplayOptions
  readonly #start: Start
  readonly #answers = new BatchAnswers()
  readonly #out = new ByteWriter(64 * 1024)
  #position: JournalPosition
  #entryCount = 0
  #entryBytes = 0

  constructor(options: ReplayOptions, start: Start) {
    this.#options = options
    this.#start = start
    this.#position = start.position
  }

  get state(): CatalogState {
    return this.#start.state
  }

  /** Applies entries until there is none. False: an entry is missing although a later one exists. */
  async toEnd(): Promise<boolean> {
    const { store } = this.#options
    for (;;) {
      const { epoch, sequence } = this.#position
      const keys = Array.from({ length: entryReadsInFlight }, (_, index) => journalKey(epoch, sequence + 1 + index))
      const bodies = await Promise.all(keys.map(key => store.get(key)))
      for (const [index, body] of bodies.entries()) {
        const key = keys[index]!
        let bytes = body
        if (bytes === undefined) {
          if (!bodies.slice(index + 1).some(later => later !== undefined)) return true
          // A leader that lives may have written this and the next while we were reading: ask again before crying hole.
          bytes = await store.get(key)
          if (bytes === undefined) return false
        }
        this.#apply(await decodeTwice(store, bytes, key), bytes.length, key)
        await this.#options.clock.yield()
        if (this.#position.epoch !== epoch) break
      }
    }
  }

  #apply(entry: JournalEntry, bytes: number, key: string): void {
    checkContinues(entry, this.#position, key)
    if (entry.kind === entryKinds.batch) this.#applyBatch(entry, key)
    this.#position = positionAfter(entry, key)
    this.#entryCount++
    this.#entryBytes += bytes
  }

  #applyBatch({ nowMs, clientIds, commandCount, body }: JournalEntry, key: string): void {
    this.#out.reset()
    try {
      applyBatch(this.#start.state, { nowMs, clientIds, commandCount, bytes: body }, this.#out, this.#answers)
    } catch (error) {
      if (isFloeError(error, 'corrupt')) throw corruptEntry(key, error.message)
      throw error
    }
  }

  hole(): FloeError {
    const key = journalKey(this.#position.epoch, this.#position.sequence + 1)
    return corruptEntry(key, 'it is missing although later entries exist')
  }

  /** Takes the lead by sealing the epoch at its next sequence; `read on` when another entry lies there. */
  async seal({ store, clock, writerId, appendTimeoutMs }: RecoveryOptions): Promise<'sealed' | 'read on'> {
    const { epoch, sequence, crc } = this.#position
    const key = journalKey(epoch, sequence + 1)
    const nowMs = Math.max(this.#start.state.nowMs, Math.floor(clock.nowMs()))
    const header = { kind: entryKinds.seal, epoch, sequence: sequence + 1, writerId, nowMs, previousCrc: crc }
    const { parts } = encodeEntry(header, [], 0, encodeSealBody(epoch + 1, writerId))
    if ((await appendEntry(store, clock, key, parts, appendTimeoutMs)) !== 'applied') return 'read on'
    const bytes = Buffer.concat(parts)
    this.#apply(decodeEntry(bytes, key), bytes.length, key)
    return 'sealed'
  }

  result(writerId: Uint8Array): Recovered {
    const leads = equalBytes(this.#position.writerId, writerId)
    if (!leads) throw new FloeError('internal', 'catalog-seal-lost', 'recovery ended in an epoch of another leader')
    return {
      state: this.#start.state,
      position: this.#position,
      snapshotSequence: this.#start.folder?.sequence,
      entryCount: this.#entryCount,
      entryBytes: this.#entryBytes,
    }
  }
}
