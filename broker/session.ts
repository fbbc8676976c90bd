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
  /** A handler asks for the connection to end once its answer is written. */
  closeAfterAnswer: boolean
  /** Ends when every earlier request of this connection that must keep its order has entered its queue (`enterInOrder`). */
  orderTail: Promise<void>
}

/**
 * Runs `prepare` at once, then `enter` once every earlier request of the connection has entered: batches of one producer must
 * reach the flush buffer, and commits of one consumer the catalog, in the order they were sent, however long preparing takes.
 * `enter` must take its place before its first await.
 */
export async function enterInOrder<P, R>(
  session: Session,
  prepare: () => Promise<P>,
  enter: (prepared: P) => R,
): Promise<Awaited<R>> {
  const previous = session.orderTail
  const entered = Promise.withResolvers<void>()
  session.orderTail = entered.promise
  try {
    const prepared = await prepare()
    await previous
    const result = enter(prepared)
    entered.resolve()
    return await result
  } finally {
    // Also when preparing failed: those behind still wait for those before.
    previous.then(entered.resolve)
  }
}
