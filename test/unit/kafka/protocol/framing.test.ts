import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameSplitter } from '../../../../kafka/protocol/framing.ts'

function frameOf(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function drain(splitter: FrameSplitter): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) frames.push(frame)
  return frames
}

describe('frame splitter', () => {
  test('any frames in any chunks come out whole and in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (bodies, sizes) => {
          const stream = Buffer.concat(bodies.map(frameOf))
          const splitter = new FrameSplitter()
          const frames: Uint8Array[] = []
          for (let at = 0; at < stream.length; ) {
            const size = sizes.next().value as number
            splitter.push(stream.subarray(at, at + size))
            at += size
            frames.push(...drain(splitter))
          }
          expect(frames.map(each => [...each])).toEqual(bodies.map(each => [...each]))
          expect(splitter.bufferedBytes).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('frames may also be taken after several chunks were pushed', () => {
    const splitter = new FrameSplitter()
    const stream = Buffer.concat([frameOf(Buffer.from('abc')), frameOf(Buffer.from('')), frameOf(Buffer.from('defgh'))])
    for (const byte of stream) splitter.push(Uint8Array.of(byte))
    expect(splitter.bufferedBytes).toBe(stream.length)
    expect(drain(splitter).map(each => Buffer.from(each).toString())).toEqual(['abc', '', 'defgh'])
    expect(splitter.bufferedBytes).toBe(0)
  })

  test('a frame inside one chunk is a view of it', () => {
    const chunk = frameOf(Buffer.from('abc'))
    const splitter = new FrameSplitter()
    splitter.push(chunk)
    chunk[4] = 'z'.charCodeAt(0)
    expect(Buffer.from(splitter.next()!).toString()).toBe('zbc')
  })

  test('chunks that were only copied from are given back, those that frames are views of are not', () => {
    const body = Buffer.alloc(150_000, 'x')
    const stream = Buffer.concat([frameOf(body), frameOf(Buffer.from('small')), frameOf(body)])
    const chunks: Uint8Array[] = []
    for (let at = 0; at < stream.length; at += 65_536) chunks.push(new Uint8Array(stream.subarray(at, at + 65_536)))
    const splitter = new FrameSplitter()
    const frames = chunks.flatMap(chunk => {
      splitter.push(chunk)
      return drain(splitter)
    })
    expect(frames.map(({ length }) => length)).toEqual([150_000, 5, 150_000])
    expect(frames.every((frame, index) => Buffer.compare(frame, index === 1 ? Buffer.from('small') : body) === 0)).toBe(
      true,
    )
    expect(chunks.map(({ length }) => length)).toEqual([0, 0, 65_536, 0, chunks[4]!.length])
  })

  test('a large frame across many chunks grows its buffer and stays intact', () => {
    const body = Buffer.alloc(5_000_000)
    for (let at = 0; at < body.length; at++) body[at] = at % 251
    const stream = frameOf(body)
    const splitter = new FrameSplitter()
    let frame: Uint8Array | undefined
    for (let at = 0; at < stream.length; at += 65_536) {
      splitter.push(stream.subarray(at, at + 65_536))
      frame = splitter.next()
    }
    expect(Buffer.compare(frame!, body)).toBe(0)
  })

  test('a huge announced size allocates nothing beyond what arrived', () => {
    const before = process.memoryUsage().arrayBuffers
    const splitters = Array.from({ length: 40 }, () => {
      const splitter = new FrameSplitter()
      splitter.push(Buffer.from('06400000' + '00', 'hex'))
      expect(splitter.next()).toBeUndefined()
      return splitter
    })
    expect(splitters.map(each => each.bufferedBytes)).toEqual(splitters.map(() => 5))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
  })

  test.each([
    ['a negative size', 'ffffffff', /frame of -1 bytes, between 0 and 1000 are allowed/],
    ['a size above the maximum', '000003e9', /frame of 1001 bytes/],
    ['a TLS client hello', '160301020001', /the peer speaks TLS to a listener without TLS/],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1').toString('hex'), /the peer speaks HTTP to a Kafka listener/],
  ])('%s is refused', (_, hex, message) => {
    const splitter = new FrameSplitter({ frameBytesMax: 1_000 })
    splitter.push(Buffer.from(hex, 'hex'))
    expect(() => splitter.next()).toThrow(message)
  })

  test('a frame of exactly the maximum passes', () => {
    const splitter = new FrameSplitter({ frameBytesMax: 1_000 })
    splitter.push(frameOf(Buffer.alloc(1_000)))
    expect(splitter.next()).toHaveLength(1_000)
  })
})
