/** How a process takes part in a cluster, and how patient it is. */
import type { PeerNetwork } from '../../core/peer-connection.ts'
import type { GroupCommitOptions } from '../leader.ts'
import type { SnapshotOptions } from '../snapshot/snapshot-keeper.ts'

export interface Peers {
  readonly network: PeerNetwork
  /** Where the others reach this process: what a seal of it says. */
  readonly address: string
  readonly secret: Uint8Array
  /** Whether this process may lead. */
  readonly mayLead: boolean
}

export interface PeerOptions {
  /** A leader that says nothing for so long is given up, and whoever may lead takes over. */
  readonly leaderTimeoutMs: number
  /** Least wait before taking over from a leader that is known to be gone; up to twice that, so that not all try at once. */
  readonly takeOverDelayMs: number
  readonly connectTimeoutMs: number
  /** How often the store is looked at while nobody leads. */
  readonly seekIntervalMs: number
  /** How long a read that must be fresh waits for a leader. */
  readonly barrierTimeoutMs: number
  /** A registered process that the leader does not hear of for so long is removed. */
  readonly nodeTimeoutMs: number
  /** For so long every registered process must have known a newer format level before the catalog is raised to it. */
  readonly formatLevelDelayMs: number
}

export const peerDefaults: PeerOptions = {
  leaderTimeoutMs: 3_000,
  takeOverDelayMs: 200,
  connectTimeoutMs: 1_500,
  seekIntervalMs: 250,
  barrierTimeoutMs: 10_000,
  nodeTimeoutMs: 3_000,
  formatLevelDelayMs: 600_000,
}

export interface CatalogNodeOptions extends GroupCommitOptions, SnapshotOptions, PeerOptions {}
