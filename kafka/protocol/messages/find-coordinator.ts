import type { Decoded, Encodable } from '../schema.ts'
import { array, int8, int16, int32, string, struct } from '../schema.ts'

/**
 * FindCoordinator (key 10), versions 0-6, flexible from 3.
 *
 *   v1 key type (0 group, 1 transaction)   v4 several keys at once, answered in `coordinators`   v6 share groups (key type 2)
 */
export const findCoordinatorRequest = struct({
  key: string({ to: 3 }),
  keyType: int8({ from: 1, default: 0 }),
  coordinatorKeys: array(string(), { from: 4 }),
})

export const findCoordinatorResponse = struct({
  throttleTimeMs: int32({ from: 1 }),
  errorCode: int16({ to: 3 }),
  errorMessage: string({ from: 1, to: 3, nullable: 1 }),
  nodeId: int32({ to: 3 }),
  host: string({ to: 3 }),
  port: int32({ to: 3 }),
  coordinators: array(
    struct({
      key: string(),
      nodeId: int32(),
      host: string(),
      port: int32(),
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
    }),
    { from: 4 },
  ),
})

export type FindCoordinatorRequest = Decoded<typeof findCoordinatorRequest>
export type FindCoordinatorResponse = Encodable<typeof findCoordinatorResponse>
