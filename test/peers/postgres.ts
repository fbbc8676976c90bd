/** PostgreSQL as a peer, on loopback, with a database of its own. */
import { readFileSync, rmSync } from 'node:fs'
import { launcher, makeTempDir } from './peers.ts'
import { freePorts, startServer, waitUntilReady } from './process.ts'

const READY_MS_MAX = 60_000
const PASSWORD = 'floe-secret'

export interface PostgresOptions {
  /** Kept after stop(); else a new one is removed. */
  readonly dataDir?: string
  readonly port?: number
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
}

export interface Postgres {
  /** `postgres://floe@127.0.0.1:port/postgres`, without the password. */
  readonly url: string
  readonly port: number
  readonly password: string
  readonly dataDir: string
  output(): string
  /** Signals the server with all that belongs to it, at once: SIGKILL is what it is when the machine loses power. */
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const script = launcher('postgres')
  const port = options.port ?? (await freePorts(1))[0]!
  const dataDir = options.dataDir ?? makeTempDir('postgres')
  const args = ['--port', `${port}`, '--data', dataDir]
  if (options.tls !== undefined) args.push('--tls-cert', options.tls.certFile, '--tls-key', options.tls.keyFile)
  const server = startServer(script, args, { FLOE_POSTGRES_PASSWORD: PASSWORD })
  const isReady = (): boolean => server.output().includes('database system is ready to accept connections')
  await waitUntilReady('PostgreSQL', server, isReady, READY_MS_MAX)
  return {
    url: `postgres://floe@127.0.0.1:${port}/postgres`,
    port,
    password: PASSWORD,
    dataDir,
    output: server.output,
    kill(signal) {
      if (server.exited()) return
      // Its processes are in groups of their own, and would finish what they are at. Stopped first, it begins no others meanwhile.
      server.kill('SIGSTOP')
      const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
      for (const pid of children.split(' ').filter(Boolean)) signalIfThere(Number(pid), signal)
      server.kill(signal)
    },
    async stop() {
      // SIGINT to the postmaster is a fast shutdown: connections are closed, nothing is lost.
      server.kill('SIGINT')
      await server.stop(10_000)
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
