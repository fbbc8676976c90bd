import * as platformatic from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import type { ApiName } from '../../../kafka/api-keys.ts'
import { apiNames, apis, isFlexible } from '../../../kafka/api-keys.ts'
import { compressionCodecs } from '../../../kafka/compression/codecs.ts'
import type { RequestInput, ResponseBody } from '../../../kafka/protocol/codec.ts'
import { decodeRequest, encodeRequest, encodeResponse } from '../../../kafka/protocol/codec.ts'
import { buildBatch } from '../../../kafka/records/build.ts'
import { validateProducedBatch } from '../../../kafka/records/validate.ts'
import { sampleMessage } from './support/message-arbitrary.ts'

/** Our codecs against those of @platformatic/kafka, which speaks the flexible versions. */
interface PlatformaticCall {
  readonly createRequest: (...args: unknown[]) => { readonly buffer: Buffer }
  readonly parseResponse: (
    correlationId: number,
    apiKey: number,
    apiVersion: number,
    reader: PlatformaticReader,
  ) => unknown
}
interface PlatformaticReader {
  readonly remaining: number
}

function isCall(value: unknown): value is PlatformaticCall {
  return typeof value === 'object' && value !== null && 'createRequest' in value && 'parseResponse' in value
}

function findCall(api: ApiName, version: number): PlatformaticCall | undefined {
  const name = `${api[0]!.toLowerCase()}${api.slice(1)}V${version}`
  const found: unknown = new Map<string, unknown>(Object.entries(platformatic)).get(name)
  return isCall(found) ? found : undefined
}

const batch = buildBatch([{ key: null, value: Buffer.from('v'), timestampMs: 1_000n }], { baseOffset: 3n })

/** A generated response without errors, which its parsers throw on, and with real batches for records. */
function withoutErrors(value: unknown, name = ''): unknown {
  if (/errorCode$/i.test(name)) return 0
  if (name === 'recordErrors') return []
  if (name === 'records') return batch
  if (Array.isArray(value)) return value.map(each => withoutErrors(each))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutErrors(each, key)]))
}

const responseCases = apiNames.flatMap(api =>
  Array.from({ length: apis[api].max - apis[api].min + 1 }, (_, index) => apis[api].min + index)
    .filter(version => isFlexible(api, version) && findCall(api, version) !== undefined)
    .map(version => [api, version] as const),
)

describe('responses to @platformatic/kafka', () => {
  test('there is something to compare in most calls', () => {
    expect(new Set(responseCases.map(([api]) => api)).size).toBeGreaterThan(25)
  })

  test.each(responseCases)('%s v%i is read to its last byte', (api, version) => {
    for (const seed of [1, 2, 3, 4]) {
      const body: unknown = withoutErrors(sampleMessage({ api, version, direction: 'response' }, seed))
      const frame = Buffer.concat(encodeResponse(api, version, 5, body as ResponseBody<ApiName>))
      // Size, correlation id and, but for ApiVersions, the empty tags of header v1.
      const reader = platformatic.Reader.from(frame.subarray(api === 'ApiVersions' ? 8 : 9))
      findCall(api, version)!.parseResponse(5, apis[api].key, version, reader)
      expect(reader.remaining).toBe(0)
    }
  })
})

/** Its request through our decoder and back. */
function decodeItsRequest<A extends ApiName>(api: A, version: number, ...args: unknown[]) {
  const body = Buffer.from(findCall(api, version)!.createRequest(...args).buffer)
  const decoded = decodeRequest(api, version, body, 0)
  const input: unknown = decoded
  const header = { correlationId: 0, clientId: null }
  const again = Buffer.concat(encodeRequest(api, version, header, input as RequestInput<A>))
  expect(again.subarray(15).toString('hex')).toBe(body.toString('hex'))
  return decoded
}

describe('requests of @platformatic/kafka', () => {
  const id = '12345678-1234-1234-1234-123456789abc'

  test('Metadata v12 by name and by id', () => {
    expect(decodeItsRequest('Metadata', 12, ['t', { topicId: id }], false, true)).toMatchObject({
      topics: [{ name: 't' }, { name: null, topicId: id }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    })
    expect(decodeItsRequest('Metadata', 12, null).topics).toBeNull()
  })

  test.each([13, 15, 16, 17])('Fetch v%i by topic id', version => {
    const partition = {
      partition: 2,
      currentLeaderEpoch: 1,
      fetchOffset: 9n,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 100,
    }
    const args = [5, 1, 1_000, 1, 0, -1, [{ topicId: id, partitions: [partition] }], [], 'rack']
    expect(decodeItsRequest('Fetch', version, ...args)).toMatchObject({
      maxWaitMs: 5,
      isolationLevel: 1,
      topics: [{ topicId: id, partitions: [{ partition: 2, fetchOffset: 9n, currentLeaderEpoch: 1 }] }],
      rackId: 'rack',
    })
  })

  test.each(compressionCodecs)('Produce v11 with a batch in %s that passes validation', compression => {
    const message = {
      topic: 't',
      partition: 1,
      key: Buffer.from('k'),
      value: Buffer.alloc(5_000, 'v'),
      timestamp: 1_000n,
    }
    const decoded = decodeItsRequest(
      'Produce',
      11,
      1,
      100,
      [message, { ...message, key: undefined, headers: new Map([[Buffer.from('h'), Buffer.from('x')]]) }],
      { compression, producerId: 4n, producerEpoch: 1 },
    )
    const { records } = decoded.topicData[0]!.partitionData[0]!
    expect(
      validateProducedBatch(records, { batchBytesMax: 100_000, checkRecords: true, isZstdAllowed: true }),
    ).toMatchObject({ outcome: 'valid', codec: compression, recordCount: 2, producerId: 4n, maxTimestamp: 1_000n })
  })

  test('OffsetFetch v9 and InitProducerId v5', () => {
    expect(
      decodeItsRequest(
        'OffsetFetch',
        9,
        [{ groupId: 'g', memberId: 'm', memberEpoch: 3, topics: [{ name: 't', partitionIndexes: [1, 2] }] }],
        true,
      ),
    ).toMatchObject({
      groups: [{ groupId: 'g', memberEpoch: 3, topics: [{ partitionIndexes: [1, 2] }] }],
      requireStable: true,
    })
    expect(decodeItsRequest('InitProducerId', 5, null, 100, 0n, 0)).toMatchObject({
      transactionalId: null,
      producerId: 0n,
      producerEpoch: 0,
    })
  })
})

describe('our batches in its reader', () => {
  test.each(compressionCodecs)('records come through %s', codec => {
    const bytes = buildBatch(
      [
        { key: Buffer.from('k'), value: Buffer.alloc(3_000, 'v'), timestampMs: 1_000n },
        { key: null, value: null, timestampMs: 1_500n, headers: [{ key: 'h', value: Buffer.from('x') }] },
      ],
      { codec, baseOffset: 6n },
    )
    const [read] = platformatic.readRecordsBatches(platformatic.Reader.from(Buffer.from(bytes)))
    expect(read).toMatchObject({ firstOffset: 6n, lastOffsetDelta: 1, firstTimestamp: 1_000n, maxTimestamp: 1_500n })
    expect(read!.records).toMatchObject([
      { offsetDelta: 0, timestampDelta: 0n, key: Buffer.from('k'), value: Buffer.alloc(3_000, 'v') },
      { offsetDelta: 1, timestampDelta: 500n, headers: [[Buffer.from('h'), Buffer.from('x')]] },
    ])
  })
})
