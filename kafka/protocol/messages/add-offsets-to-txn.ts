import type { Decoded, Encodable } from '../schema.ts'
import { int16, int32, int64, string, struct } from '../schema.ts'

/**
 * AddOffsetsToTxn (key 25), versions 0-4, flexible from 3.
 */
export const addOffsetsToTxnRequest = struct({
  transactionalId: string(),
  producerId: int64(),
  producerEpoch: int16(),
  groupId: string(),
})

export const addOffsetsToTxnResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16(),
})

export type AddOffsetsToTxnRequest = Decoded<typeof addOffsetsToTxnRequest>
export type AddOffsetsToTxnResponse = Encodable<typeof addOffsetsToTxnResponse>
