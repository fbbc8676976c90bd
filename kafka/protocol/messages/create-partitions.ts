import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int16, int32, string, struct } from '../schema.ts'

/**
 * CreatePartitions (key 37), versions 0-3, flexible from 2. `count` is the new total.
 */
export const createPartitionsRequest = struct({
  topics: array(
    struct({
      name: string(),
      count: int32(),
      /** Null: the broker places the new partitions. */
      assignments: array(struct({ brokerIds: array(int32()) }), { nullable: 0 }),
    }),
  ),
  timeoutMs: int32(),
  validateOnly: bool(),
})

export const createPartitionsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  results: array(struct({ name: string(), errorCode: int16(), errorMessage: string({ nullable: 0, default: null }) })),
})

export type CreatePartitionsRequest = Decoded<typeof createPartitionsRequest>
export type CreatePartitionsResponse = Encodable<typeof createPartitionsResponse>
