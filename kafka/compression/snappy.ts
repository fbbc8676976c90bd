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
  if (!startsWithMagic(bytes)) {
    if (readClaimedBytes(bytes) > bytesMax) throw decompressedTooLarge('snappy', bytesMax)
    return decompressBlock(bytes)
  }
  // Two walks: the sizes first, so that there is one output, however many tiny blocks there are.
  let total = 0
  walkBlocks(bytes, block => {
    total += readClaimedBytes(block)
    if (total > bytesMax) throw decompressedTooLarge('snappy', bytesMax)
  })
  const output = new Uint8Array(total)
  let filled = 0
  walkBlocks(bytes, block => {
    const decompressed = decompressBlock(block)
    output.set(decompressed, filled)
    filled += decompressed.length
  })
  return output
}

function startsWithMagic(bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && magic.every((byte, index) => bytes[index] === byte)
}

function walkBlocks(bytes: Uint8Array, visit: (block: Uint8Array) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = headerBytes
  while (at < bytes.length) {
    const size = at + 4 <= bytes.length ? view.getInt32(at) : -1
    at += 4
    if (size <= 0 || size > bytes.length - at) throw corruptCompression('snappy', `block of ${size} bytes at ${at}`)
    visit(bytes.subarray(at, at + size))
    at += size
  }
}

/**
 * The library makes exactly as many bytes as the block claims, or fails. Letting it copy them into Node's memory is twice as
 * fast as taking over its own.
 */
function decompressBlock(block: Uint8Array): Uint8Array {
  try {
    const output = uncompressSync(block, { asBuffer: true, copyOutputData: true })
    if (typeof output !== 'string') return output
  } catch (error) {
    throw corruptCompression('snappy', 'the block is malformed', error)
  }
  throw corruptCompression('snappy', 'the block is malformed')
}

/** The unsigned varint a raw block starts with: its decompressed size. */
function readClaimedBytes(block: Uint8Array): number {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (value * 3 <= block.length * 64) return value
      throw corruptCompression('snappy', `${block.length} bytes claim to hold ${value}`)
    }
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
    const block = compressSync(bytes.subarray(at, at + blockBytes), { copyOutputData: true })
    const size = new Uint8Array(4)
    new DataView(size.buffer).setInt32(0, block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}
