/**
 * OffsetCommit v1-9. Membership is checked here, the offsets are one catalog command. Commits of one connection keep their
 * order.
 */
import type { CommittedOffset } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import type { CommitCheck } from '../groups/coordinator.ts'
import { brokerLimits } from '../options.ts'
import { enterInOrder } from '../session.ts'

type Request = RequestBody<'OffsetCommit'>
type Response = ResponseBody<'OffsetCommit'>

export const handleOffsetCommit: Handler<'OffsetCommit'> = (request, { version, session }, context) => {
  return enterInOrder(
    session,
    async () => {
      const names = [...new Set(request.topics.map(({ name }) => name))]
      const [check, ...found] = await Promise.all([
        context.groups.claimForCommit(request.groupId, request.generationIdOrMemberEpoch),
        ...names.map(name => findTopicByName(context.catalog, name)),
      ])
      return { check, knownTopics: new Set(names.filter((_, index) => found[index] !== undefined)) }
    },
    ({ check, knownTopics }) => commit(request, version, check, knownTopics, context),
  )
}

async function commit(
  request: Request,
  version: number,
  check: CommitCheck,
  knownTopics: ReadonlySet<string>,
  { groups, catalog, clock }: HandlerContext,
): Promise<Response> {
  const identity = { memberId: request.memberId, groupInstanceId: request.groupInstanceId ?? undefined }
  const unknownGroupError = version >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
  const { groupId, generationIdOrMemberEpoch } = request
  const error =
    'claimEpoch' in check
      ? groups.checkCommit(groupId, identity, generationIdOrMemberEpoch, unknownGroupError)
      : check.error
  const committedMs = clock.nowMs()
  const offsets: CommittedOffset[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(partition => {
      const { partitionIndex, committedOffset, committedLeaderEpoch } = partition
      const metadata = partition.committedMetadata ?? ''
      let errorCode = kafkaErrorCode[error]
      if (error === 'NONE' && !knownTopics.has(name)) errorCode = kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      else if (error === 'NONE' && Buffer.byteLength(metadata) > brokerLimits.offsetMetadataBytesMax) {
        errorCode = kafkaErrorCode.OFFSET_METADATA_TOO_LARGE
      } else if (error === 'NONE') {
        offsets.push({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          committedMs,
        })
      }
      return { partitionIndex, errorCode }
    }),
  }))
  if (offsets.length === 0 || !('claimEpoch' in check)) return { topics }
  if ((await catalog.commitGroupOffsets(groupId, offsets, check.claimEpoch)) === 'committed') return { topics }
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: kafkaErrorCode.NOT_COORDINATOR,
      })),
    })),
  }
}
