/**
 * A producer that costs next to nothing: prebuilt record batches over one socket, so that a benchmark measures the broker and
 * not the client. Pipelined, at most `inFlightMax` requests.
 */
import { connect, type Socket } from 'node:net'
import { decodeResponse, encodeRequest } from '../../kafka/protocol/codec.ts'
import { FrameSplitter } from '../../kafka/protocol/framing.ts'

const produceVersion = 9
const frameBytesMax = 16 * 1024 * 1024

export interface ProducedPart {
  readonly topic: string
  readonly partition: number
  readonly batch: Uint8Array
}

export class RawProducer {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter({ frameBytesMax })
  readonly #inFlightMax: number
  readonly #waiters: (() => void)[] = []
  #inFlight = 0
  #correlationId = 0
  #failure: Error | undefined

  private constructor(socket: Socket, inFlightMax: number) {
    this.#socket = socket
    this.#inFlightMax = inFlightMax
    socket.on('data', chunk => {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next()) this.#onAnswer(frame)
    })
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the broker closed the connection')))
  }

  static open(host: string, port: number, inFlightMax = 8): Promise<RawProducer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawProducer(socket, inFlightMax))
      })
    })
  }

  /** Resolves when the request is on its way and fewer than `inFlightMax` are unanswered. */
  async send(parts: readonly ProducedPart[]): Promise<void> {
    const byTopic = Map.groupBy(parts, part => part.topic)
    const frame = encodeRequest(
      'Produce',
      produceVersion,
      { correlationId: this.#correlationId++, clientId: 'bench' },
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 30_000,
        topicData: [...byTopic].map(([name, group]) => ({
          name,
          partitionData: group.map(({ partition, batch }) => ({ index: partition, records: batch })),
        })),
      },
    )
    this.#inFlight++
    this.#socket.cork()
    for (const part of frame) this.#socket.write(part)
    this.#socket.uncork()
    await this.#until(() => this.#inFlight < this.#inFlightMax)
  }

  /** Resolves when everything is acknowledged. */
  async flush(): Promise<void> {
    await this.#until(() => this.#inFlight === 0)
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>(resolve => this.#waiters.push(resolve))
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  #onAnswer(frame: Uint8Array): void {
    const { body } = decodeResponse('Produce', produceVersion, frame)
    for (const { partitionResponses } of body.responses) {
      for (const { errorCode } of partitionResponses) {
        if (errorCode !== 0) this.#fail(new Error(`produce answered error ${errorCode}`))
      }
    }
    this.#inFlight--
    this.#wake()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }
}
