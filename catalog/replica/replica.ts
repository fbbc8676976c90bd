/**
 * A replica of the catalog: the state that a durable prefix of the journal adds up to, and where that prefix ends. Every process
 * has one. The leader's moves with what it writes itself, a follower's with the entries it is sent or reads.
 *
 * Invariants
 *   - The state changes only by whole durable entries, each continuing the one before it (epoch, sequence, checksum, writer).
 *   - The position never goes back, so what a query once saw is never unseen.
 */
import { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock } from '../../core/clock.ts'
import { type FloeError, isFloeError } from '../../core/errors.ts'
import { Signal } from '../../core/signal.ts'
import { applyBatch, BatchAnswers, type BatchBody } from '../apply-batch.ts'
import { type CommandTable, commandTable } from '../commands/all-commands.ts'
import {
  checkContinues,
  corruptEntry,
  decodeEntry,
  entryKinds,
  type JournalEntry,
  type JournalPosition,
  positionAfter,
} from '../journal/journal-entry.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { FilePacker } from './pack-files.ts'

/** More than the time in which a leader notices that its store was emptied (leader.ts). */
const footingAgeMs = 2_000

export class Replica {
  /** What this process can apply. */
  readonly commands: CommandTable
  #state: CatalogState
  #position: JournalPosition
  #footing: JournalPosition
  #nextFooting: JournalPosition
  #nextFootingMs: number
  /** Entries applied since the snapshot that this replica could start from, and their bytes. */
  entryCount = 0
  entryBytes = 0
  /** Notified when records were appended to a topic. */
  readonly appended = new Signal()
  /** Notified when files were committed to a table. */
  readonly committed = new Signal()
  /** Notified when the position moved. */
  readonly moved = new Signal()
  readonly #answers = new BatchAnswers()
  readonly #out = new ByteWriter(64 * 1024)
  readonly #packer = new FilePacker()

  constructor(state: CatalogState, position: JournalPosition, commands: CommandTable = commandTable) {
    this.commands = commands
    this.#state = state
    this.#position = position
    this.#footing = position
    this.#nextFooting = position
    this.#nextFootingMs = state.nowMs
  }

  /** Replaced as a whole when a newer snapshot is loaded: not to be kept across awaits. */
  get state(): CatalogState {
    return this.#state
  }

  get position(): JournalPosition {
    return this.#position
  }

  /**
   * Where the replica stood some seconds of entries ago. A store that was emptied takes the newest entries like any other, and does not
   * hold this one (check-footing.ts).
   */
  get footing(): JournalPosition {
    return this.#footing
  }

  /**
   * Applies one entry that is known durable.
   *
   * key     where it lies, for messages
   * errors  corrupt: it does not continue the journal, or is damaged; unsupported: a newer Floe's command. The replica is then as
   *         it was, or, after a batch that is damaged inside, not to be used any more.
   */
  apply(entry: JournalEntry, bytes: number, key: string): void {
    checkContinues(entry, this.#position, key)
    const { appendPosition, commitPosition } = this.#state
    if (entry.kind === entryKinds.batch) this.#applyBatch(entry, key)
    this.#advance(positionAfter(entry, this.#position, key), bytes, appendPosition, commitPosition)
  }

  applyBytes(bytes: Uint8Array, key: string): void {
    this.apply(decodeEntry(bytes, key), bytes.length, key)
  }

  #applyBatch({ nowMs, clientIds, commandCount, body }: JournalEntry, key: string): void {
    this.#out.reset()
    try {
      const batch = { nowMs, clientIds, commandCount, bytes: body }
      applyBatch(this.#state, batch, this.#out, this.#answers, this.commands)
    } catch (error) {
      if (isFloeError(error, 'corrupt')) throw corruptEntry(key, (error as FloeError).message)
      throw error
    }
  }

  /** The leader's own batch, durable at `position`; the answers are left in `out`. errors  as apply */
  applyOwn(batch: BatchBody, position: JournalPosition, bytes: number, out: ByteWriter, answers: BatchAnswers): void {
    const { appendPosition, commitPosition } = this.#state
    applyBatch(this.#state, batch, out, answers, this.commands)
    this.#advance(position, bytes, appendPosition, commitPosition)
  }

  #advance(position: JournalPosition, bytes: number, appendedBefore: number, committedBefore: number): void {
    this.#position = position
    if (this.#state.nowMs - this.#nextFootingMs >= footingAgeMs) {
      this.#footing = this.#nextFooting
      this.#nextFooting = position
      this.#nextFootingMs = this.#state.nowMs
    }
    this.entryCount++
    this.entryBytes += bytes
    this.#packer.notice(this.#state)
    if (this.#state.appendPosition !== appendedBefore) this.appended.notify()
    if (this.#state.commitPosition !== committedBefore) this.committed.notify()
    this.moved.notify()
  }

  /** Takes over a state that was loaded from a newer snapshot. */
  replace(state: CatalogState, position: JournalPosition): void {
    this.#state = state
    this.#position = position
    this.#footing = position
    this.#nextFooting = position
    this.#nextFootingMs = state.nowMs
    this.entryCount = 0
    this.entryBytes = 0
    this.wake()
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    this.appended.notify()
    this.committed.notify()
    this.moved.notify()
  }

  /** Resolves when what filled up so far is packed. */
  settlePacking(): Promise<void> {
    return this.#packer.settle()
  }

  /** Resolves true once the replica holds the entry `sequence`, false at the timeout or when `abort` fires. */
  async waitFor(sequence: number, clock: Clock, timeoutMs: number, abort?: AbortSignal): Promise<boolean> {
    const deadlineMs = clock.monotonicMs() + timeoutMs
    while (this.#position.sequence < sequence) {
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0 || abort?.aborted) return false
      await this.moved.wait(clock, leftMs, abort)
    }
    return true
  }
}
