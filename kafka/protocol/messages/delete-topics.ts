import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, noUuid, string, struct, uuid } from '../schema.ts'

/**
 * DeleteTopics (key 20), versions 1-6, flexible from 4. v6 by name or id in `topics` (before: `topicNames`); v5 error message.
 */
export const deleteTopicsRequest = struct({
  topics: array(struct({ name: string({ nullable: 0, default: null }), topicId: uuid({ default: noUuid }) }), {
    from: 6,
  }),
  topicNames: array(string(), { to: 5 }),
  timeoutMs: int32(),
})

export const deleteTopicsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  responses: array(
    struct({
      /** Null (v6) where an unknown id was given. */
      name: string({ nullable: 6 }),
      topicId: uuid({ from: 6, default: noUuid }),
      errorCode: int16(),
      errorMessage: string({ from: 5, nullable: 5 }),
    }),
  ),
})

export type DeleteTopicsRequest = Decoded<typeof deleteTopicsRequest>
export type DeleteTopicsResponse = Encodable<typeof deleteTopicsResponse>
