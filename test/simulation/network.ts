/**
 * The network between hosts: messages and bytes arrive in order and late, hosts can be cut off from each other, and a crashed host's
 * connections end, or just say nothing any more, as when its power went.
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

  heal(): void {
    this.#cuts.clear()
    for (const retry of this.#waiting.splice(0)) retry()
  }

  reaches(from: Host, to: Host): boolean {
    return !this.#cuts.has(`${from.name} ${to.name}`)
  }

  /** Calls `run` at the other host once what was sent there arrives: after what was sent before, and not while they are cut off. */
  carry(from: Host, to: Host, notBeforeMs: number, run: () => void): number {
    const { latencyMsMax } = this.#options
    const atMs = Math.max(notBeforeMs, this.#world.nowMs + this.#world.random.fraction() * latencyMsMax)
    this.#world.schedule(atMs - this.#world.nowMs, () => {
      const arrive = (): void => {
        if (this.reaches(from, to)) to.deliver(run)
        else this.#waiting.push(arrive)
      }
      arrive()
    })
    return atMs
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

class Connection implements PeerConnection {
  readonly #network: Network
  readonly #host: Host
  readonly #peer: Host
  other: Connection | undefined
  readonly #early: Uint8Array[] = []
  #listener: ((message: Uint8Array) => void) | undefined
  readonly #closers: ((reason: string) => void)[] = []
  #closed: string | undefined
  #arrivesMs = 0

  constructor(network: Network, host: Host, peer: Host) {
    this.#network = network
    this.#host = host
    this.#peer = peer
    host.onCrash(() => {
      this.#closed ??= 'crashed'
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
    this.#arrivesMs = this.#network.carry(this.#host, this.#peer, this.#arrivesMs, run)
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
    for (const closer of this.#closers) closer(reason)
  }
}

class Stream extends Duplex {
  readonly #network: Network
  readonly #host: Host
  readonly #peer: Host
  other: Stream | undefined
  #arrivesMs = 0
  #isOver = false

  constructor(network: Network, host: Host, peer: Host) {
    super({ allowHalfOpen: false })
    this.#network = network
    this.#host = host
    this.#peer = peer
    this.on('error', () => {})
    host.onCrash(() => {
      this.#isOver = true
      if (network.isCrashTold()) this.#carry(() => this.other?.finish())
    })
  }

  #carry(run: () => void): void {
    this.#arrivesMs = this.#network.carry(this.#host, this.#peer, this.#arrivesMs, run)
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
    if (!this.#isOver) {
      this.#isOver = true
      this.#carry(() => this.other?.finish())
    }
    done(error)
  }
}
