/**
 * A producer that sends numbered records, one request at a time, to any agent. An idempotent one tries again elsewhere when it is not
 * answered: what a careful client does. A plain one never tries again, so that whatever is there twice was doubled by Floe. What it was
 * told is in the ledger.
 */
import { buildBatch } from '../../kafka/records/build.ts'
import type { TestClient } from '../support/in-memory-broker.ts'
import { numberedValue, type RecordLedger } from '../support/record-ledger.ts'
import type { FloeHost } from './floe-host.ts'
import { ModelClient } from './model-client.ts'
import type { World } from './world.ts'

export interface ModelProducerParts {
  readonly world: World
  readonly name: string
  readonly isIdempotent: boolean
  /** How long it waits between two requests at most. */
  readonly pauseMsMax: number
  readonly ledger: RecordLedger
  readonly hosts: readonly FloeHost[]
  readonly topics: readonly { readonly topic: string; readonly partitionCount: number }[]
}

/** Kafka error codes after which the same batch may be sent again. */
const retriable = new Set([3, 5, 6, 7, 8, 13, 14, 15, 16, 56, 59])

export class ModelProducer {
  readonly #parts: ModelProducerParts
  readonly #client: ModelClient
  #producerId = -1n
  #session = ''
  readonly #sequences = new Map<string, number>()
  readonly #numbers = new Map<string, number>()
  #isStopping = false
  readonly done: Promise<void>
  isDone = false

  constructor(parts: ModelProducerParts) {
    this.#parts = parts
    this.#client = new ModelClient(parts.world, parts.name)
    this.done = this.#run().then(() => {
      this.isDone = true
    })
  }

  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world, topics, pauseMsMax } = this.#parts
    await this.#openSession()
    while (!this.#isStopping) {
      const { topic, partitionCount } = world.pick(topics)
      if (!(await this.#produce(topic, world.between(0, partitionCount - 1), world.between(1, 5))))
        await this.#openSession()
      await this.#client.sleep(world.random.fraction() * pauseMsMax)
    }
  }

  async #openSession(): Promise<void> {
    const { ledger, name, isIdempotent } = this.#parts
    this.#producerId = -1n
    while (isIdempotent && this.#producerId < 0n) {
      const answer = await this.#call(client =>
        client.call('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1_000 }, 4),
      )
      if (answer?.errorCode === 0) this.#producerId = answer.producerId
    }
    this.#session = ledger.openSession(name)
    this.#sequences.clear()
    this.#numbers.clear()
  }

  /** False: the session is over, and what became of the records is not known. */
  async #produce(topic: string, partition: number, count: number): Promise<boolean> {
    const { ledger, world, isIdempotent } = this.#parts
    const place = `${topic}/${partition}`
    const sequence = this.#sequences.get(place) ?? 0
    const first = this.#numbers.get(topic) ?? 0
    this.#numbers.set(topic, first + count)
    ledger.noteSent(topic, this.#session, count)
    const records = Array.from({ length: count }, (_, index) => ({
      key: Buffer.from(this.#session),
      value: Buffer.from(numberedValue(topic, this.#session, first + index)),
      timestampMs: BigInt(Math.floor(world.wallMs)),
    }))
    const batch = buildBatch(records, {
      codec: world.pick(['none', 'gzip', 'zstd', 'lz4'] as const),
      ...(isIdempotent ? { producerId: this.#producerId, producerEpoch: 0, baseSequence: sequence } : {}),
    })
    for (;;) {
      const answer = await this.#call(client =>
        client.call(
          'Produce',
          {
            transactionalId: null,
            acks: -1,
            timeoutMs: 30_000,
            topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
          },
          9,
        ),
      )
      const outcome = answer?.responses[0]?.partitionResponses[0]
      if (outcome?.errorCode === 0) {
        for (let index = 0; index < count; index++)
          ledger.noteAcknowledged(topic, this.#session, first + index, partition)
        this.#sequences.set(place, sequence + count)
        return true
      }
      if (outcome !== undefined && !retriable.has(outcome.errorCode)) {
        world.note(`${this.#parts.name} was refused with ${outcome.errorCode}`)
        ledger.refusedCount++
        return false
      }
      if (!isIdempotent) return false
      await this.#client.sleep(20 + world.random.fraction() * 80)
    }
  }

  #call<T>(make: (client: TestClient) => Promise<T>): Promise<T | undefined> {
    return this.#client.call(this.#parts.hosts, make)
  }
}
