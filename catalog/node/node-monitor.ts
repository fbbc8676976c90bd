/**
 * The leader's watch over the processes that registered: who is not heard of any more is removed, so that clients are not sent there
 * and its groups and source partitions go to others. Removing a process that lives is harmless: it registers again.
 */
import type { Clock, TimerHandle } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { removeNode } from '../commands/node-commands.ts'
import { equalBytes } from '../journal/journal-entry.ts'
import type { Replica } from '../replica/replica.ts'
import type { CommandSession } from './command-session.ts'

export interface NodeMonitorParts {
  readonly replica: Replica
  readonly session: CommandSession
  readonly ownInstanceId: Uint8Array
  /** By the monotonic clock; undefined for a process that is not connected. */
  readonly lastHeardMs: (instanceId: Uint8Array) => number | undefined
  readonly clock: Clock
  readonly log: Log
  readonly nodeTimeoutMs: number
  /** There is no cluster: whoever else is listed is an earlier process, and gone. */
  readonly isAlone: boolean
}

export class NodeMonitor {
  readonly #parts: NodeMonitorParts
  /** When each process was heard of last, by node id and registration; at first when this watch began. */
  readonly #heardMs = new Map<string, number>()
  #timer: TimerHandle | undefined
  #isStopped = false

  constructor(parts: NodeMonitorParts) {
    this.#parts = parts
    if (parts.isAlone) this.#removeOthers()
    else this.#tick()
  }

  #removeOthers(): void {
    const { replica, ownInstanceId } = this.#parts
    for (const { nodeId, instanceId } of replica.state.nodes.all()) {
      if (!equalBytes(instanceId, ownInstanceId)) this.#remove(nodeId, instanceId, undefined)
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #tick(): void {
    const { clock, nodeTimeoutMs } = this.#parts
    const tickMs = nodeTimeoutMs / 4
    const startedMs = clock.monotonicMs()
    this.#timer = clock.startTimer(tickMs, () => {
      if (this.#isStopped) return
      // This process itself was paused: what others said meanwhile is still to be read.
      if (clock.monotonicMs() - startedMs > tickMs * 2) this.#heardMs.clear()
      this.#look()
      this.#tick()
    })
  }

  #look(): void {
    const { replica, ownInstanceId, lastHeardMs, clock, nodeTimeoutMs } = this.#parts
    const nowMs = clock.monotonicMs()
    const nodes = replica.state.nodes.all()
    const keys = new Set<string>()
    for (const { nodeId, instanceId } of nodes) {
      if (equalBytes(instanceId, ownInstanceId)) continue
      const key = `${nodeId} ${Buffer.from(instanceId).toString('hex')}`
      keys.add(key)
      const heardMs = Math.max(lastHeardMs(instanceId) ?? 0, this.#heardMs.get(key) ?? nowMs)
      this.#heardMs.set(key, heardMs)
      if (nowMs - heardMs >= nodeTimeoutMs) this.#remove(nodeId, instanceId, nowMs - heardMs)
    }
    for (const key of this.#heardMs.keys()) if (!keys.has(key)) this.#heardMs.delete(key)
  }

  /** `silentMs` undefined: it is known to be gone. */
  #remove(nodeId: number, instanceId: Uint8Array, silentMs: number | undefined): void {
    const { session, log } = this.#parts
    const silent = silentMs === undefined ? {} : { silentMs: Math.round(silentMs) }
    session.submit(removeNode, { nodeId, instanceId }).then(
      () => log.info('a process is gone from the cluster', { nodeId, ...silent }),
      (error: unknown) => log.warn('a process could not be removed', { nodeId, reason: errorMessage(error) }),
    )
  }
}
