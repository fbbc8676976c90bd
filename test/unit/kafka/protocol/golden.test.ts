import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ApiName } from '../../../../kafka/api-keys.ts'
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from '../../../../kafka/protocol/codec.ts'
import { validateProducedBatch } from '../../../../kafka/records/validate.ts'

/** Bytes written out by hand from the protocol guide, spaces between fields. */
function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex')
}

function hexOf(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('hex')
}

function decode<A extends ApiName>(api: A, frame: Buffer) {
  const header = decodeRequestHeader(frame)
  expect(header).toMatchObject({ api, isServed: true })
  return { header, body: decodeRequest(api, header.apiVersion, frame, header.bodyOffset) }
}

describe('requests written by hand', () => {
  test('Metadata v1 with null topics asks for all of them', () => {
    const frame = bytesOf('0003 0001 00000009 0003 636c69 ffffffff')
    const { header, body } = decode('Metadata', frame)
    expect(header).toMatchObject({ apiKey: 3, apiVersion: 1, correlationId: 9, clientId: 'cli' })
    expect(body).toEqual({
      topics: null,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  })

  test('Metadata v1 with an empty list asks for none', () => {
    expect(decode('Metadata', bytesOf('0003 0001 00000009 ffff 00000000')).body.topics).toEqual([])
  })

  test('FindCoordinator v4 is flexible: header tags, compact strings, compact array', () => {
    const frame = bytesOf('000a 0004 00000001 0001 63 00   00 02 03 6731 00')
    const { header, body } = decode('FindCoordinator', frame)
    expect(header.clientId).toBe('c')
    expect(body).toEqual({ key: '', keyType: 0, coordinatorKeys: ['g1'] })
    expect(hexOf(encodeRequest('FindCoordinator', 4, { correlationId: 1, clientId: 'c' }, body))).toBe(
      `00000012${frame.toString('hex')}`,
    )
  })

  test('unknown tagged fields are skipped in the header, in nested structs and at the end', () => {
    // Header tags: tag 9 of 2 bytes. Topic tags: tag 0 of 1 byte. Body tags: tag 1000 of 0 bytes.
    const frame = bytesOf('0003 0009 00000001 ffff 01 09 02 abcd   02 02 74 01 00 01 ff   01 00 00   01 e807 00')
    expect(decode('Metadata', frame).body.topics).toEqual([
      { topicId: '00000000-0000-0000-0000-000000000000', name: 't' },
    ])
  })

  test('Fetch v4 reads limits, isolation and partitions', () => {
    const frame = bytesOf(`0001 0004 00000002 ffff
      ffffffff 000001f4 00000001 00a00000 01
      00000001 0001 74 00000001 00000000 0000000000000005 00100000`)
    expect(decode('Fetch', frame).body).toMatchObject({
      replicaId: -1,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 10_485_760,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 5n, partitionMaxBytes: 1_048_576 }] }],
      rackId: '',
    })
  })

  test('Fetch v13 names topics by id', () => {
    const frame = bytesOf(`0001 000d 00000002 ffff 00
      ffffffff 000001f4 00000001 00a00000 00 00000000 ffffffff
      02 0102030405060708090a0b0c0d0e0f10 02 00000003 ffffffff 0000000000000005 ffffffff ffffffffffffffff 00100000 00 00
      01 01 00`)
    expect(decode('Fetch', frame).body.topics[0]).toMatchObject({
      topic: '',
      topicId: '01020304-0506-0708-090a-0b0c0d0e0f10',
      partitions: [{ partition: 3, fetchOffset: 5n }],
    })
  })

  test('a nullable struct is told by its first byte', () => {
    const without = bytesOf('004b 0000 00000002 ffff 00  01 000007d0 ff 00')
    const with_ = bytesOf('004b 0000 00000002 ffff 00  01 000007d0 01 02 74 00000004 00 00')
    expect(decode('DescribeTopicPartitions', without).body.cursor).toBeNull()
    expect(decode('DescribeTopicPartitions', with_).body.cursor).toEqual({ topicName: 't', partitionIndex: 4 })
  })
})

describe('responses written by hand', () => {
  test('ApiVersions v3 has header v0 although its body is flexible', () => {
    const parts = encodeResponse('ApiVersions', 3, 5, {
      errorCode: 0,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
    expect(hexOf(parts)).toBe(bytesOf('00000013 00000005 0000 02 0012 0000 0004 00 00000000 00').toString('hex'))
  })

  test('ApiVersions in v0 carries UNSUPPORTED_VERSION to clients that are too new', () => {
    const parts = encodeResponse('ApiVersions', 0, 5, {
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
    expect(hexOf(parts)).toBe(bytesOf('00000010 00000005 0023 00000001 0012 0000 0004').toString('hex'))
  })

  test('Heartbeat v3 is old, v4 flexible with header v1', () => {
    expect(hexOf(encodeResponse('Heartbeat', 3, 6, { errorCode: 27 }))).toBe('0000000a0000000600000000001b')
    expect(hexOf(encodeResponse('Heartbeat', 4, 6, { errorCode: 27 }))).toBe('0000000c000000060000000000001b00')
  })

  test('Produce v10 puts the current leader and the endpoints into tagged fields', () => {
    const parts = encodeResponse('Produce', 10, 1, {
      responses: [
        {
          name: 't',
          partitionResponses: [
            { index: 0, errorCode: 6, baseOffset: -1n, currentLeader: { leaderId: 2, leaderEpoch: 9 } },
          ],
        },
      ],
      nodeEndpoints: [{ nodeId: 2, host: 'h', port: 9092 }],
    })
    expect(hexOf(parts)).toBe(
      bytesOf(`0000004a 00000001 00
        02 02 74 02 00000000 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff 01 00
          01 00 09 00000002 00000009 00
        00
        00000000
        01 00 0d 02 00000002 02 68 00002384 00 00`).toString('hex'),
    )
  })

  test('Fetch hands record bytes on without copying them', () => {
    const first = new Uint8Array(2_000).fill(1)
    const second = new Uint8Array(3_000).fill(2)
    const parts = encodeResponse('Fetch', 12, 1, {
      responses: [
        {
          topic: 't',
          partitions: [
            { partitionIndex: 0, errorCode: 0, highWatermark: 4n, abortedTransactions: null, records: [first, second] },
          ],
        },
      ],
    })
    expect(parts[1]).toBe(first)
    expect(parts[2]).toBe(second)
    const whole = Buffer.concat(parts)
    expect(whole.readInt32BE(0)).toBe(whole.length - 4)
    // The compact length before the records: 5000 + 1.
    expect(Buffer.from(parts[0]!).subarray(-2).toString('hex')).toBe('8927')
  })
})

describe('requests of librdkafka 2.0.2, captured', () => {
  const captured = JSON.parse(
    readFileSync(new URL('../fixtures/librdkafka-2.0.2-requests.json', import.meta.url), 'utf8'),
  ) as readonly { readonly api: ApiName; readonly version: number; readonly hex: string }[]

  test('all decode, and encode again to the same bytes', () => {
    expect(new Set(captured.map(each => `${each.api} v${each.version}`))).toEqual(
      new Set(['ApiVersions v3', 'Metadata v4', 'Produce v7', 'InitProducerId v4', 'ListOffsets v2', 'Fetch v11']),
    )
    for (const { api, hex } of captured) {
      const { header, body } = decode(api, Buffer.from(hex, 'hex'))
      const again = hexOf(encodeRequest(api, header.apiVersion, header, body))
      expect(again.slice(8), `${api} v${header.apiVersion}`).toBe(hex)
    }
  })

  test('its batches in every codec are valid down to the records', () => {
    const outcomes = captured
      .filter(each => each.api === 'Produce')
      .map(({ hex }) => {
        const { body } = decode('Produce', Buffer.from(hex, 'hex'))
        const records = body.topicData[0]!.partitionData[0]!.records
        const checked = validateProducedBatch(records, {
          batchBytesMax: 1_000_000,
          checkRecords: true,
          isZstdAllowed: true,
        })
        if (checked.outcome !== 'valid') return checked.message
        return `${checked.codec} ${checked.recordCount} ${checked.producerId} ${checked.baseSequence}`
      })
    expect(outcomes).toEqual([
      'none 6 -1 -1',
      'gzip 6 -1 -1',
      'snappy 6 -1 -1',
      'lz4 6 -1 -1',
      'zstd 6 -1 -1',
      'none 1 5 0',
    ])
  })
})
