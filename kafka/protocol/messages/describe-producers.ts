import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * DescribeProducers (key 61), version 0, flexible (KIP-664).
 */
export const describeProducersRequest = struct({
  topics: array(struct({ name: string(), partitionIndexes: array(int32()) })),
})

export const describeProducersResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(
    struct({
      name: string(),
      partitions: array(
        struct({
          partitionIndex: int32(),
          errorCode: int16(),
          errorMessage: string({ nullable: 0, default: null }),
          activeProducers: array(
            struct({
              producerId: int64(),
              producerEpoch: int32(),
              lastSequence: int32({ default: -1 }),
              lastTimestamp: int64({ default: -1n }),
              coordinatorEpoch: int32(),
              /** -1: no open transaction. */
              currentTxnStartOffset: int64({ default: -1n }),
            }),
          ),
        }),
      ),
    }),
  ),
})

export type DescribeProducersRequest = Decoded<typeof describeProducersRequest>
export type DescribeProducersResponse = Encodable<typeof describeProducersResponse>
