/**
 * The leader: group commit. Commands are collected while the batch before them is being written; a batch is one journal entry;
 * it is applied to the state only once it is durable, and only then answered. There is one state, and it is always durable.
 *
 *   submit -> open batch -> (journal entry created) -> applyBatch -> answers, while the next entry is being created
 *
 * A batch that finds another writer's entry in its place ends the leadership: nothing of it was applied, and every later
 * command fails with the same error. So does a batch whose outcome the store does not tell, with `catalog-outcome-unknown`:
 * another leader, perhaps in this process, finds out by recovery.
 */
import { ByteReader } from '../core/byte-reader.ts'
import { ByteWriter } from '../core/byte-writer.ts'
import type { Clock } from '../core/clock.ts'
import { FloeError, isFloeError } from '../core/errors.ts'
import { Signal } from '../core/signal.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { applyBatch, BatchAnswers } from './apply-batch.ts'
import { type Command, readRefusal } from './commands/command.ts'
import { appendEntry } from './journal/append-entry.ts'
import { encodeEntry, entryHeaderBytes, entryKinds, type JournalPosition } from './journal/journal-entry.ts'
import { journalKey } from './journal/journal-keys.ts'
import { OpenBatch, type Waiter } from './journal/open-batch.ts'
import type { CatalogState } from './state/catalog-state.ts'

export interface GroupCommitOptions {
  /** A batch is closed when it reaches one of these; a single command may be larger. */
  readonly batchBytesTarget: number
  readonly batchCommandCountMax: number
  /** Commands that wait, and their bytes; beyond it submitting fails with `exhausted`. */
  readonly queueCommandCountMax: number
  readonly queueBytesMax: number
  /** How long an idle leader waits for company before it writes. 0: until the end of this turn of the event loop. */
  readonly lingerMs: number
  /** How long a batch is tried before its outcome counts as unknown. */
  readonly appendTimeoutMs: number
}

export const groupCommitDefaults: GroupCommitOptions = {
  batchBytesTarget: 4 * 1024 * 1024,
  batchCommandCountMax: 65_536,
  queueCommandCountMax: 262_144,
  queueBytesMax: 64 * 1024 * 1024,
  lingerMs: 0,
  appendTimeoutMs: 60_000,
}

export interface LeaderHooks {
  /** After each batch was applied and answered. */
  onBatch(entryBytes: number): void
  /** Once, when this process stops leading against its will. */
  onLost(error: FloeError): void
}

const pooledWritersMax = 4
const answersPerTurn = 512

interface WrittenBatch {
  readonly epoch: number
  readonly sequence: number
  readonly crc: number
  readonly nowMs: number
}

export class Leader {
  readonly state: CatalogState
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #writerId: Uint8Array
  readonly #options: GroupCommitOptions
  readonly #hooks: LeaderHooks
  readonly #queue: OpenBatch[] = []
  #queuedCommands = 0
  #queuedBytes = 0
  readonly #pool: ByteWriter[] = []
  #position: JournalPosition
  #failure: FloeError | undefined
  #running: Promise<void> | undefined
  readonly #answers = new BatchAnswers()
  readonly #out = new ByteWriter(64 * 1024)
  /** Notified when a batch appended records. */
  readonly appended = new Signal()

  constructor(
    store: ObjectStore,
    clock: Clock,
    state: CatalogState,
    position: JournalPosition,
    options: GroupCommitOptions,
    hooks: LeaderHooks,
  ) {
    this.#store = store
    this.#clock = clock
    this.state = state
    this.#position = position
    this.#writerId = position.writerId
    this.#options = options
    this.#hooks = hooks
  }

  get position(): JournalPosition {
    return this.#position
  }

  /** Why this process leads no more. */
  get failure(): FloeError | undefined {
    return this.#failure
  }

  /**
   * Journals and applies one command; resolves when it is durable.
   *
   * clientId  16 bytes, not changed afterwards; requestNumber counts from 1 (state/client-sessions.ts)
   * errors    what encoding throws; exhausted: the queue is full; fenced, unavailable: see above; and what the command itself
   *           is refused with
   */
  submit<Arguments, Result>(
    clientId: Uint8Array,
    requestNumber: number,
    command: Pick<Command<Arguments, Result>, 'id' | 'name' | 'encode' | 'decodeResult'>,
    args: Arguments,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      const batch = this.#batchWithRoom()
      const before = batch.bytes
      batch.add(clientId, requestNumber, command, args)
      batch.waiters.push({ command, resolve: resolve as (result: unknown) => void, reject })
      this.#queuedCommands++
      this.#queuedBytes += batch.bytes - before
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything that was submitted is answered. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Refuses what comes from now on. */
  stop(reason: FloeError): void {
    this.#failure ??= reason
    this.appended.notify()
  }

  #batchWithRoom(): OpenBatch {
    const { queueCommandCountMax, queueBytesMax, batchBytesTarget, batchCommandCountMax } = this.#options
    if (this.#queuedCommands >= queueCommandCountMax || this.#queuedBytes >= queueBytesMax) {
      throw new FloeError(
        'exhausted',
        'catalog-queue-full',
        `${this.#queuedCommands} catalog commands of ${this.#queuedBytes} bytes wait for the object store: retry later`,
      )
    }
    const last = this.#queue.at(-1)
    if (last !== undefined && last.bytes < batchBytesTarget && last.commandCount < batchCommandCountMax) return last
    const batch = new OpenBatch(this.#pool.pop() ?? new ByteWriter(64 * 1024))
    this.#queue.push(batch)
    return batch
  }

  async #run(): Promise<void> {
    try {
      if (this.#options.lingerMs > 0) await this.#clock.sleep(this.#options.lingerMs)
      else await this.#clock.yield()
      await this.#work()
    } catch (error) {
      // Only a defect of ours comes here: the state can no longer be trusted.
      this.#lose(asFailure(error))
    } finally {
      this.#running = undefined
    }
  }

  /** Writes batch after batch, answering each one while the next is on its way, until nothing waits. */
  async #work(): Promise<void> {
    let answered: OpenBatch | undefined
    for (;;) {
      const batch = this.#nextBatch()
      const writing = batch === undefined ? undefined : this.#write(batch)
      if (answered !== undefined) await this.#answer(answered)
      answered = undefined
      if (batch === undefined || writing === undefined) {
        if (this.#queue.length === 0) return
        continue
      }
      const written = await writing
      if (written instanceof FloeError) {
        for (const waiter of batch.waiters) waiter.reject(written)
        this.#lose(written)
        return
      }
      this.#apply(batch, written)
      answered = batch
    }
  }

  /** One in which every command failed to encode is empty and not worth an entry. */
  #nextBatch(): OpenBatch | undefined {
    for (;;) {
      const batch = this.#queue.shift()
      if (batch === undefined || batch.commandCount > 0) return batch
    }
  }

  /** Never rejects: what went wrong is returned, so that it can wait until the batch before is answered. */
  async #write(batch: OpenBatch): Promise<WrittenBatch | FloeError> {
    const { waiters, clientIds, body } = batch
    this.#queuedCommands -= waiters.length
    this.#queuedBytes -= batch.bytes
    const { epoch, crc: previousCrc } = this.#position
    const sequence = this.#position.sequence + 1
    const nowMs = Math.max(this.state.nowMs, Math.floor(this.#clock.nowMs()))
    const header = { kind: entryKinds.batch, epoch, sequence, writerId: this.#writerId, nowMs, previousCrc }
    try {
      const { parts, crc } = encodeEntry(header, clientIds, waiters.length, body.view())
      const key = journalKey(epoch, sequence)
      const outcome = await appendEntry(this.#store, this.#clock, key, parts, this.#options.appendTimeoutMs)
      return outcome === 'applied' ? { epoch, sequence, crc, nowMs } : fencedError(key)
    } catch (error) {
      return asFailure(error)
    }
  }

  #apply({ waiters, clientIds, body }: OpenBatch, { epoch, sequence, crc, nowMs }: WrittenBatch): void {
    const appendedBefore = this.state.appendPosition
    const bytes = body.view()
    this.#out.reset()
    try {
      const commands = { nowMs, clientIds, commandCount: waiters.length, bytes }
      applyBatch(this.state, commands, this.#out, this.#answers)
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error)
      throw error
    }
    this.#position = { epoch, sequence, crc, writerId: this.#writerId }
    if (this.state.appendPosition !== appendedBefore) this.appended.notify()
    this.#hooks.onBatch(entryHeaderBytes + bytes.length)
  }

  /** In slices: those who are answered come back with new commands at once, and the write that is under way must get its turns. */
  async #answer({ waiters, body }: OpenBatch): Promise<void> {
    const reader = new ByteReader(this.#out.view(), 'catalog answer')
    const { ends } = this.#answers
    for (let from = 0; from < waiters.length; from += answersPerTurn) {
      const to = Math.min(waiters.length, from + answersPerTurn)
      for (let index = from; index < to; index++) {
        reader.offset = index === 0 ? 0 : ends[index - 1]!
        reader.end = ends[index]!
        settle(waiters[index]!, reader)
      }
      await this.#clock.yield()
    }
    if (this.#pool.length < pooledWritersMax) this.#pool.push(body)
  }

  #lose(error: FloeError): void {
    const first = this.#failure === undefined
    this.#failure ??= error
    // What waits was never written: it is certain that it was not applied.
    for (const { waiters } of this.#queue.splice(0)) for (const { reject } of waiters) reject(notWritten(error))
    this.#queuedCommands = 0
    this.#queuedBytes = 0
    this.appended.notify()
    if (first) this.#hooks.onLost(error)
  }
}

function fencedError(key: string): FloeError {
  return new FloeError('fenced', 'catalog-fenced', `another process leads the catalog now: it wrote ${key} first`, {
    key,
  })
}

function notWritten(cause: FloeError): FloeError {
  return new FloeError('fenced', 'catalog-not-written', `not written: ${cause.message}`, {}, cause)
}

function settle({ command, resolve, reject }: Waiter, reader: ByteReader): void {
  try {
    if (reader.uint8() === 0) resolve(command.decodeResult(reader))
    else reject(readRefusal(reader))
  } catch (error) {
    reject(error)
  }
}

function asFailure(cause: unknown): FloeError {
  if (isFloeError(cause)) return cause
  return new FloeError('internal', 'catalog-defect', 'the catalog stopped on a defect', {}, cause)
}
