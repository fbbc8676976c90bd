/** A TCP way to a server on loopback that a test can cut and mend: what a network does, without needing rights to change one. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export type LinkState =
  | 'open'
  /** Connections that there are end, new ones are refused at once. */
  | 'refused'
  /** Nothing arrives, on connections old and new, and nobody is told. What was sent arrives when the link is open again, as with TCP. */
  | 'silent'

export class CuttableLink {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #state: LinkState = 'open'
  #swallow: (() => void) | undefined

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async to(targetPort: number): Promise<CuttableLink> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const link = new CuttableLink(server)
    server.on('connection', client => link.#connect(client, targetPort))
    return link
  }

  set state(state: LinkState) {
    this.#state = state
    if (state === 'refused') this.cut()
    for (const socket of this.#sockets) {
      if (state === 'silent') socket.pause()
      else socket.resume()
    }
  }

  /** Ends every connection at once; new ones are as the state has it. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** What clients send from now on arrives; the first answer to it is swallowed and its connection ended. Resolves when that was. */
  swallowNextAnswer(): Promise<void> {
    return new Promise(resolve => {
      this.#swallow = resolve
    })
  }

  async close(): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #connect(client: Socket, targetPort: number): void {
    client.on('error', () => {})
    if (this.#state === 'refused') {
      client.destroy()
      return
    }
    const upstream = connect(targetPort, '127.0.0.1')
    let hasAsked = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    client.on('data', bytes => {
      hasAsked = this.#swallow !== undefined
      upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      if (this.#swallow === undefined || !hasAsked) {
        client.write(bytes)
        return
      }
      this.#swallow()
      this.#swallow = undefined
      end()
    })
    if (this.#state === 'silent') for (const socket of [client, upstream]) socket.pause()
  }
}
