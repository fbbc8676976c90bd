import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * OffsetCommit (key 8), versions 1-9, flexible from 8.
 *
 *   v1 a commit timestamp per partition   v2-v4 a retention time   v5 retention is the broker's   v6 leader epoch
 *   v7 static members   v9 the member epoch of the consumer protocol (KIP-848)
 *
 * Generation -1 with an empty member id is a commit from outside any group membership.
 */
export const offsetCommitRequest = struct({
  groupId: string(),
  generationIdOrMemberEpoch: int32(),
  memberId: string(),
  groupInstanceId: string({ from: 7, nullable: 7 }),
  retentionTimeMs: int64({ from: 2, to: 4, default: -1n }),
  topics: array(
    struct({
      name: string(),
      partitions: array(
        struct({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ from: 6, default: -1 }),
          commitTimestamp: int64({ to: 1, default: -1n }),
          committedMetadata: string({ nullable: 0 }),
        }),
      ),
    }),
  ),
})

export const offsetCommitResponse = struct({
  throttleTimeMs: int32({ from: 3 }),
  topics: array(struct({ name: string(), partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })) })),
})

export type OffsetCommitRequest = Decoded<typeof offsetCommitRequest>
export type OffsetCommitResponse = Encodable<typeof offsetCommitResponse>
