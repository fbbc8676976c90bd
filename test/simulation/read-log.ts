/** What topics hold, read through an agent as a consumer would, without a client's own rules. */
import type { Broker } from '../../broker/broker.ts'
import { decompress } from '../../kafka/compression/compression.ts'
import { BatchCursor } from '../../kafka/records/batch.ts'
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import type { TopicRecord } from '../support/read-topic.ts'

const payloadBytesMax = 16 * 1024 * 1024

/** Records by partition. errors  a partition that cannot be read */
export async function readLog(broker: Broker, topic: string, partitionCount: number): Promise<TopicRecord[][]> {
  const source = broker.localSource()
  const reader = source.openReader()
  const all: TopicRecord[][] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const records: TopicRecord[] = []
    const [state] = await source.partitionStates(topic, [partition])
    for (let offset = state!.logStartOffset; offset < state!.endOffset; ) {
      const parts = [{ partition, offset, bytesMax: 1024 * 1024 }]
      const [fetched] = await reader.fetch(topic, parts, { waitMsMax: 0, bytesMin: 1, bytesMax: 1024 * 1024 })
      if (fetched!.error !== 'none') throw new Error(`${topic}/${partition} at ${offset}: ${fetched!.error}`)
      const end = decode(fetched!.batches, offset, records)
      if (end === offset) throw new Error(`${topic}/${partition} at ${offset}: nothing came`)
      offset = end
    }
    all.push(records)
  }
  await reader.close()
  await source.close()
  return all
}

function decode(bytes: Uint8Array, from: bigint, into: TopicRecord[]): bigint {
  const batch = new BatchCursor(bytes)
  const record = new RecordCursor()
  let end = from
  while (batch.next()) {
    const payload = decompress(batch.codec, batch.payload, payloadBytesMax)
    const text = (at: number, count: number): string => Buffer.from(payload.subarray(at, at + count)).toString()
    record.reset(payload, batch.recordCount)
    while (record.next()) {
      const offset = batch.baseOffset + BigInt(record.offsetDelta)
      if (offset < from) continue
      const key = text(record.keyAt, record.keyBytes)
      into.push({ offset, key, value: text(record.valueAt, record.valueBytes) })
    }
    end = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n
  }
  return end
}
