/**
 * What every client scenario works with: the address of a broker, a prefix that keeps topics and groups of scenarios apart, and
 * a transcript of answers. The transcript of a scenario against Floe must equal the one against Apache Kafka, so it holds
 * nothing that must differ: no ids, hosts, clocks.
 */
import { createConnection } from 'node:net'
import { decodeResponse, encodeRequest } from '../../../kafka/protocol/codec.ts'
import { FrameSplitter } from '../../../kafka/protocol/framing.ts'
import { BatchCursor } from '../../../kafka/records/batch.ts'

export interface Scenario {
  readonly address: string
  readonly prefix: string
}

export type Transcript = Record<string, unknown>

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Codec and record count of every stored batch: proof that a client really compressed. Reads with our own encoder. */
export async function readStoredCodecs(address: string, topic: string): Promise<{ codecs: string[]; records: number }> {
  const [host = '', port = ''] = address.split(':')
  const socket = createConnection({ host, port: Number(port) })
  const splitter = new FrameSplitter()
  try {
    const found = new Set<string>()
    let records = 0
    let offset = 0n
    for (;;) {
      const parts = encodeRequest(
        'Fetch',
        11,
        { correlationId: 1, clientId: 'interop' },
        {
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: 50_000_000,
          isolationLevel: 0,
          topics: [{ topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 50_000_000 }] }],
          forgottenTopicsData: [],
        },
      )
      socket.write(Buffer.concat(parts))
      let frame: Uint8Array | undefined
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        splitter.push(chunk as Uint8Array)
        frame = splitter.next()
        if (frame !== undefined) break
      }
      if (frame === undefined) throw new Error('the broker closed the connection')
      const partition = decodeResponse('Fetch', 11, frame).body.responses[0]!.partitions[0]!
      if (partition.errorCode !== 0) throw new Error(`fetch of ${topic} failed with ${partition.errorCode}`)
      const batch = new BatchCursor(partition.records ?? new Uint8Array(0))
      const before = offset
      while (batch.next()) {
        found.add(batch.codec)
        records += batch.recordCount
        offset = batch.endOffset
      }
      if (offset === before) return { codecs: [...found].sort(), records }
    }
  } finally {
    socket.destroy()
  }
}

/** Lines of a text, sorted, without empty ones. */
export function sortLines(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .sort()
}
