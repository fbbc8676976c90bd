import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int8, int16, int32, string, struct } from '../schema.ts'

/**
 * IncrementalAlterConfigs (key 44), versions 0-1, flexible from 1 (KIP-339).
 */
export const incrementalAlterConfigsRequest = struct({
  resources: array(
    struct({
      resourceType: int8(),
      resourceName: string(),
      configs: array(
        struct({
          name: string(),
          /** 0 set, 1 delete, 2 append to a list, 3 subtract from a list. */
          configOperation: int8(),
          value: string({ nullable: 0 }),
        }),
      ),
    }),
  ),
  validateOnly: bool(),
})

export const incrementalAlterConfigsResponse = struct({
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

export type IncrementalAlterConfigsRequest = Decoded<typeof incrementalAlterConfigsRequest>
export type IncrementalAlterConfigsResponse = Encodable<typeof incrementalAlterConfigsResponse>
