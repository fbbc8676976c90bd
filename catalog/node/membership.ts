/** Which processes serve the cluster, as this one sees it. */
import type { CatalogQueries, NodeRoleName, RegisteredNode } from '../client.ts'

export interface Registration {
  /** This process, as it was registered last. */
  readonly node: RegisteredNode
}

export class Membership {
  readonly #catalog: Pick<CatalogQueries, 'nodes'>
  readonly #registration: Registration

  constructor(catalog: Pick<CatalogQueries, 'nodes'>, registration: Registration) {
    this.#catalog = catalog
    this.#registration = registration
  }

  /** This process. */
  get own(): RegisteredNode {
    return this.#registration.node
  }

  /** Processes with a role, by id. */
  async withRole(role: NodeRoleName): Promise<readonly RegisteredNode[]> {
    return (await this.#catalog.nodes()).filter(({ roles }) => roles.includes(role))
  }

  /** Whether this process is the one that does what only one has to do. Others may believe the same for a while. */
  async isDesignated(role: NodeRoleName): Promise<boolean> {
    const [first] = await this.withRole(role)
    return first?.nodeId === this.own.nodeId
  }
}
