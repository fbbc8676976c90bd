/**
 * Keeps this process registered: it registers when it starts, again when it was taken for dead, and leaves when it ends.
 */
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { CatalogClient, NodeDescription, RegisteredNode } from '../client.ts'
import { equalBytes } from '../journal/journal-entry.ts'

export interface NodeRegistrationParts {
  readonly catalog: Pick<CatalogClient, 'registerNode' | 'removeNode' | 'nodes'>
  readonly clock: Clock
  readonly log: Log
  readonly description: NodeDescription
  /** Looking costs nothing: it reads the state of this process. */
  readonly checkIntervalMs?: number
}

const checkIntervalMsDefault = 500
/** A store that does not answer must not keep a process from ending. */
const leavingMsMax = 1_000

export class NodeRegistration {
  readonly #parts: NodeRegistrationParts
  readonly #closing = new AbortController()
  #node: RegisteredNode
  #running: Promise<void>

  private constructor(parts: NodeRegistrationParts, node: RegisteredNode) {
    this.#parts = parts
    this.#node = node
    this.#running = this.#watch()
  }

  /** errors  what registerNode throws */
  static async register(parts: NodeRegistrationParts): Promise<NodeRegistration> {
    return new NodeRegistration(parts, await parts.catalog.registerNode(parts.description))
  }

  /** As it was registered last. */
  get node(): RegisteredNode {
    return this.#node
  }

  async #watch(): Promise<void> {
    const { catalog, clock, log, description, checkIntervalMs = checkIntervalMsDefault } = this.#parts
    for (;;) {
      await clock.sleep(checkIntervalMs, this.#closing.signal)
      if (this.#closing.signal.aborted) return
      try {
        const nodes = await catalog.nodes()
        if (nodes.some(({ instanceId }) => equalBytes(instanceId, description.instanceId))) continue
        this.#node = await catalog.registerNode(description)
        log.warn('this process had been taken for dead and registered again', { nodeId: this.#node.nodeId })
      } catch (error) {
        log.debug('the registration of this process could not be checked', { reason: errorMessage(error) })
      }
    }
  }

  /** Tells the others that this process ends; when that cannot be said, they find out. */
  async close(isLeaving: boolean): Promise<void> {
    this.#closing.abort()
    await this.#running
    if (!isLeaving) return
    const { catalog, clock, log } = this.#parts
    const left = new AbortController()
    try {
      const removed = catalog.removeNode(this.#node.nodeId, this.#node.instanceId)
      await Promise.race([removed, clock.sleep(leavingMsMax, left.signal)])
    } catch (error) {
      log.debug('this process could not take itself off', { reason: errorMessage(error) })
    } finally {
      left.abort()
    }
  }
}
