import { compressSync, uncompressSync } from 'snappy'
import { corruptCompression, decompressedTooLarge } from './codecs.ts'

/**
 * Snappy as Kafka clients write it: librdkafka sends one raw snappy block, Java the framing of the xerial library.
 *
 *   xerial := magic 82 'SNAPPY' 00, int32 version, int32 compatible version, (int32 size, raw block)*
 *
 * Both are read, xerial is written. Invariant: a raw block says its decompressed size first; since no snappy element makes more
 * than 64 bytes of 3, a larger claim is refused before anything is allocated for it.
 */
const magic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00)
const headerBytes = 16

/** How much of the input goes into one block of the framing (what Java uses). */
const blockBytes = 32_768

export function decompressSnappy(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!startsWithMagic(bytes)) return decompressBlock(bytes, bytesMax)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Uint8Array[] = []
  let total = 0
  let at = headerBytes
  while (at < bytes.length) {
    const size = at + 4 <= bytes.length ? view.getInt32(at) : -1
    at += 4
    if (size <= 0 || size > bytes.length - at) throw corruptCompression('snappy', `block of ${size} bytes at ${at}`)
    const block = decompressBlock(bytes.subarray(at, at + size), bytesMax - total)
    total += block.length
    blocks.push(block)
    at += size
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total)
}

function startsWithMagic(bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && magic.every((byte, index) => bytes[index] === byte)
}

function decompressBlock(block: Uint8Array, bytesMax: number): Uint8Array {
  const claimed = readClaimedBytes(block)
  if (claimed > bytesMax) throw decompressedTooLarge('snappy', bytesMax)
  if (claimed * 3 > block.length * 64)
    throw corruptCompression('snappy', `${block.length} bytes claim to hold ${claimed}`)
  try {
    const output = uncompressSync(block, { asBuffer: true })
    if (typeof output !== 'string') return output
  } catch (error) {
    throw corruptCompression('snappy', 'the block is malformed', error)
  }
  throw corruptCompression('snappy', 'the block is malformed')
}

/** The unsigned varint a raw block starts with. */
function readClaimedBytes(block: Uint8Array): number {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value
  }
  throw corruptCompression('snappy', 'the block has no size')
}

export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(headerBytes)
  header.set(magic)
  const view = new DataView(header.buffer)
  view.setInt32(8, 1)
  view.setInt32(12, 1)
  const parts: Uint8Array[] = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compressSync(bytes.subarray(at, at + blockBytes))
    const size = new Uint8Array(4)
    new DataView(size.buffer).setInt32(0, block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}
