/**
 * Child processes for tests: each in its own process group, its output kept, stopped by id and never by name.
 *
 * A child that outlives its test would hold ports and memory of the next one, so whatever still runs when this process
 * exits is killed then. Readiness is always a condition that is looked at again and again until a deadline; when the
 * child ends early or the deadline passes, the error carries the end of its output.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const KEPT_OUTPUT_CHARS_MAX = 1 << 20
const SHOWN_OUTPUT_LINES_MAX = 40
const POLL_INTERVAL_MS = 50

const living = new Set<number>()
process.on('exit', () => {
  for (const group of living) signalGroup(group, 'SIGKILL')
})

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Ends the program when it passes; 300,000 by default. */
  readonly timeoutMs?: number
  /** A code other than 0 throws, unless this is false. */
  readonly check?: boolean
}

/** A server that runs until it is stopped. */
export interface Server {
  readonly pid: number
  /** The end of standard output and error, mixed as they came. */
  output(): string
  /** True once the process is gone. */
  exited(): boolean
  /** Signals the whole group at once and returns; for tests that kill. */
  kill(signal: NodeJS.Signals): void
  /** Ends the group, gently first, and waits until it is gone. */
  stop(graceMs?: number): Promise<void>
}

/** Runs a program to its end. Its output is text and complete. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(command, args, {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const group = track(child)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends before it has read its input is judged by its code, not by the broken pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  const timeoutMs = options.timeoutMs ?? 300_000
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    if (living.has(group)) signalGroup(group, 'SIGKILL')
  }, timeoutMs)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    const finished = {
      code: code ?? 128,
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
    }
    if (timedOut) throw new Error(`${command} ran longer than ${timeoutMs} ms\n${lastLines(finished.stderr)}`)
    if (finished.code !== 0 && options.check !== false) {
      const how = signal === null ? `code ${finished.code}` : signal
      throw new Error(`${[command, ...args].join(' ')} ended with ${how}\n${lastLines(finished.stderr)}`)
    }
    return finished
  } finally {
    clearTimeout(timer)
  }
}

/** Starts a server. Pair it with `waitUntilReady`. */
export function startServer(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Server {
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = track(child)
  let kept = ''
  const keep = (chunk: Buffer): void => {
    kept = (kept + chunk.toString('utf8')).slice(-KEPT_OUTPUT_CHARS_MAX)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', error => keep(Buffer.from(String(error))))
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    pid: group,
    output: () => kept,
    exited,
    kill: signal => {
      if (!exited()) signalGroup(group, signal)
    },
    async stop(graceMs = 15_000) {
      if (!exited()) {
        signalGroup(group, 'SIGTERM')
        const deadline = performance.now() + graceMs
        while (!exited() && performance.now() < deadline) await delay(POLL_INTERVAL_MS)
      }
      if (exited()) return
      const gone = once(child, 'exit')
      signalGroup(group, 'SIGKILL')
      await gone
    },
  }
}

/** Waits until `isReady` answers true; an error it throws counts as not yet. Stops the server when that never happens. */
export async function waitUntilReady(
  name: string,
  server: Server,
  isReady: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let lastError: unknown
  for (;;) {
    if (server.exited()) {
      await server.stop()
      throw new Error(`${name} ended before it was ready\n${lastLines(server.output())}`, { cause: lastError })
    }
    try {
      if (await isReady()) return
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) {
      await server.stop()
      throw new Error(`${name} was not ready after ${timeoutMs} ms\n${lastLines(server.output())}`, {
        cause: lastError,
      })
    }
    await delay(POLL_INTERVAL_MS)
  }
}

/** Ports on 127.0.0.1 that nobody listens on at this moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a listening server has no port')
    ports.push(address.port)
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return ports
}

function track(child: ChildProcess): number {
  // A program that could not be started has no id, and its 'error' event tells why. 2^31-1 is no process's id.
  const group = child.pid ?? 2 ** 31 - 1
  if (child.pid === undefined) return group
  living.add(group)
  child.on('exit', () => {
    // What the leader left behind goes with it, now: later the id could belong to somebody else.
    living.delete(group)
    signalGroup(group, 'SIGKILL')
  })
  return group
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-SHOWN_OUTPUT_LINES_MAX).join('\n')
}
