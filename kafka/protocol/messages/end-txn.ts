import type { Decoded, Encodable } from '../schema.ts'
import { bool, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * EndTxn (key 26), versions 0-5, flexible from 3. v5 answers with the producer id and epoch to go on with (KIP-890).
 */
export const endTxnRequest = struct({
  transactionalId: string(),
  producerId: int64(),
  producerEpoch: int16(),
  /** False: abort. */
  committed: bool(),
})

export const endTxnResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16(),
  producerId: int64({ from: 5, default: -1n }),
  producerEpoch: int16({ from: 5, default: -1 }),
})

export type EndTxnRequest = Decoded<typeof endTxnRequest>
export type EndTxnResponse = Encodable<typeof endTxnResponse>
