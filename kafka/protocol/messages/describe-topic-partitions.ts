import type { Decoded, Encodable } from '../schema.ts'
import {
  array,
  authorizedOperationsNotAsked,
  bool,
  int16,
  int32,
  nested,
  noUuid,
  string,
  struct,
  uuid,
} from '../schema.ts'

/**
 * DescribeTopicPartitions (key 75), version 0, flexible (KIP-966). How Java's `describeTopics` reads topics from Kafka 4 on: pages of
 * partitions, continued with the cursor.
 */
const cursor = struct({ topicName: string(), partitionIndex: int32() })

export const describeTopicPartitionsRequest = struct({
  /** Empty: all topics. */
  topics: array(struct({ name: string() })),
  responsePartitionLimit: int32({ default: 2000 }),
  cursor: nested(cursor, { nullable: 0, default: null }),
})

export const describeTopicPartitionsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(
    struct({
      errorCode: int16(),
      name: string({ nullable: 0 }),
      topicId: uuid({ default: noUuid }),
      isInternal: bool({ default: false }),
      partitions: array(
        struct({
          errorCode: int16(),
          partitionIndex: int32(),
          leaderId: int32(),
          leaderEpoch: int32({ default: -1 }),
          replicaNodes: array(int32()),
          isrNodes: array(int32()),
          eligibleLeaderReplicas: array(int32(), { nullable: 0, default: null }),
          lastKnownElr: array(int32(), { nullable: 0, default: null }),
          offlineReplicas: array(int32()),
        }),
      ),
      topicAuthorizedOperations: int32({ default: authorizedOperationsNotAsked }),
    }),
  ),
  nextCursor: nested(cursor, { nullable: 0, default: null }),
})

export type DescribeTopicPartitionsRequest = Decoded<typeof describeTopicPartitionsRequest>
export type DescribeTopicPartitionsResponse = Encodable<typeof describeTopicPartitionsResponse>
