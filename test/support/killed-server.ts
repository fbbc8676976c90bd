/** `floe serve` that is killed at random moments, also while it starts, and started again at once. */
import { expect } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { type FloeProcess, serveFloe } from './floe-process.ts'
import { waitFor } from './wait-for.ts'

export class KilledServer {
  readonly #configFile: string
  #process: FloeProcess | undefined
  killCount = 0
  startKillCount = 0
  readonly startMs: number[] = []

  constructor(configFile: string) {
    this.#configFile = configFile
  }

  async start(killAfterMs?: number): Promise<FloeProcess> {
    const startedMs = systemClock.monotonicMs()
    const options = killAfterMs === undefined ? {} : { killAfterMs }
    this.#process = await serveFloe({ configFile: this.#configFile, ...options })
    if (this.#process === undefined) {
      this.killCount++
      this.startKillCount++
      return this.start()
    }
    this.startMs.push(systemClock.monotonicMs() - startedMs)
    return this.#process
  }

  async killRandomly(count: number, seed: number): Promise<void> {
    const random = seededRandom(seed)
    while (this.killCount < count) {
      await systemClock.sleep(100 + random.fraction() * 1_500)
      const { signal } = await this.#process!.end('SIGKILL')
      expect(signal).toBe('SIGKILL')
      this.killCount++
      const duringStart = random.fraction() < 0.25 && this.killCount < count
      await this.start(duringStart ? 150 + random.fraction() * 500 : undefined)
    }
  }

  get running(): FloeProcess {
    return this.#process!
  }

  /** Fails at once when the process ends by itself. */
  async waitUntil(condition: () => Promise<boolean>): Promise<void> {
    const ended = this.#process!.ended.then(({ code, stderr }) => {
      throw new Error(`floe serve ended with ${code}: ${stderr.slice(-2_000)}`)
    })
    ended.catch(() => {})
    await Promise.race([waitFor(condition, 300_000), ended])
  }

  async end() {
    const running = this.#process
    this.#process = undefined
    return running?.end('SIGTERM')
  }
}

export async function createTopics(
  server: FloeProcess,
  topics: readonly { readonly topic: string; readonly partitionCount: number }[],
): Promise<void> {
  const { Admin } = await import('@platformatic/kafka')
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.kafka] })
  for (const { topic, partitionCount } of topics) {
    await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: 1 })
  }
  await admin.close()
}
