/** What a catalog holds and who leads it, read from the store without a running server. */
import { formatUuid } from '../../core/random.ts'
import type { RegisteredNode } from '../client.ts'
import { toRegisteredNode } from '../commands/node-commands.ts'
import type { LoadParts } from '../replica/load-replica.ts'
import { replayOnly } from '../replica/recover.ts'
import { listSnapshots } from '../snapshot/snapshot-store.ts'

export interface CatalogInspection {
  readonly clusterId: string
  /** Where the journal is. */
  readonly journal: string
  /** Of the next journal entry. */
  readonly epoch: number
  /** Of the last one. */
  readonly sequence: number
  /** Where its leader takes connections; empty when it takes none. */
  readonly leaderAddress: string
  /** Time of the last batch, milliseconds since 1970. */
  readonly lastBatchMs: number
  /** Complete ones, oldest first. */
  readonly snapshots: readonly { readonly sequence: number; readonly epoch: number }[]
  readonly entriesSinceSnapshot: number
  /** What may be in journal and snapshots (format-level.ts). */
  readonly formatLevel: number
  readonly nodes: readonly RegisteredNode[]
  readonly counts: Readonly<
    Record<
      'topics' | 'partitions' | 'groups' | 'producers' | 'tables' | 'dataFiles' | 'garbage' | 'clientSessions',
      number
    >
  >
}

/** errors  those of replayOnly */
export async function inspectCatalog(parts: LoadParts): Promise<CatalogInspection> {
  const snapshots = (await listSnapshots(parts.store)).filter(folder => folder.hasManifest)
  const { state, position, entryCount } = await replayOnly(parts)
  let dataFiles = 0
  let tables = 0
  for (const table of state.tables.all()) {
    tables++
    dataFiles += table.files.length
  }
  return {
    clusterId: formatUuid(state.clusterId),
    journal: position.journal.name,
    epoch: position.epoch,
    sequence: position.sequence,
    leaderAddress: position.leaderAddress,
    lastBatchMs: state.nowMs,
    snapshots: snapshots.map(({ sequence, epoch }) => ({ sequence, epoch })),
    entriesSinceSnapshot: entryCount,
    formatLevel: state.formatLevel,
    nodes: state.nodes.all().map(toRegisteredNode),
    counts: {
      topics: state.topics.count,
      partitions: state.topics.partitionCount,
      groups: state.groups.groups().length,
      producers: state.producers.count,
      tables,
      dataFiles,
      garbage: state.garbage.count,
      clientSessions: state.sessions.count,
    },
  }
}
