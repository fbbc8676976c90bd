import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, string, struct } from '../schema.ts'

/**
 * OffsetDelete (key 47), version 0, never flexible (KIP-496).
 */
export const offsetDeleteRequest = struct({
  groupId: string(),
  topics: array(struct({ name: string(), partitions: array(struct({ partitionIndex: int32() })) })),
})

export const offsetDeleteResponse = struct({
  errorCode: int16(),
  throttleTimeMs: int32({ default: 0 }),
  topics: array(struct({ name: string(), partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })) })),
})

export type OffsetDeleteRequest = Decoded<typeof offsetDeleteRequest>
export type OffsetDeleteResponse = Encodable<typeof offsetDeleteResponse>
