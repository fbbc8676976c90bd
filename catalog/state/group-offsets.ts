/** Committed offsets of consumer groups: group -> topic name -> partition. A group exists here while it has an offset. */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'

const sectionId = 7
const sectionVersion = 1

export interface GroupOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedMs: number
}

type TopicOffsets = Map<number, GroupOffset>

export class GroupOffsets {
  readonly #groups = new Map<string, Map<string, TopicOffsets>>()
  /** Offsets of all groups together. */
  count = 0

  groups(): readonly string[] {
    return [...this.#groups.keys()]
  }

  offsets(group: string): ReadonlyMap<string, ReadonlyMap<number, GroupOffset>> | undefined {
    return this.#groups.get(group)
  }

  set(group: string, topic: string, partition: number, offset: GroupOffset): void {
    let topics = this.#groups.get(group)
    if (topics === undefined) {
      topics = new Map()
      this.#groups.set(group, topics)
    }
    let partitions = topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      topics.set(topic, partitions)
    }
    if (!partitions.has(partition)) this.count++
    partitions.set(partition, offset)
  }

  deleteGroup(group: string): void {
    const topics = this.#groups.get(group)
    if (topics === undefined) return
    for (const partitions of topics.values()) this.count -= partitions.size
    this.#groups.delete(group)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined || !partitions.delete(partition)) return
    this.count--
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }

  /** A deleted topic takes its offsets along, as in Kafka: a namesake starts without. */
  deleteTopic(topic: string): void {
    for (const [group, topics] of this.#groups) {
      const partitions = topics.get(topic)
      if (partitions === undefined) continue
      this.count -= partitions.size
      topics.delete(topic)
      if (topics.size === 0) this.#groups.delete(group)
    }
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersion)
    scalars.uvarint(this.#groups.size)
    for (const [group, topics] of this.#groups) {
      scalars.sizedString(group)
      scalars.uvarint(topics.size)
      for (const [topic, partitions] of topics) {
        scalars.sizedString(topic)
        scalars.uvarint(partitions.size)
        for (const [partition, { offset, leaderEpoch, metadata, committedMs }] of partitions) {
          scalars.uvarint(partition)
          scalars.varint(offset)
          scalars.varint(leaderEpoch)
          scalars.sizedString(metadata)
          scalars.varint(committedMs)
        }
      }
    }
  }

  static decode(reader: SnapshotReader): GroupOffsets {
    reader.section(sectionId, sectionVersion)
    const offsets = new GroupOffsets()
    const groupCount = reader.count(2)
    for (let group = 0; group < groupCount; group++) {
      const groupId = reader.sizedString()
      const topicCount = reader.count(2)
      for (let topic = 0; topic < topicCount; topic++) {
        const name = reader.sizedString()
        const partitionCount = reader.count(5)
        for (let index = 0; index < partitionCount; index++) {
          const partition = reader.uvarint()
          const offset = reader.varint()
          const leaderEpoch = reader.varint()
          const metadata = reader.sizedString()
          offsets.set(groupId, name, partition, { offset, leaderEpoch, metadata, committedMs: reader.varint() })
        }
      }
    }
    return offsets
  }
}
