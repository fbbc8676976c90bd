/**
 * Lets go of committed offsets of groups that nobody uses any more, as Kafka does after offsets.retention.minutes: each agent of the
 * groups that it coordinates, and the designated one of those that nobody does.
 */
import type { CatalogClient } from '../../catalog/client.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { ClusterView } from '../cluster-view.ts'
import type { GroupCoordinator } from './coordinator.ts'

export interface GroupExpiryParts {
  readonly catalog: CatalogClient
  readonly groups: GroupCoordinator
  readonly cluster: ClusterView
  readonly clock: Clock
  readonly log: Log
  readonly offsetsRetentionMs: number
}

export class GroupExpiry {
  readonly #parts: GroupExpiryParts
  /** Since when a group was seen without a coordinator, by the wall clock: it may have had members until then. */
  #unownedSinceMs = new Map<string, number>()

  constructor(parts: GroupExpiryParts) {
    this.#parts = parts
  }

  /** One round. errors  unavailable: the catalog did not answer */
  async run(): Promise<void> {
    const { catalog, groups, cluster, clock, log, offsetsRetentionMs } = this.#parts
    const withOffsets = await catalog.groups()
    groups.sweepEmpty(new Set(withOffsets))
    const isDesignated = await cluster.isDesignated('maintain')
    const nowMs = clock.nowMs()
    const unownedSinceMs = new Map<string, number>()
    for (const groupId of withOffsets) {
      const owner = await catalog.groupOwner(groupId)
      if (owner !== undefined && owner.nodeId !== cluster.own.nodeId) continue
      const emptySinceMs = groups.emptySinceMs(groupId)
      if (emptySinceMs === undefined) continue
      let usedMs = emptySinceMs
      if (owner === undefined) {
        if (!isDesignated) continue
        const sinceMs = this.#unownedSinceMs.get(groupId) ?? nowMs
        unownedSinceMs.set(groupId, sinceMs)
        usedMs = Math.max(usedMs, sinceMs)
      }
      for (const { committedMs } of await catalog.groupOffsets(groupId)) usedMs = Math.max(usedMs, committedMs)
      if (nowMs - usedMs < offsetsRetentionMs) continue
      if ((await groups.delete(groupId)) === 'NONE') log.info('offsets of an unused group deleted', { groupId })
    }
    this.#unownedSinceMs = unownedSinceMs
  }
}
