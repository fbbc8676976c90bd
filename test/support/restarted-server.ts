/** A server that is killed and started again. */
import { systemClock } from '../../core/clock.ts'

interface Server {
  readonly port: number
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

export class RestartedServer<Kind extends Server> {
  readonly #start: () => Promise<Kind>
  #running: Kind

  private constructor(start: () => Promise<Kind>, running: Kind) {
    this.#start = start
    this.#running = running
  }

  /** `start` is called again after each kill, and goes on with the same files at the same port. */
  static async start<Kind extends Server>(start: () => Promise<Kind>): Promise<RestartedServer<Kind>> {
    return new RestartedServer(start, await start())
  }

  get running(): Kind {
    return this.#running
  }

  async killAndRestart(downMs: number): Promise<void> {
    this.#running.kill('SIGKILL')
    await this.#running.stop()
    await systemClock.sleep(downMs)
    this.#running = await this.#start()
  }

  async pause(ms: number): Promise<void> {
    this.#running.kill('SIGSTOP')
    await systemClock.sleep(ms)
    this.#running.kill('SIGCONT')
  }

  stop(): Promise<void> {
    return this.#running.stop()
  }
}
