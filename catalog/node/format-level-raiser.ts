/**
 * The leader's watch over what the registered processes know: once all of them have known a newer format level for a while, the catalog
 * is raised to it. Time says only when to try, the catalog whether it may be. The wait is for old processes that died and come back as
 * they were, and for people who take an upgrade back.
 */
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { raiseFormatLevel } from '../commands/raise-format-level.ts'
import type { Replica } from '../replica/replica.ts'
import type { CommandSession } from './command-session.ts'

export interface FormatLevelRaiserParts {
  readonly replica: Replica
  readonly session: Pick<CommandSession, 'submit'>
  readonly clock: Clock
  readonly log: Log
  /** For so long every registered process must have known the level. */
  readonly delayMs: number
}

const looksPerDelay = 10

export class FormatLevelRaiser {
  readonly #parts: FormatLevelRaiserParts
  /** What all knew when they were looked at last, and since when. */
  #knownLevel: number | undefined
  #knownSinceMs = 0
  #timer: TimerHandle | undefined
  #isStopped = false

  constructor(parts: FormatLevelRaiserParts) {
    this.#parts = parts
    this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #look(): void {
    const { replica, clock, delayMs } = this.#parts
    const { state, commands } = replica
    // Nothing is left to be raised by this process, ever.
    if (this.#isStopped || state.formatLevel >= commands.formatLevelMax) return
    const nodes = state.nodes.all()
    const known = nodes.map(node => node.formatLevelMax)
    const knownLevel = nodes.length === 0 ? state.formatLevel : Math.min(commands.formatLevelMax, ...known)
    const nowMs = clock.monotonicMs()
    if (knownLevel !== this.#knownLevel) {
      this.#knownLevel = knownLevel
      this.#knownSinceMs = nowMs
    }
    if (knownLevel > state.formatLevel && nowMs - this.#knownSinceMs >= delayMs) this.#raise(knownLevel)
    this.#timer = clock.startTimer(delayMs / looksPerDelay, () => this.#look())
  }

  #raise(formatLevel: number): void {
    const { session, log } = this.#parts
    session.submit(raiseFormatLevel, formatLevel).then(
      () => log.info('the catalog was raised to a newer format level', { formatLevel }),
      (error: unknown) =>
        log.warn('the catalog was not raised to a newer format level', { formatLevel, reason: errorMessage(error) }),
    )
  }
}
