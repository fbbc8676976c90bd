import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * TxnOffsetCommit (key 28), versions 0-5, flexible from 3. v3 the member and its generation (KIP-447).
 */
export const txnOffsetCommitRequest = struct({
  transactionalId: string(),
  groupId: string(),
  producerId: int64(),
  producerEpoch: int16(),
  generationId: int32({ from: 3, default: -1 }),
  memberId: string({ from: 3, default: '' }),
  groupInstanceId: string({ from: 3, nullable: 3 }),
  topics: array(
    struct({
      name: string(),
      partitions: array(
        struct({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ from: 2, default: -1 }),
          committedMetadata: string({ nullable: 0 }),
        }),
      ),
    }),
  ),
})

export const txnOffsetCommitResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(struct({ name: string(), partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })) })),
})

export type TxnOffsetCommitRequest = Decoded<typeof txnOffsetCommitRequest>
export type TxnOffsetCommitResponse = Encodable<typeof txnOffsetCommitResponse>
