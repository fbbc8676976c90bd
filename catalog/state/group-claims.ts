/**
 * Which process coordinates which consumer group. A claim has an epoch; commits carry it, so a coordinator that was replaced
 * without noticing cannot commit for members that joined again elsewhere.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import type { Nodes } from './nodes.ts'

const sectionId = 10
const sectionVersion = 1

export interface GroupClaim {
  readonly nodeId: number
  /** Of the process; a later one with the same node id does not own the claim. */
  readonly instanceId: Uint8Array
  /** Never the same twice, for no group. */
  readonly epoch: number
}

export class GroupClaims {
  readonly #byGroup = new Map<string, GroupClaim>()
  #nextEpoch = 1

  get count(): number {
    return this.#byGroup.size
  }

  find(group: string): GroupClaim | undefined {
    return this.#byGroup.get(group)
  }

  /** The claim, if its process is still there. */
  findLive(group: string, nodes: Nodes): GroupClaim | undefined {
    const claim = this.#byGroup.get(group)
    return claim !== undefined && isLive(claim, nodes) ? claim : undefined
  }

  claim(group: string, nodeId: number, instanceId: Uint8Array): GroupClaim {
    const claim = { nodeId, instanceId: new Uint8Array(instanceId), epoch: this.#nextEpoch++ }
    this.#byGroup.set(group, claim)
    return claim
  }

  release(group: string, epoch: number): void {
    if (this.#byGroup.get(group)?.epoch === epoch) this.#byGroup.delete(group)
  }

  /** Claims of processes that are gone mean nothing. */
  sweep(nodes: Nodes): void {
    for (const [group, claim] of this.#byGroup) if (!isLive(claim, nodes)) this.#byGroup.delete(group)
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#nextEpoch)
    scalars.uvarint(this.#byGroup.size)
    for (const [group, { nodeId, instanceId, epoch }] of this.#byGroup) {
      scalars.sizedString(group)
      scalars.uvarint(nodeId)
      scalars.raw(instanceId)
      scalars.uvarint(epoch)
    }
  }

  static decode(reader: SnapshotReader): GroupClaims {
    reader.section(sectionId, sectionVersion)
    const claims = new GroupClaims()
    claims.#nextEpoch = reader.uvarint()
    const count = reader.count(19)
    for (let index = 0; index < count; index++) {
      const group = reader.sizedString()
      const nodeId = reader.uvarint()
      const instanceId = reader.bytes(16)
      claims.#byGroup.set(group, { nodeId, instanceId, epoch: reader.uvarint() })
    }
    return claims
  }
}

function isLive({ nodeId, instanceId }: GroupClaim, nodes: Nodes): boolean {
  const node = nodes.byId(nodeId)
  return node !== undefined && Buffer.compare(node.instanceId, instanceId) === 0
}
