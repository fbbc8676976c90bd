/** What the broker knows about one connection while it lives. */
export interface Session {
  /** Address of the peer as text, for groups and logs. */
  readonly clientHost: string
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal
  /** True from the start when the broker asks for no authentication. */
  isAuthenticated: boolean
  /** User name, or `ANONYMOUS`. */
  principal: string
  /** SaslHandshake was answered: what comes next. `raw`: a v0 handshake, after which tokens come without Kafka headers. */
  sasl: 'none' | 'expects-authenticate' | 'expects-raw-token'
  clientSoftware: string
  /**
   * Ends when every earlier produce request of this connection has its batches in the flush buffer: batches of one producer must
   * enter it in the order they were sent.
   */
  produceTail: Promise<void>
}
