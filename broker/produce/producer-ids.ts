/** Producer ids, handed out from blocks that the catalog allocates: one command serves many producers. */
import type { LogCommands } from '../../catalog/client.ts'
import { brokerLimits } from '../options.ts'

export class ProducerIds {
  readonly #catalog: Pick<LogCommands, 'allocateProducerIds'>
  #next = 0n
  #end = 0n
  #refill: Promise<void> | undefined

  constructor(catalog: Pick<LogCommands, 'allocateProducerIds'>) {
    this.#catalog = catalog
  }

  /** A producer id nobody has had. errors  unavailable: the catalog did not answer */
  async take(): Promise<bigint> {
    while (this.#next >= this.#end) {
      this.#refill ??= this.#allocate().finally(() => {
        this.#refill = undefined
      })
      await this.#refill
    }
    return this.#next++
  }

  async #allocate(): Promise<void> {
    const { first, count } = await this.#catalog.allocateProducerIds(brokerLimits.producerIdsPerBlock)
    this.#next = first
    this.#end = first + BigInt(count)
  }
}
