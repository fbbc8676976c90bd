/**
 * Fetch v4-17, without sessions (KIP-227): every answer has session id 0, so clients keep sending full fetches. From v13 on
 * topics go by id.
 *
 * Soft limits, long poll and errors as in fetch/log-reader.ts; throttle time is always 0 (it is for quotas, not for waiting).
 */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import { noUuid } from '../../kafka/protocol/schema.ts'
import type { Handler, HandlerContext } from '../context.ts'
import type { PartRead, ReadOptions, ReadOutcome, ReadPart } from '../fetch/log-reader.ts'
import { findTopicById, findTopicByName } from '../find-topic.ts'
import { leaderEpoch } from '../options.ts'

type PartitionAnswer = ResponseBody<'Fetch'>['responses'][number]['partitions'][number]
type TopicRequest = RequestBody<'Fetch'>['topics'][number]
type PartitionRequest = TopicRequest['partitions'][number]

const errorCodes: Record<ReadOutcome, number> = {
  none: kafkaErrorCode.NONE,
  'unknown-topic-or-partition': kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  'offset-out-of-range': kafkaErrorCode.OFFSET_OUT_OF_RANGE,
  'storage-error': kafkaErrorCode.KAFKA_STORAGE_ERROR,
}
const noBytes = new Uint8Array(0)

export const handleFetch: Handler<'Fetch'> = async (request, { session, answerLeases }, context) => {
  if (request.sessionId !== 0) {
    return { errorCode: kafkaErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] }
  }
  const readCommitted = request.isolationLevel === 1
  const topicIds = await Promise.all(request.topics.map(topic => findTopicId(topic, context)))
  const parts: ReadPart[] = []
  let hasError = false
  for (const [index, topic] of request.topics.entries()) {
    for (const partition of topic.partitions) {
      // A partition with an error of its own is not read, and its error ends the wait.
      if (checkEpoch(partition) !== kafkaErrorCode.NONE) {
        hasError = true
        continue
      }
      parts.push({
        topicId: topicIds[index],
        partition: partition.partition,
        offset: partition.fetchOffset,
        bytesMax: partition.partitionMaxBytes,
      })
    }
  }
  const options: ReadOptions = {
    waitMsMax: hasError ? 0 : Math.max(0, request.maxWaitMs),
    bytesMin: request.minBytes,
    bytesMax: Math.min(request.maxBytes, context.options.fetchBytesMax),
    readCommitted,
    signal: session.signal,
  }
  const reads = await context.logReader.read(parts, options, answerLeases)
  let readIndex = 0
  const responses = request.topics.map((topic, index) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map((partition): PartitionAnswer => {
      const epochError = checkEpoch(partition)
      if (epochError !== kafkaErrorCode.NONE) return refusePartition(partition.partition, epochError)
      const read = reads[readIndex++]!
      if (read.outcome === 'unknown-topic-or-partition' && topicIds[index] === undefined && topic.topicId !== noUuid) {
        return refusePartition(partition.partition, kafkaErrorCode.UNKNOWN_TOPIC_ID)
      }
      return describeRead(partition.partition, read, readCommitted)
    }),
  }))
  for (const { batches } of reads) {
    for (const { length } of batches) context.metrics.fetchBytes += length
  }
  return { errorCode: kafkaErrorCode.NONE, sessionId: 0, responses }
}

async function findTopicId(topic: TopicRequest, { catalog }: HandlerContext): Promise<string | undefined> {
  const found = await (topic.topicId === noUuid
    ? findTopicByName(catalog, topic.topic)
    : findTopicById(catalog, topic.topicId))
  return found?.topicId
}

/** There is one leader epoch; -1 asks for no check. */
function checkEpoch({ currentLeaderEpoch }: PartitionRequest): number {
  if (currentLeaderEpoch === -1 || currentLeaderEpoch === leaderEpoch) return kafkaErrorCode.NONE
  return currentLeaderEpoch < leaderEpoch ? kafkaErrorCode.FENCED_LEADER_EPOCH : kafkaErrorCode.UNKNOWN_LEADER_EPOCH
}

function refusePartition(partitionIndex: number, errorCode: number): PartitionAnswer {
  return { partitionIndex, errorCode, highWatermark: -1n, abortedTransactions: null, records: noBytes }
}

function describeRead(
  partitionIndex: number,
  { outcome, state, batches }: PartRead,
  readCommitted: boolean,
): PartitionAnswer {
  if (outcome !== 'none' || state === undefined) return refusePartition(partitionIndex, errorCodes[outcome])
  return {
    partitionIndex,
    errorCode: kafkaErrorCode.NONE,
    highWatermark: state.highWatermark,
    lastStableOffset: state.lastStableOffset,
    logStartOffset: state.logStartOffset,
    abortedTransactions: readCommitted ? [] : null,
    records: batches.length === 0 ? noBytes : batches,
  }
}
