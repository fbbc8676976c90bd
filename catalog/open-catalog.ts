/**
 * Opens the catalog: recovers it, leads or follows, and hands out the client. One per process.
 *
 * Alone, whoever opens it last leads, and the one before is fenced at its next command. Among peers, it leads only when nobody
 * else does (node/catalog-node.ts).
 */
import type { Clock } from '../core/clock.ts'
import type { FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { PeerConnection } from '../core/peer-connection.ts'
import type { Random } from '../core/random.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { CatalogClient } from './client.ts'
import { type CommandTable, commandTable } from './commands/all-commands.ts'
import type { Journal } from './journal/journal.ts'
import { StoreJournal } from './journal/store-journal.ts'
import { groupCommitDefaults, type Leader } from './leader.ts'
import { CatalogNode, type NodeRole } from './node/catalog-node.ts'
import { type CatalogNodeOptions, type Peers, peerDefaults } from './node/node-options.ts'
import { ReplicaClient } from './replica-client.ts'
import { snapshotDefaults } from './snapshot/snapshot-keeper.ts'
import { assertLittleEndian } from './snapshot/snapshot-writer.ts'
import type { CatalogState } from './state/catalog-state.ts'

export type CatalogOptions = CatalogNodeOptions

export const catalogDefaults: CatalogOptions = { ...groupCommitDefaults, ...snapshotDefaults, ...peerDefaults }

export interface OpenCatalog {
  /** Left out: in the store. */
  readonly journal?: Journal
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly options?: Partial<CatalogOptions>
  /** What this process can apply; left out, what this Floe can. */
  readonly commands?: CommandTable
  /** The other processes of the cluster; left out, there are none. */
  readonly peers?: Peers
  /**
   * Called once when this process may not go on. Alone: `fenced`, another process took the lead; `unavailable`, the store did not
   * tell whether a batch was stored. Every command and query fails from then on; close this catalog and open it anew, or stop.
   */
  readonly onLost?: (error: FloeError) => void
}

export interface CatalogStatus {
  readonly role: NodeRole
  /** False when this process may not go on, or does not reach a leader. */
  readonly ready: boolean
  readonly leaderAddress: string
  readonly followerCount: number
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
  /** 16 random bytes: tells this process from earlier ones at the same place. */
  readonly instanceId: Uint8Array
  readonly state: CatalogState
  /** errors  unavailable: this process does not lead */
  readonly leader: Leader
  status(): CatalogStatus
  /** A connection that another process of the cluster made to this one. */
  accept(connection: PeerConnection): Promise<void>
  /** Writes a snapshot now; for shutdowns of one's own and for tests. */
  takeSnapshot(): Promise<void>
  /** Answers what was submitted, refuses what comes later, writes a snapshot if much came since the last one. */
  close(): Promise<void>
}

/** errors  those of recovery (replica/recover.ts) */
export async function openCatalog(given: OpenCatalog): Promise<Catalog> {
  assertLittleEndian()
  const { store, clock, random, log, peers, commands = commandTable, onLost = () => {} } = given
  const { journal = new StoreJournal(store, clock) } = given
  const options: CatalogOptions = { ...catalogDefaults, ...given.options }
  const node = await CatalogNode.open({ journal, store, clock, random, log, commands, options, peers, onLost })
  const { replica, session } = node
  const clientParts = {
    replica,
    session,
    failure: () => node.failure,
    readBarrier: () => node.readBarrier(),
  }
  return {
    client: new ReplicaClient(clientParts, clock, random),
    instanceId: node.instanceId,
    get state() {
      return replica.state
    },
    get leader() {
      return node.leader
    },
    status() {
      const { state, position } = replica
      let fileCount = 0
      for (const table of state.tables.all()) fileCount += table.files.length
      return {
        role: node.role,
        ready: node.failure === undefined && node.role !== 'seeking',
        leaderAddress: position.leaderAddress,
        followerCount: node.followerCount,
        epoch: position.epoch,
        sequence: position.sequence,
        entriesSinceSnapshot: node.entriesSinceSnapshot,
        fileCount,
        partitionCount: state.topics.partitionCount,
        garbageCount: state.garbage.count,
      }
    },
    accept: connection => node.accept(connection),
    takeSnapshot: () => node.takeSnapshot(),
    close: () => node.close(),
  }
}
