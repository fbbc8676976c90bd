/**
 * OffsetFetch v1-9. A group or a partition without a committed offset answers offset -1, error 0. v1 has no place for a
 * group-level error but the partitions.
 */
import type { CommittedOffset } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'

type WantedTopics = RequestBody<'OffsetFetch'>['groups'][number]['topics']
type TopicAnswers = NonNullable<ResponseBody<'OffsetFetch'>['topics']>
type GroupRequest = Pick<
  RequestBody<'OffsetFetch'>['groups'][number],
  'groupId' | 'memberId' | 'memberEpoch' | 'topics'
>

export const handleOffsetFetch: Handler<'OffsetFetch'> = async (request, { version }, context) => {
  if (version >= 8) {
    const groups = await Promise.all(request.groups.map(group => fetchGroup(group, context)))
    return { topics: [], errorCode: kafkaErrorCode.NONE, groups }
  }
  const { groupId, topics } = request
  const result = await fetchGroup({ groupId, topics, memberId: null, memberEpoch: -1 }, context)
  if (version >= 2 || result.errorCode === kafkaErrorCode.NONE) {
    return { topics: result.topics, errorCode: result.errorCode }
  }
  return {
    errorCode: result.errorCode,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(index => ({ ...noOffset(index), errorCode: result.errorCode })),
    })),
  }
}

async function fetchGroup(
  { groupId, memberId, memberEpoch, topics }: GroupRequest,
  { catalog, groups }: HandlerContext,
): Promise<{ groupId: string; topics: TopicAnswers; errorCode: number }> {
  const identity = { memberId: memberId ?? '', groupInstanceId: undefined }
  // Commits that were answered before, by whichever agent, must be seen: the consumer goes on from here.
  await catalog.readBarrier()
  const error = await groups.checkFetch(groupId, identity, memberEpoch)
  if (error !== 'NONE') return { groupId, topics: [], errorCode: kafkaErrorCode[error] }
  const committed = await catalog.groupOffsets(groupId)
  return {
    groupId,
    errorCode: kafkaErrorCode.NONE,
    topics: topics === null ? listAll(committed) : pickWanted(committed, topics),
  }
}

function pickWanted(committed: readonly CommittedOffset[], wanted: NonNullable<WantedTopics>): TopicAnswers {
  const byPartition = new Map(committed.map(each => [`${each.topic}/${each.partition}`, each]))
  return wanted.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(index => {
      const offset = byPartition.get(`${name}/${index}`)
      return offset === undefined ? noOffset(index) : describeOffset(offset)
    }),
  }))
}

function listAll(committed: readonly CommittedOffset[]): TopicAnswers {
  const byTopic = Map.groupBy(committed, each => each.topic)
  return [...byTopic].map(([name, offsets]) => ({ name, partitions: offsets.map(describeOffset) }))
}

function describeOffset({ partition, offset, leaderEpoch, metadata }: CommittedOffset) {
  return {
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode: kafkaErrorCode.NONE,
  }
}

function noOffset(partitionIndex: number) {
  return { partitionIndex, committedOffset: -1n, metadata: '', errorCode: kafkaErrorCode.NONE }
}
