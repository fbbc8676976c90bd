/**
 * Several processes under one parent, `floe serve --processes N`: each runs on a core of its own, serves clients at a port of its
 * own, and is started again when it dies. They are an ordinary cluster over one store; without `cluster` in the configuration the
 * parent makes up a secret that only its children know.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { ServerOptions } from '../../config/server-options.ts'
import type { Log } from '../../core/log.ts'

export const processesMax = 256
const groupSecretEnv = 'FLOE_PROCESS_GROUP_SECRET'
const restartDelayMsFirst = 200
const restartDelayMsMax = 5_000
/** A process that ran so long died of something else than its start. */
const steadyMs = 30_000

/** The settings of one of the processes: the ports that are named count up from process to process. */
export function ofProcess(server: ServerOptions, index: number): ServerOptions {
  const shift = (port: number): number => (port === 0 ? 0 : port + index)
  const { kafka, http, cluster } = server
  const own = cluster ?? {
    secretEnv: groupSecretEnv,
    hostname: '127.0.0.1',
    port: 0,
    advertisedHostname: undefined,
    advertisedPort: undefined,
    tlsCaFile: undefined,
    tlsCertFile: undefined,
    tlsKeyFile: undefined,
  }
  return {
    ...server,
    kafka: {
      ...kafka,
      port: shift(kafka.port),
      advertisedPort: kafka.advertisedPort === undefined ? undefined : kafka.advertisedPort + index,
    },
    http: { ...http, port: shift(http.port) },
    cluster: {
      ...own,
      port: shift(own.port),
      advertisedPort: own.advertisedPort === undefined ? undefined : own.advertisedPort + index,
    },
  }
}

export interface ProcessGroup {
  /** What each process said when it was ready: the JSON object of `floe serve --json`. */
  readonly ready: Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Ends all of them. Resolves when they are gone. */
  stop(): Promise<void>
  /** Rejects when a process cannot even start for the first time. */
  readonly failed: Promise<never>
}

/** `command`: how to start one, to which `--process-index` and its number are added. */
export function startProcesses(count: number, command: readonly string[], log: Log): ProcessGroup {
  const environment = { ...process.env, [groupSecretEnv]: randomBytes(32).toString('hex') }
  const children = new Set<ChildProcess>()
  let isStopping = false
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})

  const start = (index: number, delayMs: number, onReady: (places: Record<string, unknown>) => void): void => {
    const startedMs = performance.now()
    const [program = '', ...args] = [...command, '--json', '--process-index', `${index}`]
    const child = spawn(program, args, { env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
    children.add(child)
    let isReady = false
    createInterface({ input: child.stdout! }).on('line', line => {
      if (isReady) return
      isReady = true
      onReady(JSON.parse(line))
    })
    child.on('error', error => failed.reject(error))
    child.on('exit', (code, signal) => {
      children.delete(child)
      if (isStopping) return
      if (!isReady && delayMs === 0) {
        failed.reject(new Error(`process ${index} ended with ${signal ?? `code ${code}`} before it was ready`))
        return
      }
      const isSteady = performance.now() - startedMs > steadyMs
      const nextMs = isSteady
        ? restartDelayMsFirst
        : Math.min(Math.max(delayMs * 2, restartDelayMsFirst), restartDelayMsMax)
      log.warn('a process ended and is started again', {
        process: index,
        code: code ?? undefined,
        signal: signal ?? undefined,
      })
      setTimeout(() => {
        if (!isStopping) start(index, nextMs, () => {})
      }, nextMs)
    })
  }

  const ready = Array.from(
    { length: count },
    (_, index) => new Promise<Record<string, unknown>>(resolve => start(index, 0, resolve)),
  )
  return {
    ready: Promise.all(ready),
    failed: failed.promise,
    async stop() {
      isStopping = true
      const ended = [...children].map(child => new Promise(resolve => child.once('exit', resolve)))
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(ended)
    },
  }
}
