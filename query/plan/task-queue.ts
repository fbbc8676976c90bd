/** Hands out the tasks of a query in the order that suits it, leaving out those that were ruled out meanwhile. */
import { goldenOrder } from './golden-order.ts'
import type { Task } from './task.ts'
import { PartitionTimes, type SeenTimes, type TimeWindow } from './time-window.ts'

/**
 * golden        spread over everything: any beginning is a fair sample, and both ends of a window are found soon. For timelines,
 *               aggregates and windows that lie anywhere
 * newest-first  for the latest so many
 * oldest-first  for the earliest so many
 */
export type TaskOrder = 'golden' | 'newest-first' | 'oldest-first'

export interface TaskQueueOptions {
  readonly order: TaskOrder
  /** Undefined: whatever its time. */
  readonly window: TimeWindow | undefined
  /** Of partitions whose topic has the time of the append. */
  readonly isAppendTime: boolean
  /** How late records may be at least (time-window.ts). */
  readonly graceMs: number
}

interface Pending {
  readonly task: Task
  readonly times: PartitionTimes | undefined
}

export class TaskQueue {
  readonly #times = new Map<number, PartitionTimes>()
  /** What comes next, in order. */
  readonly #order: readonly Pending[]
  #next = 0
  /** Passed over since they were ruled out; they may come back. */
  #passedOver: Pending[] = []
  #returned: Pending[] = []

  /** tasks  by partition and offset, as splitRanges leaves them */
  constructor(tasks: readonly Task[], { order, window, isAppendTime, graceMs }: TaskQueueOptions) {
    const counts = new Map<number, number>()
    for (const { partition } of tasks) counts.set(partition, (counts.get(partition) ?? 0) + 1)
    if (window !== undefined) {
      for (const [partition, count] of counts) {
        this.#times.set(partition, new PartitionTimes(count, window, isAppendTime, graceMs))
      }
    }
    this.#order = arrange(tasks, counts, order).map(task => ({ task, times: this.#times.get(task.partition) }))
  }

  /** How many tasks are ruled out as things stand. */
  get prunedCount(): number {
    let count = this.#passedOver.length
    for (let at = this.#next; at < this.#order.length; at++) if (isRuledOut(this.#order[at]!)) count++
    return count
  }

  /** The largest by which a partition's records may be late. */
  get slackMs(): number {
    return Math.max(0, ...[...this.#times.values()].map(({ slackMs }) => slackMs))
  }

  /** Undefined when there is none, until one that was handed out says what it saw. */
  take(): Task | undefined {
    for (;;) {
      const pending = this.#returned.pop() ?? this.#order[this.#next++]
      if (pending === undefined) {
        this.#next = this.#order.length
        return undefined
      }
      if (!isRuledOut(pending)) return pending.task
      this.#passedOver.push(pending)
    }
  }

  /** What was seen in a task that was handed out. */
  see({ partition, index }: Task, times: SeenTimes): void {
    if (this.#times.get(partition)?.see(index, times) !== true) return
    this.#returned.push(...this.#passedOver.filter(pending => !isRuledOut(pending)))
    this.#passedOver = this.#passedOver.filter(isRuledOut)
  }
}

function isRuledOut({ task, times }: Pending): boolean {
  return times?.isRuledOut(task.index) === true
}

/** All partitions at once: what lies at the same part of each comes together. */
function arrange(tasks: readonly Task[], counts: ReadonlyMap<number, number>, order: TaskOrder): readonly Task[] {
  const place = ({ partition, index }: Task): number => (index + 0.5) / counts.get(partition)!
  if (order === 'newest-first') {
    // From the end of each partition; the shorter one is not gone through any sooner.
    return tasks.toSorted(
      (left, right) => counts.get(left.partition)! - left.index - (counts.get(right.partition)! - right.index),
    )
  }
  if (order === 'oldest-first') return tasks.toSorted((left, right) => left.index - right.index)
  const along = tasks.toSorted((left, right) => place(left) - place(right))
  return Array.from(goldenOrder(along.length), number => along[number]!)
}
