/** commitGroupOffsets, deleteGroupOffsets. */
import { FloeError } from '../../core/errors.ts'
import type { CommittedOffset } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { groupOffsetsMax } from '../limits.ts'
import { type Command, checkCount, expectEnd, offsetNumber } from './command.ts'

export interface CommitGroupOffsetsArguments {
  readonly group: string
  readonly offsets: readonly CommittedOffset[]
}

export const commitGroupOffsets: Command<CommitGroupOffsetsArguments, undefined> = {
  id: commandIds.commitGroupOffsets,
  name: 'commitGroupOffsets',
  encode(writer, { group, offsets }) {
    writer.sizedString(group)
    writer.uvarint(offsets.length)
    for (const { topic, partition, offset, leaderEpoch, metadata, committedMs } of offsets) {
      checkCount(partition, 0x7fff_ffff, 'partition')
      writer.sizedString(topic)
      writer.uvarint(partition)
      writer.int53(offsetNumber(offset, 'committed offset'))
      writer.varint(leaderEpoch)
      writer.sizedString(metadata)
      writer.varint(committedMs)
    }
  },
  apply(state, reader) {
    const group = reader.sizedString()
    const count = reader.boundedCount(13)
    const offsets: Parameters<typeof state.groups.set>[] = []
    for (let index = 0; index < count; index++) {
      const topic = reader.sizedString()
      const partition = reader.uvarint()
      const offset = reader.int53()
      const leaderEpoch = reader.varint()
      const metadata = reader.sizedString()
      offsets.push([group, topic, partition, { offset, leaderEpoch, metadata, committedMs: reader.varint() }])
    }
    expectEnd(reader)
    if (state.groups.count + offsets.length > groupOffsetsMax) {
      throw new FloeError(
        'exhausted',
        'too-many-group-offsets',
        `${groupOffsetsMax} committed offsets are the most: delete groups that are not used`,
      )
    }
    for (const offset of offsets) state.groups.set(...offset)
  },
  decodeResult: () => undefined,
}

export interface DeleteGroupOffsetsArguments {
  readonly group: string
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[] | 'all'
}

export const deleteGroupOffsets: Command<DeleteGroupOffsetsArguments, undefined> = {
  id: commandIds.deleteGroupOffsets,
  name: 'deleteGroupOffsets',
  encode(writer, { group, partitions }) {
    writer.sizedString(group)
    writer.bool(partitions === 'all')
    if (partitions === 'all') return
    writer.uvarint(partitions.length)
    for (const { topic, partition } of partitions) {
      checkCount(partition, 0x7fff_ffff, 'partition')
      writer.sizedString(topic)
      writer.uvarint(partition)
    }
  },
  apply(state, reader) {
    const group = reader.sizedString()
    if (reader.bool()) {
      expectEnd(reader)
      return state.groups.deleteGroup(group)
    }
    const count = reader.boundedCount(2)
    const partitions: { topic: string; partition: number }[] = []
    for (let index = 0; index < count; index++) {
      partitions.push({ topic: reader.sizedString(), partition: reader.uvarint() })
    }
    expectEnd(reader)
    for (const { topic, partition } of partitions) state.groups.delete(group, topic, partition)
  },
  decodeResult: () => undefined,
}
