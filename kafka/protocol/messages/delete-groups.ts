import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, string, struct } from '../schema.ts'

/**
 * DeleteGroups (key 42), versions 0-2, flexible from 2.
 */
export const deleteGroupsRequest = struct({
  groupsNames: array(string()),
})

export const deleteGroupsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  results: array(struct({ groupId: string(), errorCode: int16() })),
})

export type DeleteGroupsRequest = Decoded<typeof deleteGroupsRequest>
export type DeleteGroupsResponse = Encodable<typeof deleteGroupsResponse>
