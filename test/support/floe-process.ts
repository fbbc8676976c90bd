/**
 * `floe` as a process of its own: started, killed, started again.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const launcherOf = (checkout: string): string => join(checkout, 'bin/floe.js')
const stderrBytesMax = 4 * 1024 * 1024

export interface FloeProcess {
  readonly pid: number
  /** `host:port`, base URL, URI of the REST catalog and of the store, once it serves. */
  readonly kafka: string
  readonly http: string
  readonly icebergCatalog: string
  readonly store: string
  /** Log lines so far. */
  stderr(): string
  /** Ends it with a signal; resolves to exit code and signal once it is gone. */
  end(signal: NodeJS.Signals): Promise<Ended>
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ServeOptions {
  readonly configFile: string
  readonly env?: Readonly<Record<string, string>>
  /** SIGKILL after so long although it may not serve yet. */
  readonly killAfterMs?: number
  readonly readyMsMax?: number
  /** Whose Floe it is; this one when left out. */
  readonly checkout?: string
}

/** Resolves when it serves; to undefined when it was killed before. errors  it ended by itself, with what it said */
export async function serveFloe(options: ServeOptions): Promise<FloeProcess | undefined> {
  const { configFile, env = {}, killAfterMs, readyMsMax = 60_000, checkout = root } = options
  const child = spawn(process.execPath, [launcherOf(checkout), 'serve', '-c', configFile, '--json'], {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collectOutput(child)
  const ready = Promise.withResolvers<Pick<FloeProcess, 'kafka' | 'http' | 'icebergCatalog' | 'store'>>()
  child.stdout.on('data', () => {
    const line = /^\{.*\}\n/.exec(output.stdout())
    if (line !== null) ready.resolve(JSON.parse(line[0]))
  })
  const killTimer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const readyTimer = setTimeout(() => child.kill('SIGKILL'), readyMsMax)
  try {
    const outcome = await Promise.race([ready.promise, output.ended])
    if ('code' in outcome) {
      if (outcome.signal === 'SIGKILL' && killAfterMs !== undefined) return undefined
      throw new Error(`floe serve ended with ${outcome.code ?? outcome.signal}: ${outcome.stderr.slice(-2_000)}`)
    }
    return {
      pid: child.pid!,
      ...outcome,
      stderr: output.stderr,
      ended: output.ended,
      end(signal) {
        child.kill(signal)
        return output.ended
      },
    }
  } finally {
    clearTimeout(killTimer)
    clearTimeout(readyTimer)
  }
}

/** Runs a command to its end. */
export function runFloe(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [launcherOf(root), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return collectOutput(child).ended
}

function collectOutput(child: ChildProcess) {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-stderrBytesMax)
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { ended, stdout: () => stdout, stderr: () => stderr }
}

/** A loopback port that nobody listens on now. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
