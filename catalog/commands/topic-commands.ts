/** createTopic, deleteTopic, alterTopicConfigs, createPartitions, advanceLogStart. */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import { formatUuid } from '../../core/random.ts'
import type { CreateTopicResult, Topic } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { configsPerTopicMax, partitionsMax, partitionsPerTopicMax, topicsMax } from '../limits.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import type { TopicState } from '../state/topics.ts'
import { type Command, checkCount, expectEnd, uuidBytes } from './command.ts'

export interface CreateTopicArguments {
  /** Fresh, from the client. */
  readonly topicId: Uint8Array
  readonly name: string
  readonly partitionCount: number
  readonly configs: Readonly<Record<string, string>>
}

export const createTopic: Command<CreateTopicArguments, CreateTopicResult> = {
  id: commandIds.createTopic,
  name: 'createTopic',
  encode(writer, { topicId, name, partitionCount, configs }) {
    checkPartitionCount(partitionCount)
    writer.raw(topicId)
    writer.sizedString(name)
    writer.uvarint(partitionCount)
    writeConfigs(writer, Object.entries(configs))
  },
  apply(state, reader, out) {
    const idBytes = reader.raw(16)
    const name = reader.sizedString()
    const partitionCount = reader.uvarint()
    const configs = new Map<string, string>()
    const configCount = reader.boundedCount(2)
    for (let index = 0; index < configCount; index++) configs.set(reader.sizedString(), reader.sizedString())
    expectEnd(reader)
    checkPartitionCount(partitionCount)
    checkCount(configs.size, configsPerTopicMax, 'number of topic configs')
    const existing = state.topics.byName(name)
    if (existing === undefined) {
      checkRoom(state, partitionCount)
      if (state.topics.count >= topicsMax) {
        throw new FloeError('exhausted', 'too-many-topics', `there are ${topicsMax} topics: delete some first`)
      }
      if (state.topics.byId(formatUuid(idBytes)) !== undefined) {
        throw new FloeError('conflict', 'topic-id-taken', 'another topic has this id')
      }
    }
    out.uint8(existing === undefined ? 0 : 1)
    writeTopic(out, existing ?? state.topics.create(idBytes, name, partitionCount, sortedConfigs(configs)))
  },
  decodeResult: reader => ({ outcome: reader.uint8() === 0 ? 'created' : 'exists', topic: readTopic(reader) }),
}

export const deleteTopic: Command<string, 'deleted' | 'unknown-topic'> = {
  id: commandIds.deleteTopic,
  name: 'deleteTopic',
  encode: writeTopicId,
  apply(state, reader, out) {
    const topic = readTopicId(state, reader)
    expectEnd(reader)
    out.uint8(topic === undefined ? 1 : 0)
    if (topic === undefined) return
    for (const partition of topic.partitions) {
      partition.dropAll(state.objects, state.nowMs, state.garbage)
      state.producers.dropPartition(partition)
    }
    state.groups.deleteTopic(topic.name)
    state.topics.delete(topic)
  },
  decodeResult: reader => (reader.uint8() === 0 ? 'deleted' : 'unknown-topic'),
}

export interface AlterTopicConfigsArguments {
  readonly topicId: string
  readonly changes: Readonly<Record<string, string | undefined>>
}

export const alterTopicConfigs: Command<AlterTopicConfigsArguments, 'altered' | 'unknown-topic'> = {
  id: commandIds.alterTopicConfigs,
  name: 'alterTopicConfigs',
  encode(writer, { topicId, changes }) {
    writeTopicId(writer, topicId)
    const set: [string, string][] = []
    const removed: string[] = []
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) removed.push(key)
      else set.push([key, value])
    }
    writeConfigs(writer, set)
    writer.uvarint(removed.length)
    for (const key of removed) writer.sizedString(key)
  },
  apply(state, reader, out) {
    const topic = readTopicId(state, reader)
    const configs = new Map(topic?.configs)
    const setCount = reader.boundedCount(2)
    for (let index = 0; index < setCount; index++) configs.set(reader.sizedString(), reader.sizedString())
    const removedCount = reader.boundedCount(1)
    for (let index = 0; index < removedCount; index++) configs.delete(reader.sizedString())
    expectEnd(reader)
    checkCount(configs.size, configsPerTopicMax, 'number of topic configs')
    out.uint8(topic === undefined ? 1 : 0)
    if (topic !== undefined) topic.configs = sortedConfigs(configs)
  },
  decodeResult: reader => (reader.uint8() === 0 ? 'altered' : 'unknown-topic'),
}

export interface CreatePartitionsArguments {
  readonly topicId: string
  readonly partitionCount: number
}

export const createPartitions: Command<CreatePartitionsArguments, 'created' | 'unknown-topic' | 'not-an-increase'> = {
  id: commandIds.createPartitions,
  name: 'createPartitions',
  encode(writer, { topicId, partitionCount }) {
    checkPartitionCount(partitionCount)
    writeTopicId(writer, topicId)
    writer.uvarint(partitionCount)
  },
  apply(state, reader, out) {
    const topic = readTopicId(state, reader)
    const partitionCount = reader.uvarint()
    expectEnd(reader)
    checkPartitionCount(partitionCount)
    if (topic === undefined) return out.uint8(1)
    if (partitionCount <= topic.partitions.length) return out.uint8(2)
    checkRoom(state, partitionCount - topic.partitions.length)
    out.uint8(0)
    state.topics.addPartitions(topic, partitionCount)
  },
  decodeResult(reader) {
    const outcome = reader.uint8()
    return outcome === 0 ? 'created' : outcome === 1 ? 'unknown-topic' : 'not-an-increase'
  },
}

export interface AdvanceLogStartArguments {
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
}

type AdvanceLogStartResult =
  | { readonly outcome: 'advanced'; readonly logStartOffset: bigint }
  | { readonly outcome: 'unknown-topic' | 'offset-out-of-range' }

export const advanceLogStart: Command<AdvanceLogStartArguments, AdvanceLogStartResult> = {
  id: commandIds.advanceLogStart,
  name: 'advanceLogStart',
  encode(writer, { topicId, partition, offset }) {
    checkCount(partition, 0x7fff_ffff, 'partition')
    writeTopicId(writer, topicId)
    writer.uvarint(partition)
    // An offset that no log can have is answered like any other beyond the end.
    const number = Number(offset)
    writer.varint(offset < 0n ? -1 : Math.min(number, 2 ** 51))
  },
  apply(state, reader, out) {
    const topic = readTopicId(state, reader)
    const log = topic?.partitions[reader.uvarint()]
    const offset = reader.varint()
    expectEnd(reader)
    if (log === undefined) return out.uint8(1)
    if (offset < 0 || offset > log.highWatermark) return out.uint8(2)
    log.advanceStart(offset, state.objects, state.nowMs, state.garbage)
    out.uint8(0)
    out.uvarint(log.logStartOffset)
  },
  decodeResult(reader) {
    const outcome = reader.uint8()
    if (outcome === 0) return { outcome: 'advanced', logStartOffset: BigInt(reader.uvarint()) }
    return { outcome: outcome === 1 ? 'unknown-topic' : 'offset-out-of-range' }
  },
}

export function toTopic(topic: TopicState): Topic {
  const { topicId, name, partitions, configs } = topic
  return { topicId, name, partitionCount: partitions.length, configs: Object.fromEntries(configs) }
}

function writeTopic(out: ByteWriter, topic: TopicState): void {
  out.raw(topic.idBytes)
  out.sizedString(topic.name)
  out.uvarint(topic.partitions.length)
  writeConfigs(out, [...topic.configs])
}

function readTopic(reader: ByteReader): Topic {
  const topicId = formatUuid(reader.raw(16))
  const name = reader.sizedString()
  const partitionCount = reader.uvarint()
  const configs: [string, string][] = []
  const configCount = reader.boundedCount(2)
  for (let index = 0; index < configCount; index++) configs.push([reader.sizedString(), reader.sizedString()])
  return { topicId, name, partitionCount, configs: Object.fromEntries(configs) }
}

/** A text that is no UUID names no topic: sixteen zero bytes do not either. */
export function writeTopicId(writer: ByteWriter, topicId: string): void {
  writer.raw(uuidBytes(topicId) ?? nilUuid)
}

const nilUuid = new Uint8Array(16)

export function readTopicId(state: CatalogState, reader: ByteReader): TopicState | undefined {
  return state.topics.byId(formatUuid(reader.raw(16)))
}

function writeConfigs(writer: ByteWriter, configs: readonly (readonly [string, string])[]): void {
  writer.uvarint(configs.length)
  for (const [key, value] of configs) {
    writer.sizedString(key)
    writer.sizedString(value)
  }
}

/** One order for equal configs, so that equal states encode alike. */
function sortedConfigs(configs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...configs].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)))
}

function checkPartitionCount(partitionCount: number): void {
  checkCount(partitionCount, partitionsPerTopicMax, 'partition count', 1)
}

function checkRoom(state: CatalogState, added: number): void {
  if (state.topics.partitionCount + added <= partitionsMax) return
  throw new FloeError(
    'exhausted',
    'too-many-partitions',
    `${partitionsMax} partitions are the most: there are ${state.topics.partitionCount} and ${added} would join`,
  )
}
