import { compressionCodecs } from '../kafka/compression/codecs.ts'
import { compress, decompress } from '../kafka/compression/compression.ts'
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from '../kafka/protocol/codec.ts'
import { BatchCursor } from '../kafka/records/batch.ts'
import { buildBatch } from '../kafka/records/build.ts'
import { RecordCursor } from '../kafka/records/record-cursor.ts'
import { validateProducedBatch } from '../kafka/records/validate.ts'

/**
 * What the Kafka protocol layer costs: CPU time (user and system, so that a busy machine distorts it less) per call, partition
 * or record. Run with `node bench/kafka-codec.ts`.
 */
const measureMs = 400

function measure(name: string, unit: string, unitsPerRun: number, run: () => unknown, bytesPerRun = 0): void {
  for (let count = 0; count < 100; count++) run()
  const cpu = process.cpuUsage()
  const end = performance.now() + measureMs
  let runs = 0
  while (performance.now() < end) {
    run()
    runs++
  }
  const { user, system } = process.cpuUsage(cpu)
  const nanoseconds = ((user + system) * 1e3) / runs
  const rate = bytesPerRun === 0 ? '' : `${((bytesPerRun / nanoseconds) * 1e3).toFixed(0)} MB/s`
  process.stdout.write(`${name.padEnd(52)} ${(nanoseconds / unitsPerRun).toFixed(1).padStart(9)} ns/${unit} ${rate}\n`)
}

const lines = Array.from({ length: 1_000 }, (_, index) =>
  Buffer.from(
    JSON.stringify({
      time: 1_700_000_000_000 + index * 37,
      level: index % 11 === 0 ? 'error' : 'info',
      service: `service-${index % 13}`,
      message: `request ${(index * 7_919) % 104_729} done in ${index % 97} ms`,
      trace: (index * 2_654_435_761).toString(16).padStart(16, '0'),
    }),
  ),
)
const records = lines.map((value, index) => ({ key: null, value, timestampMs: 1_700_000_000_000n + BigInt(index) }))
const batch = buildBatch(records)
const topics = Array.from({ length: 10 }, (_, topic) => ({
  topic: `topic-${topic}`,
  topicId: '12345678-1234-1234-1234-123456789abc',
  partitions: Array.from({ length: 10 }, (_, partition) => ({
    partition,
    fetchOffset: 100n,
    partitionMaxBytes: 1_000_000,
  })),
}))

for (const version of [11, 17]) {
  const header = { correlationId: 1, clientId: 'bench' }
  const limits = { maxWaitMs: 500, minBytes: 1, maxBytes: 1_000_000, isolationLevel: 0 }
  const frame = Buffer.concat(encodeRequest('Fetch', version, header, { ...limits, topics })).subarray(4)
  measure(`decode Fetch v${version} request`, 'partition', 100, () =>
    decodeRequest('Fetch', version, frame, decodeRequestHeader(frame).bodyOffset),
  )
  const responses = topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode: 0,
      highWatermark: 5n,
      abortedTransactions: null,
      records: batch,
    })),
  }))
  measure(`encode Fetch v${version} response`, 'partition', 100, () =>
    encodeResponse('Fetch', version, 1, { responses }),
  )
}
for (const version of [7, 11]) {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch }] }]
  const header = { correlationId: 1, clientId: 'bench' }
  const body = { transactionalId: null, acks: -1, timeoutMs: 1, topicData }
  const frame = Buffer.concat(encodeRequest('Produce', version, header, body)).subarray(4)
  measure(`decode Produce v${version} request of one partition`, 'request', 1, () =>
    decodeRequest('Produce', version, frame, decodeRequestHeader(frame).bodyOffset),
  )
}

const rules = { batchBytesMax: 10_000_000, isZstdAllowed: true }
measure('build a batch of 1,000 records', 'record', records.length, () => buildBatch(records), batch.length)
measure(
  'validate its header and checksum',
  'batch',
  1,
  () => {
    validateProducedBatch(batch, { ...rules, checkRecords: false })
  },
  batch.length,
)
measure(
  'validate it with its records',
  'record',
  records.length,
  () => {
    validateProducedBatch(batch, { ...rules, checkRecords: true })
  },
  batch.length,
)
const header = new BatchCursor(batch)
header.next()
const payload = header.payload
const cursor = new RecordCursor()
measure('walk its records', 'record', records.length, () => {
  cursor.reset(payload, records.length)
  while (cursor.next());
})
for (const codec of compressionCodecs) {
  if (codec === 'none') continue
  const compressed = compress(codec, payload)
  const ratio = (payload.length / compressed.length).toFixed(1)
  measure(
    `decompress ${codec} (ratio ${ratio})`,
    'record',
    records.length,
    () => {
      decompress(codec, compressed, payload.length)
    },
    payload.length,
  )
}
