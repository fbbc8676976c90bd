/** Commits and deletion of group offsets, and claims of groups by their coordinators. */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import type { ClaimGroupResult, CommittedOffset } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { groupClaimsMax, groupOffsetsMax } from '../limits.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { type AppliedCommand, type Command, checkCount, expectEnd, offsetNumber } from './command.ts'

export interface CommitGroupOffsetsArguments {
  readonly group: string
  readonly offsets: readonly CommittedOffset[]
  readonly claimEpoch: number
}

export const commitGroupOffsets: Command<CommitGroupOffsetsArguments, 'committed' | 'fenced'> = {
  id: commandIds.commitGroupOffsets,
  name: 'commitGroupOffsets',
  encode(writer, { group, offsets, claimEpoch }) {
    writer.sizedString(group)
    writer.uvarint(claimEpoch)
    encodeOffsets(writer, offsets)
  },
  apply(state, reader, out) {
    const group = reader.sizedString()
    const claimEpoch = reader.uvarint()
    const offsets = readOffsets(state, reader)
    const isClaimed = state.groupClaims.find(group)?.epoch === claimEpoch
    if (isClaimed) for (const { topic, partition, offset } of offsets) state.groups.set(group, topic, partition, offset)
    out.bool(isClaimed)
  },
  decodeResult: reader => (reader.bool() ? 'committed' : 'fenced'),
}

/** What journals from before claims hold. */
export const commitUnclaimedOffsets: AppliedCommand = {
  id: commandIds.commitUnclaimedOffsets,
  name: 'commitUnclaimedOffsets',
  apply(state, reader) {
    const group = reader.sizedString()
    for (const { topic, partition, offset } of readOffsets(state, reader)) {
      state.groups.set(group, topic, partition, offset)
    }
  },
}

function encodeOffsets(writer: ByteWriter, offsets: readonly CommittedOffset[]): void {
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
}

interface ReadOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: Parameters<CatalogState['groups']['set']>[3]
}

/** Up to the end of the payload. errors  exhausted: more than there may be */
function readOffsets(state: CatalogState, reader: ByteReader): ReadOffset[] {
  const count = reader.boundedCount(13)
  const offsets: ReadOffset[] = []
  for (let index = 0; index < count; index++) {
    const topic = reader.sizedString()
    const partition = reader.uvarint()
    const offset = reader.int53()
    const leaderEpoch = reader.varint()
    const metadata = reader.sizedString()
    offsets.push({ topic, partition, offset: { offset, leaderEpoch, metadata, committedMs: reader.varint() } })
  }
  expectEnd(reader)
  if (state.groups.count + offsets.length > groupOffsetsMax) {
    throw new FloeError(
      'exhausted',
      'too-many-group-offsets',
      `${groupOffsetsMax} committed offsets are the most: delete groups that are not used`,
    )
  }
  return offsets
}

export interface DeleteGroupOffsetsArguments {
  readonly group: string
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[] | 'all'
  readonly claimEpoch: number
}

export const deleteGroupOffsets: Command<DeleteGroupOffsetsArguments, 'deleted' | 'fenced'> = {
  id: commandIds.deleteGroupOffsets,
  name: 'deleteGroupOffsets',
  encode(writer, { group, partitions, claimEpoch }) {
    writer.sizedString(group)
    writer.uvarint(claimEpoch)
    writer.bool(partitions === 'all')
    if (partitions === 'all') return
    writer.uvarint(partitions.length)
    for (const { topic, partition } of partitions) {
      checkCount(partition, 0x7fff_ffff, 'partition')
      writer.sizedString(topic)
      writer.uvarint(partition)
    }
  },
  apply(state, reader, out) {
    const group = reader.sizedString()
    const claimEpoch = reader.uvarint()
    const partitions = readPartitions(reader)
    const isClaimed = state.groupClaims.find(group)?.epoch === claimEpoch
    if (isClaimed) deletePartitions(state, group, partitions)
    out.bool(isClaimed)
  },
  decodeResult: reader => (reader.bool() ? 'deleted' : 'fenced'),
}

/** What journals from before claims hold. */
export const deleteUnclaimedOffsets: AppliedCommand = {
  id: commandIds.deleteUnclaimedOffsets,
  name: 'deleteUnclaimedOffsets',
  apply(state, reader) {
    const group = reader.sizedString()
    deletePartitions(state, group, readPartitions(reader))
  },
}

type Partitions = DeleteGroupOffsetsArguments['partitions']

function readPartitions(reader: ByteReader): Partitions {
  if (reader.bool()) {
    expectEnd(reader)
    return 'all'
  }
  const count = reader.boundedCount(2)
  const partitions: { topic: string; partition: number }[] = []
  for (let index = 0; index < count; index++) {
    partitions.push({ topic: reader.sizedString(), partition: reader.uvarint() })
  }
  expectEnd(reader)
  return partitions
}

function deletePartitions({ groups }: CatalogState, group: string, partitions: Partitions): void {
  if (partitions === 'all') groups.deleteGroup(group)
  else for (const { topic, partition } of partitions) groups.delete(group, topic, partition)
}

export interface ClaimGroupArguments {
  readonly group: string
  /** Of the registered process that claims it. */
  readonly instanceId: Uint8Array
}

const claimOutcomes = ['claimed', 'owned', 'unknown-node'] as const

export const claimGroup: Command<ClaimGroupArguments, ClaimGroupResult> = {
  id: commandIds.claimGroup,
  name: 'claimGroup',
  encode(writer, { group, instanceId }) {
    writer.sizedString(group)
    writer.raw(instanceId)
  },
  apply(state, reader, out) {
    const group = reader.sizedString()
    const instanceId = reader.raw(16)
    expectEnd(reader)
    const node = state.nodes.byInstance(instanceId)
    const owner = state.groupClaims.findLive(group, state.nodes)
    if (node === undefined) {
      out.uint8(claimOutcomes.indexOf('unknown-node'))
    } else if (owner !== undefined && owner.nodeId !== node.nodeId) {
      out.uint8(claimOutcomes.indexOf('owned'))
      out.uvarint(owner.nodeId)
    } else {
      if (state.groupClaims.count >= groupClaimsMax && owner === undefined) {
        throw new FloeError('exhausted', 'too-many-groups', `${groupClaimsMax} groups are the most at one time`)
      }
      const claim = owner ?? state.groupClaims.claim(group, node.nodeId, instanceId)
      out.uint8(claimOutcomes.indexOf('claimed'))
      out.uvarint(claim.epoch)
    }
  },
  decodeResult(reader) {
    const outcome = claimOutcomes[reader.uint8()]
    if (outcome === 'claimed') return { outcome, epoch: reader.uvarint() }
    if (outcome === 'owned') return { outcome, nodeId: reader.uvarint() }
    return { outcome: 'unknown-node' }
  },
}

export interface ReleaseGroupArguments {
  readonly group: string
  readonly epoch: number
}

export const releaseGroup: Command<ReleaseGroupArguments, undefined> = {
  id: commandIds.releaseGroup,
  name: 'releaseGroup',
  encode(writer, { group, epoch }) {
    writer.sizedString(group)
    writer.uvarint(epoch)
  },
  apply(state, reader) {
    const group = reader.sizedString()
    const epoch = reader.uvarint()
    expectEnd(reader)
    state.groupClaims.release(group, epoch)
  },
  decodeResult: () => undefined,
}
