import type { Decoded, Encodable } from '../schema.ts'
import { array, int8, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * ListOffsets (key 2), versions 1-9, flexible from 6.
 *
 * Timestamps below zero ask for a place: -1 latest, -2 earliest, -3 maximum timestamp (v7), -4 earliest local (v8), -5 latest
 * tiered (v9). Nothing found answers timestamp -1, offset -1, error 0.
 */
export const listOffsetsRequest = struct({
  replicaId: int32(),
  isolationLevel: int8({ from: 2 }),
  topics: array(
    struct({
      name: string(),
      partitions: array(
        struct({
          partitionIndex: int32(),
          currentLeaderEpoch: int32({ from: 4, default: -1 }),
          timestamp: int64(),
        }),
      ),
    }),
  ),
})

export const listOffsetsResponse = struct({
  throttleTimeMs: int32({ from: 2 }),
  topics: array(
    struct({
      name: string(),
      partitions: array(
        struct({
          partitionIndex: int32(),
          errorCode: int16(),
          timestamp: int64({ default: -1n }),
          offset: int64({ default: -1n }),
          leaderEpoch: int32({ from: 4, default: -1 }),
        }),
      ),
    }),
  ),
})

export type ListOffsetsRequest = Decoded<typeof listOffsetsRequest>
export type ListOffsetsResponse = Encodable<typeof listOffsetsResponse>
