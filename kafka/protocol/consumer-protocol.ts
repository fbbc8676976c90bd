import type { Codec } from './compile.ts'
import { compileStruct } from './compile.ts'
import { ProtocolReader } from './reader.ts'
import { array, bytes, int32, string, struct } from './schema.ts'
import { ProtocolWriter } from './writer.ts'

/**
 * What consumers exchange through the group coordinator, which passes it on unread: the `metadata` of JoinGroup and the
 * `assignment` of SyncGroup where the protocol type is `consumer`.
 *
 *   subscription := int16 version, topics, user data, v1 owned partitions, v2 generation, v3 rack
 *   assignment   := int16 version, topics with partitions, user data
 *
 * Invariants: a version newer than known reads as the newest known one (fields are only ever appended). Source: Kafka's
 * ConsumerProtocolSubscription and ConsumerProtocolAssignment, versions 0-3.
 */
const topicPartitions = struct({ topic: string(), partitions: array(int32()) })

const subscription = struct({
  topics: array(string()),
  userData: bytes({ nullable: 0 }),
  ownedPartitions: array(topicPartitions, { from: 1 }),
  generationId: int32({ from: 2, default: -1 }),
  rackId: string({ from: 3, nullable: 3 }),
})

const assignment = struct({
  assignedPartitions: array(topicPartitions),
  userData: bytes({ nullable: 0, default: null }),
})

const versionMax = 3

const subscriptions = compileVersions(version => compileStruct(subscription, version, false, 'consumer subscription'))
const assignments = compileVersions(version => compileStruct(assignment, version, false, 'consumer assignment'))

function compileVersions<In, Out>(compile: (version: number) => Codec<In, Out>): readonly Codec<In, Out>[] {
  return Array.from({ length: versionMax + 1 }, (_, version) => compile(version))
}

function read<Out>(codecs: readonly Codec<never, Out>[], encoded: Uint8Array, what: string): Out {
  const reader = new ProtocolReader(encoded, what)
  const version = reader.int16()
  const codec = codecs[Math.min(version, versionMax)]
  if (codec === undefined) throw reader.malformed(`version ${version}`)
  return codec.read(reader)
}

/** errors  invalid: malformed bytes */
export function decodeSubscription(metadata: Uint8Array) {
  return read(subscriptions, metadata, 'consumer subscription')
}

/** errors  invalid: malformed bytes */
export function decodeAssignment(encoded: Uint8Array) {
  return read(assignments, encoded, 'consumer assignment')
}

/** In version 0, which every consumer reads. */
export function encodeSubscription(topics: readonly string[]): Uint8Array {
  return encode(subscriptions[0], { topics, userData: null })
}

/** In version 0, which every consumer reads. */
export function encodeAssignment(
  assignedPartitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): Uint8Array {
  return encode(assignments[0], { assignedPartitions })
}

function encode<In>(codec: Codec<In, unknown> | undefined, value: In): Uint8Array {
  const writer = new ProtocolWriter()
  writer.int16(0)
  codec?.write(writer, value)
  return Buffer.concat(writer.finish())
}
