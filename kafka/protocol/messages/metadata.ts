import type { Decoded, Encodable } from '../schema.ts'
import { array, authorizedOperationsNotAsked, bool, int16, int32, noUuid, string, struct, uuid } from '../schema.ts'

/**
 * Metadata (key 3), versions 0-13, flexible from 9.
 *
 *   v1 null topics ask for all, empty for none (in v0 empty asks for all)   v4 auto-creation flag   v7 leader epoch
 *   v10 topic ids   v12 lookup by id, null name   v13 error for the whole answer (KIP-1102)
 */
export const metadataRequest = struct({
  topics: array(
    struct({
      topicId: uuid({ from: 10, default: noUuid }),
      name: string({ nullable: 10 }),
    }),
    { nullable: 1 },
  ),
  allowAutoTopicCreation: bool({ from: 4, default: true }),
  includeClusterAuthorizedOperations: bool({ from: 8, to: 10 }),
  includeTopicAuthorizedOperations: bool({ from: 8 }),
})

export const metadataResponse = struct({
  throttleTimeMs: int32({ from: 3 }),
  brokers: array(
    struct({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ from: 1, nullable: 1 }),
    }),
  ),
  clusterId: string({ from: 2, nullable: 2 }),
  controllerId: int32({ from: 1, default: -1 }),
  topics: array(
    struct({
      errorCode: int16(),
      /** Null (v12 on) where an unknown topic id was asked for. */
      name: string({ nullable: 12 }),
      topicId: uuid({ from: 10, default: noUuid }),
      isInternal: bool({ from: 1 }),
      partitions: array(
        struct({
          errorCode: int16(),
          partitionIndex: int32(),
          leaderId: int32(),
          leaderEpoch: int32({ from: 7, default: -1 }),
          replicaNodes: array(int32()),
          isrNodes: array(int32()),
          offlineReplicas: array(int32(), { from: 5 }),
        }),
      ),
      topicAuthorizedOperations: int32({ from: 8, default: authorizedOperationsNotAsked }),
    }),
  ),
  clusterAuthorizedOperations: int32({ from: 8, to: 10, default: authorizedOperationsNotAsked }),
  errorCode: int16({ from: 13 }),
})

export type MetadataRequest = Decoded<typeof metadataRequest>
export type MetadataResponse = Encodable<typeof metadataResponse>
