/**
 * Produce v3-12. A request's batches are validated, put into the flush buffer in request order, and answered when the segment
 * that holds them is durable and sequenced. acks 1 means the same as acks -1; with acks 0 nothing is answered, and a failure
 * closes the connection so that the client notices (KIP-1 and Kafka's behaviour).
 *
 * No record is looked at one by one, unless the topic is compacted (keys are required) or the batch's timestamps are out of
 * range (the answer names the records).
 */
import type { Topic } from '../../catalog/client.ts'
import { type KafkaErrorName, kafkaErrorCode } from '../../kafka/errors.ts'
import type { RequestBody, ResponseBody } from '../../kafka/protocol/codec.ts'
import { setMaxTimestamp } from '../../kafka/records/patch.ts'
import { type RefusedBatch, type ValidBatch, validateProducedBatch } from '../../kafka/records/validate.ts'
import type { Call, Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import type { BatchResult, PendingBatch } from '../produce/flush-buffer.ts'
import { enterInOrder } from '../session.ts'
import { readTopicSettings, type TopicSettings } from '../topic-configs.ts'

type Request = RequestBody<'Produce'>
type PartitionRequest = Request['topicData'][number]['partitionData'][number]
type PartitionAnswer = ResponseBody<'Produce'>['responses'][number]['partitionResponses'][number]

export const handleProduce: Handler<'Produce'> = async (request, call, context) => {
  const { acks } = request
  if (acks !== -1 && acks !== 0 && acks !== 1) {
    return answerAll(request, 'INVALID_REQUIRED_ACKS', 'acks must be -1, 0 or 1')
  }
  const answers = await enterInOrder(
    call.session,
    async () => {
      const names = [...new Set(request.topicData.map(({ name }) => name))]
      const topics = await Promise.all(names.map(name => findTopicByName(context.catalog, name)))
      return prepareAll(request, new Map(names.map((name, index) => [name, topics[index]])), call, context)
    },
    batches => enterAll(batches, call.frame, context),
  )
  let next = 0
  const responses = request.topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map((): PartitionAnswer => answers[next++]!),
  }))
  if (acks !== 0) return { responses }
  if (answers.some(({ errorCode }) => errorCode !== kafkaErrorCode.NONE)) call.session.closeAfterAnswer = true
  return undefined
}

interface Accepted {
  readonly index: number
  readonly topic: Topic
  readonly valid: ValidBatch
  readonly settings: TopicSettings
}
type Prepared = Accepted | PartitionAnswer

function prepareAll(
  request: Request,
  topics: ReadonlyMap<string, Topic | undefined>,
  call: Call,
  context: HandlerContext,
): readonly Prepared[] {
  const prepared: Prepared[] = []
  for (const { name, partitionData } of request.topicData) {
    const topic = topics.get(name)
    for (const partition of partitionData) {
      const one = preparePartition(partition, topic, request.transactionalId !== null, call, context)
      if ('errorCode' in one) context.metrics.batchesRefused++
      prepared.push(one)
    }
  }
  return prepared
}

function preparePartition(
  { index, records }: PartitionRequest,
  topic: Topic | undefined,
  isTransactional: boolean,
  { version }: Call,
  { clock }: HandlerContext,
): Prepared {
  if (topic === undefined || index < 0 || index >= topic.partitionCount) {
    return refuse(index, 'UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  }
  const settings = readTopicSettings(topic.configs)
  const isCreateTime = settings.timestampType === 'CreateTime'
  const nowMs = clock.nowMs()
  const timestampMin = nowMs - settings.timestampBeforeMsMax
  const timestampMax = nowMs + settings.timestampAfterMsMax
  const valid = validateProducedBatch(records, {
    batchBytesMax: settings.maxMessageBytes,
    isZstdAllowed: version >= 7,
    isKeyRequired: settings.isCompacted,
    // A payload that cannot be read back would stop every reader behind it: refused at the door, as Kafka does.
    checkRecords: true,
    ...(isCreateTime && { timestampMin: toInt64(timestampMin), timestampMax: toInt64(timestampMax) }),
  })
  if (valid.outcome === 'refused') return refuseBatch(index, valid)
  if (isTransactional || valid.isTransactional) {
    return refuse(index, 'INVALID_TXN_STATE', 'Transactions are not served.')
  }
  return { index, topic, valid, settings }
}

function toInt64(timestampMs: number): bigint {
  return BigInt(Math.round(Math.max(-(2 ** 62), Math.min(2 ** 62, timestampMs))))
}

/** Puts what was accepted into the flush buffer, synchronously, and answers once all of it is settled. */
function enterAll(
  prepared: readonly Prepared[],
  frame: Uint8Array,
  context: HandlerContext,
): Promise<readonly PartitionAnswer[]> {
  const { promise, resolve } = Promise.withResolvers<readonly PartitionAnswer[]>()
  const answers: PartitionAnswer[] = []
  const batches: PendingBatch[] = []
  let unsettled = 0
  for (const [position, one] of prepared.entries()) {
    if ('errorCode' in one) {
      answers[position] = one
      continue
    }
    unsettled++
    const { byteLength } = one.valid.batch
    const settle = (result: BatchResult): void => {
      answers[position] = answerBatch(one, byteLength, result, context)
      if (--unsettled === 0) resolve(answers)
    }
    batches.push(describeBatch(one, settle))
  }
  if (batches.length === 0) resolve(answers)
  else context.flushBuffer.add(batches, frame)
  return promise
}

function describeBatch({ index, topic, valid, settings }: Accepted, settle: PendingBatch['settle']): PendingBatch {
  // As Kafka does: lookups by time, its consumers' too, go by the header.
  if (valid.maxTimestamp !== valid.claimedMaxTimestamp) setMaxTimestamp(valid.batch, valid.maxTimestamp)
  return {
    topicName: topic.name,
    topicId: topic.topicId,
    partition: index,
    bytes: valid.batch,
    byteLength: valid.batch.byteLength,
    usesLogAppendTime: settings.timestampType === 'LogAppendTime',
    byteOffset: -1,
    offsetCount: valid.recordCount,
    maxTimestampMs: Number(valid.maxTimestamp),
    producerId: valid.producerId,
    producerEpoch: valid.producerId < 0n ? -1 : valid.producerEpoch,
    baseSequence: valid.producerId < 0n ? -1 : valid.baseSequence,
    settle,
  }
}

function answerBatch(
  { index, valid }: Accepted,
  byteLength: number,
  result: BatchResult,
  { metrics }: HandlerContext,
): PartitionAnswer {
  switch (result.outcome) {
    case 'appended':
    case 'duplicate':
      metrics.batchesProduced++
      metrics.recordsProduced += valid.recordCount
      metrics.batchBytesProduced += byteLength
      if (result.outcome === 'duplicate') metrics.duplicateBatches++
      return {
        index,
        errorCode: kafkaErrorCode.NONE,
        baseOffset: result.baseOffset,
        logAppendTimeMs: BigInt(result.appendTimeMs),
        logStartOffset: result.logStartOffset,
      }
    case 'unknown-topic-or-partition':
      return refuse(index, 'UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
    case 'out-of-order-sequence':
      return refuse(index, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'The sequence does not follow what was written last.')
    case 'invalid-producer-epoch':
      return refuse(index, 'INVALID_PRODUCER_EPOCH', 'A newer epoch of this producer has written.')
    case 'unknown-producer-id':
      return refuse(index, 'UNKNOWN_PRODUCER_ID', 'The producer id is not known.')
    case 'unavailable':
      return refuse(index, 'REQUEST_TIMED_OUT', `The records could not be stored: ${result.message}`)
  }
}

function refuseBatch(index: number, { error, message, recordErrors }: RefusedBatch): PartitionAnswer {
  return {
    ...refuse(index, error, message),
    recordErrors: recordErrors.map(({ batchIndex, message: batchIndexErrorMessage }) => ({
      batchIndex,
      batchIndexErrorMessage,
    })),
  }
}

function refuse(index: number, error: KafkaErrorName, errorMessage: string): PartitionAnswer & { errorCode: number } {
  return { index, errorCode: kafkaErrorCode[error], baseOffset: -1n, recordErrors: [], errorMessage }
}

function answerAll(request: Request, error: KafkaErrorName, message: string): ResponseBody<'Produce'> {
  return {
    responses: request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => refuse(index, error, message)),
    })),
  }
}
