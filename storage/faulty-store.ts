/**
 * A store that fails on purpose, for tests and simulations. Under a seeded Random and a virtual clock the same calls meet the
 * same faults. It only does what a real store or network may do to a correct client; with no probabilities and no script it is
 * the wrapped store.
 *
 *   failBefore         throws unavailable, nothing was done
 *   unknownNotApplied  put-if-absent answers `unknown`, nothing was done
 *   lostAnswer         done, but the caller sees unavailable (put-if-absent: `unknown`)
 *   late               the caller sees the same as with lostAnswer, and the write lands some time later, after writes that were
 *                      made since: what a connection does that stalls with the request in it
 *   diskFull           throws exhausted, nothing was done
 *   shortPage          a list page with fewer objects than there are; `next` goes on from there
 *   corruptBytes       get returns one byte changed
 *   truncatedBytes     get returns fewer bytes
 *
 * A delay may come on top, before the request and before its answer.
 */
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { copyBody } from './object-body.ts'
import type {
  ByteRange,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  WriteOutcome,
} from './object-store.ts'

export type StoreOperation =
  | 'put'
  | 'putIfAbsent'
  | 'get'
  | 'head'
  | 'list'
  | 'delete'
  | 'startMultipart'
  | 'writePart'
  | 'complete'
  | 'abort'

const reads: readonly StoreOperation[] = ['get', 'head', 'list']
const simpleWrites: readonly StoreOperation[] = ['put', 'putIfAbsent', 'delete']
const multipartWrites: readonly StoreOperation[] = ['startMultipart', 'writePart', 'complete', 'abort']
const everything: readonly StoreOperation[] = [...reads, ...simpleWrites, ...multipartWrites]

/** Which operations each fault can befall. */
const faultOperations = {
  failBefore: everything,
  unknownNotApplied: ['putIfAbsent'],
  lostAnswer: everything,
  late: simpleWrites,
  diskFull: ['put', 'putIfAbsent', 'startMultipart', 'writePart', 'complete'],
  shortPage: ['list'],
  corruptBytes: ['get'],
  truncatedBytes: ['get'],
} as const satisfies Record<string, readonly StoreOperation[]>

export type StoreFault = keyof typeof faultOperations
export const storeFaults: readonly StoreFault[] = [
  'failBefore',
  'unknownNotApplied',
  'lostAnswer',
  'late',
  'diskFull',
  'shortPage',
  'corruptBytes',
  'truncatedBytes',
]

export interface FaultOptions {
  /** For each fault, how probable it is for a call that it can befall, from 0 to 1. A call meets at most one. */
  readonly probabilities?: Readonly<Partial<Record<StoreFault, number>>>
  readonly delayProbability?: number
  readonly delayMsMax?: number
  /** How long a late write stays on its way at most. */
  readonly lateMsMax?: number
}

export interface ScriptedFault {
  readonly fault: StoreFault
  readonly operation: StoreOperation
  /** Matches the key; the prefix for list; any of the keys for delete. */
  readonly key: RegExp
  /** Befalls the nth matching call from now on, counted from 1, once; the next one where another fault comes first. */
  readonly nth?: number
}

export interface FaultyStoreParts {
  readonly clock: Clock
  readonly random: Random
  /** Asked of each fault that chance or script would inject now; false spares the call. */
  readonly permits?: (fault: StoreFault, operation: StoreOperation, key: string) => boolean
}

export class FaultyStore implements ObjectStore {
  readonly uri: string
  /** How often each fault was injected, as `operation fault`, so that a test can prove it tested something. */
  readonly injectedCounts = new Map<string, number>()
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #random: Random
  readonly #permits: FaultyStoreParts['permits']
  #options: FaultOptions
  #script: { readonly step: ScriptedFault; left: number }[] = []
  readonly #late = new Set<Promise<void>>()

  constructor(store: ObjectStore, { clock, random, permits }: FaultyStoreParts, options: FaultOptions = {}) {
    this.uri = store.uri
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#permits = permits
    this.#options = options
  }

  /** From now on. `{}` heals the store, apart from what is scripted. */
  setOptions(options: FaultOptions): void {
    this.#options = options
  }

  script(...steps: ScriptedFault[]): void {
    for (const step of steps) {
      if (!canBefall(step.fault, step.operation)) {
        throw new FloeError('invalid', 'fault-impossible', `fault ${step.fault} cannot befall ${step.operation}`)
      }
      this.#script.push({ step, left: step.nth ?? 1 })
    }
  }

  /** How many scripted faults have not come up yet. */
  get scriptedCountLeft(): number {
    return this.#script.length
  }

  /** Resolves when no late write is on its way. */
  async settleLateWrites(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late)
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    await this.#run(
      'put',
      [key],
      () => this.#store.put(key, body),
      () => this.#copyThen(body, copy => this.#store.put(key, copy)),
    )
  }

  /** Meets the faults of `put`. */
  async putOwned(key: string, body: ObjectBody): Promise<void> {
    await this.#run(
      'put',
      [key],
      () => this.#store.putOwned(key, body),
      () => this.#copyThen(body, copy => this.#store.putOwned(key, copy)),
    )
  }

  async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
    const write = (): Promise<WriteOutcome> => this.#store.putIfAbsent(key, body)
    const late = (): (() => Promise<unknown>) => this.#copyThen(body, copy => this.#store.putIfAbsent(key, copy))
    return this.#run('putIfAbsent', [key], write, late, fault =>
      fault === 'lostAnswer' || fault === 'late' || fault === 'unknownNotApplied' ? 'unknown' : undefined,
    )
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    let spoil: StoreFault | undefined
    const bytes = await this.#run(
      'get',
      [key],
      () => this.#store.get(key, range),
      undefined,
      undefined,
      fault => {
        spoil = fault
      },
    )
    if (spoil === undefined || bytes === undefined || bytes.length === 0) return bytes
    const at = Math.floor(this.#random.fraction() * bytes.length)
    if (spoil === 'truncatedBytes') return bytes.slice(0, at)
    bytes[at] = bytes[at]! ^ (1 << Math.floor(this.#random.fraction() * 8))
    return bytes
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return this.#run('head', [key], () => this.#store.head(key))
  }

  async list(prefix: string, after?: string): Promise<ObjectPage> {
    let short = false
    const page = await this.#run(
      'list',
      [prefix],
      () => this.#store.list(prefix, after),
      undefined,
      undefined,
      () => {
        short = true
      },
    )
    if (!short || page.objects.length < 2) return page
    const objects = page.objects.slice(0, 1 + Math.floor(this.#random.fraction() * (page.objects.length - 1)))
    return { objects, next: objects.at(-1)!.key }
  }

  async delete(keys: readonly string[]): Promise<void> {
    const copy = [...keys]
    await this.#run(
      'delete',
      copy,
      () => this.#store.delete(copy),
      () => () => this.#store.delete(copy),
    )
  }

  async startMultipart(key: string): Promise<MultipartUpload> {
    const upload = await this.#run('startMultipart', [key], () => this.#store.startMultipart(key))
    return {
      writePart: body => this.#run('writePart', [key], () => upload.writePart(body)),
      complete: () => this.#run('complete', [key], () => upload.complete()),
      abort: () => this.#run('abort', [key], () => upload.abort()),
    }
  }

  /**
   * late    makes the write that lands later, from what is copied now
   * answer  what the caller gets in place of an error
   * spoil   told of a fault that changes the answer of a call that otherwise succeeds
   */
  async #run<T>(
    operation: StoreOperation,
    keys: readonly string[],
    call: () => Promise<T>,
    late?: () => () => Promise<unknown>,
    answer?: (fault: StoreFault) => T | undefined,
    spoil?: (fault: StoreFault) => void,
  ): Promise<T> {
    const drawn = this.#pickFault(operation, keys)
    const isSpared = drawn !== undefined && this.#permits?.(drawn, operation, keys[0] ?? '') === false
    const fault = isSpared ? undefined : drawn
    await this.#delay()
    if (fault === undefined) return this.#answerSlowly(call)
    const counted = `${operation} ${fault}`
    this.injectedCounts.set(counted, (this.injectedCounts.get(counted) ?? 0) + 1)
    switch (fault) {
      case 'shortPage':
      case 'corruptBytes':
      case 'truncatedBytes':
        spoil?.(fault)
        return this.#answerSlowly(call)
      case 'lostAnswer':
        await this.#answerSlowly(call)
        break
      case 'late':
        if (late !== undefined) this.#startLate(late())
        break
      case 'diskFull':
        throw new FloeError('exhausted', 'disk-full', `injected: ${operation} ${keys[0] ?? ''}: the disk is full`)
      case 'failBefore':
      case 'unknownNotApplied':
        break
    }
    const instead = answer?.(fault)
    if (instead !== undefined) return instead
    throw new FloeError('unavailable', 'injected-fault', `injected: ${operation} ${keys[0] ?? ''}: ${fault}`)
  }

  async #answerSlowly<T>(call: () => Promise<T>): Promise<T> {
    const answer = await call()
    await this.#delay()
    return answer
  }

  async #delay(): Promise<void> {
    const { delayProbability = 0, delayMsMax = 100 } = this.#options
    if (delayProbability === 0 || this.#random.fraction() >= delayProbability) return
    await this.#clock.sleep(this.#random.fraction() * delayMsMax)
  }

  #copyThen(body: ObjectBody, write: (copy: Uint8Array) => Promise<unknown>): () => Promise<unknown> {
    const copy = copyBody(body)
    return () => write(copy)
  }

  #startLate(write: () => Promise<unknown>): void {
    const delayMs = this.#random.fraction() * (this.#options.lateMsMax ?? 1_000)
    const landing = this.#clock.sleep(delayMs).then(write)
    // Nobody waits for the answer of a request whose connection is gone.
    const settled = landing.then(
      () => {},
      () => {},
    )
    this.#late.add(settled)
    settled.then(() => this.#late.delete(settled))
  }

  #pickFault(operation: StoreOperation, keys: readonly string[]): StoreFault | undefined {
    const matching = this.#script.filter(
      ({ step }) => step.operation === operation && keys.some(key => step.key.test(key)),
    )
    for (const entry of matching) entry.left--
    const due = matching.find(entry => entry.left <= 0)
    if (due !== undefined) {
      this.#script = this.#script.filter(entry => entry !== due)
      return due.step.fault
    }
    const { probabilities } = this.#options
    if (probabilities === undefined) return undefined
    let draw = this.#random.fraction()
    for (const fault of storeFaults) {
      if (!canBefall(fault, operation)) continue
      const probability = probabilities[fault] ?? 0
      if (draw < probability) return fault
      draw -= probability
    }
    return undefined
  }
}

function canBefall(fault: StoreFault, operation: StoreOperation): boolean {
  const operations: readonly StoreOperation[] = faultOperations[fault]
  return operations.includes(operation)
}
