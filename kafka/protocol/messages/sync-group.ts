import type { Decoded, Encodable } from '../schema.ts'
import { array, bytes, int16, int32, string, struct } from '../schema.ts'

/**
 * SyncGroup (key 14), versions 0-5, flexible from 4. v3 static members; v5 protocol type and name (KIP-559).
 */
export const syncGroupRequest = struct({
  groupId: string(),
  generationId: int32(),
  memberId: string(),
  groupInstanceId: string({ from: 3, nullable: 3 }),
  protocolType: string({ from: 5, nullable: 5 }),
  protocolName: string({ from: 5, nullable: 5 }),
  /** From the leader; empty from the others. */
  assignments: array(struct({ memberId: string(), assignment: bytes() })),
})

export const syncGroupResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  errorCode: int16(),
  protocolType: string({ from: 5, nullable: 5 }),
  protocolName: string({ from: 5, nullable: 5 }),
  assignment: bytes(),
})

export type SyncGroupRequest = Decoded<typeof syncGroupRequest>
export type SyncGroupResponse = Encodable<typeof syncGroupResponse>
