/**
 * The network between hosts: what is sent over a connection arrives in order and late. Hosts can be cut off from each other, a
 * connection can stall in one direction or be torn with all that is under way on it, and a crashed host's connections end, or just say
 * nothing any more, as when its power went. Whoever gives a stalled connection up and sends again over a new one has sent twice, and
 * what was sent first arrives last: duplicates and other orders are made of that, as over TCP.
 */
import { Duplex } from 'node:stream'
import { FloeError } from '../../core/errors.ts'
import type { PeerConnection, PeerNetwork } from '../../core/peer-connection.ts'
import type { Host } from './host.ts'
import type { World } from './world.ts'

export interface NetworkOptions {
  readonly latencyMsMax: number
  /** How probable it is that nobody is told when a host crashes. */
  readonly silentCrash: number
}

export class Network {
  readonly #world: World
  readonly #options: NetworkOptions
  readonly #listeners = new Map<
    string,
    { readonly host: Host; readonly accept: (connection: PeerConnection) => void }
  >()
  /** `a b` and `b a` for hosts that do not reach each other. */
  readonly #cuts = new Set<string>()
  #waiting: (() => void)[] = []
  /** Of connections and streams, while both ends are open. */
  readonly #lines = new Set<Line>()
  readonly #names = new Set<string>()

  constructor(world: World, options: NetworkOptions) {
    this.#world = world
    this.#options = options
  }

  listen(host: Host, accept: (connection: PeerConnection) => void): void {
    this.#listeners.set(host.name, { host, accept })
    host.onCrash(() => {
      if (this.#listeners.get(host.name)?.host === host) this.#listeners.delete(host.name)
    })
  }

  cut(left: string, right: string): void {
    this.#cuts.add(`${left} ${right}`).add(`${right} ${left}`)
  }

  join(left: string, right: string): void {
    this.#cuts.delete(`${left} ${right}`)
    this.#cuts.delete(`${right} ${left}`)
    for (const retry of this.#waiting.splice(0)) retry()
  }

  heal(): void {
    this.#cuts.clear()
    for (const retry of this.#waiting.splice(0)) retry()
    for (const line of this.#lines) line.stalledUntilMs = 0
  }

  /** Whoever was ever on it. */
  names(): readonly string[] {
    return [...this.#names]
  }

  /** One direction of a connection stands still. Returns whether there was one. */
  stall(forMs: number): boolean {
    if (this.#lines.size === 0) return false
    const line = this.#world.pick([...this.#lines])
    if (!this.#world.fault(`what ${line.from.name} sends to ${line.to.name} stalls for ${forMs} ms`)) return false
    line.stalledUntilMs = this.#world.nowMs + forMs
    return true
  }

  /** A connection is torn: both ends hear of it, and nothing that is under way arrives. Returns whether there was one. */
  reset(): boolean {
    if (this.#lines.size === 0) return false
    const line = this.#world.pick([...this.#lines])
    if (!this.#world.fault(`a connection of ${line.from.name} to ${line.to.name} is torn`)) return false
    line.tear()
    return true
  }

  /** All connections of a host are torn. */
  tearAll(host: Host): void {
    for (const line of [...this.#lines]) if (line.from === host || line.to === host) line.tear()
  }

  /** A direction of a new connection. */
  openLine(from: Host, to: Host, tear: () => void): Line {
    this.#names.add(from.name).add(to.name)
    const line = { from, to, tear, stalledUntilMs: 0, arrivesMs: 0, isTorn: false }
    this.#lines.add(line)
    return line
  }

  closeLine(line: Line): void {
    this.#lines.delete(line)
  }

  reaches(from: Host, to: Host): boolean {
    return !this.#cuts.has(`${from.name} ${to.name}`)
  }

  /** Calls `run` at the other end once what is sent there now arrives: after what was sent before, and not while it is held up. */
  carry(line: Line, run: () => void): void {
    const { latencyMsMax } = this.#options
    line.arrivesMs = Math.max(line.arrivesMs, this.#world.nowMs + this.#world.random.fraction() * latencyMsMax)
    const arrive = (): void => {
      if (line.isTorn) return
      const stalledMs = line.stalledUntilMs - this.#world.nowMs
      if (stalledMs > 0) this.#world.schedule(stalledMs, arrive)
      else if (this.reaches(line.from, line.to)) line.to.deliver(run)
      else this.#waiting.push(arrive)
    }
    this.#world.schedule(line.arrivesMs - this.#world.nowMs, arrive)
  }

  isCrashTold(): boolean {
    return !this.#world.chance(this.#options.silentCrash)
  }

  from(host: Host): PeerNetwork {
    return {
      connect: (address, timeoutMs) => host.gate(this.#connect(host, address, timeoutMs)),
    }
  }

  async #connect(host: Host, address: string, timeoutMs: number): Promise<PeerConnection> {
    await this.#world.delay(this.#world.random.fraction() * this.#options.latencyMsMax)
    const listener = this.#listeners.get(address)
    if (listener !== undefined && !this.reaches(host, listener.host)) {
      await this.#world.delay(timeoutMs)
      throw new FloeError('unavailable', 'peer-unreachable', `${address} does not answer`)
    }
    if (listener === undefined) {
      throw new FloeError('unavailable', 'peer-not-listening', `nobody listens at ${address}`)
    }
    const near = new Connection(this, host, listener.host)
    const far = new Connection(this, listener.host, host)
    near.other = far
    far.other = near
    listener.host.deliver(() => listener.accept(far))
    return near
  }

  /** A stream of bytes to a host, for clients that speak Kafka's protocol. */
  openStream(client: Host, server: Host): { readonly near: Duplex; readonly far: Duplex } {
    const near = new Stream(this, client, server)
    const far = new Stream(this, server, client)
    near.other = far
    far.other = near
    return { near, far }
  }
}

/** One direction of a connection. */
interface Line {
  readonly from: Host
  readonly to: Host
  /** Tears both directions. */
  readonly tear: () => void
  stalledUntilMs: number
  arrivesMs: number
  isTorn: boolean
}

class Connection implements PeerConnection {
  readonly #network: Network
  readonly #peer: Host
  readonly #line: Line
  other: Connection | undefined
  readonly #early: Uint8Array[] = []
  #listener: ((message: Uint8Array) => void) | undefined
  readonly #closers: ((reason: string) => void)[] = []
  #closed: string | undefined

  constructor(network: Network, host: Host, peer: Host) {
    this.#network = network
    this.#peer = peer
    this.#line = network.openLine(host, peer, () => {
      this.tear()
      this.other?.tear()
    })
    host.onCrash(() => {
      if (this.#closed !== undefined) return
      this.#closed = 'crashed'
      network.closeLine(this.#line)
      if (network.isCrashTold()) this.#carry(() => this.other?.end('the other side is gone'))
    })
  }

  get remote(): string {
    return this.#peer.name
  }
  get bufferedBytes(): number {
    return 0
  }

  #carry(run: () => void): void {
    this.#network.carry(this.#line, run)
  }

  tear(): void {
    this.#line.isTorn = true
    this.#line.from.deliver(() => this.end('the connection was reset'))
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#closed !== undefined) return
    const message = new Uint8Array(Buffer.concat(parts))
    this.#carry(() => this.other?.receive(message))
  }

  receive(message: Uint8Array): void {
    if (this.#closed !== undefined) return
    if (this.#listener === undefined) this.#early.push(message)
    else this.#listener(message)
  }

  onMessage(listener: (message: Uint8Array) => void): void {
    this.#listener = listener
    for (const message of this.#early.splice(0)) listener(message)
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#closed === undefined) this.#closers.push(listener)
    else listener(this.#closed)
  }

  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#carry(() => this.other?.end(reason))
    this.end(reason)
  }

  end(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#network.closeLine(this.#line)
    for (const closer of this.#closers) closer(reason)
  }
}

class Stream extends Duplex {
  readonly #network: Network
  readonly #line: Line
  other: Stream | undefined
  #isOver = false

  constructor(network: Network, host: Host, peer: Host) {
    super({ allowHalfOpen: false })
    this.#network = network
    this.#line = network.openLine(host, peer, () => {
      this.tear()
      this.other?.tear()
    })
    this.on('error', () => {})
    host.onCrash(() => {
      if (this.#isOver) return
      this.#isOver = true
      network.closeLine(this.#line)
      if (network.isCrashTold()) this.#carry(() => this.other?.finish())
    })
  }

  #carry(run: () => void): void {
    this.#network.carry(this.#line, run)
  }

  tear(): void {
    this.#line.isTorn = true
    this.#line.from.deliver(() => this.finish())
  }

  finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.destroy()
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (!this.#isOver) {
      const copy = Buffer.from(chunk)
      this.#carry(() => {
        if (this.other !== undefined && !this.other.#isOver) this.other.push(copy)
      })
    }
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#network.closeLine(this.#line)
    if (!this.#isOver) {
      this.#isOver = true
      this.#carry(() => this.other?.finish())
    }
    done(error)
  }
}
