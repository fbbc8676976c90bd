/** OffsetDelete v0 (KIP-496): not for topics that a member of the group still subscribes to. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'
import { readSubscribedTopics } from '../groups/subscription.ts'

export const handleOffsetDelete: Handler<'OffsetDelete'> = async (request, _call, { groups }) => {
  const { groupId } = request
  if (groupId === '') return { errorCode: kafkaErrorCode.INVALID_GROUP_ID, topics: [] }
  const group = await groups.describe(groupId)
  if (typeof group === 'string') return { errorCode: kafkaErrorCode[group], topics: [] }
  if (group === undefined) return { errorCode: kafkaErrorCode.GROUP_ID_NOT_FOUND, topics: [] }
  const subscriptions = groups.memberMetadata(groupId)
  // Another protocol type than `consumer`: what its members use cannot be known.
  if (subscriptions === undefined) return { errorCode: kafkaErrorCode.NON_EMPTY_GROUP, topics: [] }
  const subscribed = readAllSubscribedTopics(subscriptions)
  const removed: { topic: string; partition: number }[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      if (subscribed?.has(name) !== false)
        return { partitionIndex, errorCode: kafkaErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
      removed.push({ topic: name, partition: partitionIndex })
      return { partitionIndex, errorCode: kafkaErrorCode.NONE }
    }),
  }))
  const error = removed.length > 0 ? await groups.deleteOffsets(groupId, removed) : 'NONE'
  return { errorCode: kafkaErrorCode[error], topics: error === 'NONE' ? topics : [] }
}

/** Undefined: a member's metadata cannot be read; as in Kafka, it then counts as subscribed to every topic. */
function readAllSubscribedTopics(subscriptions: readonly Uint8Array[]): Set<string> | undefined {
  const all = new Set<string>()
  for (const metadata of subscriptions) {
    const topics = readSubscribedTopics(metadata)
    if (topics === undefined) return undefined
    for (const topic of topics) all.add(topic)
  }
  return all
}
