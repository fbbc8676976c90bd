/**
 * Builders on worker threads. A builder stays on the thread it was created on, the one with the fewest builders then.
 *
 *   - Memory in flight is bounded by its callers: a builder takes one append at a time, and the caller waits for the answer.
 *   - A thread that dies fails every call under way with `internal`, and later calls of its builders too; builders created
 *     afterwards get a new thread. Nothing is lost: what was not committed is read again.
 */
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { Thread, ThreadFactory } from '../../core/threads.ts'
import type { AsyncTableFileBuilder, BuilderPool } from './builder-pool.ts'
import type { AppendInput, AppendResult, BuiltFiles, TableFileBuilderConfig } from './builder-types.ts'
import { listOwnedBuffers, type WorkerRequest, type WorkerResponse } from './messages.ts'

export const builderThreadEntry = new URL('./thread.ts', import.meta.url)

/** `entry`: the module each thread runs, builderThreadEntry unless it was bundled elsewhere. */
export function createWorkerPool(
  threads: ThreadFactory,
  workerCount: number,
  entry: URL = builderThreadEntry,
): BuilderPool {
  const workers: (BuilderWorker | undefined)[] = Array.from({ length: workerCount }, () => undefined)
  let isClosed = false

  const pickWorker = (): BuilderWorker => {
    let picked = 0
    for (let index = 0; index < workerCount; index++) {
      const candidate = workers[index]
      if (candidate === undefined || candidate.isDead) {
        workers[index] = new BuilderWorker(threads.start(entry, `floe-builder-${index}`))
      }
      if (workers[index]!.builderCount < workers[picked]!.builderCount) picked = index
    }
    return workers[picked]!
  }

  return {
    workerCount,
    createBuilder(config) {
      if (isClosed) throw new FloeError('internal', 'builder-pool-closed', 'the builder pool is closed')
      return new RemoteBuilder(pickWorker(), config)
    },
    async close() {
      isClosed = true
      await Promise.all(workers.map(worker => worker?.end()))
    },
  }
}

interface PendingRequest {
  readonly resolve: (response: WorkerResponse) => void
  readonly reject: (error: unknown) => void
}

class BuilderWorker {
  readonly #thread: Thread
  readonly #pending = new Map<number, PendingRequest>()
  #lastRequest = 0
  #lastBuilder = 0
  #death: FloeError | undefined
  builderCount = 0

  constructor(thread: Thread) {
    this.#thread = thread
    thread.onMessage(message => this.#settle(message as WorkerResponse))
    thread.onExit(cause => this.#die(cause))
  }

  get isDead(): boolean {
    return this.#death !== undefined
  }

  nextBuilder(): number {
    return ++this.#lastBuilder
  }

  async request(
    message: WithoutRequest<WorkerRequest>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<WorkerResponse> {
    if (this.#death !== undefined) throw this.#death
    const request = ++this.#lastRequest
    return await new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject })
      this.#thread.post({ ...message, request }, transfer)
    })
  }

  #settle(response: WorkerResponse): void {
    const pending = this.#pending.get(response.request)
    this.#pending.delete(response.request)
    if (response.kind !== 'failed') {
      pending?.resolve(response)
      return
    }
    const { errorKind, code, message, context } = response.error
    pending?.reject(new FloeError(errorKind, code, message, context))
  }

  #die(cause: unknown): void {
    const why = cause === undefined ? 'the builder pool was closed' : `a builder thread died: ${errorMessage(cause)}`
    this.#death = new FloeError('internal', 'builder-thread-ended', why, {}, cause)
    for (const { reject } of this.#pending.values()) reject(this.#death)
    this.#pending.clear()
  }

  async end(): Promise<void> {
    await this.#thread.end()
  }
}

/** Distributes over the union, which Omit alone would not. */
type WithoutRequest<T> = T extends unknown ? Omit<T, 'request'> : never

class RemoteBuilder implements AsyncTableFileBuilder {
  readonly #worker: BuilderWorker
  readonly #builder: number
  /** Settles when the builder exists, or could not be made. */
  readonly #created: Promise<unknown>
  #isDiscarded = false

  constructor(worker: BuilderWorker, config: TableFileBuilderConfig) {
    this.#worker = worker
    this.#builder = worker.nextBuilder()
    worker.builderCount++
    this.#created = worker.request({ kind: 'create', builder: this.#builder, config })
    // Told by the first call that follows.
    this.#created.catch(() => {})
  }

  async append(input: AppendInput): Promise<AppendResult> {
    await this.#created
    // Posting a view clones all the memory behind it; a copy of the view alone can be handed over.
    const isWhole = listOwnedBuffers([input.batches]).length > 0
    const batches = isWhole ? input.batches : new Uint8Array(input.batches)
    const message = { kind: 'append', builder: this.#builder, input: { ...input, batches } } as const
    const response = await this.#worker.request(message, listOwnedBuffers([batches]))
    if (response.kind !== 'appended') throw unexpected(response)
    return response.result
  }

  async finish(): Promise<BuiltFiles> {
    await this.#created
    const response = await this.#worker.request({ kind: 'finish', builder: this.#builder })
    if (response.kind !== 'finished') throw unexpected(response)
    return response.built
  }

  async discard(): Promise<void> {
    if (this.#isDiscarded) return
    this.#isDiscarded = true
    this.#worker.builderCount--
    if (this.#worker.isDead) return
    try {
      await this.#worker.request({ kind: 'discard', builder: this.#builder })
    } catch {
      // The thread died meanwhile, and the builder with it.
    }
  }
}

function unexpected(response: WorkerResponse): FloeError {
  return new FloeError('internal', 'builder-answer', `a builder thread answered ${response.kind}`)
}
