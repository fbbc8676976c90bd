import type { Decoded, Encodable } from '../schema.ts'
import { array, int8, int16, int32, int64, nested, noUuid, records, string, struct, uuid } from '../schema.ts'

/**
 * Fetch (key 1), versions 4-17, flexible from 12.
 *
 *   v7 fetch sessions (KIP-227)   v9 current leader epoch   v10 zstd allowed   v11 rack   v13 topic ids in place of names
 *   v15 replica state (KIP-903)   v16 node endpoints (KIP-951)   v17 replica directory ids
 *
 * Tagged fields that only followers and controllers use (cluster id, replica state, directory id, snapshot id) are left out of
 * the description and skipped when sent.
 */
export const fetchRequest = struct({
  /** -1 for consumers. */
  replicaId: int32({ to: 14, default: -1 }),
  maxWaitMs: int32(),
  minBytes: int32(),
  maxBytes: int32(),
  /** 0 read uncommitted, 1 read committed. */
  isolationLevel: int8(),
  sessionId: int32({ from: 7, default: 0 }),
  sessionEpoch: int32({ from: 7, default: -1 }),
  topics: array(
    struct({
      topic: string({ to: 12 }),
      topicId: uuid({ from: 13, default: noUuid }),
      partitions: array(
        struct({
          partition: int32(),
          currentLeaderEpoch: int32({ from: 9, default: -1 }),
          fetchOffset: int64(),
          lastFetchedEpoch: int32({ from: 12, default: -1 }),
          logStartOffset: int64({ from: 5, default: -1n }),
          partitionMaxBytes: int32(),
        }),
      ),
    }),
  ),
  forgottenTopicsData: array(
    struct({
      topic: string({ to: 12 }),
      topicId: uuid({ from: 13, default: noUuid }),
      partitions: array(int32()),
    }),
    { from: 7 },
  ),
  rackId: string({ from: 11, default: '' }),
})

export const fetchResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16({ from: 7 }),
  sessionId: int32({ from: 7, default: 0 }),
  responses: array(
    struct({
      topic: string({ to: 12 }),
      topicId: uuid({ from: 13, default: noUuid }),
      partitions: array(
        struct({
          partitionIndex: int32(),
          errorCode: int16(),
          highWatermark: int64(),
          lastStableOffset: int64({ default: -1n }),
          logStartOffset: int64({ from: 5, default: -1n }),
          divergingEpoch: nested(struct({ epoch: int32({ default: -1 }), endOffset: int64({ default: -1n }) }), {
            from: 12,
            tag: 0,
          }),
          currentLeader: nested(struct({ leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) }), {
            from: 12,
            tag: 1,
          }),
          /** Null under read uncommitted. */
          abortedTransactions: array(struct({ producerId: int64(), firstOffset: int64() }), { nullable: 0 }),
          preferredReadReplica: int32({ from: 11, default: -1 }),
          /** Nothing to send is an empty array of bytes, never null: some clients take null for an error. */
          records: records({ nullable: 0 }),
        }),
      ),
    }),
  ),
  nodeEndpoints: array(
    struct({ nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) }),
    { from: 16, tag: 0 },
  ),
})

export type FetchRequest = Decoded<typeof fetchRequest>
export type FetchResponse = Encodable<typeof fetchResponse>
