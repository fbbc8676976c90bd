/**
 * The agents of the cluster as clients are to see them. Any agent serves any partition; who is named as the leader of one only
 * spreads the load, and changes when agents come and go. Groups have one coordinator, which claims them in the catalog.
 */
import type { CatalogClient, NodeRoleName, RegisteredNode, Topic } from '../catalog/client.ts'
import type { Membership } from '../catalog/node/membership.ts'
import { hashKey, pickByRendezvous } from '../core/rendezvous.ts'

export class ClusterView {
  readonly #catalog: Pick<CatalogClient, 'groupOwner'>
  readonly #membership: Membership

  constructor(catalog: Pick<CatalogClient, 'groupOwner'>, membership: Membership) {
    this.#catalog = catalog
    this.#membership = membership
  }

  /** This agent. */
  get own(): RegisteredNode {
    return this.#membership.own
  }

  /** Agents that serve clients, by id. This one is always among them: it answers, so it lives. */
  async brokers(): Promise<readonly RegisteredNode[]> {
    const { own } = this
    const brokers = await this.#membership.withRole('broker')
    if (brokers.some(({ nodeId }) => nodeId === own.nodeId)) return brokers
    return [...brokers, own].sort((left, right) => left.nodeId - right.nodeId)
  }

  /** For each partition from `first` to `end` (exclusive) the broker that clients are sent to. */
  partitionLeaders(
    topic: Pick<Topic, 'topicId'>,
    first: number,
    end: number,
    brokers: readonly RegisteredNode[],
  ): Uint32Array {
    const leaders = new Uint32Array(end - first)
    const ids = brokers.map(({ nodeId }) => nodeId)
    const topicHash = hashKey(topic.topicId)
    for (let partition = first; partition < end; partition++) {
      leaders[partition - first] = pickByRendezvous(topicHash ^ Math.imul(partition + 1, 0x85ebca6b), ids)
    }
    return leaders
  }

  /** Who has claimed the group, or is to. */
  async coordinator(group: string): Promise<RegisteredNode> {
    const brokers = await this.brokers()
    const owner = await this.#catalog.groupOwner(group)
    const claimed = brokers.find(({ nodeId }) => nodeId === owner?.nodeId)
    if (claimed !== undefined) return claimed
    const ids = brokers.map(({ nodeId }) => nodeId)
    const picked = pickByRendezvous(hashKey(group), ids)
    return brokers.find(({ nodeId }) => nodeId === picked) ?? this.own
  }

  /** Whether this agent is the one that does what only one has to do. */
  isDesignated(role: NodeRoleName): Promise<boolean> {
    return this.#membership.isDesignated(role)
  }
}
