import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressSync as compressBlock } from 'lz4-napi'
import { compressSync } from 'snappy'
import { describe, expect, test } from 'vitest'
import { codecOfId, compressionCodecs, idOfCodec } from '../../../../kafka/compression/codecs.ts'
import { compress, decompress } from '../../../../kafka/compression/compression.ts'

const text = Buffer.from('floe '.repeat(20_000))

describe.each(compressionCodecs)('%s', codec => {
  test('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), bytes => {
        expect(Buffer.compare(decompress(codec, compress(codec, bytes), 2_000), bytes)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  test('gives back more than one block of its format', () => {
    const large = Buffer.alloc(9_000_000)
    for (let at = 0; at < large.length; at++) large[at] = (at * at) >> 7
    expect(Buffer.compare(decompress(codec, compress(codec, large), large.length), large)).toBe(0)
  })

  test('reads from and to views in the middle of larger buffers', () => {
    const compressed = compress(codec, text)
    const inside = Buffer.concat([Buffer.alloc(13), compressed, Buffer.alloc(5)]).subarray(13, 13 + compressed.length)
    expect(Buffer.compare(decompress(codec, inside, text.length), text)).toBe(0)
  })

  test('refuses what is larger than allowed', () => {
    expect(() => decompress(codec, compress(codec, text), text.length - 1)).toThrow(
      `${codec} records decompress to more than ${text.length - 1} bytes`,
    )
  })

  test('has one id', () => {
    expect(codecOfId(idOfCodec(codec))).toBe(codec)
  })
})

describe.each(compressionCodecs.filter(each => each !== 'none'))('malformed %s', codec => {
  test('bytes of something else are corrupt', () => {
    expect(() => decompress(codec, Buffer.from('not compressed at all'), 1_000)).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'corrupt-compressed-records' }),
    )
  })

  test('a stream that was cut is corrupt', () => {
    const whole = compress(codec, text)
    for (const length of [0, 1, 5, 12, whole.length >> 1, whole.length - 1]) {
      expect(() => decompress(codec, whole.subarray(0, length), 1_000_000), `${length} bytes`).toThrow(
        expect.objectContaining({ kind: 'corrupt' }),
      )
    }
  })
})

test('an id without a codec is unsupported', () => {
  expect(() => codecOfId(6)).toThrow('compression codec 6 is not known')
})

describe('snappy', () => {
  test('the raw block of librdkafka is read', () => {
    expect(Buffer.compare(decompress('snappy', compressSync(text), text.length), text)).toBe(0)
  })

  test('what is written has the framing Java reads', () => {
    const framed = Buffer.from(compress('snappy', text))
    expect(framed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    const blockBytes = framed.readInt32BE(16)
    expect(decompress('snappy', framed.subarray(20, 20 + blockBytes), 1_000_000)).toHaveLength(32_768)
  })

  test('a block that claims more than its bytes can make is corrupt', () => {
    // Claims 100 MB in 6 bytes.
    const bomb = Buffer.from('80c2d72f0000', 'hex')
    expect(() => decompress('snappy', bomb, 2 ** 30)).toThrow(/6 bytes claim to hold 100000000/)
  })

  test('a framing whose block size lies is corrupt', () => {
    const framed = Buffer.from(compress('snappy', text))
    framed.writeInt32BE(2_000_000_000, 16)
    expect(() => decompress('snappy', framed, 1_000_000)).toThrow('snappy records: block of 2000000000 bytes at 20')
  })
})

describe('lz4', () => {
  test('what is written has independent blocks, which Java insists on', () => {
    const flags = compress('lz4', text)[4]!
    expect(flags >> 6).toBe(1)
    expect(flags & 0x20).toBe(0x20)
  })

  test('a frame of stored blocks is read', () => {
    // Version 1, independent blocks, 64 KiB; header checksum by xxHash32 of the two bytes.
    const stored = Buffer.from('04224d18604082' + '03000080' + '616263' + '00000000', 'hex')
    expect(Buffer.from(decompress('lz4', stored, 3)).toString()).toBe('abc')
  })

  test('blocks that refer back to earlier ones are read, across short and stored blocks too', () => {
    const words = Buffer.from(Array.from({ length: 9_000 }, (_, index) => `word ${index % 977} `).join(''))
    const ends = [100, 40_000, 40_010, 60_000, words.length]
    const parts: Buffer[] = [Buffer.from('04224d18404000', 'hex')]
    for (const [index, end] of ends.entries()) {
      const start = ends[index - 1] ?? 0
      const content = words.subarray(start, end)
      const size = Buffer.alloc(4)
      if (index === 2) {
        size.writeUInt32LE(content.length + 0x8000_0000)
        parts.push(size, content)
        continue
      }
      // The library puts the size of the content first, the frame the size of the block.
      const block = compressBlock(content, words.subarray(Math.max(0, start - 65_536), start)).subarray(4)
      size.writeUInt32LE(block.length)
      parts.push(size, block)
    }
    parts.push(Buffer.alloc(4))
    expect(Buffer.compare(decompress('lz4', Buffer.concat(parts), words.length), words)).toBe(0)
  })

  test.each([
    ['another version', '04224d18204082', /frame version 0/],
    ['a dictionary', '04224d18614082', /the frame needs a dictionary/],
    ['an unknown block maximum', '04224d18603082', /block size id 3/],
  ])('a frame with %s is refused', (_, hex, message) => {
    expect(() => decompress('lz4', Buffer.from(`${hex}00000000`, 'hex'), 10)).toThrow(message)
  })

  test('what follows the frame is ignored', () => {
    const frame = Buffer.concat([compress('lz4', text), compress('lz4', text)])
    expect(decompress('lz4', frame, text.length)).toHaveLength(text.length)
  })

  test('a frame that could grow beyond the limit is refused before it is decompressed', () => {
    const bomb = compress('lz4', Buffer.alloc(64_000_000))
    expect(bomb.length).toBeLessThan(300_000)
    // Damaged data in the first block: decompressing it would say corrupt.
    Buffer.from(bomb.buffer, bomb.byteOffset).fill(0xff, 12, 40)
    expect(() => decompress('lz4', bomb, 1_000_000)).toThrow(/decompress to more than 1000000 bytes/)
    expect(() => decompress('lz4', bomb, 100_000_000)).toThrow(expect.objectContaining({ kind: 'corrupt' }))
  })
})

test('gzip of several members is read as one', () => {
  const members = Buffer.concat([gzipSync('abc'), gzipSync('def')])
  expect(Buffer.from(decompress('gzip', members, 100)).toString()).toBe('abcdef')
})
