import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * DeleteRecords (key 21), versions 0-2, flexible from 2. Offset -1 is the high watermark; the answer is the new log start offset.
 */
export const deleteRecordsRequest = struct({
  topics: array(struct({ name: string(), partitions: array(struct({ partitionIndex: int32(), offset: int64() })) })),
  timeoutMs: int32(),
})

export const deleteRecordsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(
    struct({
      name: string(),
      partitions: array(struct({ partitionIndex: int32(), lowWatermark: int64(), errorCode: int16() })),
    }),
  ),
})

export type DeleteRecordsRequest = Decoded<typeof deleteRecordsRequest>
export type DeleteRecordsResponse = Encodable<typeof deleteRecordsResponse>
