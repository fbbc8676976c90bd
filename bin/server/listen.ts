/** Listening sockets, and what goes wrong with them in plain words. */
import { createServer, type Server, type Socket } from 'node:net'
import { hostname as machineName } from 'node:os'
import { errorMessage, FloeError } from '../../core/errors.ts'

export interface Listener {
  /** The one listened on, also when 0 was asked for. */
  readonly port: number
  /** Takes no more connections; those there are stay. */
  stop(): void
}

/** `key` is the group of settings that names the port, for messages. */
export async function listenKafka(
  hostname: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const server: Server = createServer({ noDelay: true, keepAlive: true }, onConnection)
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(explainListenError(error, hostname, port, 'kafka')))
    server.listen(port, hostname, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () => server.close(),
  }
}

/** What others connect to when a listener takes every address. */
export function describeHost(hostname: string): string {
  return hostname === '0.0.0.0' || hostname === '::' ? machineName() : hostname
}

export function explainListenError(
  error: unknown,
  hostname: string,
  port: number,
  key: 'kafka' | 'http' | 'cluster',
): FloeError {
  const place = `${hostname}:${port}`
  const code = (error as NodeJS.ErrnoException).code
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `cannot listen on ${place}: another program does; stop it, or set ${key}.port`,
    EACCES: `cannot listen on ${place}: not allowed; set ${key}.port to one from 1024 up`,
    EADDRNOTAVAIL: `cannot listen on ${place}: this machine has no such address; set ${key}.hostname`,
    ENOTFOUND: `cannot listen on ${place}: there is no such host; set ${key}.hostname`,
  }
  const message = why[code ?? ''] ?? `cannot listen on ${place}: ${errorMessage(error)}`
  return new FloeError('invalid', 'listen-failed', message, { hostname, port }, error)
}
