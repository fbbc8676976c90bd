/**
 * Connections between the processes of a cluster over WebSockets (RFC 6455): each message is one binary message there. With TLS both
 * sides show certificates of one authority; without, the handshake of the catalog still keeps strangers out
 * (catalog/node/handshake.ts), but what is said can be read on the way.
 */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { peerMessageBytesMax } from '../../catalog/node/peer-messages.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { PeerConnection, PeerNetwork } from '../../core/peer-connection.ts'
import { explainListenError, type Listener } from './listen.ts'

export interface PeerTls {
  /** PEM texts. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const path = '/floe/catalog'
const options = { perMessageDeflate: false, maxPayload: peerMessageBytesMax } as const

/** errors  invalid `listen-failed` */
export async function listenPeers(
  hostname: string,
  port: number,
  tls: PeerTls | undefined,
  onConnection: (connection: PeerConnection) => void,
): Promise<Listener> {
  const server =
    tls === undefined ? createServer() : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true })
  server.on('request', (_request, response) => response.writeHead(404).end())
  const sockets = new WebSocketServer({ server, path, ...options })
  sockets.on('connection', (socket, request) => {
    onConnection(wrap(socket, `${request.socket.remoteAddress}:${request.socket.remotePort}`))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(explainListenError(error, hostname, port, 'cluster')))
    server.listen(port, hostname, resolve)
  })
  // Errors after this are a connection's own, and told to it.
  sockets.on('error', () => {})
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop() {
      sockets.close()
      server.close()
      for (const socket of sockets.clients) socket.terminate()
    },
  }
}

export function createPeerNetwork(tls: PeerTls | undefined): PeerNetwork {
  return {
    connect(address, timeoutMs) {
      return new Promise((resolve, reject) => {
        const url = `${tls === undefined ? 'ws' : 'wss'}://${address}${path}`
        const socket = new WebSocket(url, { handshakeTimeout: timeoutMs, ...options, ...tls })
        socket.once('open', () => {
          socket.off('error', fail)
          resolve(wrap(socket, address))
        })
        socket.once('error', fail)
        function fail(error: Error): void {
          const isNobody = 'code' in error && error.code === 'ECONNREFUSED'
          const code = isNobody ? 'peer-not-listening' : 'peer-unreachable'
          reject(new FloeError('unavailable', code, `${address} is not reached: ${errorMessage(error)}`, {}, error))
        }
      })
    },
  }
}

function wrap(socket: WebSocket, remote: string): PeerConnection {
  const early: Uint8Array[] = []
  let onMessage: ((message: Uint8Array) => void) | undefined
  const onClose: ((reason: string) => void)[] = []
  let closed: string | undefined
  const close = (reason: string): void => {
    if (closed !== undefined) return
    closed = reason
    for (const listener of onClose) listener(reason)
  }
  socket.on('message', (data: RawData) => {
    const message = toBytes(data)
    if (onMessage === undefined) early.push(message)
    else onMessage(message)
  })
  socket.on('error', error => close(errorMessage(error)))
  socket.on('close', (_code, reason) => close(reason.toString() || 'the other side closed the connection'))
  return {
    remote,
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    send(parts) {
      if (socket.readyState !== WebSocket.OPEN) return
      for (const [index, part] of parts.entries()) socket.send(part, { binary: true, fin: index === parts.length - 1 })
    },
    onMessage(listener) {
      onMessage = listener
      for (const message of early.splice(0)) listener(message)
    },
    onClose(listener) {
      if (closed === undefined) onClose.push(listener)
      else listener(closed)
    },
    close(reason) {
      if (closed !== undefined) return
      // A close reason has 123 bytes at most.
      socket.close(1000, Buffer.from(reason).subarray(0, 100).toString())
      const timer = setTimeout(() => socket.terminate(), closeMsMax)
      timer.unref()
      socket.once('close', () => clearTimeout(timer))
      close(reason)
    },
  }
}

/** How long the other side may take to agree to the end. */
const closeMsMax = 1_000

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
