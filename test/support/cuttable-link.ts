/** A TCP way to a server on loopback that a test can cut and mend: what a network does, without needing rights to change one. */
import { createConnection, createServer, type Socket } from 'node:net'

export type LinkState =
  | 'open'
  /** Connections that there are end, new ones are refused at once. */
  | 'refused'
  /** Nothing arrives, on connections old and new, and nobody is told. What was sent arrives when the link is open again, as with TCP. */
  | 'silent'

export class CuttableLink {
  readonly port: number
  readonly #server: ReturnType<typeof createServer>
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #state: LinkState = 'open'

  private constructor(server: ReturnType<typeof createServer>, port: number) {
    this.#server = server
    this.port = port
  }

  static async to(targetPort: number): Promise<CuttableLink> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const link = new CuttableLink(server, typeof address === 'object' && address !== null ? address.port : 0)
    server.on('connection', near => link.#connect(near, targetPort))
    return link
  }

  get state(): LinkState {
    return this.#state
  }

  set state(state: LinkState) {
    this.#state = state
    for (const pair of this.#pairs) {
      for (const socket of pair) {
        if (state === 'silent') socket.pause()
        else if (state === 'refused') socket.destroy()
        else socket.resume()
      }
    }
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  #connect(near: Socket, targetPort: number): void {
    near.on('error', () => {})
    if (this.#state === 'refused') {
      near.destroy()
      return
    }
    const far = createConnection({ host: '127.0.0.1', port: targetPort, noDelay: true })
    far.on('error', () => near.destroy())
    const pair = [near, far] as const
    this.#pairs.add(pair)
    near.setNoDelay(true)
    near.on('data', chunk => far.write(chunk))
    far.on('data', chunk => near.write(chunk))
    const end = (): void => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on('close', end)
    far.on('close', end)
    if (this.#state === 'silent') for (const socket of pair) socket.pause()
  }
}
