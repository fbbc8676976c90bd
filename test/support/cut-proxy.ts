/** A TCP proxy on loopback that cuts connections: as they stand, or with the answer to what was just sent on swallowed. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CutProxy {
  readonly port: number
  /** Ends every connection at once. */
  cut(): void
  /** What clients send from now on arrives; the first answer to it is swallowed and its connection ended. Returns when that was. */
  swallowNextAnswer(): Promise<void>
  stop(): Promise<void>
}

export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  let swallow: (() => void) | undefined
  const server = createServer(client => {
    const upstream = connect(targetPort, '127.0.0.1')
    let hasAsked = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on('data', bytes => {
      hasAsked = swallow !== undefined
      upstream.write(bytes)
    })
    upstream.on('data', bytes => {
      if (swallow === undefined || !hasAsked) {
        client.write(bytes)
        return
      }
      swallow()
      swallow = undefined
      end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    swallowNextAnswer: () =>
      new Promise(resolve => {
        swallow = resolve
      }),
    async stop() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
