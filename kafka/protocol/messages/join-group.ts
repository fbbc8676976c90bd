import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, bytes, int16, int32, string, struct } from '../schema.ts'

/**
 * JoinGroup (key 11), versions 0-9, flexible from 6.
 *
 *   v1 rebalance timeout (before: the session timeout)   v4 MEMBER_ID_REQUIRED (KIP-394)   v5 static members (KIP-345)
 *   v7 protocol type in the answer   v8 reason   v9 skip assignment (KIP-814)
 */
export const joinGroupRequest = struct({
  groupId: string(),
  sessionTimeoutMs: int32(),
  /** -1 in v0: the session timeout counts. */
  rebalanceTimeoutMs: int32({ from: 1, default: -1 }),
  memberId: string(),
  groupInstanceId: string({ from: 5, nullable: 5 }),
  protocolType: string(),
  protocols: array(struct({ name: string(), metadata: bytes() })),
  reason: string({ from: 8, nullable: 8 }),
})

export const joinGroupResponse = struct({
  throttleTimeMs: int32({ from: 2 }),
  errorCode: int16(),
  generationId: int32({ default: -1 }),
  protocolType: string({ from: 7, nullable: 7 }),
  /** Null from v7 on where there is none; empty before. */
  protocolName: string({ nullable: 7 }),
  leader: string(),
  skipAssignment: bool({ from: 9 }),
  memberId: string(),
  /** For the leader; empty for the others. */
  members: array(struct({ memberId: string(), groupInstanceId: string({ from: 5, nullable: 5 }), metadata: bytes() })),
})

export type JoinGroupRequest = Decoded<typeof joinGroupRequest>
export type JoinGroupResponse = Encodable<typeof joinGroupResponse>
