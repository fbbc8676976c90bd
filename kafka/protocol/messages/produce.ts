import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, nested, records, string, struct } from '../schema.ts'

/**
 * Produce (key 0), versions 3-12, flexible from 9.
 *
 *   v7 zstd allowed   v8 per-record errors   v10 current leader and endpoints (KIP-951)   v12 transactions v2 (KIP-890)
 *
 * With acks 0 the client reads no response: none may be sent.
 */
export const produceRequest = struct({
  transactionalId: string({ nullable: 0 }),
  /** -1 all, 0 none, 1 leader. */
  acks: int16(),
  timeoutMs: int32(),
  topicData: array(
    struct({
      name: string(),
      partitionData: array(
        struct({
          index: int32(),
          records: records({ nullable: 0 }),
        }),
      ),
    }),
  ),
})

export const produceResponse = struct({
  responses: array(
    struct({
      name: string(),
      partitionResponses: array(
        struct({
          index: int32(),
          errorCode: int16(),
          baseOffset: int64(),
          /** -1 for CreateTime topics. */
          logAppendTimeMs: int64({ default: -1n }),
          logStartOffset: int64({ from: 5, default: -1n }),
          recordErrors: array(
            struct({
              batchIndex: int32(),
              batchIndexErrorMessage: string({ nullable: 0, default: null }),
            }),
            { from: 8 },
          ),
          errorMessage: string({ from: 8, nullable: 8 }),
          currentLeader: nested(struct({ leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) }), {
            from: 10,
            tag: 0,
          }),
        }),
      ),
    }),
  ),
  throttleTimeMs: int32({ default: 0 }),
  nodeEndpoints: array(
    struct({ nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) }),
    { from: 10, tag: 0 },
  ),
})

export type ProduceRequest = Decoded<typeof produceRequest>
export type ProduceResponse = Encodable<typeof produceResponse>
