import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * ListTransactions (key 66), versions 0-2, flexible from 0. v1 duration filter (KIP-994); v2 transactional id pattern (KIP-1152).
 */
export const listTransactionsRequest = struct({
  stateFilters: array(string()),
  producerIdFilters: array(int64()),
  /** Milliseconds a transaction has been running at least; -1: any. */
  durationFilter: int64({ from: 1, default: -1n }),
  transactionalIdPattern: string({ from: 2, nullable: 2 }),
})

export const listTransactionsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16(),
  unknownStateFilters: array(string()),
  transactionStates: array(struct({ transactionalId: string(), producerId: int64(), transactionState: string() })),
})

export type ListTransactionsRequest = Decoded<typeof listTransactionsRequest>
export type ListTransactionsResponse = Encodable<typeof listTransactionsResponse>
