import type { Decoded, Encodable } from '../schema.ts'
import { int16, int32, int64, string, struct } from '../schema.ts'

/**
 * InitProducerId (key 22), versions 0-5, flexible from 2.
 *
 * Without a transactional id the producer id and epoch of the request are ignored and the call always succeeds.
 */
export const initProducerIdRequest = struct({
  transactionalId: string({ nullable: 0 }),
  transactionTimeoutMs: int32(),
  producerId: int64({ from: 3, default: -1n }),
  producerEpoch: int16({ from: 3, default: -1 }),
})

export const initProducerIdResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16(),
  producerId: int64({ default: -1n }),
  producerEpoch: int16({ default: -1 }),
})

export type InitProducerIdRequest = Decoded<typeof initProducerIdRequest>
export type InitProducerIdResponse = Encodable<typeof initProducerIdResponse>
