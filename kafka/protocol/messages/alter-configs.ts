import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int8, int16, int32, string, struct } from '../schema.ts'

/**
 * AlterConfigs (key 33), versions 0-2, flexible from 2. Replaces the whole configuration of a resource.
 */
export const alterConfigsRequest = struct({
  resources: array(
    struct({
      resourceType: int8(),
      resourceName: string(),
      configs: array(struct({ name: string(), value: string({ nullable: 0 }) })),
    }),
  ),
  validateOnly: bool(),
})

export const alterConfigsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  responses: array(
    struct({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
    }),
  ),
})

export type AlterConfigsRequest = Decoded<typeof alterConfigsRequest>
export type AlterConfigsResponse = Encodable<typeof alterConfigsResponse>
