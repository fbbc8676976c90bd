/**
 * Opens the catalog: recovers it, takes the lead, and hands out the client. One per process; whoever opens it last leads, and
 * the one before is fenced at its next command.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { formatUuid, type Random } from '../core/random.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { CatalogClient } from './client.ts'
import { InProcessClient } from './in-process-client.ts'
import { recover } from './journal/recover.ts'
import { type GroupCommitOptions, groupCommitDefaults, Leader } from './leader.ts'
import { SnapshotKeeper, type SnapshotOptions, snapshotDefaults } from './snapshot/snapshot-keeper.ts'
import { assertLittleEndian } from './snapshot/snapshot-writer.ts'

export interface CatalogOptions extends GroupCommitOptions, SnapshotOptions {}

export const catalogDefaults: CatalogOptions = { ...groupCommitDefaults, ...snapshotDefaults }

export interface OpenCatalog {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly options?: Partial<CatalogOptions>
  /**
   * Called once when this process loses the lead: `fenced`, another process took it; `unavailable`, the store did not tell
   * whether a batch was stored. Every command and query fails from then on; close this catalog and open it anew, or stop.
   */
  readonly onLost?: (error: FloeError) => void
}

export interface CatalogStatus {
  readonly leading: boolean
  readonly epoch: number
  /** Journal entries so far. */
  readonly sequence: number
  readonly entriesSinceSnapshot: number
  readonly fileCount: number
  readonly partitionCount: number
  readonly garbageCount: number
}

export interface Catalog {
  readonly client: CatalogClient
  readonly leader: Leader
  status(): CatalogStatus
  /** Writes a snapshot now; for shutdowns of one's own and for tests. */
  takeSnapshot(): Promise<void>
  /** Answers what was submitted, refuses what comes later, writes a snapshot if much came since the last one. */
  close(): Promise<void>
}

/** errors  those of recovery (journal/recover.ts) */
export async function openCatalog({ store, clock, random, log, options, onLost }: OpenCatalog): Promise<Catalog> {
  assertLittleEndian()
  const allOptions: CatalogOptions = { ...catalogDefaults, ...options }
  const startedMs = clock.monotonicMs()
  const recovered = await recover({
    store,
    clock,
    log,
    writerId: random.bytes(16),
    newClusterId: newClusterId(random),
    appendTimeoutMs: allOptions.appendTimeoutMs,
  })
  const { state, position, entryCount, entryBytes, snapshotSequence } = recovered
  const { epoch, sequence } = position
  log.info('catalog recovered', {
    cluster: formatUuid(state.clusterId),
    epoch,
    sequence,
    snapshotSequence,
    entries: entryCount,
    ms: Math.round(clock.monotonicMs() - startedMs),
  })
  const keeper = new SnapshotKeeper(store, clock, log, allOptions, entryCount, entryBytes)
  const leader = new Leader(store, clock, state, position, allOptions, {
    onBatch: bytes => keeper.onEntry(leader, bytes),
    onLost: error => {
      log.error('this process no longer leads the catalog', { code: error.code, problem: error.message })
      onLost?.(error)
    },
  })
  return {
    client: new InProcessClient(leader, clock, random),
    leader,
    status() {
      let fileCount = 0
      for (const table of state.tables.all()) fileCount += table.files.length
      return {
        leading: leader.failure === undefined,
        epoch: leader.position.epoch,
        sequence: leader.position.sequence,
        entriesSinceSnapshot: keeper.entriesSinceSnapshot,
        fileCount,
        partitionCount: state.topics.partitionCount,
        garbageCount: state.garbage.count,
      }
    },
    takeSnapshot: () => keeper.take(leader),
    async close() {
      const lost = leader.failure !== undefined
      leader.stop(new FloeError('unavailable', 'catalog-closed', 'the catalog of this process was closed'))
      await leader.drain()
      if (!lost) await keeper.close(leader)
    },
  }
}

function newClusterId(random: Random): Uint8Array {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}
