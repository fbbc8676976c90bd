import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * OffsetForLeaderEpoch (key 23), versions 2-4, flexible from 4.
 */
export const offsetForLeaderEpochRequest = struct({
  /** -1 for consumers, which say so from v3 on. */
  replicaId: int32({ from: 3, default: -2 }),
  topics: array(
    struct({
      topic: string(),
      partitions: array(
        struct({ partition: int32(), currentLeaderEpoch: int32({ default: -1 }), leaderEpoch: int32() }),
      ),
    }),
  ),
})

export const offsetForLeaderEpochResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(
    struct({
      topic: string(),
      partitions: array(
        struct({
          errorCode: int16(),
          partition: int32(),
          leaderEpoch: int32({ default: -1 }),
          endOffset: int64({ default: -1n }),
        }),
      ),
    }),
  ),
})

export type OffsetForLeaderEpochRequest = Decoded<typeof offsetForLeaderEpochRequest>
export type OffsetForLeaderEpochResponse = Encodable<typeof offsetForLeaderEpochResponse>
