/** Topics with their partitions, by id and by name. A recreated topic has a new id. */
import { formatUuid } from '../../core/random.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { PartitionLog } from './partition-log.ts'

const sectionId = 6
const sectionVersion = 1

export interface TopicState {
  readonly topicId: string
  /** The 16 bytes of the id. */
  readonly idBytes: Uint8Array
  readonly name: string
  /** In key order. */
  configs: ReadonlyMap<string, string>
  readonly partitions: PartitionLog[]
}

export class Topics {
  readonly #byId = new Map<string, TopicState>()
  readonly #byName = new Map<string, TopicState>()
  partitionCount = 0

  get count(): number {
    return this.#byId.size
  }
  all(): Iterable<TopicState> {
    return this.#byId.values()
  }
  byId(topicId: string): TopicState | undefined {
    return this.#byId.get(topicId)
  }
  byName(name: string): TopicState | undefined {
    return this.#byName.get(name)
  }

  create(idBytes: Uint8Array, name: string, partitionCount: number, configs: ReadonlyMap<string, string>): TopicState {
    const topic: TopicState = {
      topicId: formatUuid(idBytes),
      idBytes: new Uint8Array(idBytes),
      name,
      configs,
      partitions: [],
    }
    this.#add(topic)
    this.addPartitions(topic, partitionCount)
    return topic
  }

  #add(topic: TopicState): void {
    this.#byId.set(topic.topicId, topic)
    this.#byName.set(topic.name, topic)
  }

  addPartitions(topic: TopicState, partitionCount: number): void {
    while (topic.partitions.length < partitionCount) {
      topic.partitions.push(new PartitionLog())
      this.partitionCount++
    }
  }

  delete(topic: TopicState): void {
    this.#byId.delete(topic.topicId)
    this.#byName.delete(topic.name)
    this.partitionCount -= topic.partitions.length
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#byId.size)
    for (const topic of this.#byId.values()) {
      scalars.raw(topic.idBytes)
      scalars.sizedString(topic.name)
      scalars.uvarint(topic.configs.size)
      for (const [key, value] of topic.configs) {
        scalars.sizedString(key)
        scalars.sizedString(value)
      }
      scalars.uvarint(topic.partitions.length)
      for (const partition of topic.partitions) partition.encode(writer)
    }
  }

  static decode(reader: SnapshotReader): Topics {
    reader.section(sectionId, sectionVersion)
    const topics = new Topics()
    const topicCount = reader.count(19)
    for (let index = 0; index < topicCount; index++) {
      const idBytes = reader.bytes(16)
      const name = reader.sizedString()
      const configs = new Map<string, string>()
      const configCount = reader.count(2)
      for (let config = 0; config < configCount; config++) configs.set(reader.sizedString(), reader.sizedString())
      const partitions: PartitionLog[] = []
      const partitionCount = reader.count(4)
      for (let partition = 0; partition < partitionCount; partition++) partitions.push(PartitionLog.decode(reader))
      topics.#add({ topicId: formatUuid(idBytes), idBytes, name, configs, partitions })
      topics.partitionCount += partitionCount
    }
    return topics
  }
}
