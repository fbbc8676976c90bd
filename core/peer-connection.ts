/**
 * Connections between Floe's own processes, as a parameter: whole messages in order, real sockets in `bin/`, a simulated network
 * in tests.
 */
export interface PeerConnection {
  /** For logs: who is at the other end. */
  readonly remote: string
  /** Messages sent and not yet on their way, in bytes: a sender that may fall behind looks at it. */
  readonly bufferedBytes: number
  /** One message, made of parts in order, which are not changed afterwards. After the end it does nothing. */
  send(parts: readonly Uint8Array[]): void
  /** The listener owns the bytes. Messages that came before it was set are delivered to it. */
  onMessage(listener: (message: Uint8Array) => void): void
  /** Called once: `reason` says in a few words why, also when this end closed it. */
  onClose(listener: (reason: string) => void): void
  /** Idempotent. What was sent before is still delivered when the network lets it. */
  close(reason: string): void
}

export interface PeerNetwork {
  /** errors  unavailable: nobody answers at the address, or not in time */
  connect(address: string, timeoutMs: number): Promise<PeerConnection>
}
