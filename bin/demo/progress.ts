/** What the demo shows: per table how far records have come. */
import type { CatalogQueries } from '../../catalog/client.ts'
import type { FloeServer } from '../server/floe-server.ts'
import { countRecords } from './producers.ts'

export interface TableProgress {
  readonly name: string
  readonly topic: string
  /** Records in the topic, ever. */
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  /** Records that are neither rows nor dead letters yet. */
  readonly lag: number
  /** Rows of the newest published version. */
  readonly publishedRows: number
  readonly version: number | undefined
  readonly icebergSnapshot: bigint | undefined
  readonly deltaVersion: number | undefined
  /** Everything committed is published. */
  readonly isPublished: boolean
  readonly state: string
  readonly reason: string | undefined
}

export async function readProgress(server: FloeServer): Promise<TableProgress[]> {
  const { catalog } = server
  const statuses = server.ingestStatus()
  const progress: TableProgress[] = []
  for (const table of await catalog.tables()) {
    const { name, source } = table.definition
    const records = await countRecords(catalog, source.topic)
    const covered = await countCovered(catalog, table.tableId)
    const { published } = table
    const status = statuses.find(each => each.table === name)
    progress.push({
      name,
      topic: source.topic,
      records,
      rows: Number(table.rowCount),
      deadLetters: Number(table.deadLetterCount),
      lag: records - covered,
      publishedRows: Number(published?.rowCount ?? 0n),
      version: published?.version,
      icebergSnapshot: published?.snapshotId,
      deltaVersion: published?.deltaVersion,
      isPublished: published !== undefined && published.fileSequence >= table.fileSequence,
      state: status?.state ?? table.state,
      reason: status?.reason ?? table.stoppedReason ?? status?.publishFailure,
    })
  }
  return progress
}

async function countCovered(catalog: CatalogQueries, tableId: number): Promise<number> {
  // A partition that was claimed and never committed has no account yet.
  return (await catalog.sourceCoverage(tableId)).reduce((sum, each) => sum + Math.max(0, Number(each.end)), 0)
}
