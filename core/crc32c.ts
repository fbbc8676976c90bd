import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** CRC-32C (Castagnoli), as Kafka record batches and Floe's own files use it. `seed` continues an earlier checksum. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return nativeCrc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), seed)
}
