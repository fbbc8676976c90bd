/** DeleteRecords v0-2: moves the log start offset up; -1 means to the high watermark. Answers the new log start offset. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler, HandlerContext } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'

type PartitionAnswer = ResponseBody<'DeleteRecords'>['topics'][number]['partitions'][number]

export const handleDeleteRecords: Handler<'DeleteRecords'> = async (request, _call, context) => {
  const topics = request.topics.map(async ({ name, partitions }) => {
    const topic = await findTopicByName(context.catalog, name)
    const answers = partitions.map(({ partitionIndex, offset }) =>
      deleteRecords(topic?.topicId, partitionIndex, offset, context),
    )
    return { name, partitions: await Promise.all(answers) }
  })
  return { topics: await Promise.all(topics) }
}

async function deleteRecords(
  topicId: string | undefined,
  partitionIndex: number,
  offset: bigint,
  { catalog }: HandlerContext,
): Promise<PartitionAnswer> {
  const refuse = (errorCode: number): PartitionAnswer => ({ partitionIndex, lowWatermark: -1n, errorCode })
  if (topicId === undefined) return refuse(kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const [state] = await catalog.partitionStates([{ topicId, partition: partitionIndex }])
  if (state === undefined) return refuse(kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const target = offset === -1n ? state.highWatermark : offset
  if (target < 0n || target > state.highWatermark) return refuse(kafkaErrorCode.OFFSET_OUT_OF_RANGE)
  const result = await catalog.advanceLogStart(topicId, partitionIndex, target)
  switch (result.outcome) {
    case 'advanced':
      return { partitionIndex, lowWatermark: result.logStartOffset, errorCode: kafkaErrorCode.NONE }
    case 'unknown-topic':
      return refuse(kafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    case 'offset-out-of-range':
      return refuse(kafkaErrorCode.OFFSET_OUT_OF_RANGE)
  }
}
