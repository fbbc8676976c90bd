/**
 * The catalog in one process of a cluster: a replica that always moves on, and a place where commands go.
 *
 *   seeking ──▶ following   the journal's last seal says who leads; it sends entries and takes commands
 *      │  ▲         │
 *      │  └─────────┘       it resigned, closed, or was silent for too long
 *      ▼
 *   leading                 nobody leads: this process sealed the epoch. Only processes that may.
 *
 * Which of them leads is decided by the journal alone (replica/take-lead.ts): time-outs say when to try, never who is right. A
 * process that may not lead, or leads no more, goes on with the same replica; what was under way goes to the next leader under the
 * same keys.
 *
 * Without a cluster (`peers` undefined) there is nobody to follow: the process takes the lead when it opens and is done when it
 * loses it.
 */
import type { Clock } from '../../core/clock.ts'
import { errorMessage, FloeError, isFloeError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { formatUuid, type Random, randomUuidBytes } from '../../core/random.ts'
import { Signal } from '../../core/signal.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { CommandTable } from '../commands/all-commands.ts'
import type { Journal } from '../journal/journal.ts'
import { Leader } from '../leader.ts'
import { loadReplica } from '../replica/load-replica.ts'
import { readOn } from '../replica/read-on.ts'
import { readPersistently, recover } from '../replica/recover.ts'
import type { Replica } from '../replica/replica.ts'
import { takeLead } from '../replica/take-lead.ts'
import { SnapshotKeeper } from '../snapshot/snapshot-keeper.ts'
import { isBehindTrim } from '../snapshot/snapshot-store.ts'
import { CommandSession } from './command-session.ts'
import { FollowerFeed, followerFeedDefaults } from './follower-feed.ts'
import { FormatLevelRaiser } from './format-level-raiser.ts'
import { acceptHandshake, dialHandshake, tryHandshake } from './handshake.ts'
import { LeaderLink, type LinkEnd } from './leader-link.ts'
import { loadOrCreate } from './load-or-create.ts'
import { NodeMonitor } from './node-monitor.ts'
import type { CatalogNodeOptions, Peers } from './node-options.ts'

export interface CatalogNodeParts {
  readonly journal: Journal
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What this process can apply. */
  readonly commands: CommandTable
  readonly options: CatalogNodeOptions
  readonly peers: Peers | undefined
  /** Called once when this process may not go on: it is not in a cluster and another process took the lead, or its state is unknown. */
  readonly onLost: (error: FloeError) => void
}

export type NodeRole = 'seeking' | 'following' | 'leading'

export class CatalogNode {
  readonly #parts: CatalogNodeParts
  /** As `#parts`, with persistent reads: all but what this process writes as the leader. */
  readonly #reading: CatalogNodeParts
  /** 16 random bytes: tells this process from earlier ones at the same place. */
  readonly instanceId: Uint8Array
  readonly session: CommandSession
  readonly replica: Replica
  #role: NodeRole = 'seeking'
  /** Notified when the role changes. */
  readonly #roleChanged = new Signal()
  #leader: Leader | undefined
  #keeper: SnapshotKeeper | undefined
  #feed: FollowerFeed | undefined
  #monitor: NodeMonitor | undefined
  #levelRaiser: FormatLevelRaiser | undefined
  #link: LeaderLink | undefined
  #failure: FloeError | undefined
  readonly #closing = new AbortController()
  #running: Promise<void> = Promise.resolve()

  private constructor(parts: CatalogNodeParts, replica: Replica) {
    this.#parts = parts
    this.#reading = readPersistently(parts)
    this.instanceId = parts.random.bytes(16)
    this.replica = replica
    this.session = new CommandSession(parts.clock, parts.random)
  }

  /**
   * Resolves when the node leads or follows, so that queries and commands make sense.
   *
   * errors  those of recovery (replica/recover.ts)
   */
  static async open(parts: CatalogNodeParts): Promise<CatalogNode> {
    const startedMs = parts.clock.monotonicMs()
    const node =
      parts.peers === undefined ? await CatalogNode.#openAlone(parts) : await CatalogNode.#openAmongPeers(parts)
    const { epoch, sequence } = node.replica.position
    parts.log.info('catalog recovered', {
      cluster: formatUuid(node.replica.state.clusterId),
      role: node.role,
      epoch,
      sequence,
      formatLevel: node.replica.state.formatLevel,
      entries: node.replica.entryCount,
      ms: Math.round(parts.clock.monotonicMs() - startedMs),
    })
    return node
  }

  static async #openAlone(parts: CatalogNodeParts): Promise<CatalogNode> {
    const { journal, store, clock, random, log, commands, options } = parts
    const claim = { writerId: random.bytes(16), address: '', appendTimeoutMs: options.appendTimeoutMs }
    const ambient = { journal, store, clock, log, commands }
    const replica = await recover({ ...ambient, ...claim, newClusterId: randomUuidBytes(random) })
    const node = new CatalogNode(parts, replica)
    node.#beginToLead((error: FloeError) => {
      node.#giveUp(error)
    })
    return node
  }

  static async #openAmongPeers(parts: CatalogNodeParts): Promise<CatalogNode> {
    const node = new CatalogNode(parts, await loadOrCreate(readPersistently(parts)))
    node.#running = node.#run()
    while (node.#role === 'seeking' && node.#failure === undefined) {
      await node.#roleChanged.wait(parts.clock, parts.options.leaderTimeoutMs)
      if (node.#role === 'seeking' && node.#failure === undefined) {
        parts.log.info('waiting for a leader of the catalog', { leader: node.replica.position.leaderAddress })
      }
    }
    if (node.#failure !== undefined) throw node.#failure
    return node
  }

  get role(): NodeRole {
    return this.#role
  }

  /** Why this node is done. */
  get failure(): FloeError | undefined {
    return this.#failure
  }

  /** The leader that this process is. errors  unavailable: it leads not */
  get leader(): Leader {
    if (this.#leader === undefined) throw noLeader('this process does not lead the catalog')
    return this.#leader
  }

  get followerCount(): number {
    return this.#feed?.followerCount ?? 0
  }

  get entriesSinceSnapshot(): number {
    return this.replica.entryCount
  }

  takeSnapshot(): Promise<void> {
    if (this.#keeper === undefined) throw noLeader('this process does not lead the catalog')
    return this.#keeper.take(this.replica)
  }

  /**
   * Resolves once queries see everything that was answered, by any process, before the call.
   *
   * errors  unavailable: nobody leads, or the leader did not answer in time; fenced: this process lost the lead and is done
   */
  async readBarrier(): Promise<void> {
    const { clock, options } = this.#parts
    const deadlineMs = clock.monotonicMs() + options.barrierTimeoutMs
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) throw noLeader(`nobody led the catalog within ${options.barrierTimeoutMs} ms`)
      try {
        const asked = this.#leader?.readBarrier() ?? this.#link?.readBarrier()
        if (asked !== undefined) {
          const sequence = await withTimeout(asked, clock, leftMs)
          if (sequence !== undefined && (await this.replica.waitFor(sequence, clock, leftMs, this.#closing.signal)))
            return
          continue
        }
      } catch (error) {
        if (!isFloeError(error) || this.#parts.peers === undefined) throw error
      }
      await this.#roleChanged.wait(clock, Math.min(leftMs, options.seekIntervalMs), this.#closing.signal)
    }
  }

  /** A connection that another process of the cluster made to this one. */
  async accept(connection: PeerConnection): Promise<void> {
    const { clock, random, log, peers, options } = this.#parts
    if (peers === undefined) return connection.close('this process is in no cluster')
    const identity = { secret: peers.secret, clusterId: this.replica.state.clusterId, instanceId: this.instanceId }
    const parts = { ...identity, connection, clock, random, timeoutMs: options.connectTimeoutMs }
    const instanceId = await tryHandshake(() => acceptHandshake(parts), connection)
    if (instanceId instanceof FloeError) {
      if (instanceId.kind === 'fenced') log.warn(instanceId.message, { code: instanceId.code })
    } else if (this.#feed === undefined) connection.close('this process does not lead')
    else this.#feed.serve(connection, instanceId)
  }

  // ── Seeking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #run(): Promise<void> {
    const { clock, log, options } = this.#parts
    let lastHeardMs = clock.monotonicMs()
    while (!this.#closing.signal.aborted && this.#failure === undefined) {
      try {
        const before = this.replica.position.sequence
        if ((await readOn(this.replica, this.#reading)) === 'behind') {
          await this.#reload()
          continue
        }
        if (this.replica.position.sequence > before) lastHeardMs = clock.monotonicMs()
        const end = await this.#followLeader()
        if (this.#closing.signal.aborted) return
        lastHeardMs = Math.max(lastHeardMs, end.lastHeardMs)
        if (end.why === 'behind' || (end.why === 'failed' && end.error?.kind !== 'unavailable')) {
          log.warn('the catalog is loaded again', { reason: end.reason })
          await this.#reload()
          continue
        }
        const silentMs = clock.monotonicMs() - lastHeardMs
        const isGone = end.why === 'resigned' || silentMs >= options.leaderTimeoutMs
        if (this.#parts.peers?.mayLead === true && isGone) await this.#tryToLead()
        else if (silentMs >= options.leaderTimeoutMs) {
          // Perhaps others lead, and what would tell of them was trimmed.
          lastHeardMs = clock.monotonicMs()
          if (await isBehindTrim(this.#reading.store, this.replica.position.sequence)) await this.#reload()
        } else await clock.sleep(options.seekIntervalMs, this.#closing.signal)
      } catch (error) {
        const isPassing = isFloeError(error, 'unavailable') || isFloeError(error, 'exhausted')
        if (!isPassing) return this.#giveUp(asFailure(error))
        log.warn('the catalog cannot be reached; trying again', { reason: errorMessage(error) })
        await clock.sleep(options.seekIntervalMs * 4, this.#closing.signal)
      }
    }
  }

  /** The replica starts from the newest snapshot again. */
  async #reload(): Promise<void> {
    const { clock, options } = this.#parts
    const loaded = await loadReplica(this.#reading)
    if (loaded === undefined || loaded === 'restart') {
      await clock.sleep(options.seekIntervalMs, this.#closing.signal)
      return
    }
    if ((await readOn(loaded, this.#reading)) === 'behind') return
    if (loaded.position.sequence >= this.replica.position.sequence) this.replica.replace(loaded.state, loaded.position)
  }

  // ── Following ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Follows the leader that the journal names, until that ends. */
  async #followLeader(): Promise<LinkEnd> {
    const { clock, log, peers, options } = this.#parts
    const { leaderAddress } = this.replica.position
    const unheard = Number.NEGATIVE_INFINITY
    const gone = (reason: string): LinkEnd => ({ why: 'resigned', reason, lastHeardMs: unheard })
    if (peers === undefined || leaderAddress === '' || leaderAddress === peers.address) return gone('nobody else leads')
    const connection = await this.#connect(leaderAddress)
    if (connection === 'refused') return gone(`nobody listens at ${leaderAddress}`)
    if (connection === undefined)
      return { why: 'silent', reason: `${leaderAddress} is not reached`, lastHeardMs: unheard }
    const link = new LeaderLink({
      connection,
      replica: this.replica,
      reading: this.#reading,
      clock,
      leaderTimeoutMs: options.leaderTimeoutMs,
      onFollowing: () => {
        log.info('following the leader of the catalog', { leader: leaderAddress, epoch: this.replica.position.epoch })
        this.#link = link
        this.session.setSink(link)
        this.#enter('following')
      },
    })
    const stop = (): void => link.close('this process ends')
    this.#closing.signal.addEventListener('abort', stop)
    const end = await link.run()
    this.#closing.signal.removeEventListener('abort', stop)
    this.#link = undefined
    this.session.setSink(undefined)
    if (this.#role === 'following') {
      if (!this.#closing.signal.aborted)
        log.warn('the leader of the catalog was lost', { leader: leaderAddress, reason: end.reason })
      this.#enter('seeking')
    }
    return end
  }

  /** A connection on which both sides are recognised. Undefined: it is not reached. */
  async #connect(address: string): Promise<PeerConnection | 'refused' | undefined> {
    const { clock, random, log, peers, options } = this.#parts
    if (peers === undefined) return undefined
    let connection: PeerConnection
    try {
      connection = await peers.network.connect(address, options.connectTimeoutMs)
    } catch (error) {
      return isFloeError(error) && error.code === 'peer-not-listening' ? 'refused' : undefined
    }
    const identity = { secret: peers.secret, clusterId: this.replica.state.clusterId, instanceId: this.instanceId }
    const parts = { ...identity, connection, clock, random, timeoutMs: options.connectTimeoutMs }
    const error = await tryHandshake(() => dialHandshake(parts), connection)
    if (!(error instanceof FloeError)) return connection
    if (error.code === 'peer-is-self') return 'refused'
    if (error.kind === 'fenced') log.warn(error.message, { code: error.code, leader: address })
    return undefined
  }

  // ── Leading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Seals the epoch if nobody else comes first, and leads until that ends. */
  async #tryToLead(): Promise<void> {
    const { clock, random, peers, options } = this.#parts
    const { takeOverDelayMs, appendTimeoutMs } = options
    const before = this.replica.position.sequence
    if (before > 1) {
      await clock.sleep(takeOverDelayMs * (1 + random.fraction()), this.#closing.signal)
      if ((await readOn(this.replica, this.#reading)) === 'behind') return this.#reload()
      // Somebody is alive after all.
      if (this.replica.position.sequence > before || this.#closing.signal.aborted) return
    }
    const claim = { writerId: random.bytes(16), address: peers!.address, appendTimeoutMs }
    const outcome = await takeLead(this.replica, { ...this.#reading, ...claim })
    if (outcome === 'behind') return this.#reload()
    if (outcome === 'read on') return
    const lost = Promise.withResolvers<FloeError>()
    this.#beginToLead(lost.resolve)
    const error = await Promise.race([lost.promise, aborted(this.#closing.signal)])
    if (error === undefined) return
    this.#endToLead(error.message)
    if (error.kind === 'internal') this.#giveUp(error)
  }

  #beginToLead(onLost: (error: FloeError) => void): void {
    const { journal, store, clock, log, options } = this.#parts
    const keeper = new SnapshotKeeper(journal, store, clock, log, options)
    const leader = new Leader({ journal, store, clock, log }, this.replica, options, {
      onBatch: parts => {
        feed.onEntry(parts)
        keeper.onEntry(this.replica)
      },
      onLost: error => {
        log.warn('this process no longer leads the catalog', { code: error.code, problem: error.message })
        onLost(error)
      },
    })
    const feed = new FollowerFeed(leader, clock, log, followerFeedDefaults)
    this.#keeper = keeper
    this.#leader = leader
    this.#feed = feed
    log.debug('leading the catalog', { epoch: this.replica.position.epoch })
    this.session.setSink(leader)
    this.#monitor = new NodeMonitor({
      replica: this.replica,
      session: this.session,
      ownInstanceId: this.instanceId,
      lastHeardMs: instanceId => feed.lastHeardMs(instanceId),
      clock,
      log,
      nodeTimeoutMs: options.nodeTimeoutMs,
      isAlone: this.#parts.peers === undefined,
    })
    this.#levelRaiser = new FormatLevelRaiser({
      replica: this.replica,
      session: this.session,
      clock,
      log,
      delayMs: options.formatLevelDelayMs,
    })
    this.#enter('leading')
  }

  #endToLead(reason: string): void {
    this.session.setSink(undefined)
    this.#stopWatches()
    this.#feed?.end(reason)
    this.#leader = undefined
    this.#keeper = undefined
    this.#feed = undefined
    this.#enter('seeking')
  }

  #stopWatches(): void {
    this.#monitor?.stop()
    this.#levelRaiser?.stop()
  }

  #enter(role: NodeRole): void {
    this.#role = role
    this.#roleChanged.notify()
  }

  /** This process may not go on. */
  #giveUp(error: FloeError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#stopWatches()
    this.session.close(error)
    this.replica.wake()
    this.#roleChanged.notify()
    this.#parts.onLost(error)
  }

  /** Answers what was submitted, refuses what comes later, and, if it leads, lets the others lead. */
  async close(): Promise<void> {
    const closed = new FloeError('unavailable', 'catalog-closed', 'the catalog of this process was closed')
    const leader = this.#leader
    const keeper = this.#keeper
    if (leader !== undefined && leader.failure === undefined) {
      leader.stop(closed)
      await leader.drain()
      await keeper?.close(this.replica)
    }
    this.#stopWatches()
    this.#failure ??= closed
    this.session.close(this.#failure)
    this.#closing.abort()
    await this.#running
    this.#feed?.end('this process ends')
  }
}

function noLeader(message: string): FloeError {
  return new FloeError('unavailable', 'catalog-no-leader', message)
}

function asFailure(cause: unknown): FloeError {
  if (isFloeError(cause)) return cause
  return new FloeError('internal', 'catalog-defect', 'the catalog stopped on a defect', {}, cause)
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** Undefined at the time-out. */
async function withTimeout<T>(promise: Promise<T>, clock: Clock, timeoutMs: number): Promise<T | undefined> {
  const answered = new AbortController()
  try {
    return await Promise.race([promise, clock.sleep(timeoutMs, answered.signal).then(() => undefined)])
  } finally {
    answered.abort()
  }
}
