/**
 * The commands of one process: gives each its idempotency key, hands it to whoever leads, and hands it to the next leader under
 * the same key when it was not answered. A caller sees one answer, or an error that says that the outcome is not known.
 *
 *   submit ─▶ lane (client id, numbers) ─▶ sink ─▶ answer
 *                                          │ lost
 *                  waiting, in order  ◀────┘      until there is a sink again
 *
 * A lane is a client session in the catalog (state/client-sessions.ts): it keeps receipts of the last 128 numbers, so a lane has
 * no number under way that is 128 below its newest. More lanes are opened when all are full.
 */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { FloeError, isFloeError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { type Command, readAnswer } from '../commands/command.ts'
import { openSession } from '../commands/name-commands.ts'
import { receiptsPerClientMax } from '../limits.ts'
import type { PendingCommand } from '../pending-command.ts'

/** Takes commands in order; each is answered, lost or failed later, or at once. */
export interface CommandSink {
  enqueue(command: PendingCommand): void
}

export interface CommandSessionOptions {
  /** How long a command may go without an answer while nobody leads, before its outcome counts as unknown. */
  readonly outcomeTimeoutMs: number
  /** Lanes; with 128 commands each they bound what is under way. */
  readonly lanesMax: number
  /** Commands that wait for room; beyond it submitting fails with `exhausted`. */
  readonly waitingMax: number
}

export const commandSessionDefaults: CommandSessionOptions = {
  outcomeTimeoutMs: 60_000,
  lanesMax: 128,
  waitingMax: 262_144,
}

/** Far below clientSessionExpiryMs. */
const sessionIdleMsMax = 3600_000

export class CommandSession {
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: CommandSessionOptions
  #sink: CommandSink | undefined
  #closed: FloeError | undefined
  readonly #lanes: Lane[] = []
  #laneIndex = 0
  /** Numbered, not taken by any sink, oldest first. */
  #unsent: SessionCommand[] = []
  /** Not numbered yet: every lane is full. */
  readonly #waiting: SessionCommand[] = []
  #waitingFrom = 0
  #timer: TimerHandle | undefined

  constructor(clock: Clock, random: Random, options: Partial<CommandSessionOptions> = {}) {
    this.#clock = clock
    this.#random = random
    this.#options = { ...commandSessionDefaults, ...options }
  }

  /**
   * Resolves with the answer once the command is durable.
   *
   * args    not to be changed until it settles
   * errors  what the command is refused with; invalid: it cannot be encoded; exhausted: too much waits; unavailable
   *         `catalog-outcome-unknown`: nobody led for too long, and whether it was applied is not known
   */
  submit<Arguments, Result>(command: Command<Arguments, Result>, args: Arguments): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed)
      const { waitingMax } = this.#options
      if (this.#waiting.length - this.#waitingFrom >= waitingMax) return reject(tooManyWaiting(waitingMax))
      this.#start(new SessionCommand(this, command as Command<unknown, unknown>, args, resolve as Settle, reject))
    })
  }

  #start(command: SessionCommand): void {
    const lane = this.#laneWithRoom()
    if (lane === undefined) {
      this.#waiting.push(command)
      return
    }
    command.lane = lane
    command.requestNumber = lane.take(this.#clock.monotonicMs())
    this.#send(command)
  }

  #laneWithRoom(): Lane | undefined {
    const nowMs = this.#clock.monotonicMs()
    const count = this.#lanes.length
    for (let tried = 0; tried < count; tried++) {
      const lane = this.#lanes[this.#laneIndex % count]!
      if (lane.isStale(nowMs)) {
        this.#drop(lane)
        return this.#laneWithRoom()
      }
      if (lane.hasRoom) return lane
      this.#laneIndex = (this.#laneIndex + 1) % count
    }
    if (count >= this.#options.lanesMax) return undefined
    const lane = new Lane(this.#random.bytes(16))
    this.#lanes.push(lane)
    this.#laneIndex = count
    const opening = new SessionCommand(this, openSession as Command<unknown, unknown>, undefined, ignore, ignore)
    opening.lane = lane
    opening.requestNumber = lane.take(this.#clock.monotonicMs())
    this.#send(opening)
    return lane
  }

  #send(command: SessionCommand): void {
    command.deadlineMs = this.#clock.monotonicMs() + this.#options.outcomeTimeoutMs
    if (this.#sink === undefined || this.#unsent.length > 0) this.#keep(command)
    else this.#hand(this.#sink, command)
  }

  #hand(sink: CommandSink, command: SessionCommand): void {
    command.sink = sink
    sink.enqueue(command)
  }

  #keep(command: SessionCommand): void {
    this.#unsent.push(command)
    this.#watchDeadlines()
  }

  /** Commands go to `sink` from now on, those that wait first. Undefined: nobody leads. */
  setSink(sink: CommandSink | undefined): void {
    this.#sink = sink
    if (sink === undefined) return
    const unsent = this.#unsent
    this.#unsent = []
    for (const command of unsent) this.#hand(sink, command)
  }

  /** Refuses what comes from now on and fails what waits. */
  close(reason: FloeError): void {
    this.#closed ??= reason
    this.#sink = undefined
    this.#timer?.cancel()
    for (const command of this.#unsent.splice(0)) command.reject(describeLoss(command, reason))
    for (const command of this.#waiting.splice(this.#waitingFrom)) command.reject(reason)
  }

  // ── What becomes of a command ──

  onLost(command: SessionCommand): void {
    if (this.#closed !== undefined) {
      command.reject(describeLoss(command, this.#closed))
      return
    }
    // The sink that lost it is not to be used again; whoever runs the node sets the next one, and may have done so long ago: a
    // leader that waits for the store tells late.
    if (this.#sink === command.sink) this.#sink = undefined
    if (this.#sink === undefined || this.#unsent.length > 0) this.#keep(command)
    else this.#hand(this.#sink, command)
  }

  /** Answered or failed: its number is free. */
  onDone({ lane, requestNumber }: SessionCommand): void {
    lane!.finish(requestNumber)
    while (this.#waitingFrom < this.#waiting.length && this.#laneWithRoom() !== undefined) {
      const next = this.#waiting[this.#waitingFrom++]!
      if (this.#waitingFrom === this.#waiting.length) {
        this.#waiting.length = 0
        this.#waitingFrom = 0
      }
      this.#start(next)
    }
  }

  /** The catalog has forgotten the lane: an earlier attempt may have been applied, this one was not. */
  onExpired(command: SessionCommand, refusal: FloeError): void {
    this.#drop(command.lane!)
    command.reject(describeLoss(command, refusal))
  }

  #drop(lane: Lane): void {
    const index = this.#lanes.indexOf(lane)
    if (index >= 0) this.#lanes.splice(index, 1)
  }

  #watchDeadlines(): void {
    this.#timer ??= this.#clock.startTimer(1000, () => {
      this.#timer = undefined
      const nowMs = this.#clock.monotonicMs()
      const overdue = this.#unsent.filter(command => command.deadlineMs <= nowMs)
      if (overdue.length > 0) this.#unsent = this.#unsent.filter(command => command.deadlineMs > nowMs)
      for (const command of overdue) {
        command.reject(describeLoss(command, noLeader))
        this.onDone(command)
      }
      if (this.#unsent.length > 0) this.#watchDeadlines()
    })
  }
}

/** One client session of the catalog: numbers from 1, of which the last 128 may be under way. */
class Lane {
  readonly clientId: Uint8Array
  #next = 1
  #lastUsedMs = 0
  /** The least number that is under way, or `#next`. */
  #oldest = 1
  /** By number modulo 128. */
  readonly #underWay = new Uint8Array(receiptsPerClientMax)

  constructor(clientId: Uint8Array) {
    this.clientId = clientId
  }

  get hasRoom(): boolean {
    return this.#next - this.#oldest < receiptsPerClientMax
  }

  /** Idle for so long that the catalog may be about to forget it. */
  isStale(nowMs: number): boolean {
    return this.#oldest === this.#next && nowMs - this.#lastUsedMs > sessionIdleMsMax
  }

  take(nowMs: number): number {
    this.#lastUsedMs = nowMs
    const number = this.#next++
    this.#underWay[number % receiptsPerClientMax] = 1
    return number
  }

  finish(number: number): void {
    this.#underWay[number % receiptsPerClientMax] = 0
    while (this.#oldest < this.#next && this.#underWay[this.#oldest % receiptsPerClientMax] === 0) this.#oldest++
  }
}

type Settle = (result: unknown) => void
const ignore = (): void => {}

class SessionCommand implements PendingCommand {
  readonly #session: CommandSession
  readonly #command: Command<unknown, unknown>
  /** Dropped once they are encoded: whoever has the bytes gives them back if the command is lost. */
  #args: unknown
  #payload: Uint8Array | undefined
  readonly #resolve: Settle
  readonly reject: (error: unknown) => void
  lane: Lane | undefined
  /** Who has it, or had it last. */
  sink: CommandSink | undefined
  requestNumber = 0
  deadlineMs = 0
  /** Why it was lost last. */
  loss: FloeError | undefined
  /** Whether any attempt may have been applied. */
  isUncertain = false

  constructor(
    session: CommandSession,
    command: Command<unknown, unknown>,
    args: unknown,
    resolve: Settle,
    reject: (error: unknown) => void,
  ) {
    this.#session = session
    this.#command = command
    this.#args = args
    this.#resolve = resolve
    this.reject = reject
  }

  get clientId(): Uint8Array {
    return this.lane!.clientId
  }
  get commandId(): number {
    return this.#command.id
  }
  get commandName(): string {
    return this.#command.name
  }

  encode(body: ByteWriter): void {
    if (this.#payload !== undefined) {
      body.raw(this.#payload)
      return
    }
    this.#command.encode(body, this.#args)
    this.#args = undefined
  }

  answer(reader: ByteReader): void {
    let result: unknown
    try {
      result = readAnswer(reader, this.#command as Command<never, unknown>)
    } catch (error) {
      this.fail(error)
      return
    }
    if (!isFloeError(result)) this.#resolve(result)
    else if (result.code === 'receipt-expired') this.#session.onExpired(this, result)
    else this.reject(result)
    this.#session.onDone(this)
  }

  lost(error: FloeError, payload: Uint8Array | undefined): void {
    this.#payload = payload ?? this.#payload
    this.loss = error
    // A fenced leader knows that it wrote nothing.
    if (error.kind !== 'fenced') this.isUncertain = true
    this.#session.onLost(this)
  }

  fail(error: unknown): void {
    this.reject(error)
    this.#session.onDone(this)
  }
}

const noLeader = new FloeError('unavailable', 'catalog-no-leader', 'nobody leads the catalog')

function describeLoss({ commandName, loss, isUncertain }: SessionCommand, reason: FloeError): FloeError {
  if (!isUncertain) return loss ?? reason
  const message = `whether ${commandName} was applied is not known: ${reason.message}`
  return new FloeError('unavailable', 'catalog-outcome-unknown', message, {}, loss ?? reason)
}

function tooManyWaiting(count: number): FloeError {
  return new FloeError('exhausted', 'catalog-queue-full', `${count} catalog commands wait to be written: retry later`)
}
