/**
 * A world with its own time: events in order, one after the other, nothing real but the processor. Everything that happens in a
 * simulation is an event here, so the same seed gives the same run.
 *
 * Between two events everything that became possible without time passing has happened: the event loop of the real process has turned,
 * and with it every promise that could settle.
 */
import { createHash } from 'node:crypto'
import { seededRandom } from '../../core/random.ts'
import { Draws } from './draws.ts'
import { Spared } from './spared.ts'

export interface ScheduledEvent {
  cancel(): void
}

interface Event {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** Something that went wrong in a life, by its number there. */
export interface Fault {
  readonly number: number
  readonly atMs: number
  readonly what: string
}

const startMs = Date.UTC(2026, 0, 1)
const isTraced = process.env.FLOE_SIM_TRACE !== undefined

export class World extends Draws {
  readonly seed: number
  #nowMs = 0
  #order = 0
  readonly #heap: Event[] = []
  readonly #trace = createHash('sha256')
  readonly #spared: Spared
  #faultCount = 0
  /** Everything that went wrong so far. */
  readonly faults: Fault[] = []
  eventCount = 0

  /** `spared`: numbers of faults that this life is lived without. */
  constructor(seed: number, spared: Spared = new Spared()) {
    super(seededRandom(seed))
    this.seed = seed
    this.#spared = spared
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Milliseconds since 1970 in this world. */
  get wallMs(): number {
    return startMs + this.#nowMs
  }

  schedule(delayMs: number, run: () => void): ScheduledEvent {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run }
    push(this.#heap, event)
    return {
      cancel: () => {
        event.run = undefined
      },
    }
  }

  delay(delayMs: number): Promise<void> {
    return new Promise(resolve => this.schedule(delayMs, resolve))
  }

  /** One more thing is about to go wrong: false when this life is lived without it. */
  fault(what: string): boolean {
    const number = ++this.#faultCount
    if (this.#spared.has(number)) return false
    this.faults.push({ number, atMs: this.#nowMs, what })
    this.note(`fault ${number}: ${what}`)
    return true
  }

  /** What is worth telling runs apart by. */
  note(what: string): void {
    if (isTraced) process.stderr.write(`${this.#nowMs.toFixed(1)} ${what}\n`)
    this.#trace.update(`${this.#nowMs.toFixed(3)} ${what}\n`)
  }

  /** The same for runs in which the same happened at the same times. */
  traceHash(): string {
    return this.#trace.copy().digest('hex')
  }

  /** Lets events happen until `isOver`, which is asked after each, or for `forMs`. Returns whether it became over. */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    const endMs = this.#nowMs + forMs
    await turn()
    while (!isOver()) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs
        return isOver()
      }
      pop(this.#heap)
      if (next.run === undefined) continue
      this.#nowMs = next.atMs
      this.eventCount++
      next.run()
      await turn()
    }
    return true
  }
}

/** Everything that can happen without another event has happened when it resolves. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function isBefore(left: Event, right: Event): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(event, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
