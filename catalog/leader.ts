/**
 * The leader: group commit. Commands are collected while the batch before them is being written; a batch is one journal entry;
 * it is applied to the state only once it is durable, and only then answered. There is one state, and it is always durable.
 *
 *   submit -> open batch -> (journal entry created) -> applyBatch -> answers, while the next entry is being created
 *
 * A batch that finds another writer's entry in its place ends the leadership: nothing of it was applied, and every later
 * command fails with the same error. So does a batch whose outcome the journal does not tell, with `catalog-outcome-unknown`:
 * another leader, perhaps in this process, finds out by recovery.
 */
import { ByteReader } from '../core/byte-reader.ts'
import { ByteWriter } from '../core/byte-writer.ts'
import type { Clock } from '../core/clock.ts'
import { FloeError, isFloeError } from '../core/errors.ts'
import { BatchAnswers } from './apply-batch.ts'
import { type Command, readAnswer, writeRefusal } from './commands/command.ts'
import { type AppendParts, appendEntry } from './journal/append-entry.ts'
import { fencedBy } from './journal/journal-elsewhere.ts'
import { decodeEntry, encodeEntry, entryHeaderBytes, entryKinds, equalBytes } from './journal/journal-entry.ts'
import { journalKey } from './journal/journal-keys.ts'
import { OpenBatch } from './journal/open-batch.ts'
import { findUnwritable } from './may-be-written.ts'
import type { PendingCommand } from './pending-command.ts'
import { checkFooting } from './replica/check-footing.ts'
import type { ReadOnParts } from './replica/read-on.ts'
import type { Replica } from './replica/replica.ts'

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

export interface LeaderParts extends ReadOnParts, AppendParts {}

export interface LeaderHooks {
  /** After each batch was applied, before it is answered. `entry`: its bytes, not to be kept beyond the call. */
  onBatch(entry: readonly Uint8Array[]): void
  /** Once, when this process stops leading against its will. */
  onLost(error: FloeError): void
}

/** How long what is written into a store that was emptied meanwhile may still be answered. Two reads each time. */
const footingCheckIntervalMs = 1_000
const pooledWritersMax = 4
const answersPerTurn = 512

interface WrittenBatch {
  readonly parts: readonly Uint8Array[]
  readonly sequence: number
  readonly crc: number
  readonly nowMs: number
}

export class Leader {
  readonly replica: Replica
  readonly #parts: LeaderParts
  readonly #clock: Clock
  readonly #writerId: Uint8Array
  readonly #options: GroupCommitOptions
  readonly #hooks: LeaderHooks
  readonly #queue: OpenBatch[] = []
  #queuedCommands = 0
  #queuedBytes = 0
  readonly #pool: ByteWriter[] = []
  #failure: FloeError | undefined
  /** Lost against its will: the replica is not this leader's to move any more. */
  #isLost = false
  #running: Promise<void> | undefined
  /** Being written, and neither applied nor given back. */
  #underWay: OpenBatch | undefined
  #writingSinceMs: number | undefined
  #footingCheckedMs: number
  /** An entry may lie in the journal, behind the position, that was not applied yet. */
  #isAhead = false
  #barrier: Promise<number> | undefined
  #nextBarrier: Promise<number> | undefined
  readonly #answers = new BatchAnswers()
  readonly #out = new ByteWriter(64 * 1024)

  /** `replica` stands at the seal that made its `writerId` the leader, and is moved by nobody else from now on. */
  constructor(parts: LeaderParts, replica: Replica, options: GroupCommitOptions, hooks: LeaderHooks) {
    this.#parts = parts
    this.#clock = parts.clock
    this.#footingCheckedMs = parts.clock.monotonicMs()
    this.replica = replica
    this.#writerId = replica.position.writerId
    this.#options = options
    this.#hooks = hooks
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
      this.enqueue({
        clientId,
        requestNumber,
        commandId: command.id,
        commandName: command.name,
        encode: body => command.encode(body, args),
        answer: reader => {
          const result = readAnswer(reader, command)
          if (result instanceof FloeError) reject(result)
          else resolve(result)
        },
        lost: reject,
        fail: reject,
      })
    })
  }

  /** Journals and applies one command; exactly one of its callbacks follows. */
  enqueue(pending: PendingCommand): void {
    if (this.#failure !== undefined) {
      pending.lost(this.#failure, undefined)
      return
    }
    const unwritable = findUnwritable(pending, this.replica)
    if (unwritable !== undefined) {
      const refusal = new ByteWriter(256)
      writeRefusal(refusal, unwritable)
      pending.answer(new ByteReader(refusal.view(), 'catalog answer'), this.replica.position.sequence)
      return
    }
    try {
      const batch = this.#batchWithRoom()
      const before = batch.bytes
      batch.add(pending)
      this.#queuedCommands++
      this.#queuedBytes += batch.bytes - before
    } catch (error) {
      pending.fail(error)
      return
    }
    this.#running ??= this.#run()
  }

  /**
   * Makes sure that no other leader came first: resolves with a sequence, and whoever has applied the journal up to it has seen all
   * that was answered, by any leader, before the call. Calls that come together share one read.
   *
   * errors  fenced: another process leads; unavailable: the journal does not answer
   */
  readBarrier(): Promise<number> {
    // One that is under way may have read before this call: it proves nothing for it.
    this.#nextBarrier ??= (this.#barrier ?? Promise.resolve()).then(
      () => this.#startBarrier(),
      () => this.#startBarrier(),
    )
    return this.#nextBarrier
  }

  #startBarrier(): Promise<number> {
    this.#nextBarrier = undefined
    const barrier = this.#checkLead().finally(() => {
      if (this.#barrier === barrier) this.#barrier = undefined
    })
    this.#barrier = barrier
    return barrier
  }

  /** Nobody can have led after this leader while the place of its next entry is free: a seal would lie there. */
  async #checkLead(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure
    const { epoch, sequence } = this.replica.position
    // Our own entry may lie there, and be trimmed again by who came next: then the seal, which never is, lies behind it.
    const lastPossible = this.#isAhead ? sequence + 2 : sequence + 1
    for (let next = sequence + 1; ; next++) {
      const key = journalKey(epoch, next)
      const bytes = await this.#parts.journal.read(epoch, next)
      if (bytes === undefined) {
        if (next >= lastPossible) break
        continue
      }
      // Our own entry that is just being written, or the seal that ended our term.
      if (equalBytes(decodeEntry(bytes, key).writerId, this.#writerId)) continue
      const error = fencedBy(bytes, key, this.replica.position)
      this.#lose(error)
      throw error
    }
    if (this.#failure !== undefined) throw this.#failure
    return sequence
  }

  /** For how long the entry that is being written has been on its way; 0 when none is. */
  writingForMs(): number {
    return this.#writingSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#writingSinceMs
  }

  /** Resolves when everything that was submitted is answered. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Refuses what comes from now on. */
  stop(reason: FloeError): void {
    this.#failure ??= reason
    this.replica.wake()
  }

  #batchWithRoom(): OpenBatch {
    const { queueCommandCountMax, queueBytesMax, batchBytesTarget, batchCommandCountMax } = this.#options
    if (this.#queuedCommands >= queueCommandCountMax || this.#queuedBytes >= queueBytesMax) {
      throw new FloeError(
        'exhausted',
        'catalog-queue-full',
        `${this.#queuedCommands} catalog commands of ${this.#queuedBytes} bytes wait for the journal: retry later`,
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
      this.#underWay = batch
      const writing = batch === undefined ? undefined : this.#write(batch)
      if (answered !== undefined) await this.#answer(answered)
      answered = undefined
      if (batch === undefined || writing === undefined) {
        if (this.#queue.length === 0) return
        continue
      }
      const written = await writing
      // The barrier found the lead lost meanwhile: the batch was given back, and somebody else may move the replica by now.
      if (this.#isLost) return
      this.#underWay = undefined
      if (written instanceof FloeError) {
        batch.lose(written)
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
    const { commandCount, clientIds, body } = batch
    this.#queuedCommands -= commandCount
    this.#queuedBytes -= batch.bytes
    const { epoch, sequence: lastSequence, crc: previousCrc } = this.replica.position
    const sequence = lastSequence + 1
    const nowMs = Math.max(this.replica.state.nowMs, Math.floor(this.#clock.nowMs()))
    const header = { kind: entryKinds.batch, epoch, sequence, writerId: this.#writerId, nowMs, previousCrc }
    this.#writingSinceMs = this.#clock.monotonicMs()
    this.#isAhead = true
    try {
      const { parts, crc } = encodeEntry(header, clientIds, commandCount, body.view())
      const footing = this.#findFootingGone()
      const outcome = await appendEntry(this.#parts, epoch, sequence, parts, this.#options.appendTimeoutMs)
      if (outcome !== 'applied') return fencedBy(outcome, journalKey(epoch, sequence), this.replica.position)
      return (await footing) ?? { sequence, crc, nowMs, parts }
    } catch (error) {
      return asFailure(error)
    } finally {
      this.#writingSinceMs = undefined
    }
  }

  /** Once in a while, beside a write: a store that was emptied takes entries like any other. Never rejects: the write may end first. */
  async #findFootingGone(): Promise<FloeError | undefined> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#footingCheckedMs < footingCheckIntervalMs) return undefined
    this.#footingCheckedMs = nowMs
    try {
      await checkFooting(this.replica, this.#parts)
      return undefined
    } catch (error) {
      // A store that does not answer, or reads badly, tells nothing: it is asked again with a later write.
      return isFloeError(error) && error.code !== 'catalog-gone' ? undefined : asFailure(error)
    }
  }

  #apply(written: OpenBatch, { sequence, crc, nowMs, parts }: WrittenBatch): void {
    const { clientIds, commandCount } = written
    const bytes = written.body.view()
    this.#out.reset()
    try {
      const batch = { nowMs, clientIds, commandCount, bytes }
      const position = { ...this.replica.position, sequence, crc }
      this.replica.applyOwn(batch, position, entryHeaderBytes + bytes.length, this.#out, this.#answers)
      this.#isAhead = false
    } catch (error) {
      written.lose(asFailure(error))
      throw error
    }
    this.#hooks.onBatch(parts)
  }

  /** In slices: those who are answered come back with new commands at once, and the write that is under way must get its turns. */
  async #answer({ commands, body }: OpenBatch): Promise<void> {
    const reader = new ByteReader(this.#out.view(), 'catalog answer')
    const { ends } = this.#answers
    const { sequence } = this.replica.position
    for (let from = 0; from < commands.length; from += answersPerTurn) {
      const to = Math.min(commands.length, from + answersPerTurn)
      for (let index = from; index < to; index++) {
        reader.offset = index === 0 ? 0 : ends[index - 1]!
        reader.end = ends[index]!
        commands[index]!.answer(reader, sequence)
      }
      await this.#clock.yield()
    }
    if (this.#pool.length < pooledWritersMax) this.#pool.push(body)
  }

  #lose(error: FloeError): void {
    const first = this.#failure === undefined
    this.#failure ??= error
    this.#isLost = true
    // Asking whoever leads now tells what became of it. At once: if it came later, it would undo what is submitted meanwhile.
    this.#underWay?.lose(
      new FloeError('unavailable', 'catalog-outcome-unknown', 'the lead was lost while it was written'),
    )
    this.#underWay = undefined
    // What waits was never written: it is certain that it was not applied.
    for (const batch of this.#queue.splice(0)) batch.lose(notWritten(error))
    this.#queuedCommands = 0
    this.#queuedBytes = 0
    this.replica.wake()
    if (first) this.#hooks.onLost(error)
  }
}

function notWritten(cause: FloeError): FloeError {
  return new FloeError('fenced', 'catalog-not-written', `not written: ${cause.message}`, {}, cause)
}

function asFailure(cause: unknown): FloeError {
  if (isFloeError(cause)) return cause
  return new FloeError('internal', 'catalog-defect', 'the catalog stopped on a defect', {}, cause)
}
