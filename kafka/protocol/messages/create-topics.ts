import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int8, int16, int32, noUuid, string, struct, uuid } from '../schema.ts'

/**
 * CreateTopics (key 19), versions 2-7, flexible from 5.
 *
 *   v4 -1 partitions or replicas ask for the default (KIP-464)   v5 answers with the configuration (KIP-525)   v7 topic id
 */
export const createTopicsRequest = struct({
  topics: array(
    struct({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array(struct({ partitionIndex: int32(), brokerIds: array(int32()) })),
      configs: array(struct({ name: string(), value: string({ nullable: 0 }) })),
    }),
  ),
  timeoutMs: int32(),
  validateOnly: bool(),
})

export const createTopicsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  topics: array(
    struct({
      name: string(),
      topicId: uuid({ from: 7, default: noUuid }),
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
      /** Why `configs` is null, for example no permission to describe. */
      topicConfigErrorCode: int16({ from: 5, tag: 0 }),
      numPartitions: int32({ from: 5, default: -1 }),
      replicationFactor: int16({ from: 5, default: -1 }),
      configs: array(
        struct({
          name: string(),
          value: string({ nullable: 0 }),
          readOnly: bool(),
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
        }),
        { from: 5, nullable: 5 },
      ),
    }),
  ),
})

export type CreateTopicsRequest = Decoded<typeof createTopicsRequest>
export type CreateTopicsResponse = Encodable<typeof createTopicsResponse>
