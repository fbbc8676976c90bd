import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * AddPartitionsToTxn (key 24), versions 0-5, flexible from 3.
 *
 * Up to v3 one transaction in the `v3AndBelow` fields. From v4 on several in `transactions` (meant for brokers, yet ordinary clients
 * send it too); `verifyOnly` asks without adding (KIP-890).
 */
const topicPartitions = struct({ name: string(), partitions: array(int32()) })

export const addPartitionsToTxnRequest = struct({
  transactions: array(
    struct({
      transactionalId: string(),
      producerId: int64(),
      producerEpoch: int16(),
      verifyOnly: bool({ default: false }),
      topics: array(topicPartitions),
    }),
    { from: 4 },
  ),
  v3AndBelowTransactionalId: string({ to: 3 }),
  v3AndBelowProducerId: int64({ to: 3 }),
  v3AndBelowProducerEpoch: int16({ to: 3 }),
  v3AndBelowTopics: array(topicPartitions, { to: 3 }),
})

const topicResult = struct({
  name: string(),
  resultsByPartition: array(struct({ partitionIndex: int32(), partitionErrorCode: int16() })),
})

export const addPartitionsToTxnResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16({ from: 4 }),
  resultsByTransaction: array(struct({ transactionalId: string(), topicResults: array(topicResult) }), { from: 4 }),
  resultsByTopicV3AndBelow: array(topicResult, { to: 3 }),
})

export type AddPartitionsToTxnRequest = Decoded<typeof addPartitionsToTxnRequest>
export type AddPartitionsToTxnResponse = Encodable<typeof addPartitionsToTxnResponse>
