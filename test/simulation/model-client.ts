/** A connection to one agent at a time, given up when it does not answer: what every model client has. */
import { TestClient } from '../support/in-memory-broker.ts'
import type { FloeHost } from './floe-host.ts'
import { Host } from './host.ts'
import type { World } from './world.ts'

const answerTimeoutMsDefault = 3_000

export class ModelClient {
  readonly #world: World
  readonly host: Host
  #client: TestClient | undefined

  constructor(world: World, name: string) {
    this.#world = world
    this.host = new Host(world, name)
  }

  sleep(delayMs: number): Promise<void> {
    return this.host.clock.sleep(delayMs)
  }

  /** Asks the agent it is connected to, or one of `hosts`. Undefined: no answer, and the connection is over. */
  async call<T>(
    hosts: readonly FloeHost[],
    make: (client: TestClient) => Promise<T>,
    answerTimeoutMs = answerTimeoutMsDefault,
  ): Promise<T | undefined> {
    const client = this.#connected(hosts)
    if (client === undefined) {
      await this.sleep(50)
      return undefined
    }
    const timedOut = new AbortController()
    const answer = await Promise.race([
      make(client).catch(() => undefined),
      this.host.clock.sleep(answerTimeoutMs, timedOut.signal).then(() => undefined),
    ])
    timedOut.abort('answered')
    if (answer === undefined) this.disconnect()
    return answer
  }

  disconnect(): void {
    this.#client?.stream.destroy()
    this.#client = undefined
  }

  #connected(hosts: readonly FloeHost[]): TestClient | undefined {
    if (this.#client !== undefined) return this.#client
    const stream = this.#world.pick(hosts).connect(this.host)
    this.#client = stream && new TestClient(stream)
    return this.#client
  }
}
