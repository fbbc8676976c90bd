/** The wire: chunking, pipelining, order of answers, backpressure, refusals, shutdown. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { kafkaErrorCode } from '../../../kafka/errors.ts'
import { decodeResponse } from '../../../kafka/protocol/codec.ts'
import type { ObjectStore } from '../../../storage/object-store.ts'
import { type InMemoryBroker, type InMemoryOptions, startInMemoryBroker } from '../../support/in-memory-broker.ts'
import { createTopic, fetchBody, makeBatch, produceBody } from './harness.ts'

let running: InMemoryBroker | undefined

async function start(options: InMemoryOptions = {}): Promise<InMemoryBroker> {
  running = await startInMemoryBroker(options)
  return running
}

afterEach(async () => {
  await running?.close()
  running = undefined
})

/** Segment puts wait until released, or fail. */
function gatedStore(plain: ObjectStore): {
  store: ObjectStore
  puts: { release: () => void; fail: () => void }[]
} {
  const puts: { release: () => void; fail: () => void }[] = []
  const store: ObjectStore = {
    uri: plain.uri,
    putIfAbsent: (key, body) => plain.putIfAbsent(key, body),
    get: (key, range) => plain.get(key, range),
    head: key => plain.head(key),
    list: (prefix, after) => plain.list(prefix, after),
    delete: keys => plain.delete(keys),
    startMultipart: key => plain.startMultipart(key),
    put: (key, body) => plain.put(key, body),
    putOwned(key, body) {
      return new Promise((resolve, reject) => {
        puts.push({
          release: () => resolve(plain.putOwned(key, body)),
          fail: () => reject(new Error('the disk is on fire')),
        })
      })
    },
  }
  return { store, puts }
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

describe('framing', () => {
  it('answers a request that arrives one byte at a time', async () => {
    const client = (await start()).connect()
    const { bytes, receive } = client.prepare('ApiVersions', { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    for (const byte of bytes) client.stream.write(Uint8Array.of(byte))
    expect((await receive()).errorCode).toBe(0)
  })

  it('answers ten requests that arrive in one write, in order', async () => {
    const client = (await start()).connect()
    await createTopic(client, 't')
    const requests = Array.from({ length: 10 }, (_, index) =>
      index % 2 === 0
        ? client.prepare('Metadata', { topics: null })
        : client.prepare('ListOffsets', { replicaId: -1, topics: [] }),
    )
    client.stream.write(Buffer.concat(requests.map(({ bytes }) => bytes)))
    for (const { receive } of requests) await receive()
  })

  it('closes the connection with one line in the log on a frame that is too large, and on HTTP', async () => {
    const { connect, complaints } = await start({ frameBytesMax: 1_000 })
    const large = connect()
    large.stream.write(Buffer.from([0, 0, 4, 0, 1]))
    await large.closed
    const http = connect()
    http.stream.write('GET / HTTP/1.1\r\n\r\n')
    await http.closed
    expect(complaints).toHaveLength(2)
    expect(complaints[1]).toContain('HTTP')
  })

  it('survives any bytes', async () => {
    const { connect } = await start({ frameBytesMax: 10_000 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            key: fc.integer({ min: -2, max: 80 }),
            version: fc.integer({ min: -1, max: 18 }),
            body: fc.uint8Array({ maxLength: 200 }),
          }),
          { maxLength: 5 },
        ),
        async frames => {
          const client = connect()
          for (const { key, version, body } of frames) {
            const frame = Buffer.alloc(14 + body.length)
            frame.writeInt32BE(10 + body.length, 0)
            frame.writeInt16BE(key, 4)
            frame.writeInt16BE(version, 6)
            frame.writeInt16BE(0, 12)
            frame.set(body, 14)
            if (!client.stream.destroyed) client.stream.write(frame)
          }
          client.stream.end()
          await client.closed
        },
      ),
      { numRuns: 300 },
    )
    const client = connect()
    expect((await client.call('Metadata', { topics: null })).brokers).toHaveLength(1)
  })
})

describe('order', () => {
  it('holds back later answers until a slow upload is done', async () => {
    const gate: { puts: { release: () => void }[] } = { puts: [] }
    const { connect } = await start({
      wrapStore: plain => {
        const gated = gatedStore(plain)
        gate.puts = gated.puts
        return gated.store
      },
    })
    const client = connect()
    await createTopic(client, 't')
    const produced = client.prepare('Produce', produceBody('t', makeBatch(['a'])), 9)
    const metadata = client.prepare('Metadata', { topics: null })
    client.stream.write(Buffer.concat([produced.bytes, metadata.bytes]))
    const order: string[] = []
    const first = produced.receive().then(() => order.push('produce'))
    const second = metadata.receive().then(() => order.push('metadata'))
    await waitUntil(() => gate.puts.length === 1)
    expect(order).toEqual([])
    gate.puts[0]!.release()
    await Promise.all([first, second])
    expect(order).toEqual(['produce', 'metadata'])
  })

  it('sequences in sending order although the second upload ends first', async () => {
    const gate: { puts: { release: () => void }[] } = { puts: [] }
    const { connect } = await start({
      wrapStore: plain => {
        const gated = gatedStore(plain)
        gate.puts = gated.puts
        return gated.store
      },
    })
    const client = connect()
    await createTopic(client, 't')
    const one = client.prepare('Produce', produceBody('t', makeBatch(['a', 'b'])), 9)
    client.stream.write(one.bytes)
    await waitUntil(() => gate.puts.length === 1)
    const two = client.prepare('Produce', produceBody('t', makeBatch(['c'])), 9)
    client.stream.write(two.bytes)
    await waitUntil(() => gate.puts.length === 2)
    gate.puts[1]!.release()
    gate.puts[0]!.release()
    expect((await one.receive()).responses[0]!.partitionResponses[0]!.baseOffset).toBe(0n)
    expect((await two.receive()).responses[0]!.partitionResponses[0]!.baseOffset).toBe(2n)
  })

  it('fails what an idempotent producer sent after a failed upload, and takes all of it again', async () => {
    const gate: { puts: { release: () => void; fail: () => void }[] } = { puts: [] }
    const { connect } = await start({
      wrapStore: plain => {
        const gated = gatedStore(plain)
        gate.puts = gated.puts
        return gated.store
      },
    })
    const client = connect()
    await createTopic(client, 't')
    const { producerId } = await client.call('InitProducerId', { transactionalId: null, transactionTimeoutMs: 0 })
    const send = async (baseSequence: number) => {
      const batch = makeBatch([`v${baseSequence}`], { producerId, producerEpoch: 0, baseSequence })
      const request = client.prepare('Produce', produceBody('t', batch), 9)
      const seen = gate.puts.length
      client.stream.write(request.bytes)
      await waitUntil(() => gate.puts.length === seen + 1)
      return { put: gate.puts[seen]!, code: () => request.receive().then(readCode) }
    }
    const readCode = (answer: { responses: readonly { partitionResponses: readonly { errorCode: number }[] }[] }) =>
      answer.responses[0]!.partitionResponses[0]!.errorCode
    const zero = await send(0)
    zero.put.release()
    expect(await zero.code()).toBe(kafkaErrorCode.NONE)
    const sent = [await send(1), await send(2), await send(3)]
    // 2 and 3 are stored long before it is known that 1 never will be.
    sent[1]!.put.release()
    sent[2]!.put.release()
    sent[0]!.put.fail()
    for (let retry = 1; retry < 4; retry++) {
      await waitUntil(() => gate.puts.length === 4 + retry)
      gate.puts.at(-1)!.fail()
    }
    const codes = []
    for (const { code } of sent) codes.push(await code())
    const { REQUEST_TIMED_OUT, OUT_OF_ORDER_SEQUENCE_NUMBER } = kafkaErrorCode
    expect(codes).toEqual([REQUEST_TIMED_OUT, OUT_OF_ORDER_SEQUENCE_NUMBER, OUT_OF_ORDER_SEQUENCE_NUMBER])
    for (const sequence of [1, 2, 3]) {
      const again = await send(sequence)
      again.put.release()
      expect(await again.code()).toBe(kafkaErrorCode.NONE)
    }
  })
})

describe('backpressure', () => {
  it('takes no more requests than allowed before the first is answered', async () => {
    const gate: { puts: { release: () => void }[] } = { puts: [] }
    const { connect, broker } = await start({
      connectionRequestsMax: 3,
      wrapStore: plain => {
        const gated = gatedStore(plain)
        gate.puts = gated.puts
        return gated.store
      },
    })
    const client = connect()
    await createTopic(client, 't')
    const requests = Array.from({ length: 6 }, () => client.prepare('Produce', produceBody('t', makeBatch(['x'])), 9))
    client.stream.write(Buffer.concat(requests.map(({ bytes }) => bytes)))
    await waitUntil(() => gate.puts.length === 1)
    expect(broker.metrics.requests.get('Produce')).toBe(3)
    await waitUntil(() => gate.puts.length === 2)
    expect(broker.metrics.requests.get('Produce')).toBe(3)
    gate.puts[0]!.release()
    await requests[0]!.receive()
    expect(broker.metrics.requests.get('Produce')).toBe(4)
    gate.puts[1]!.release()
    for (const { receive } of requests.slice(1, 3)) await receive()
    expect(broker.metrics.requests.get('Produce')).toBe(6)
    let answeredCount = 0
    const rest = requests.slice(3).map(async ({ receive }) => {
      await receive()
      answeredCount++
    })
    // In as many segments as they happen to make.
    await waitUntil(() => {
      for (const put of gate.puts.splice(0)) put.release()
      return answeredCount === rest.length
    })
    await Promise.all(rest)
  })

  it('stops reading other connections when the budget of all is used up, and goes on later', async () => {
    const gate: { puts: { release: () => void }[] } = { puts: [] }
    const { connect, broker } = await start({
      requestBytesMax: 1_000,
      wrapStore: plain => {
        const gated = gatedStore(plain)
        gate.puts = gated.puts
        return gated.store
      },
    })
    const first = connect()
    const second = connect()
    await createTopic(first, 't')
    const large = first.prepare('Produce', produceBody('t', makeBatch(['x'.repeat(2_000)])), 9)
    first.stream.write(large.bytes)
    await waitUntil(() => gate.puts.length === 1)
    const waiting = second.call('Metadata', { topics: null })
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(broker.metrics.requests.get('Metadata')).toBeUndefined()
    expect(broker.metrics.requestBytesHeld).toBeGreaterThan(2_000)
    gate.puts[0]!.release()
    expect((await waiting).topics).toHaveLength(1)
    await large.receive()
    expect(broker.metrics.requestBytesHeld).toBe(0)
  })
})

describe('versions', () => {
  it('advertises what it serves and Produce from v0 on', async () => {
    const client = (await start()).connect()
    const { apiKeys } = await client.call('ApiVersions', { clientSoftwareName: 'x', clientSoftwareVersion: '1.0' })
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 12 })
    // Described but without a handler, or not described at all: AddPartitionsToTxn, GetTelemetrySubscriptions, ShareFetch.
    for (const unserved of [24, 71, 78]) expect(apiKeys.some(({ apiKey }) => apiKey === unserved)).toBe(false)
  })

  it('answers an unknown version of ApiVersions in v0 with its own range', async () => {
    const client = (await start()).connect()
    const { bytes } = client.prepare('ApiVersions', { clientSoftwareName: 'x', clientSoftwareVersion: '1' }, 3)
    bytes.writeInt16BE(99, 6)
    client.stream.write(bytes)
    const { body } = decodeResponse('ApiVersions', 0, (await client.receiveFrame())!)
    expect(body).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] })
  })

  it('refuses a malformed client software name', async () => {
    const client = (await start()).connect()
    const answer = await client.call('ApiVersions', { clientSoftwareName: 'a b', clientSoftwareVersion: '1' })
    expect(answer.errorCode).toBe(kafkaErrorCode.INVALID_REQUEST)
  })

  it('closes the connection on a call or version it does not serve', async () => {
    const { connect } = await start()
    for (const [key, version] of [
      [24, 0],
      [999, 0],
      [3, 99],
      [0, 2],
    ] as const) {
      const client = connect()
      const frame = Buffer.alloc(14)
      frame.writeInt32BE(10, 0)
      frame.writeInt16BE(key, 4)
      frame.writeInt16BE(version, 6)
      frame.writeInt16BE(-1, 12)
      client.stream.write(frame)
      await client.closed
    }
  })
})

describe('authentication', () => {
  const saslUsers = [{ name: 'alice', password: 'secret' }]
  const token = (password: string): Uint8Array => Buffer.from(`\0alice\0${password}`)

  it('serves nothing but ApiVersions and SASL before, and everything after', async () => {
    const { connect } = await start({ saslUsers })
    const stranger = connect()
    await expect(stranger.call('Metadata', { topics: null })).rejects.toThrow('connection ended')
    const client = connect()
    await client.call('ApiVersions', { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
    const wrong = await client.call('SaslHandshake', { mechanism: 'GSSAPI' })
    expect(wrong).toEqual({ errorCode: kafkaErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: ['PLAIN'] })
    expect((await client.call('SaslHandshake', { mechanism: 'PLAIN' })).errorCode).toBe(0)
    expect((await client.call('SaslAuthenticate', { authBytes: token('secret') })).errorCode).toBe(0)
    expect((await client.call('Metadata', { topics: null })).brokers).toHaveLength(1)
  })

  it('answers a wrong password with the reason and closes', async () => {
    const { connect, broker } = await start({ saslUsers })
    const client = connect()
    await client.call('SaslHandshake', { mechanism: 'PLAIN' })
    const answer = await client.call('SaslAuthenticate', { authBytes: token('wrong') })
    expect(answer.errorCode).toBe(kafkaErrorCode.SASL_AUTHENTICATION_FAILED)
    await client.closed
    expect(broker.metrics.authenticationFailures).toBe(1)
  })

  it('does not let strangers fill the memory', async () => {
    const { connect } = await start({ saslUsers })
    const client = connect()
    const header = Buffer.alloc(4)
    header.writeInt32BE(50_000_000)
    client.stream.write(header)
    client.stream.write(Buffer.alloc(600_000))
    await client.closed
  })

  it('takes a bare token after a v0 handshake', async () => {
    const { connect } = await start({ saslUsers })
    const client = connect()
    await client.call('SaslHandshake', { mechanism: 'PLAIN' }, 0)
    const frame = Buffer.concat([Buffer.alloc(4), token('secret')])
    frame.writeInt32BE(frame.length - 4)
    client.stream.write(frame)
    expect(await client.receiveFrame()).toHaveLength(0)
    expect((await client.call('Metadata', { topics: null })).brokers).toHaveLength(1)
  })
})

describe('the end', () => {
  it('answers what was produced and parked before it closes', async () => {
    const { connect, broker } = await start({ flushIntervalMs: 60_000 })
    const producer = connect()
    await createTopic(producer, 't')
    // Goes at once; what follows waits for the interval.
    await producer.call('Produce', produceBody('t', makeBatch(['first'])), 9)
    const produced = producer.call('Produce', produceBody('t', makeBatch(['last'])), 9)
    const reader = connect()
    const parked = reader.call('Fetch', fetchBody('t', 1n, { maxWaitMs: 60_000 }), 12)
    await waitUntil(() => broker.metrics.fetchesParked === 1)
    expect(broker.metrics.flushes).toBe(1)
    await broker.close()
    expect((await produced).responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1n })
    expect((await parked).responses[0]!.partitions[0]!.errorCode).toBe(0)
    await Promise.all([producer.closed, reader.closed])
  })

  it('drops the parked fetch of a connection that ends', async () => {
    const { connect, broker } = await start()
    const client = connect()
    await createTopic(client, 't')
    const parked = client.call('Fetch', fetchBody('t', 0n, { maxWaitMs: 60_000 }), 12)
    await waitUntil(() => broker.metrics.fetchesParked === 1)
    client.stream.end()
    expect((await parked).responses[0]!.partitions[0]!.errorCode).toBe(0)
    await waitUntil(() => broker.metrics.connectionsClosed === 1)
    expect(broker.metrics.requestBytesHeld).toBe(0)
  })
})
