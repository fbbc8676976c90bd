/**
 * Produces the sample records with an ordinary Kafka client, batch after batch, and waits until each batch is published; so it
 * is known which rows each of these versions holds.
 */
import { Kafka, logLevel } from 'kafkajs'
import { waitFor } from '../support/wait-for.ts'
import { columns, type SampleColumn, type SampleRow, scalar, struct } from './columns.ts'
import {
  avroEncoder,
  avroSchemaText,
  configFields,
  type Encoder,
  jsonEncoder,
  protoEncoder,
  protoText,
} from './encode.ts'
import type { FloeProcess } from './floe-process.ts'
import type { SampleTable } from './sample-tables.ts'

/** A published version in which the first `rowCount` rows stand. */
export interface SampleVersion {
  readonly rowCount: number
  /** Null for the version without data that a table begins with. */
  readonly snapshotId: string | null
  readonly deltaVersion: number
  /** The name of its metadata file. */
  readonly metadataFile: string
}

/** A table as readers should see it. */
export interface PublishedSample {
  readonly table: SampleTable
  /** With the provenance column. */
  readonly columns: readonly SampleColumn[]
  /** In the order they were produced, with their provenance. */
  readonly rows: readonly SampleRow[]
  readonly versions: readonly SampleVersion[]
  /** URI of the table's directory. */
  readonly location: string
}

const topicPartitions = 2
const publishedMsMax = 60_000
/** 2024-05-01T10:00:00Z. Batches are 40 minutes apart, so that they fall into several hours. */
const firstTimestampMs = 1_714_557_600_000
const batchIntervalMs = 2_400_000

/** The entry of `tables` in the configuration. */
export function tableConfig(table: SampleTable): object {
  const { name, format, columns: of, declaresColumns, partition } = table
  const inputSchema = format === 'avro' ? avroSchemaText(of) : format === 'protobuf' ? protoText(of) : undefined
  return {
    source_cluster_name: 'floe',
    source_topic: name,
    source_format: format,
    table_name: name,
    freshness: '100ms',
    ...(declaresColumns && { schema: { fields: configFields(of, format === 'json' ? ['k'] : []) } }),
    ...(inputSchema !== undefined && { input_schema: inputSchema }),
    ...partition,
  }
}

export const provenanceColumns = columns({
  floe: struct({
    partition: scalar('int'),
    offset: scalar('long'),
    timestamp: scalar('timestamptz'),
    key: scalar('binary'),
  }),
})

const encoders: Readonly<Record<SampleTable['format'], (of: readonly SampleColumn[]) => Encoder>> = {
  json: jsonEncoder,
  avro: avroEncoder,
  protobuf: protoEncoder,
}

export async function publishSamples(floe: FloeProcess, tables: readonly SampleTable[]): Promise<PublishedSample[]> {
  const kafka = new Kafka({ clientId: 'samples', brokers: [floe.kafka], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    topics: tables.map(({ name }) => ({ topic: name, numPartitions: topicPartitions, replicationFactor: 1 })),
  })
  await admin.disconnect()
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  const publishOne = async (table: SampleTable): Promise<PublishedSample> => {
    const encode = encoders[table.format](table.columns)
    const nextOffsets = new Array<bigint>(topicPartitions).fill(0n)
    const rows: SampleRow[] = []
    let shown = await waitUntilPublished(floe, table.name, 0)
    const versions: SampleVersion[] = [describeVersion(shown, 0)]
    for (const [batchIndex, batch] of table.batches.entries()) {
      const messages = batch.map((row, index) => {
        // The first batch goes to one partition only, the others to both.
        const partition = batchIndex === 0 ? 0 : index % topicPartitions
        const timestampMs = firstTimestampMs + batchIndex * batchIntervalMs + index
        const key = index % 3 === 2 ? null : Buffer.from(`key ${String(row.k)}`)
        const offset = nextOffsets[partition]!++
        rows.push({ ...row, floe: { partition, offset, timestamp: BigInt(timestampMs) * 1000n, key } })
        return { partition, key, value: encode(row), timestamp: String(timestampMs) }
      })
      await producer.send({ topic: table.name, acks: -1, messages })
      shown = await waitUntilPublished(floe, table.name, rows.length)
      versions.push(describeVersion(shown, rows.length))
    }
    const all = [...table.columns, ...provenanceColumns]
    return { table, columns: all, rows, versions, location: shown.location }
  }
  try {
    return await Promise.all(tables.map(publishOne))
  } finally {
    await producer.disconnect()
  }
}

interface TableShown {
  readonly location: string
  readonly state: string
  readonly reason: string | null
  readonly deadLetters: string
  readonly published: {
    readonly icebergSnapshot: string | null
    readonly icebergMetadata: string
    readonly deltaVersion: number
    readonly rows: string
  } | null
}

async function waitUntilPublished(floe: FloeProcess, name: string, rowCount: number): Promise<TableShown> {
  let shown: TableShown | undefined
  await waitFor(async () => {
    shown = (await floe.get(`/api/v1/tables/${name}`)) as TableShown
    if (shown.state !== 'running') throw new Error(`${name} is ${shown.state}: ${shown.reason}`)
    if (shown.deadLetters !== '0') throw new Error(`${name} has ${shown.deadLetters} dead letters`)
    return shown.published !== null && Number(shown.published.rows) === rowCount
  }, publishedMsMax)
  return shown!
}

function describeVersion({ published }: TableShown, rowCount: number): SampleVersion {
  const { icebergSnapshot: snapshotId, icebergMetadata, deltaVersion } = published!
  return { rowCount, snapshotId, deltaVersion, metadataFile: icebergMetadata.split('/').at(-1)! }
}
