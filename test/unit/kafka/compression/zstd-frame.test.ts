import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compress, decompress } from '../../../../kafka/compression/compression.ts'
import { readZstdContentSize } from '../../../../kafka/compression/zstd-frame.ts'

describe('the content size in a zstd frame', () => {
  it.each([0, 1, 255, 256, 65_791, 65_792, 70_000, 1_000_000])('is read when it is given: %d bytes', size => {
    const frame = zstdCompressSync(Buffer.alloc(size, 'abc'), {
      params: { [constants.ZSTD_c_contentSizeFlag]: 1 },
      pledgedSrcSize: size,
    })
    expect(readZstdContentSize(frame)).toBe(size)
    expect(decompress('zstd', frame, 2_000_000)).toHaveLength(size)
  })

  it('is unknown in a streamed frame and in bytes that are none', async () => {
    const stream = createZstdCompress()
    stream.write('abc'.repeat(1000))
    stream.end()
    const frame = Buffer.concat(await stream.toArray())
    expect(decompress('zstd', frame, 10_000)).toHaveLength(3000)
    expect(readZstdContentSize(Buffer.from('not a frame'))).toBeUndefined()
    expect(readZstdContentSize(frame.subarray(0, 5))).toBeUndefined()
  })

  it('does not decide how much is accepted', () => {
    const frame = Buffer.from(compress('zstd', Buffer.alloc(100_000)))
    expect(() => decompress('zstd', frame, 1000)).toThrow(/more than 1000 bytes/)
  })
})
