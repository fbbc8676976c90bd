import { setFlagsFromString } from 'node:v8'
import { parentPort, Worker } from 'node:worker_threads'

/** Threads as a parameter: `core/` alone touches worker_threads, and a test can run a worker's code without a thread. */
export interface ThreadPort {
  /** Structured clone; the buffers in `transfer` change owner. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  onMessage(listener: (message: unknown) => void): void
}

export interface Thread extends ThreadPort {
  /** Called once, when the thread has ended: undefined after `end`, otherwise what killed it. */
  onExit(listener: (cause: unknown) => void): void
  /** Stops it wherever it is. Idempotent. */
  end(): Promise<void>
}

export interface ThreadFactory {
  /** Starts the module at `entry`, which talks through `threadPort()`. */
  start(entry: URL, name: string): Thread
}

/**
 * A thread whose work is buffers has a heap of a few megabytes, and V8 collects all of it whenever garbage and buffers have grown
 * by about as much: several times a second. From here on they must reach this first. Buffers count, though large ones are given
 * back by hand (release-memory.ts), so little of it is ever resident.
 */
const threadHeapMegabytesMin = 96

export const nodeThreads: ThreadFactory = {
  start(entry, name) {
    // V8 looks at it when a heap is made; there is no such option for one thread.
    setFlagsFromString(`--initial-old-space-size=${threadHeapMegabytesMin}`)
    const worker = new Worker(entry, { name })
    let isEnding = false
    let cause: unknown
    worker.on('error', error => {
      cause = error
    })
    return {
      post: (message, transfer) => worker.postMessage(message, transfer === undefined ? [] : [...transfer]),
      onMessage: listener => {
        worker.on('message', listener)
      },
      onExit: listener => {
        worker.on('exit', code => {
          listener(isEnding ? undefined : (cause ?? new Error(`thread ${name} exited with code ${code}`)))
        })
      },
      async end() {
        isEnding = true
        await worker.terminate()
      },
    }
  },
}

/** The other end, inside a thread; undefined on the main thread. */
export function threadPort(): ThreadPort | undefined {
  const port = parentPort
  if (port === null) return undefined
  return {
    post: (message, transfer) => port.postMessage(message, transfer === undefined ? [] : [...transfer]),
    onMessage: listener => {
      port.on('message', listener)
    },
  }
}
