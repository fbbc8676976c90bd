import { FloeError } from '../../core/errors.ts'

/** The compression types of record batches, in the order of their ids (attribute bits 0 to 2 of a batch header). */
export const compressionCodecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CompressionCodec = (typeof compressionCodecs)[number]

/** What one batch may grow to by default: far above any honest batch, far below what a small bomb could ask for. */
export const decompressedBytesMaxDefault = 134_217_728

/** errors  unsupported: an id that no codec has */
export function codecOfId(id: number): CompressionCodec {
  const codec = compressionCodecs[id]
  if (codec === undefined) {
    throw new FloeError('unsupported', 'unknown-compression-codec', `compression codec ${id} is not known`, { id })
  }
  return codec
}

export function idOfCodec(codec: CompressionCodec): number {
  return compressionCodecs.indexOf(codec)
}

export function corruptCompression(codec: CompressionCodec, problem: string, cause?: unknown): FloeError {
  return new FloeError('corrupt', 'corrupt-compressed-records', `${codec} records: ${problem}`, { codec }, cause)
}

export function decompressedTooLarge(codec: CompressionCodec, bytesMax: number): FloeError {
  return new FloeError(
    'exhausted',
    'decompressed-records-too-large',
    `${codec} records decompress to more than ${bytesMax} bytes`,
    { codec, bytesMax },
  )
}
