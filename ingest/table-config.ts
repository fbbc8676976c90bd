/** What ingestion needs to know of one table, already validated (config/) and with its schema derived. */
import type { TableDefinition } from '../catalog/client.ts'
import type { RecordFormat } from './worker/builder-types.ts'

export interface TableIngestConfig {
  readonly definition: TableDefinition
  readonly format: RecordFormat
  readonly codec: 'zstd' | 'snappy' | 'lz4' | 'gzip' | 'none'
  readonly deadLetterMode: 'capture' | 'skip' | 'stop'
  /** What to do when offsets were gone before they could be read: stop with a reason, or go on and record the gap. */
  readonly onGap: 'stop' | 'record'
  /** Where a partition begins that was never read. */
  readonly startOffset: 'earliest' | 'latest'
  /** A record is committed and published at most about this long after it was read. */
  readonly freshnessMs: number
  readonly fileBytesTarget: number
}
