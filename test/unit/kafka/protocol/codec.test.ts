import { describe, expect, test } from 'vitest'
import { apiNames, apis, findApi, isVersionServed } from '../../../../kafka/api-keys.ts'
import { findKafkaError, kafkaErrorCode, kafkaErrors } from '../../../../kafka/errors.ts'
import type { ResponseBody } from '../../../../kafka/protocol/codec.ts'
import { decodeRequest, decodeRequestHeader, decodeResponse, encodeResponse } from '../../../../kafka/protocol/codec.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex')

describe('request headers', () => {
  test('a key that is not described leaves the api undefined', () => {
    const header = decodeRequestHeader(bytesOf('03e7 0000 00000001 ffff'))
    expect(header).toMatchObject({ api: undefined, apiKey: 999, isServed: false, correlationId: 1, clientId: null })
  })

  test('a version that is too new is not served, but correlation and client id are there', () => {
    const header = decodeRequestHeader(bytesOf('0012 0063 00000007 0001 61 00 02 61 02 62 00'))
    expect(header).toMatchObject({
      api: 'ApiVersions',
      apiVersion: 99,
      isServed: false,
      correlationId: 7,
      clientId: 'a',
    })
  })

  test('Produce v0 to v2 are advertised and not served', () => {
    expect(apis.Produce.advertisedMin).toBe(0)
    expect([0, 1, 2, 3, 12, 13].map(version => isVersionServed('Produce', version))).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
    ])
  })

  test('a header cut short is refused with its place', () => {
    expect(() => decodeRequestHeader(bytesOf('0012 00'))).toThrow(
      'request header: needs 2 bytes, 1 are left at offset 2',
    )
  })

  test('every key is found by its number', () => {
    for (const name of apiNames) expect(findApi(apis[name].key)).toBe(name)
    expect(new Set(apiNames.map(name => apis[name].key)).size).toBe(apiNames.length)
  })
})

describe('malformed bodies are refused with message and place', () => {
  const cases: readonly (readonly [
    string,
    'Metadata' | 'Fetch' | 'Heartbeat' | 'JoinGroup',
    number,
    string,
    string,
  ])[] = [
    ['an array longer than the frame', 'Metadata', 1, '7fffffff', 'array of 2147483647 elements cannot fit in 0 bytes'],
    ['a negative array count', 'Metadata', 1, 'fffffffe', 'negative length -2'],
    ['null where null is not allowed', 'Metadata', 0, 'ffffffff', 'null is not allowed for Metadata request v0 topics'],
    ['a null name', 'Metadata', 4, '00000001 ffff 01', 'null is not allowed for Metadata request v4 topics name'],
    ['a string longer than the frame', 'Heartbeat', 0, '00ff 61', 'needs 255 bytes, 1 are left'],
    [
      'a compact string beyond the limit',
      'Heartbeat',
      4,
      'ffff7f',
      'string of 2097150 bytes, at most 32767 are allowed',
    ],
    ['a varint of six bytes', 'Heartbeat', 4, 'ffffffffff01', 'varint longer than 32 bits'],
    [
      'bytes of negative length',
      'JoinGroup',
      0,
      '0000 00000000 0000 0000 00000001 0000 fffffffe',
      'negative length -2',
    ],
    ['tagged fields beyond the frame', 'Heartbeat', 4, '02 61 00000000 01 00 7f', '127 tagged fields'],
  ]
  test.each(cases)('%s', (_, api, version, hex, problem) => {
    const frame = bytesOf(hex)
    expect(() => decodeRequest(api, version, frame, 0)).toThrow(`${api} v${version} request: ${problem}`)
    try {
      decodeRequest(api, version, frame, 0)
    } catch (error) {
      expect(error).toMatchObject({ kind: 'invalid', code: 'malformed-kafka-message' })
    }
  })

  test('a message of a million empty elements and more is refused before it is built', () => {
    // Metadata v9 topics: each three bytes on the wire at most here, the count claims two million.
    const frame = Buffer.alloc(60_000_000)
    bytesOf('81897a').copy(frame)
    expect(() => decodeRequest('Metadata', 9, frame, 0)).toThrow(/more than 1000000 array elements in one message/)
  })

  test('a tagged field whose size lies is refused', () => {
    // Produce v10 response, endpoints tag claims one byte more than the value has.
    const frame = bytesOf('00000001 00 01 00000000 01 00 02 01 00')
    expect(() => decodeResponse('Produce', 10, frame)).toThrow(
      /tagged field nodeEndpoints does not end where its size says/,
    )
  })

  test('bytes after the body are ignored', () => {
    expect(decodeRequest('Heartbeat', 0, bytesOf('0001 67 00000001 0001 6d ffff'), 0)).toMatchObject({
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
    })
  })
})

describe('mistakes of the caller', () => {
  test('a version outside the table is unsupported', () => {
    expect(() => decodeRequest('Fetch', 3, new Uint8Array(0), 0)).toThrow(
      'Fetch v3 is not served; Floe serves v4 to v17',
    )
  })

  test('null in a version that cannot say it is an internal error that names the field', () => {
    const body: ResponseBody<'Metadata'> = {
      brokers: [],
      topics: [{ errorCode: 100, name: null, partitions: [] }],
    }
    expect(() => encodeResponse('Metadata', 11, 1, body)).toThrow(
      'Metadata response v11 topics name: null cannot be encoded in this version',
    )
    expect(() => encodeResponse('Metadata', 12, 1, body)).not.toThrow()
  })

  test('a string beyond what clients read is an internal error', () => {
    expect(() => encodeResponse('Heartbeat', 1, 1, { errorCode: 0 })).not.toThrow()
    expect(() =>
      encodeResponse('SaslAuthenticate', 2, 1, {
        errorCode: 58,
        errorMessage: 'x'.repeat(40_000),
        authBytes: new Uint8Array(0),
      }),
    ).toThrow('string of 40000 bytes, the Kafka protocol allows 32767')
  })

  test('a response larger than the writer began with keeps every byte', () => {
    const groups = Array.from({ length: 2_000 }, (_, index) => ({
      groupId: `group-${index}`,
      protocolType: 'consumer',
    }))
    const frame = Buffer.concat(encodeResponse('ListGroups', 2, 1, { errorCode: 0, groups }))
    expect(decodeResponse('ListGroups', 2, frame.subarray(4)).body.groups.map(each => each.groupId)).toEqual(
      groups.map(each => each.groupId),
    )
  })
})

describe('error codes', () => {
  test('the table has every code from -1 to 133 once', () => {
    const codes = Object.values(kafkaErrors).map(each => each.code)
    expect(codes).toEqual(Array.from({ length: 135 }, (_, index) => index - 1))
  })

  test('codes and names find each other, unknown codes count as server errors', () => {
    expect(findKafkaError(3)).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })
    expect(kafkaErrorCode.INVALID_RECORD).toBe(87)
    expect(findKafkaError(9_999).name).toBe('UNKNOWN_SERVER_ERROR')
  })
})
