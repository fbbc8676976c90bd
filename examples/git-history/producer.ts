/**
 * Sends a stream of changed files to one topic per format, each record acknowledged by all replicas and written once
 * (idempotent producer), in the order of history per path: the path is the key.
 *
 * While one batch is under way the next one fills. When that is full too the stream is not read, so that memory holds two
 * batches whatever the length of the history. One batch at a time is also what keeps the sequence numbers of kafkajs's
 * idempotent producer in order.
 */

import { Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { createEncoder, type Encode, type FormatName } from './formats.ts'
import type { ChangedFile, HistoryPart } from './git-log.ts'

/** Per topic and batch; below the 1 MiB that Kafka takes per partition by default, even if all keys go to one partition. */
const batchBytesMax = 640 * 1024
/** What Kafka adds to key and value, at most. */
const recordOverheadBytes = 32

export interface ProduceOptions {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  readonly formats: readonly FormatName[]
  /** Of topics that do not exist yet. */
  readonly partitionCount: number
  /** After each acknowledged batch. */
  readonly onProgress?: (totals: ProduceTotals) => void
}

export interface ProduceTotals {
  readonly commitCount: number
  /** Acknowledged in every topic. */
  readonly fileCount: number
  readonly recordCount: number
  readonly valueBytes: number
}

export function nameTopic(prefix: string, format: FormatName): string {
  return `${prefix}-${format}`
}

export async function produceHistory(
  history: AsyncIterable<HistoryPart>,
  options: ProduceOptions,
): Promise<ProduceTotals> {
  const kafka = new Kafka({
    clientId: 'git-history',
    brokers: [...options.brokers],
    // A batch is given up only when the broker is gone for good, about two minutes.
    retry: { retries: 12, initialRetryTime: 200, maxRetryTime: 15_000 },
    logLevel: logLevel.NOTHING,
  })
  await createTopics(kafka, options)
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    const sender = new Sender(producer, options)
    await sender.sendAll(history)
    return sender.totals
  } finally {
    await producer.disconnect()
  }
}

async function createTopics(kafka: Kafka, options: ProduceOptions): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    // Topics that exist already stay as they are.
    await admin.createTopics({
      waitForLeaders: true,
      topics: options.formats.map(format => ({
        topic: nameTopic(options.topicPrefix, format),
        numPartitions: options.partitionCount,
        replicationFactor: -1,
      })),
    })
  } finally {
    await admin.disconnect()
  }
}

class Sender {
  totals: ProduceTotals = { commitCount: 0, fileCount: 0, recordCount: 0, valueBytes: 0 }
  #batch: Batch
  /** The batch that is being sent, until it is acknowledged or has failed. Never rejects. */
  #underWay: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #producer: Producer
  readonly #options: ProduceOptions

  constructor(producer: Producer, options: ProduceOptions) {
    this.#producer = producer
    this.#options = options
    this.#batch = new Batch(options)
  }

  async sendAll(history: AsyncIterable<HistoryPart>): Promise<void> {
    let commitCount = 0
    for await (const part of history) {
      for (const file of part.files) {
        if (this.#batch.isFull) await this.#settle()
        this.#batch.add(file)
        if (this.#batch.isFull) this.#sendIfIdle()
      }
      commitCount = part.commitCount
      this.#batch.commitCount = commitCount
      this.#sendIfIdle()
    }
    while (this.#underWay !== undefined) await this.#settle()
    this.totals = { ...this.totals, commitCount }
  }

  /** Waits until the batch under way is done; then the next one is on its way and the one to fill is empty. */
  async #settle(): Promise<void> {
    await this.#underWay
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #sendIfIdle(): void {
    if (this.#underWay !== undefined || this.#failure !== undefined || this.#batch.fileCount === 0) return
    const batch = this.#batch
    this.#batch = new Batch(this.#options)
    this.#underWay = this.#send(batch).then(() => {
      this.#underWay = undefined
      this.#sendIfIdle()
    })
  }

  async #send(batch: Batch): Promise<void> {
    try {
      const topicMessages = batch.topics.map(({ topic, messages }) => ({ topic, messages }))
      await this.#producer.sendBatch({ acks: -1, topicMessages })
      this.totals = {
        commitCount: Math.max(this.totals.commitCount, batch.commitCount),
        fileCount: this.totals.fileCount + batch.fileCount,
        recordCount: this.totals.recordCount + batch.fileCount * batch.topics.length,
        valueBytes: this.totals.valueBytes + batch.valueBytes,
      }
      this.#options.onProgress?.(this.totals)
    } catch (error) {
      this.#failure = { error }
    }
  }
}

class Batch {
  readonly topics: { readonly topic: string; readonly encode: Encode; readonly messages: Message[]; bytes: number }[]
  /** Commits whose files are all in this batch or an earlier one. */
  commitCount = 0
  fileCount = 0
  valueBytes = 0
  isFull = false

  constructor(options: ProduceOptions) {
    this.topics = options.formats.map(format => ({
      topic: nameTopic(options.topicPrefix, format),
      encode: findEncoder(format),
      messages: [],
      bytes: 0,
    }))
  }

  add(file: ChangedFile): void {
    const key = Buffer.from(file.path)
    for (const topic of this.topics) {
      const value = topic.encode(file)
      topic.messages.push({ key, value })
      topic.bytes += key.length + value.length + recordOverheadBytes
      this.valueBytes += value.length
      if (topic.bytes >= batchBytesMax) this.isFull = true
    }
    this.fileCount++
  }
}

const encoders = new Map<FormatName, Encode>()

/** Compiled once: schemas are read from a file. */
function findEncoder(format: FormatName): Encode {
  const encode = encoders.get(format) ?? createEncoder(format)
  encoders.set(format, encode)
  return encode
}
