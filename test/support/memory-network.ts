/**
 * A network inside one process: messages arrive in order in a later turn, unless a link is cut. For tests of what processes say to
 * each other.
 */
import { FloeError } from '../../core/errors.ts'
import type { PeerConnection, PeerNetwork } from '../../core/peer-connection.ts'

type Accept = (connection: PeerConnection) => void

export class MemoryNetwork {
  readonly #listeners = new Map<string, Accept>()
  readonly #ends = new Set<End>()
  /** Hosts that neither hear nor are heard; connections to them hang. */
  readonly #silent = new Set<string>()

  /** The network as seen from a host. */
  from(host: string): PeerNetwork {
    return {
      connect: async (address, timeoutMs) => {
        await Promise.resolve()
        if (this.isSilent(host) || this.isSilent(address)) {
          await new Promise(resolve => setTimeout(resolve, timeoutMs))
          throw new FloeError('unavailable', 'peer-unreachable', `${address} does not answer`)
        }
        const accept = this.#listeners.get(address)
        if (accept === undefined) {
          throw new FloeError('unavailable', 'peer-not-listening', `nobody listens at ${address}`)
        }
        const near = new End(this, host, address)
        const far = new End(this, address, host)
        near.other = far
        far.other = near
        this.#ends.add(near)
        this.#ends.add(far)
        accept(far)
        return near
      },
    }
  }

  listen(address: string, accept: Accept): void {
    this.#listeners.set(address, accept)
  }

  /** What happens when the process of a host is killed: nobody listens any more, and its connections end. */
  kill(host: string): void {
    this.#listeners.delete(host)
    for (const end of [...this.#ends]) if (end.host === host) end.close('the process was killed')
  }

  /** Cuts a host off, or lets it back: what was said to it meanwhile arrives then. */
  setSilent(host: string, silent: boolean): void {
    if (silent) this.#silent.add(host)
    else this.#silent.delete(host)
    for (const end of this.#ends) end.deliver()
  }

  /** Tears the connections of a host: what is on its way to it does not arrive. */
  tear(host: string): void {
    for (const end of [...this.#ends]) {
      if (end.host !== host) continue
      end.close('the connection was reset')
    }
  }

  isSilent(host: string): boolean {
    return this.#silent.has(host)
  }

  forget(end: End): void {
    this.#ends.delete(end)
  }
}

class End implements PeerConnection {
  readonly #network: MemoryNetwork
  readonly host: string
  readonly remote: string
  other: End | undefined
  #inbox: Uint8Array[] = []
  #listener: ((message: Uint8Array) => void) | undefined
  readonly #closers: ((reason: string) => void)[] = []
  #closed: string | undefined
  #isTold = false

  constructor(network: MemoryNetwork, host: string, remote: string) {
    this.#network = network
    this.host = host
    this.remote = remote
  }

  get bufferedBytes(): number {
    return 0
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#closed !== undefined) return
    this.other?.receive(new Uint8Array(Buffer.concat(parts)))
  }

  receive(message: Uint8Array): void {
    this.#inbox.push(message)
    setImmediate(() => this.deliver())
  }

  deliver(): void {
    if (this.#network.isSilent(this.host) || this.#network.isSilent(this.remote)) return
    while (this.#listener !== undefined && this.#inbox.length > 0) this.#listener(this.#inbox.shift()!)
    if (this.#closed === undefined || this.#isTold || this.#inbox.length > 0) return
    this.#isTold = true
    this.#network.forget(this)
    for (const closer of this.#closers) closer(this.#closed)
  }

  onMessage(listener: (message: Uint8Array) => void): void {
    this.#listener = listener
    setImmediate(() => this.deliver())
  }

  onClose(listener: (reason: string) => void): void {
    this.#closers.push(listener)
  }

  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.other?.closeFromOther(reason)
    this.#inbox = []
    setImmediate(() => this.deliver())
  }

  closeFromOther(reason: string): void {
    this.#closed ??= reason
    setImmediate(() => this.deliver())
  }
}
