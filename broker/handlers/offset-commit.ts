/**
 * OffsetCommit v1-9. Membership is checked here, the offsets are one catalog command. Commits of one connection keep their
 * order.
 */
import type { CommittedOffset } from '../../catalog/client.ts'
import { type KafkaErrorName, kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import type { CommitCheck } from '../groups/coordinator.ts'
import { brokerLimits } from '../options.ts'
import { enterInOrder } from '../session.ts'

type Request = RequestBody<'OffsetCommit'>
type Response = ResponseBody<'OffsetCommit'>
type Partition = Request['topics'][number]['partitions'][number]

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
      const problem = error === 'NONE' ? findProblem(partition, metadata, knownTopics.has(name)) : error
      if (problem === 'NONE') {
        offsets.push({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          committedMs,
        })
      }
      return { partitionIndex, errorCode: kafkaErrorCode[problem] }
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

/** The largest offset that the catalog keeps; no log comes near it. */
const committedOffsetMax = BigInt(Number.MAX_SAFE_INTEGER)

function findProblem(
  { partitionIndex, committedOffset }: Pick<Partition, 'partitionIndex' | 'committedOffset'>,
  metadata: string,
  isTopicKnown: boolean,
): KafkaErrorName {
  if (!isTopicKnown || partitionIndex < 0) return 'UNKNOWN_TOPIC_OR_PARTITION'
  if (Buffer.byteLength(metadata) > brokerLimits.offsetMetadataBytesMax) return 'OFFSET_METADATA_TOO_LARGE'
  if (committedOffset > committedOffsetMax || committedOffset < -committedOffsetMax) return 'INVALID_COMMIT_OFFSET_SIZE'
  return 'NONE'
}
