import type { Decoded, Encodable } from '../schema.ts'
import { array, authorizedOperationsNotAsked, bool, bytes, int16, int32, string, struct } from '../schema.ts'

/**
 * DescribeGroups (key 15), versions 0-6, flexible from 5.
 *
 *   v3 authorized operations   v4 static members   v6 GROUP_ID_NOT_FOUND with a message; before, state `Dead` and error 0
 */
export const describeGroupsRequest = struct({
  groups: array(string()),
  includeAuthorizedOperations: bool({ from: 3 }),
})

export const describeGroupsResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  groups: array(
    struct({
      errorCode: int16(),
      errorMessage: string({ from: 6, nullable: 6 }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array(
        struct({
          memberId: string(),
          groupInstanceId: string({ from: 4, nullable: 4 }),
          clientId: string(),
          clientHost: string(),
          memberMetadata: bytes(),
          memberAssignment: bytes(),
        }),
      ),
      authorizedOperations: int32({ from: 3, default: authorizedOperationsNotAsked }),
    }),
  ),
})

export type DescribeGroupsRequest = Decoded<typeof describeGroupsRequest>
export type DescribeGroupsResponse = Encodable<typeof describeGroupsResponse>
