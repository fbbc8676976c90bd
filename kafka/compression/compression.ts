import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { CompressionCodec } from './codecs.ts'
import { corruptCompression, decompressedTooLarge } from './codecs.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { readZstdContentSize } from './zstd-frame.ts'

/** Output buffers of the stream codecs grow in steps of this size; larger than Node's default, batches are rarely small. */
const outputChunkBytes = 131_072
/** A frame's own word on its size is believed up to this ratio; beyond it the output grows in steps. */
const believedRatioMax = 64

/**
 * Decompresses the records of one batch.
 *
 * bytesMax  refuses output beyond this size without building it
 * returns   new memory, except for codec `none`, where it is the input itself
 * errors    corrupt: the bytes are not what the codec writes; exhausted: more than bytesMax
 */
export function decompress(codec: CompressionCodec, bytes: Uint8Array, bytesMax: number): Uint8Array {
  switch (codec) {
    case 'none':
      if (bytes.length > bytesMax) throw decompressedTooLarge(codec, bytesMax)
      return bytes
    case 'gzip':
      return runZlib(codec, bytesMax, outputChunkBytes, options => gunzipSync(bytes, options))
    case 'snappy':
      return decompressSnappy(bytes, bytesMax)
    case 'lz4':
      return decompressLz4(bytes, bytesMax)
    case 'zstd':
      return runZlib(codec, bytesMax, chooseZstdChunk(bytes), options => zstdDecompressSync(bytes, options))
  }
}

/** Compresses the records of one batch; new memory, except for codec `none`, where it is the input itself. */
export function compress(codec: CompressionCodec, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes, { chunkSize: outputChunkBytes })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes)
    case 'zstd':
      return zstdCompressSync(bytes, {
        chunkSize: outputChunkBytes,
        params: { [constants.ZSTD_c_compressionLevel]: 3 },
      })
  }
}

/** One step for the whole output where its size is known: growing costs a third of the time. */
function chooseZstdChunk(frame: Uint8Array): number {
  const size = readZstdContentSize(frame)
  if (size === undefined) return Math.max(outputChunkBytes, Math.min(frame.length * 8, outputChunkBytes * 8))
  // One byte more: zlib asks for another step when a chunk comes out exactly full.
  return Math.max(64, Math.min(size + 1, frame.length * believedRatioMax))
}

function runZlib(
  codec: 'gzip' | 'zstd',
  bytesMax: number,
  chunkSize: number,
  run: (options: { readonly maxOutputLength: number; readonly chunkSize: number }) => Buffer,
): Buffer {
  try {
    return run({ maxOutputLength: Math.max(1, bytesMax), chunkSize })
  } catch (error) {
    if (error instanceof RangeError) throw decompressedTooLarge(codec, bytesMax)
    throw corruptCompression(codec, 'the stream is malformed', error)
  }
}
