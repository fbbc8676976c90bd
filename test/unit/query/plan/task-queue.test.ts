import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../core/random.ts'
import { goldenOrder } from '../../../../query/plan/golden-order.ts'
import { PrefixMax } from '../../../../query/plan/prefix-max.ts'
import { type OffsetRange, splitRanges, type Task, tasksMax } from '../../../../query/plan/task.ts'
import { type TaskOrder, TaskQueue } from '../../../../query/plan/task-queue.ts'
import type { SeenTimes, TimeWindow } from '../../../../query/plan/time-window.ts'

/** Timestamps by partition and offset. */
type Topic = readonly Float64Array[]

function seenTimes(topic: Topic, { partition, start, end }: Task): SeenTimes {
  let [minMs, maxMs, disorderMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const ms of topic[partition]!.subarray(start, end)) {
    disorderMs = Math.max(disorderMs, maxMs - ms)
    minMs = Math.min(minMs, ms)
    maxMs = Math.max(maxMs, ms)
  }
  return { minMs, maxMs, disorderMs }
}

function rangesOf(topic: Topic): OffsetRange[] {
  return topic.map((times, partition) => ({ partition, start: 0, end: times.length }))
}

interface Run {
  readonly executed: readonly Task[]
  readonly pruned: number
  readonly taskCount: number
}

/** Several tasks at a time, which end in any order. */
function runTasks(
  topic: Topic,
  options: { order: TaskOrder; window: TimeWindow; isAppendTime?: boolean; graceMs?: number; perTask: number },
  concurrency: number,
  pick: (count: number) => number,
): Run {
  const { isAppendTime = false, graceMs = 0, perTask, order, window } = options
  const tasks = splitRanges(rangesOf(topic), perTask)
  const queue = new TaskQueue(tasks, { order, window, isAppendTime, graceMs })
  const executed: Task[] = []
  const underWay: Task[] = []
  for (;;) {
    while (underWay.length < concurrency) {
      const task = queue.take()
      if (task === undefined) break
      underWay.push(task)
    }
    if (underWay.length === 0) break
    const [task] = underWay.splice(pick(underWay.length), 1)
    executed.push(task!)
    queue.see(task!, seenTimes(topic, task!))
  }
  return { executed, pruned: queue.prunedCount, taskCount: tasks.length }
}

/** How many records of the window were in no task that was executed. */
function countMissed(topic: Topic, { executed }: Run, { fromMs, toMs }: TimeWindow): number {
  let missed = 0
  for (const [partition, times] of topic.entries()) {
    const isRead = new Uint8Array(times.length)
    for (const task of executed) if (task.partition === partition) isRead.fill(1, task.start, task.end)
    for (const [offset, ms] of times.entries()) if (ms >= fromMs && ms <= toMs && isRead[offset] === 0) missed++
  }
  return missed
}

const orders = fc.constantFrom<TaskOrder>('golden', 'newest-first', 'oldest-first')

/** Times that go up by steps, some records being late by up to so much. */
const topics = fc.record({
  latenessMs: fc.constantFrom(0, 5, 40),
  partitions: fc.array(fc.array(fc.tuple(fc.constantFrom(0, 1, 9), fc.constantFrom(0, 0, 99)), { maxLength: 120 }), {
    minLength: 1,
    maxLength: 3,
  }),
})

function topicOf(
  partitions: readonly (readonly (readonly [step: number, late: number])[])[],
  latenessMs: number,
): Topic {
  return partitions.map(records => {
    let ms = 0
    return Float64Array.from(records, ([step, late]) => {
      ms += step
      return ms - (latenessMs * late) / 99
    })
  })
}

/** From the time of one record to that of another one, or a little beside them. */
const windowEnds = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: -1, max: 1 }), fc.integer({ min: -1, max: 1 }))

function windowOf(topic: Topic, [first, second, before, after]: readonly [number, number, number, number]): TimeWindow {
  const times = topic.flatMap(partition => [...partition])
  if (times.length === 0) return { fromMs: 0, toMs: 10 }
  const [a, b] = [times[first % times.length]!, times[second % times.length]!]
  return { fromMs: Math.min(a, b) + before, toMs: Math.max(a, b) + after }
}

test('no record of the window is missed, as long as none is later than the grace', () => {
  fc.assert(
    fc.property(
      topics,
      windowEnds,
      orders,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat()),
      ({ partitions, latenessMs }, ends, order, perTask, concurrency, choices) => {
        const topic = topicOf(partitions, latenessMs)
        const window = windowOf(topic, ends)
        const pick = (count: number): number => choices.next().value! % count
        const run = runTasks(topic, { order, window, graceMs: latenessMs, perTask }, concurrency, pick)
        expect(countMissed(topic, run, window)).toBe(0)
        expect(run.executed.length + run.pruned).toBe(run.taskCount)
        expect(new Set(run.executed).size).toBe(run.executed.length)
      },
    ),
    { numRuns: 3000 },
  )
})

test('with times of the append nothing is missed and no grace is needed', () => {
  fc.assert(
    fc.property(topics, windowEnds, orders, fc.integer({ min: 1, max: 30 }), ({ partitions }, ends, order, perTask) => {
      const topic = topicOf(partitions, 0)
      const window = windowOf(topic, ends)
      const run = runTasks(topic, { order, window, isAppendTime: true, graceMs: 1e9, perTask }, 4, count => count - 1)
      expect(countMissed(topic, run, window)).toBe(0)
    }),
    { numRuns: 1000 },
  )
})

describe('of 1,000 tasks, 10 of them in the window', () => {
  const recordCount = 100_000
  const stepMs = 100
  const window = (part: number): TimeWindow => {
    const fromMs = part * recordCount * stepMs * 0.99
    return { fromMs, toMs: fromMs + recordCount * stepMs * 0.01 }
  }
  const topicWith = (disorderMs: number): Topic => {
    const random = seededRandom(7)
    return [Float64Array.from({ length: recordCount }, (_, index) => index * stepMs - random.fraction() * disorderMs)]
  }
  test.each([
    ['at the beginning', 0, 0],
    ['in the middle', 0.5, 0],
    ['at the end', 1, 0],
    ['at the beginning, 30 s out of order', 0, 30_000],
    ['in the middle, 30 s out of order', 0.5, 30_000],
    ['at the end, 30 s out of order', 1, 30_000],
  ])('%s, at most 50 are executed', (_, part, disorderMs) => {
    const topic = topicWith(disorderMs)
    const options = { order: 'golden' as const, window: window(part), graceMs: 30_000, perTask: 100 }
    for (const concurrency of [1, 8]) {
      const run = runTasks(topic, options, concurrency, () => 0)
      expect(countMissed(topic, run, options.window)).toBe(0)
      expect(run.taskCount).toBe(1000)
      expect(run.executed.length).toBeLessThanOrEqual(50)
      expect(run.pruned).toBe(1000 - run.executed.length)
    }
  })
})

function queueOver(times: readonly number[], window: TimeWindow, graceMs: number): { topic: Topic; queue: TaskQueue } {
  const topic = [Float64Array.from(times)]
  const tasks = splitRanges(rangesOf(topic), 2)
  return { topic, queue: new TaskQueue(tasks, { order: 'oldest-first', window, isAppendTime: false, graceMs }) }
}

test('more disorder than the grace, in a task, brings back what had been ruled out', () => {
  const { topic, queue } = queueOver([150, 1, 100, 101, 102, 103, 2, 104], { fromMs: 0, toMs: 5 }, 10)
  const [first, second] = [queue.take()!, queue.take()!]
  queue.see(second, seenTimes(topic, second))
  expect(queue.take()).toBeUndefined()
  expect(queue.prunedCount).toBe(2)
  queue.see(first, seenTimes(topic, first))
  expect(queue.slackMs).toBe(149)
  expect(queue.prunedCount).toBe(0)
  expect([queue.take()?.index, queue.take()?.index].toSorted()).toEqual([2, 3])
  expect(queue.take()).toBeUndefined()
})

test.each([
  ['the earlier one first', [0, 1]],
  ['the later one first', [1, 0]],
])('disorder between two tasks is seen, %s', (_, seen) => {
  const { topic, queue } = queueOver([100, 101, 50, 51], { fromMs: 0, toMs: 1000 }, 10)
  const tasks = [queue.take()!, queue.take()!]
  for (const index of seen) queue.see(tasks[index]!, seenTimes(topic, tasks[index]!))
  expect(queue.slackMs).toBe(51)
})

test('the largest before a number is found', () => {
  const said = fc.array(fc.tuple(fc.nat(30), fc.integer()), { maxLength: 20 })
  fc.assert(
    fc.property(said, fc.nat(31), (values, end) => {
      const largest = new PrefixMax(31)
      for (const [index, value] of values) largest.raise(index, value)
      const before = values.filter(([index]) => index < end).map(([, value]) => value)
      expect(largest.before(end)).toBe(Math.max(...before))
    }),
  )
})

describe('the golden order', () => {
  test('has every number once', () => {
    for (const count of [0, 1, 2, 3, 100, 1024, 10_007]) {
      expect([...goldenOrder(count)].toSorted((a, b) => a - b)).toEqual([...Array(count).keys()])
    }
  })

  test('leaves no gap of more than twice the mean, however far it has come', () => {
    const count = 4096
    const order = goldenOrder(count)
    for (const taken of [8, 21, 100, 777]) {
      const places = [...order.subarray(0, taken)].toSorted((a, b) => a - b)
      const gaps = places.map((place, index) => (places[index + 1] ?? places[0]! + count) - place)
      expect(Math.max(...gaps)).toBeLessThanOrEqual((2 * count) / taken)
    }
  })
})

test('tasks cover the ranges exactly, and are never more than there may be', () => {
  const range = fc.tuple(fc.nat(1e9), fc.nat(1e6)).map(([start, length]) => ({ start, end: start + length }))
  fc.assert(
    fc.property(fc.array(range, { maxLength: 5 }), fc.integer({ min: 1, max: 1e6 }), (spans, perTask) => {
      const ranges = spans.map((span, partition) => ({ partition, ...span }))
      const tasks = splitRanges(ranges, perTask)
      expect(tasks.length).toBeLessThanOrEqual(tasksMax)
      for (const { partition, start, end } of ranges) {
        const own = tasks.filter(task => task.partition === partition)
        expect(own.map(({ index }) => index)).toEqual([...own.keys()])
        expect(own.map(task => task.start)).toEqual([start, ...own.map(task => task.end)].slice(0, own.length))
        expect(own.at(-1)?.end ?? start).toBe(end)
      }
    }),
    { numRuns: 40 },
  )
})
