import type { Decoded, Encodable } from '../schema.ts'
import { int16, int32, string, struct } from '../schema.ts'

/**
 * Heartbeat (key 12), versions 0-4, flexible from 4. v3 static members.
 */
export const heartbeatRequest = struct({
  groupId: string(),
  generationId: int32(),
  memberId: string(),
  groupInstanceId: string({ from: 3, nullable: 3 }),
})

export const heartbeatResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  errorCode: int16(),
})

export type HeartbeatRequest = Decoded<typeof heartbeatRequest>
export type HeartbeatResponse = Encodable<typeof heartbeatResponse>
