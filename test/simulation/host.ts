/**
 * A host in the world: what runs on it can be paused and can crash at any await. Whatever reaches it (a timer, an answer of the store,
 * a message) passes its gate; a crashed host's gate lets nothing through any more, a paused host's keeps it.
 */
import type { Clock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { interceptStore } from '../contract/journal-harness.ts'
import type { World } from './world.ts'

export class Host {
  readonly world: World
  readonly name: string
  #isCrashed = false
  #isPaused = false
  #kept: (() => void)[] = []
  readonly #onCrash: (() => void)[] = []
  /** How far its wall clock is from the world's. */
  wallSkewMs = 0

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  get isCrashed(): boolean {
    return this.#isCrashed
  }
  get isPaused(): boolean {
    return this.#isPaused
  }

  deliver(run: () => void): void {
    if (this.#isCrashed) return
    if (this.#isPaused) this.#kept.push(run)
    else run()
  }

  onCrash(listener: () => void): void {
    this.#onCrash.push(listener)
  }

  crash(): void {
    if (this.#isCrashed) return
    this.#isCrashed = true
    this.#kept = []
    for (const listener of this.#onCrash) listener()
  }

  pause(): void {
    this.#isPaused = true
  }

  /** What was kept comes in the order in which it arrived, each in a moment of its own. */
  resume(): void {
    this.#isPaused = false
    for (const run of this.#kept.splice(0)) this.world.schedule(0, () => this.deliver(run))
  }

  /** Settles as `promise`, when that reaches the host. */
  gate<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        value => this.deliver(() => resolve(value)),
        (error: unknown) => this.deliver(() => reject(error)),
      )
    })
  }

  readonly clock: Clock = {
    nowMs: () => Math.floor(this.world.wallMs + this.wallSkewMs),
    monotonicMs: () => this.world.nowMs,
    startTimer: (delayMs, callback) => {
      let isCancelled = false
      const event = this.world.schedule(delayMs, () =>
        this.deliver(() => {
          if (!isCancelled) callback()
        }),
      )
      return {
        cancel: () => {
          isCancelled = true
          event.cancel()
        },
      }
    },
    sleep: (delayMs, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const finish = (): void => {
          timer.cancel()
          signal?.removeEventListener('abort', finish)
          resolve()
        }
        const timer = this.clock.startTimer(delayMs, finish)
        signal?.addEventListener('abort', finish)
      }),
    yield: () => new Promise(resolve => this.world.schedule(0, () => this.deliver(resolve))),
  }

  /** Drawn from the world's, so that hosts differ and runs repeat. */
  readonly random: Random = {
    bytes: count => this.world.random.bytes(count),
    fraction: () => this.world.random.fraction(),
  }

  /** `store` as this host reaches it: requests and answers take time, and a request that has left arrives whatever becomes of the host. */
  reach(store: ObjectStore, latencyMsMax: () => number): ObjectStore {
    const { world } = this
    return interceptStore(store, async (method, target, call) => {
      if (method !== 'get' && method !== 'head') world.note(`${this.name} ${method} ${target}`)
      const latency = (): number => world.random.fraction() * latencyMsMax() * (world.chance(0.02) ? 20 : 1)
      const answer = world.delay(latency()).then(call)
      return this.gate(
        answer.then(
          value => world.delay(latency()).then(() => value),
          async error => {
            await world.delay(latency())
            throw error
          },
        ),
      )
    })
  }
}
