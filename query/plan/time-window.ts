/**
 * Which tasks of a partition can hold records of a time, by what was seen of the others.
 *
 * The later a record lies, the later its time: exactly so where the broker sets it at the append (`isAppendTime`). Producers' times are out
 * of order by as much as producers are late. A task all of whose times are earlier than the window by more than that, the slack, rules
 * out all tasks before it, and one all of whose times are later all tasks behind it. The slack is at least the given grace, and grows
 * with the disorder that is seen; then tasks that were ruled out may come back.
 *
 * What no task shows cannot be known: records that are later than the slack, among tasks that are ruled out, are missed. Who must not
 * miss them does not prune.
 */
import { PrefixMax } from './prefix-max.ts'

/** Of record timestamps, both included, milliseconds since 1970; infinities are open ends. */
export interface TimeWindow {
  readonly fromMs: number
  readonly toMs: number
}

/** What was seen in a task. Without records: `minMs` is above `maxMs`. */
export interface SeenTimes {
  readonly minMs: number
  readonly maxMs: number
  /** By how much a record was earlier than one before it in the task; 0 when none was. */
  readonly disorderMs: number
}

export class PartitionTimes {
  readonly #window: TimeWindow
  readonly #isAppendTime: boolean
  #slackMs: number
  /** By task index, of those that were seen; NaN otherwise. */
  readonly #minsMs: Float64Array
  readonly #maxsMs: Float64Array
  readonly #latest: PrefixMax
  /** Of the tasks behind one: indexes from the end, times negated. */
  readonly #earliest: PrefixMax
  /** Tasks [first, end) are not ruled out. */
  #first = 0
  #end: number

  constructor(taskCount: number, window: TimeWindow, isAppendTime: boolean, graceMs: number) {
    this.#window = window
    this.#isAppendTime = isAppendTime
    this.#slackMs = isAppendTime ? 0 : graceMs
    this.#minsMs = new Float64Array(taskCount).fill(Number.NaN)
    this.#maxsMs = new Float64Array(taskCount).fill(Number.NaN)
    this.#latest = new PrefixMax(taskCount)
    this.#earliest = new PrefixMax(taskCount)
    this.#end = taskCount
  }

  get slackMs(): number {
    return this.#slackMs
  }

  isRuledOut(index: number): boolean {
    return index < this.#first || index >= this.#end
  }

  /** True when tasks that had been ruled out may hold records after all. */
  see(index: number, times: SeenTimes): boolean {
    const { minMs, maxMs } = times
    if (minMs > maxMs) return false
    this.#minsMs[index] = minMs
    this.#maxsMs[index] = maxMs
    const disorderMs = this.#isAppendTime ? 0 : this.#findDisorder(index, times)
    if (disorderMs <= this.#slackMs) {
      this.#ruleOutBy(index)
      return false
    }
    // Doubled at least, so that looking at all of them again remains rare.
    this.#slackMs = Math.max(disorderMs, this.#slackMs * 2)
    const [first, end] = [this.#first, this.#end]
    this.#first = 0
    this.#end = this.#minsMs.length
    for (let seen = 0; seen < this.#minsMs.length; seen++) this.#ruleOutBy(seen)
    return this.#first < first || this.#end > end
  }

  #ruleOutBy(index: number): void {
    const { fromMs, toMs } = this.#window
    if (this.#maxsMs[index]! < fromMs - this.#slackMs) this.#first = Math.max(this.#first, index + 1)
    if (this.#minsMs[index]! > toMs + this.#slackMs) this.#end = Math.min(this.#end, index)
  }

  /** The most that this task shows, in itself and against the others. */
  #findDisorder(index: number, { minMs, maxMs, disorderMs }: SeenTimes): number {
    const fromEnd = this.#minsMs.length - 1 - index
    this.#latest.raise(index, maxMs)
    this.#earliest.raise(fromEnd, -minMs)
    return Math.max(disorderMs, this.#latest.before(index) - minMs, maxMs + this.#earliest.before(fromEnd))
  }
}
