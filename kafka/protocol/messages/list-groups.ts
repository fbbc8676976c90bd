import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, string, struct } from '../schema.ts'

/**
 * ListGroups (key 16), versions 0-5, flexible from 3. v4 state filter (KIP-518); v5 type filter (KIP-848).
 */
export const listGroupsRequest = struct({
  /** Empty: all states. */
  statesFilter: array(string(), { from: 4 }),
  /** Empty: all types. */
  typesFilter: array(string(), { from: 5 }),
})

export const listGroupsResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  errorCode: int16(),
  groups: array(
    struct({
      groupId: string(),
      protocolType: string(),
      groupState: string({ from: 4 }),
      groupType: string({ from: 5 }),
    }),
  ),
})

export type ListGroupsRequest = Decoded<typeof listGroupsRequest>
export type ListGroupsResponse = Encodable<typeof listGroupsResponse>
