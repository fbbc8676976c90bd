import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * OffsetFetch (key 9), versions 1-9, flexible from 6.
 *
 *   v2 null topics ask for all; group-level error   v5 leader epoch   v7 require stable   v8 several groups in `groups`
 *   v9 member id and epoch (KIP-848)
 *
 * Up to v7 one group in `groupId` and `topics`, answered in `topics` and `errorCode`; v1 has no place for a group-level error but
 * the partitions. A group or a partition without a committed offset answers offset -1, error 0.
 */
export const offsetFetchRequest = struct({
  groupId: string({ to: 7 }),
  topics: array(struct({ name: string(), partitionIndexes: array(int32()) }), { to: 7, nullable: 2 }),
  groups: array(
    struct({
      groupId: string(),
      memberId: string({ from: 9, nullable: 9 }),
      memberEpoch: int32({ from: 9, default: -1 }),
      topics: array(struct({ name: string(), partitionIndexes: array(int32()) }), { nullable: 8 }),
    }),
    { from: 8 },
  ),
  requireStable: bool({ from: 7 }),
})

const fetchedOffset = struct({
  partitionIndex: int32(),
  committedOffset: int64(),
  committedLeaderEpoch: int32({ from: 5, default: -1 }),
  metadata: string({ nullable: 0 }),
  errorCode: int16(),
})

export const offsetFetchResponse = struct({
  throttleTimeMs: int32({ from: 3 }),
  topics: array(struct({ name: string(), partitions: array(fetchedOffset) }), { to: 7 }),
  errorCode: int16({ from: 2, to: 7 }),
  groups: array(
    struct({
      groupId: string(),
      topics: array(struct({ name: string(), partitions: array(fetchedOffset) })),
      errorCode: int16({ default: 0 }),
    }),
    { from: 8 },
  ),
})

export type OffsetFetchRequest = Decoded<typeof offsetFetchRequest>
export type OffsetFetchResponse = Encodable<typeof offsetFetchResponse>
