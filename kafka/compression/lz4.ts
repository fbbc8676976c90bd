import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { corruptCompression, decompressedTooLarge } from './codecs.ts'

/**
 * LZ4 in its frame format, as record batches of magic 2 hold it (the wrong header checksum of older Java clients only exists in
 * magic 0 and 1).
 *
 *   frame  := uint32le 184D2204, FLG, BD, [uint64le content size], [uint32le dictionary id], HC, block*, uint32le 0, [uint32le checksum]
 *   block  := uint32le size (top bit: stored uncompressed), bytes, [uint32le checksum]
 *
 * Invariant: the frame is walked before the library sees it. A block cannot yield more than the block maximum of BD, nor more
 * than 255 times its size, so a frame whose blocks could exceed the limit is refused unread. Every block but the last of an
 * honest frame is full, so the estimate is no more than one block too high. What follows the frame is ignored, as Java does.
 */
const frameMagic = 0x184d2204
const lz4ExpansionMax = 255

export function decompressLz4(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const frameEnd = checkFrame(bytes, bytesMax)
  let output: Uint8Array
  try {
    output = decompressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, frameEnd))
  } catch (error) {
    throw corruptCompression('lz4', 'the frame is malformed', error)
  }
  if (output.length > bytesMax) throw decompressedTooLarge('lz4', bytesMax)
  return output
}

/** Blocks are independent, which Java insists on. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  return compressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

/** Returns where the frame ends. */
function checkFrame(bytes: Uint8Array, bytesMax: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const need = (at: number, count: number): void => {
    if (count > bytes.length - at) throw corruptCompression('lz4', `the frame ends at ${bytes.length}`)
  }
  need(0, 7)
  if (view.getUint32(0, true) !== frameMagic) throw corruptCompression('lz4', 'not an LZ4 frame')
  const flags = view.getUint8(4)
  const hasBlockChecksums = (flags & 0x10) !== 0
  const hasContentBytes = (flags & 0x08) !== 0
  const hasContentChecksum = (flags & 0x04) !== 0
  const hasDictionary = (flags & 0x01) !== 0
  const blockBytesMax = blockBytesMaxOf((view.getUint8(5) >> 4) & 0x07)
  let at = 6 + (hasContentBytes ? 8 : 0) + (hasDictionary ? 4 : 0) + 1

  // One block of slack: the last block of an honest frame is not full.
  let possibleBytes = -blockBytesMax
  for (;;) {
    need(at, 4)
    const size = view.getUint32(at, true)
    at += 4
    if (size === 0) break
    const storedBytes = size & 0x7fffffff
    const blockTotal = storedBytes + (hasBlockChecksums ? 4 : 0)
    need(at, blockTotal)
    at += blockTotal
    possibleBytes += size > 0x7fffffff ? storedBytes : Math.min(blockBytesMax, storedBytes * lz4ExpansionMax)
    if (possibleBytes > bytesMax) throw decompressedTooLarge('lz4', bytesMax)
  }
  if (hasContentChecksum) {
    need(at, 4)
    at += 4
  }
  return at
}

/** Block maximum size ids 4 to 7 mean 64 KiB, 256 KiB, 1 MiB and 4 MiB. */
function blockBytesMaxOf(id: number): number {
  if (id < 4) throw corruptCompression('lz4', `block size id ${id}`)
  return 2 ** (8 + 2 * id)
}
