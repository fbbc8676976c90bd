/**
 * Which batches of a read-committed fetch belong to aborted transactions. A transaction is open from its first offset until
 * the ABORT marker of its producer passes by; batches of a producer in between, if transactional, are aborted.
 *
 * source  Kafka consumer, isolation level read committed (KIP-98)
 */
import type { AbortedTransaction } from '../../kafka/record-source.ts'
import type { BatchCursor } from '../../kafka/records/batch.ts'
import { readControlType } from '../../kafka/records/transaction-marker.ts'

export class AbortedFilter {
  readonly #pending: AbortedTransaction[]
  #next = 0
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = [...aborted].sort((a, b) =>
      a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0,
    )
  }

  /** Whether the batch holds no rows: a control batch, or one of an aborted transaction. Call it for every batch, in order. */
  isExcluded(batch: BatchCursor): boolean {
    if (this.#pending.length === 0) return batch.isControl
    const { lastOffset, producerId } = batch
    while (this.#next < this.#pending.length && this.#pending[this.#next]!.firstOffset <= lastOffset) {
      this.#open.add(this.#pending[this.#next++]!.producerId)
    }
    if (batch.isControl) {
      if (this.#open.has(producerId) && readControlType(batch) === 'abort') this.#open.delete(producerId)
      return true
    }
    return batch.isTransactional && this.#open.has(producerId)
  }
}
