/** What a table's ingestion is doing, for status pages, the demo's live view and metrics. Figures since the start of the process. */
import type { SourceCoverage } from '../catalog/client.ts'
import type { LaneProgress } from './table-lane.ts'

export type IngestState = 'starting' | 'waiting' | 'running' | 'restarting' | 'failing' | 'stopped'

export class TableProgress implements LaneProgress {
  state: IngestState = 'starting'
  /** Why it is not running; one plain sentence. */
  reason: string | undefined
  rowsCommitted = 0
  recordsRejected = 0
  /** Uncompressed bytes of the record values decoded. */
  valueBytes = 0
  commitCount = 0
  readonly #positions = new Map<number, bigint>()
  readonly #ends = new Map<number, bigint>()

  begin(accounts: readonly SourceCoverage[]): void {
    this.#positions.clear()
    this.#ends.clear()
    for (const account of accounts) this.#positions.set(account.partition, account.end)
  }

  position(partition: number, offset: bigint, endOffset: bigint): void {
    this.#positions.set(partition, offset)
    if (endOffset >= 0n) this.#ends.set(partition, endOffset)
  }

  committed(written: number, rejected: number, valueBytes: number): void {
    this.commitCount++
    this.rowsCommitted += written
    this.recordsRejected += rejected
    this.valueBytes += valueBytes
  }

  /** Records that the source has and that are not read yet, as far as the last fetch knew. */
  lagRecords(): bigint {
    let lag = 0n
    for (const [partition, end] of this.#ends) {
      const position = this.#positions.get(partition) ?? end
      if (end > position) lag += end - position
    }
    return lag
  }

  /** Returns whether anything changed. */
  enter(state: IngestState, reason: string | undefined): boolean {
    const changed = state !== this.state || reason !== this.reason
    this.state = state
    this.reason = reason
    return changed
  }
}
