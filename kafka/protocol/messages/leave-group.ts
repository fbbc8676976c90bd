import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, string, struct } from '../schema.ts'

/**
 * LeaveGroup (key 13), versions 0-5, flexible from 4.
 *
 *   v3 several members, by member id or by instance id alone, with a result each (KIP-345)   v5 reason (KIP-800)
 */
export const leaveGroupRequest = struct({
  groupId: string(),
  memberId: string({ to: 2 }),
  members: array(
    struct({
      memberId: string(),
      groupInstanceId: string({ nullable: 0, default: null }),
      reason: string({ from: 5, nullable: 5 }),
    }),
    { from: 3 },
  ),
})

export const leaveGroupResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  errorCode: int16(),
  members: array(struct({ memberId: string(), groupInstanceId: string({ nullable: 0 }), errorCode: int16() }), {
    from: 3,
  }),
})

export type LeaveGroupRequest = Decoded<typeof leaveGroupRequest>
export type LeaveGroupResponse = Encodable<typeof leaveGroupResponse>
