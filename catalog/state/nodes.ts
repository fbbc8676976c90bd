/**
 * The processes of the cluster that serve something, as they registered: who a client may be sent to, and whom work may be given to.
 * A process that is gone is removed by whoever leads; until then it is listed.
 */
import { firstFormatLevel } from '../format-level.ts'
import { formatLevelsMax, nodePlacesKept } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'

const sectionId = 9
/** Those with levels are written once a process knows more than the first one. */
const sectionVersions = { withoutLevels: 1, withLevels: 2 } as const

/** Persisted: bits of `roles`. */
export const nodeRoleBits = { catalog: 1, broker: 2, ingest: 4, maintain: 8, query: 16 } as const

export interface NodeState {
  /** Kafka's broker id. The same place keeps it when its process starts again. */
  readonly nodeId: number
  /** 16 random bytes of the process. */
  readonly instanceId: Uint8Array
  readonly roles: number
  /** Where Kafka clients reach it; port 0 when they do not. */
  readonly kafkaHost: string
  readonly kafkaPort: number
  readonly registeredMs: number
  /** The newest format level that the process knows. */
  readonly formatLevelMax: number
}

function placeOf({ kafkaHost, kafkaPort }: Pick<NodeState, 'kafkaHost' | 'kafkaPort'>): string {
  return `${kafkaHost}:${kafkaPort}`
}

export class Nodes {
  readonly #byId = new Map<number, NodeState>()
  /** The ids of places that clients know, oldest first, also of those whose process is gone. */
  readonly #idsOfPlaces = new Map<string, number>()
  #nextNodeId = 0
  /** Grows with every change. */
  version = 0

  get count(): number {
    return this.#byId.size
  }

  /** No process has ever registered. */
  get isUntouched(): boolean {
    return this.#nextNodeId === 0
  }

  /** In order of node ids. */
  all(): readonly NodeState[] {
    return [...this.#byId.values()].sort((left, right) => left.nodeId - right.nodeId)
  }

  byId(nodeId: number): NodeState | undefined {
    return this.#byId.get(nodeId)
  }

  byInstance(instanceId: Uint8Array): NodeState | undefined {
    for (const node of this.#byId.values()) if (Buffer.compare(node.instanceId, instanceId) === 0) return node
    return undefined
  }

  register(node: Omit<NodeState, 'nodeId'>): NodeState {
    const nodeId = this.#nodeIdOf(node)
    const registered = { ...node, instanceId: new Uint8Array(node.instanceId), nodeId }
    this.#byId.set(nodeId, registered)
    this.#nextNodeId = Math.max(this.#nextNodeId, nodeId + 1)
    if (node.kafkaPort !== 0) this.#rememberPlace(placeOf(node), nodeId)
    this.version++
    return registered
  }

  #rememberPlace(place: string, nodeId: number): void {
    this.#idsOfPlaces.delete(place)
    this.#idsOfPlaces.set(place, nodeId)
    for (const [oldest, id] of this.#idsOfPlaces) {
      if (this.#idsOfPlaces.size <= nodePlacesKept) break
      if (!this.#byId.has(id)) this.#idsOfPlaces.delete(oldest)
    }
  }

  #nodeIdOf({ instanceId, kafkaHost, kafkaPort }: Omit<NodeState, 'nodeId'>): number {
    const known = this.byInstance(instanceId)
    if (known !== undefined) return known.nodeId
    const ofPlace = kafkaPort === 0 ? undefined : this.#idsOfPlaces.get(placeOf({ kafkaHost, kafkaPort }))
    return ofPlace ?? this.#nextNodeId
  }

  remove(nodeId: number): void {
    if (this.#byId.delete(nodeId)) this.version++
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    const withLevels = this.#byId.values().some(({ formatLevelMax }) => formatLevelMax > firstFormatLevel)
    scalars.uvarint(sectionId)
    scalars.uvarint(withLevels ? sectionVersions.withLevels : sectionVersions.withoutLevels)
    scalars.uvarint(this.#nextNodeId)
    scalars.uvarint(this.version)
    scalars.uvarint(this.#idsOfPlaces.size)
    for (const [place, nodeId] of this.#idsOfPlaces) {
      scalars.sizedString(place)
      scalars.uvarint(nodeId)
    }
    scalars.uvarint(this.#byId.size)
    for (const node of this.#byId.values()) {
      scalars.uvarint(node.nodeId)
      scalars.raw(node.instanceId)
      scalars.uvarint(node.roles)
      scalars.sizedString(node.kafkaHost)
      scalars.uvarint(node.kafkaPort)
      scalars.uvarint(node.registeredMs)
      if (withLevels) scalars.uvarint(node.formatLevelMax)
    }
  }

  static decode(reader: SnapshotReader): Nodes {
    const version = reader.section(sectionId, sectionVersions.withLevels, sectionVersions.withoutLevels)
    const nodes = new Nodes()
    nodes.#nextNodeId = reader.uvarint()
    nodes.version = reader.uvarint()
    const placeCount = reader.count(2)
    for (let index = 0; index < placeCount; index++) nodes.#idsOfPlaces.set(reader.sizedString(), reader.uvarint())
    const count = reader.count(21)
    for (let index = 0; index < count; index++) {
      const nodeId = reader.uvarint()
      const instanceId = reader.bytes(16)
      const roles = reader.uvarint()
      const kafkaHost = reader.sizedString()
      const kafkaPort = reader.uvarint()
      const registeredMs = reader.uvarint()
      const formatLevelMax = version === sectionVersions.withLevels ? readFormatLevel(reader) : firstFormatLevel
      nodes.#byId.set(nodeId, { nodeId, instanceId, roles, kafkaHost, kafkaPort, registeredMs, formatLevelMax })
    }
    return nodes
  }
}

function readFormatLevel(reader: SnapshotReader): number {
  const formatLevelMax = reader.uvarint()
  if (formatLevelMax >= firstFormatLevel && formatLevelMax <= formatLevelsMax) return formatLevelMax
  throw reader.corrupt(`a process knows no format level ${formatLevelMax}`)
}
