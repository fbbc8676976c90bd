/**
 * A broker over a memory store with connections that are duplex pairs: everything but sockets, in one process.
 */
import type { Duplex } from 'node:stream'
import { type Broker, createBroker } from '../../broker/broker.ts'
import type { BrokerOptions } from '../../broker/options.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { Membership } from '../../catalog/node/membership.ts'
import { openCatalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { type Log, silentLog } from '../../core/log.ts'
import { systemRandom } from '../../core/random.ts'
import { type ApiName, apis } from '../../kafka/api-keys.ts'
import { decodeResponse, encodeRequest, type RequestInput, type ResponseOutput } from '../../kafka/protocol/codec.ts'
import { FrameSplitter } from '../../kafka/protocol/framing.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { RangeCache } from '../../storage/range-cache.ts'
import { createCopyingPair } from './copying-pair.ts'
import { registerBroker } from './register-broker.ts'

export interface InMemoryBroker {
  readonly broker: Broker
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  /** What was logged, message and fields, warnings and errors only. */
  readonly complaints: string[]
  connect(): TestClient
  close(): Promise<void>
}

export interface InMemoryOptions extends Partial<BrokerOptions> {
  /** Puts something between broker and store; the catalog keeps the plain one. */
  readonly wrapStore?: (store: ObjectStore) => ObjectStore
  /** 0: nothing is cached, every read goes to the store. */
  readonly cacheBytesMax?: number
}

export async function startInMemoryBroker(options: InMemoryOptions = {}): Promise<InMemoryBroker> {
  const { wrapStore, cacheBytesMax = 16 * 1024 * 1024, ...brokerOptions } = options
  const parts = { clock: systemClock, random: systemRandom }
  const plain = new MemoryStore(systemClock)
  const catalog = await openCatalog({ store: plain, log: silentLog, ...parts })
  const complaints: string[] = []
  const complain = (message: string, fields: object = {}): void => {
    complaints.push([message, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' '))
  }
  const log: Log = { ...silentLog, warn: complain, error: complain, with: () => log }
  const store = wrapStore?.(plain) ?? plain
  const registration = await registerBroker(catalog, '127.0.0.1', 9092)
  const broker = createBroker({
    catalog: catalog.client,
    membership: new Membership(catalog.client, registration),
    store,
    cache: new RangeCache(store, { bytesMax: cacheBytesMax }),
    log,
    ...parts,
    options: { flushIntervalMs: 5, groupInitialRebalanceDelayMs: 0, ...brokerOptions },
  })
  return {
    broker,
    catalog: catalog.client,
    store,
    complaints,
    connect() {
      const [near, far] = createCopyingPair()
      broker.serveConnection(far, { clientHost: '10.0.0.1' })
      return new TestClient(near)
    },
    async close() {
      await broker.close()
      await registration.close(false)
      await catalog.close()
    },
  }
}

/** Speaks the protocol over one stream; answers are matched in order and their correlation ids checked. */
export class TestClient {
  readonly stream: Duplex
  readonly closed: Promise<void>
  readonly #splitter = new FrameSplitter()
  readonly #waiting: ((frame: Uint8Array | undefined) => void)[] = []
  readonly #frames: Uint8Array[] = []
  #isClosed = false
  #correlationId = 0

  constructor(stream: Duplex) {
    this.stream = stream
    this.closed = new Promise(resolve => {
      const finish = (): void => {
        this.#isClosed = true
        for (const wake of this.#waiting.splice(0)) wake(undefined)
        resolve()
      }
      stream.on('close', finish)
      stream.on('end', finish)
    })
    stream.on('error', () => {})
    stream.on('data', (chunk: Uint8Array) => {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) {
        const wake = this.#waiting.shift()
        if (wake === undefined) this.#frames.push(frame)
        else wake(frame)
      }
    })
  }

  /** Sends and waits for the answer; rejects when the connection ends first. */
  async call<A extends ApiName>(
    api: A,
    body: RequestInput<A>,
    version: number = apis[api].max,
  ): Promise<ResponseOutput<A>> {
    const { bytes, receive } = this.prepare(api, body, version)
    this.stream.write(bytes)
    return receive()
  }

  /** The bytes of a request, and what to call, in sending order, for its answer. */
  prepare<A extends ApiName>(
    api: A,
    body: RequestInput<A>,
    version: number = apis[api].max,
  ): { bytes: Buffer; receive: () => Promise<ResponseOutput<A>> } {
    const correlationId = ++this.#correlationId
    const bytes = Buffer.concat(encodeRequest(api, version, { correlationId, clientId: 'test' }, body))
    const receive = async (): Promise<ResponseOutput<A>> => {
      const frame = await this.receiveFrame()
      if (frame === undefined) throw new Error(`connection ended before the answer to ${api}`)
      const answer = decodeResponse(api, version, frame)
      if (answer.correlationId !== correlationId) {
        throw new Error(`answer ${answer.correlationId} came where ${correlationId} (${api}) was due`)
      }
      return answer.body
    }
    return { bytes, receive }
  }

  receiveFrame(): Promise<Uint8Array | undefined> {
    const frame = this.#frames.shift()
    if (frame !== undefined || this.#isClosed) return Promise.resolve(frame)
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
