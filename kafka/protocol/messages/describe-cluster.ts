import type { Decoded, Encodable } from '../schema.ts'
import { array, authorizedOperationsNotAsked, bool, int8, int16, int32, string, struct } from '../schema.ts'

/**
 * DescribeCluster (key 60), versions 0-2, flexible from 0. v1 endpoint type (KIP-919); v2 fenced brokers (KIP-1073).
 */
export const describeClusterRequest = struct({
  includeClusterAuthorizedOperations: bool(),
  /** 1 brokers, 2 controllers. */
  endpointType: int8({ from: 1, default: 1 }),
  includeFencedBrokers: bool({ from: 2 }),
})

export const describeClusterResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16(),
  errorMessage: string({ nullable: 0, default: null }),
  endpointType: int8({ from: 1, default: 1 }),
  clusterId: string(),
  controllerId: int32({ default: -1 }),
  brokers: array(
    struct({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: 0, default: null }),
      isFenced: bool({ from: 2 }),
    }),
  ),
  clusterAuthorizedOperations: int32({ default: authorizedOperationsNotAsked }),
})

export type DescribeClusterRequest = Decoded<typeof describeClusterRequest>
export type DescribeClusterResponse = Encodable<typeof describeClusterResponse>
