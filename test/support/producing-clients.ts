/**
 * Ordinary clients that produce numbered records for as long as they are told, idempotent and with acks=all, through whatever
 * happens to the server. A send that fails for good leaves its records open (they may be there or not), and a new session goes
 * on with records of its own: what a careful application does.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'
import { Kafka, type Producer as KafkajsProducer, logLevel } from 'kafkajs'
import { numberedValue, type RecordLedger, type SentRecord } from './record-ledger.ts'

export interface ProducingOptions {
  /** `host:port`, several with commas between. */
  readonly address: string
  readonly ledger: RecordLedger
  readonly topics: readonly { readonly topic: string; readonly partitionCount: number }[]
  /** Records of one send. */
  readonly sendCount?: number
  readonly pauseMs?: number
}

export interface ProducingClient {
  /** Finishes what is under way; every acknowledgement is in the ledger afterwards. */
  stop(): Promise<void>
}

interface Session {
  send(records: readonly SentRecord[], session: string): Promise<void>
  close(): Promise<void>
}

/** One of each kind that is there. */
export function startProducing(options: Omit<ProducingOptions, 'sendCount'>): ProducingClient[] {
  const clients = [startPlatformatic(options), startKafkajs(options)]
  if (hasKcat()) clients.push(startKcat({ ...options, sendCount: 10 }))
  return clients
}

export function startPlatformatic(options: ProducingOptions): ProducingClient {
  return startLoop('platformatic', options, async () => {
    const producer = new Producer({
      clientId: 'platformatic',
      bootstrapBrokers: options.address.split(','),
      serializers: stringSerializers,
      idempotent: true,
      retries: 400,
      retryDelay: 50,
      timeout: 10_000,
      connectTimeout: 2_000,
    })
    return {
      async send(records, session) {
        const messages = records.map(({ topic, partition, n }) => ({
          topic,
          partition,
          key: session,
          value: numberedValue(topic, session, n),
        }))
        await producer.send({ messages, acks: ProduceAcks.ALL })
      },
      close: async () => {
        await producer.close()
      },
    }
  })
}

export function startKafkajs(options: ProducingOptions): ProducingClient {
  const kafka = new Kafka({
    clientId: 'kafkajs',
    brokers: options.address.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  })
  return startLoop('kafkajs', options, async () => {
    const producer: KafkajsProducer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    return {
      async send(records, session) {
        // One partition at a time: when a request to several brokers is tried again, kafkajs 2.2.4 takes a partition for written if
        // its new leader had answered for others (src/producer/sendMessages.js), whoever the broker is.
        const byPartition = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`)
        for (const group of byPartition.values()) {
          const { topic, partition } = group[0]!
          const messages = group.map(({ n }) => ({ partition, key: session, value: numberedValue(topic, session, n) }))
          await producer.send({ acks: -1, topic, messages })
        }
      },
      close: () => producer.disconnect(),
    }
  })
}

function startLoop(client: string, options: ProducingOptions, open: () => Promise<Session>): ProducingClient {
  const { ledger, topics, sendCount = 40, pauseMs = 15 } = options
  const places = topics.flatMap(({ topic, partitionCount }) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
  )
  let stopped = false

  const runSession = async (): Promise<void> => {
    const producer = await open()
    const session = ledger.openSession(client)
    const nextByTopic = new Map<string, number>()
    try {
      for (let round = 0; !stopped; round++) {
        const records: SentRecord[] = []
        for (let index = 0; index < sendCount; index++) {
          const { topic, partition } = places[(round * 7 + index) % places.length]!
          const n = nextByTopic.get(topic) ?? 0
          nextByTopic.set(topic, n + 1)
          records.push({ topic, partition, n })
          ledger.noteSent(topic, session, 1)
        }
        await producer.send(records, session)
        for (const { topic, partition, n } of records) ledger.noteAcknowledged(topic, session, n, partition)
        await sleep(pauseMs)
      }
    } finally {
      await producer.close().catch(() => {})
    }
  }

  const done = (async () => {
    while (!stopped) {
      try {
        await runSession()
      } catch {
        ledger.refusedCount++
        await sleep(50)
      }
    }
  })()
  return {
    async stop() {
      stopped = true
      await done
    },
  }
}

function hasKcat(): boolean {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    process.stdout.write('kcat is not installed (scripts/peers/install.sh kcat): the other clients go without it\n')
    return false
  }
}

const kcatKeyCount = 5

/**
 * kcat (librdkafka): one session that lives through everything. It ends with exit code 0 only when every record was
 * acknowledged.
 */
function startKcat(options: ProducingOptions): ProducingClient {
  const { address, ledger, topics, sendCount = 40, pauseMs = 15 } = options
  const session = ledger.openSession('kcat')
  const settings = [
    'enable.idempotence=true',
    'message.timeout.ms=0',
    'linger.ms=5',
    'socket.timeout.ms=10000',
    'reconnect.backoff.ms=20',
    'reconnect.backoff.max.ms=300',
  ]
  const settingArguments = settings.flatMap(setting => ['-X', setting])
  const children = topics.map(({ topic }) => {
    const child = spawn('kcat', ['-P', '-E', '-b', address, '-t', topic, '-K', '\t', ...settingArguments], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    return { topic, child, stderr: collect(child), exited: once(child, 'exit') }
  })
  let stopped = false
  const done = (async () => {
    const counts = topics.map(() => 0)
    while (!stopped) {
      for (const [index, { topic, child }] of children.entries()) {
        const lines: string[] = []
        for (let each = 0; each < sendCount; each++) {
          // Several keys, so several partitions.
          const n = counts[index]!++
          lines.push(`${session}/${n % kcatKeyCount}\t${numberedValue(topic, session, n)}`)
        }
        ledger.noteSent(topic, session, lines.length)
        child.stdin?.write(`${lines.join('\n')}\n`)
      }
      await sleep(pauseMs)
    }
    for (const [index, { topic, child, exited, stderr }] of children.entries()) {
      child.stdin?.end()
      const [code] = await exited
      if (code !== 0) throw new Error(`kcat ended with ${code}: ${stderr()}`)
      for (let n = 0; n < counts[index]!; n++) ledger.noteAcknowledged(topic, session, n, -1)
    }
  })()
  done.catch(() => {})
  return {
    async stop() {
      stopped = true
      await done
    },
  }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text = `${text}${chunk}`.slice(-4_000)
  })
  return () => text
}
