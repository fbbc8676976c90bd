/** registerNode, removeNode: which processes serve the cluster. */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import type { NodeDescription, NodeRoleName, RegisteredNode } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { checkFormatLevel, firstFormatLevel } from '../format-level.ts'
import { formatLevelsMax, nodesMax } from '../limits.ts'
import { type NodeState, nodeRoleBits } from '../state/nodes.ts'
import { type Command, checkCount, expectEnd } from './command.ts'

const hostCharactersMax = 255

export interface RegisterNodeArguments extends NodeDescription {
  /** The newest format level that the process knows. */
  readonly formatLevelMax: number
}

/**
 * The process's format level comes last and is left out, here and in the answer, when it is the first: these are the bytes of the Floe
 * that had no levels.
 */
export const registerNode: Command<RegisterNodeArguments, RegisteredNode> = {
  id: commandIds.registerNode,
  name: 'registerNode',
  encode(writer, { instanceId, roles, kafkaHost, kafkaPort, formatLevelMax }) {
    if (instanceId.length !== 16) throw new FloeError('invalid', 'instance-id', 'an instance id has 16 bytes')
    if (kafkaHost.length > hostCharactersMax) {
      throw new FloeError(
        'invalid',
        'host-too-long',
        `host name ${kafkaHost} has more than ${hostCharactersMax} characters`,
      )
    }
    checkCount(kafkaPort, 65_535, 'port')
    checkCount(formatLevelMax, formatLevelsMax, 'the format level', firstFormatLevel)
    writer.raw(instanceId)
    writer.uvarint(toRoleBits(roles))
    writer.sizedString(kafkaHost)
    writer.uvarint(kafkaPort)
    writeFormatLevel(writer, formatLevelMax)
  },
  apply(state, reader, out) {
    const instanceId = reader.raw(16)
    const roles = reader.uvarint()
    const kafkaHost = reader.sizedString()
    const kafkaPort = reader.uvarint()
    const formatLevelMax = readFormatLevel(reader)
    expectEnd(reader)
    checkCount(formatLevelMax, formatLevelsMax, 'the format level', firstFormatLevel)
    checkFormatLevel(state.formatLevel, formatLevelMax)
    if (state.nodes.count >= nodesMax && state.nodes.byInstance(instanceId) === undefined) {
      throw new FloeError('exhausted', 'too-many-nodes', `${nodesMax} processes are the most a cluster may have`)
    }
    // Nobody of an older version can have been here: a new catalog begins at the level of its first process.
    if (state.nodes.isUntouched) state.formatLevel = formatLevelMax
    const registeredMs = state.nowMs
    const node = state.nodes.register({ instanceId, roles, kafkaHost, kafkaPort, registeredMs, formatLevelMax })
    out.uvarint(node.nodeId)
    out.raw(node.instanceId)
    out.uvarint(node.roles)
    out.sizedString(node.kafkaHost)
    out.uvarint(node.kafkaPort)
    out.uvarint(node.registeredMs)
    writeFormatLevel(out, node.formatLevelMax)
  },
  decodeResult(reader) {
    const nodeId = reader.uvarint()
    const instanceId = new Uint8Array(reader.raw(16))
    const roles = reader.uvarint()
    const kafkaHost = reader.sizedString()
    const kafkaPort = reader.uvarint()
    const registeredMs = reader.uvarint()
    const formatLevelMax = readFormatLevel(reader)
    return toRegisteredNode({ nodeId, instanceId, roles, kafkaHost, kafkaPort, registeredMs, formatLevelMax })
  },
}

function writeFormatLevel(writer: ByteWriter, formatLevelMax: number): void {
  if (formatLevelMax > firstFormatLevel) writer.uvarint(formatLevelMax)
}

function readFormatLevel(reader: ByteReader): number {
  return reader.remaining > 0 ? reader.uvarint() : firstFormatLevel
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

export function describePlace({ nodeId, kafkaHost, kafkaPort }: Omit<NodeState, 'roles'>): string {
  return `node ${nodeId} (${kafkaHost}:${kafkaPort})`
}

const roleNames = Object.keys(nodeRoleBits) as NodeRoleName[]

function toRoleBits(roles: readonly NodeRoleName[]): number {
  let bits = 0
  for (const role of roles) bits |= nodeRoleBits[role]
  return bits
}
