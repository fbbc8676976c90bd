/** Tasks: what is read and evaluated at once, on its own. */

/** Offsets [start, end) of one partition. */
export interface OffsetRange {
  readonly partition: number
  readonly start: number
  readonly end: number
}

export interface Task extends OffsetRange {
  /** Among the tasks of its partition, by offset. */
  readonly index: number
}

/** In how many tasks a query is split at most; with more offsets each task has more of them. */
export const tasksMax = 65_536

/** Tasks of about `offsetsPerTask` offsets each, by partition and offset. Empty ranges have none. */
export function splitRanges(ranges: readonly OffsetRange[], offsetsPerTask: number): Task[] {
  const total = ranges.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
  // The last task of each partition may be small.
  const perTask = Math.max(1, offsetsPerTask, Math.ceil(total / Math.max(1, tasksMax - ranges.length)))
  const tasks: Task[] = []
  for (const { partition, start, end } of ranges) {
    for (let at = start, index = 0; at < end; at += perTask, index++) {
      tasks.push({ partition, index, start: at, end: Math.min(end, at + perTask) })
    }
  }
  return tasks
}
