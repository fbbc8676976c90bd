/** registerNode, removeNode: which processes serve the cluster. */
import { FloeError } from '../../core/errors.ts'
import type { NodeDescription, NodeRoleName, RegisteredNode } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { nodesMax } from '../limits.ts'
import { type NodeState, nodeRoleBits } from '../state/nodes.ts'
import { type Command, checkCount, expectEnd } from './command.ts'

const hostCharactersMax = 255

export const registerNode: Command<NodeDescription, RegisteredNode> = {
  id: commandIds.registerNode,
  name: 'registerNode',
  encode(writer, { instanceId, roles, kafkaHost, kafkaPort }) {
    if (instanceId.length !== 16) throw new FloeError('invalid', 'instance-id', 'an instance id has 16 bytes')
    if (kafkaHost.length > hostCharactersMax) {
      throw new FloeError(
        'invalid',
        'host-too-long',
        `host name ${kafkaHost} has more than ${hostCharactersMax} characters`,
      )
    }
    checkCount(kafkaPort, 65_535, 'port')
    writer.raw(instanceId)
    writer.uvarint(toRoleBits(roles))
    writer.sizedString(kafkaHost)
    writer.uvarint(kafkaPort)
  },
  apply(state, reader, out) {
    const instanceId = reader.raw(16)
    const roles = reader.uvarint()
    const kafkaHost = reader.sizedString()
    const kafkaPort = reader.uvarint()
    expectEnd(reader)
    if (state.nodes.count >= nodesMax && state.nodes.byInstance(instanceId) === undefined) {
      throw new FloeError('exhausted', 'too-many-nodes', `${nodesMax} processes are the most a cluster may have`)
    }
    const node = state.nodes.register({ instanceId, roles, kafkaHost, kafkaPort, registeredMs: state.nowMs })
    out.uvarint(node.nodeId)
    out.raw(node.instanceId)
    out.uvarint(node.roles)
    out.sizedString(node.kafkaHost)
    out.uvarint(node.kafkaPort)
    out.uvarint(node.registeredMs)
  },
  decodeResult(reader) {
    const nodeId = reader.uvarint()
    const instanceId = new Uint8Array(reader.raw(16))
    const roles = reader.uvarint()
    const kafkaHost = reader.sizedString()
    const kafkaPort = reader.uvarint()
    return toRegisteredNode({ nodeId, instanceId, roles, kafkaHost, kafkaPort, registeredMs: reader.uvarint() })
  },
}

export interface RemoveNodeArguments {
  readonly nodeId: number
  /** A later process with the same node id stays. */
  readonly instanceId: Uint8Array
}

export const removeNode: Command<RemoveNodeArguments, undefined> = {
  id: commandIds.removeNode,
  name: 'removeNode',
  encode(writer, { nodeId, instanceId }) {
    writer.uvarint(nodeId)
    writer.raw(instanceId)
  },
  apply(state, reader) {
    const nodeId = reader.uvarint()
    const instanceId = reader.raw(16)
    expectEnd(reader)
    const node = state.nodes.byId(nodeId)
    if (node === undefined || Buffer.compare(node.instanceId, instanceId) !== 0) return
    state.nodes.remove(nodeId)
    state.groupClaims.sweep(state.nodes)
  },
  decodeResult: () => undefined,
}

export function toRegisteredNode({ roles, ...node }: NodeState): RegisteredNode {
  return { ...node, roles: roleNames.filter(role => (roles & nodeRoleBits[role]) !== 0) }
}

const roleNames = Object.keys(nodeRoleBits) as NodeRoleName[]

function toRoleBits(roles: readonly NodeRoleName[]): number {
  let bits = 0
  for (const role of roles) bits |= nodeRoleBits[role]
  return bits
}
