/** Compression of whole pages. zstd runs at its fastest level: the next levels cost twice the time for a few percent. */
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { compressSync as compressLz4 } from 'lz4-napi'
import { compressSync as compressSnappy } from 'snappy'
import { releaseMemory } from '../../core/release-memory.ts'
import type { ParquetCodec } from './encoder.ts'

/** CompressionCodec in parquet.thrift; lz4 is LZ4_RAW, the block format. */
export const codecIds: Record<ParquetCodec, number> = { none: 0, snappy: 1, gzip: 2, zstd: 6, lz4: 7 }

/** lz4-napi puts the uncompressed size in front of the block. */
const lz4PrefixBytes = 4
const zstdParams = { [constants.ZSTD_c_compressionLevel]: 1 }
const outputChunkBytesMin = 1_024
const outputChunkBytesMax = 256 * 1024

/** New memory, owned by the caller. */
export function compressPage(codec: ParquetCodec, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes.slice()
    case 'zstd': {
      const chunkSize = Math.min(Math.max(bytes.length >> 1, outputChunkBytesMin), outputChunkBytesMax)
      return trim(zstdCompressSync(bytes, { chunkSize, params: zstdParams }), chunkSize)
    }
    case 'gzip':
      return gzipSync(bytes, { level: 4 })
    case 'snappy':
      return compressSnappy(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    case 'lz4':
      return compressLz4(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).subarray(lz4PrefixBytes)
  }
}

/** Pages are held until their file is finished: without the room that was left in the output chunk. */
function trim(compressed: Buffer<ArrayBuffer>, chunkSize: number): Uint8Array {
  const { buffer, length } = compressed
  if (buffer.byteLength !== chunkSize || chunkSize - length < trimBytesMin) return compressed
  const exact = new Uint8Array(compressed)
  releaseMemory(new Uint8Array(buffer))
  return exact
}

const trimBytesMin = 16 * 1024
