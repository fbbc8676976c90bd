import { compressFrameSync, uncompressSync } from 'lz4-napi'
import { corruptCompression, decompressedTooLarge } from './codecs.ts'

/**
 * LZ4 in its frame format, as record batches of magic 2 hold it (the wrong header checksum of older Java clients only exists in
 * magic 0 and 1).
 *
 *   frame  := uint32le 184D2204, FLG, BD, [uint64le content size], [uint32le dictionary id], HC, block*, uint32le 0, [uint32le checksum]
 *   block  := uint32le size (top bit: stored uncompressed), bytes, [uint32le checksum]
 *
 * The frame is taken apart here and the library decompresses block by block: that is three times as fast as its own frame
 * reader, and bounded. Invariants: a block yields at most the block maximum of BD, and at most 255 times its size; a frame
 * whose blocks could exceed the limit by more than one block is refused before any is decompressed. Checksums of the frame are
 * not looked at, the checksum of the record batch covers the same bytes. What follows the frame is ignored, as Java does.
 */
const frameMagic = 0x184d2204
const expansionMax = 255
/** A block may refer back this far into the output, across blocks unless the frame says they are independent. */
const windowBytes = 65_536
/** 64 KiB each, the smallest block maximum, make 4 GiB. */
const blocksMax = 65_536

export function decompressLz4(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const header = readHeader(bytes)
  checkBlocks(bytes, header, bytesMax)
  const blocks: Uint8Array[] = []
  let total = 0
  walkBlocks(bytes, header, (block, isStored) => {
    const output = isStored ? new Uint8Array(block) : decompressBlock(block, header, blocks)
    if (output.length === 0) return
    total += output.length
    if (total > bytesMax) throw decompressedTooLarge('lz4', bytesMax)
    blocks.push(output)
  })
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total)
}

/** Blocks are independent, which Java insists on. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  return compressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

interface FrameHeader {
  /** Where the first block starts. */
  readonly blocksAt: number
  readonly blockBytesMax: number
  readonly areBlocksIndependent: boolean
  readonly hasBlockChecksums: boolean
}

function readHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 7 || view.getUint32(0, true) !== frameMagic) throw corruptCompression('lz4', 'not an LZ4 frame')
  const flags = view.getUint8(4)
  if (flags >> 6 !== 1) throw corruptCompression('lz4', `frame version ${flags >> 6}`)
  if ((flags & 0x01) !== 0) throw corruptCompression('lz4', 'the frame needs a dictionary')
  // Block maximum ids 4 to 7 mean 64 KiB, 256 KiB, 1 MiB and 4 MiB.
  const blockMaxId = (view.getUint8(5) >> 4) & 0x07
  if (blockMaxId < 4) throw corruptCompression('lz4', `block size id ${blockMaxId}`)
  return {
    blocksAt: (flags & 0x08) !== 0 ? 15 : 7,
    blockBytesMax: 2 ** (8 + 2 * blockMaxId),
    areBlocksIndependent: (flags & 0x20) !== 0,
    hasBlockChecksums: (flags & 0x10) !== 0,
  }
}

function walkBlocks(
  bytes: Uint8Array,
  header: FrameHeader,
  visit: (block: Uint8Array, isStored: boolean) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = header.blocksAt
  for (let count = 0; count < blocksMax; count++) {
    if (at + 4 > bytes.length) throw corruptCompression('lz4', `the frame is cut at ${bytes.length}`)
    const size = view.getUint32(at, true)
    at += 4
    if (size === 0) return
    const blockBytes = size & 0x7fffffff
    const end = at + blockBytes + (header.hasBlockChecksums ? 4 : 0)
    if (end > bytes.length) throw corruptCompression('lz4', `block of ${blockBytes} bytes at ${at}`)
    visit(bytes.subarray(at, at + blockBytes), size > 0x7fffffff)
    at = end
  }
  throw corruptCompression('lz4', `more than ${blocksMax} blocks`)
}

/** Every block but the last of an honest frame is full, so one block of slack is enough never to refuse one. */
function checkBlocks(bytes: Uint8Array, header: FrameHeader, bytesMax: number): void {
  let possibleBytes = -header.blockBytesMax
  walkBlocks(bytes, header, (block, isStored) => {
    possibleBytes += isStored ? block.length : maxOutputOf(block, header)
    if (possibleBytes > bytesMax) throw decompressedTooLarge('lz4', bytesMax)
  })
}

function maxOutputOf(block: Uint8Array, header: FrameHeader): number {
  return Math.min(header.blockBytesMax, block.length * expansionMax)
}

function decompressBlock(block: Uint8Array, header: FrameHeader, before: readonly Uint8Array[]): Uint8Array {
  // The library wants the block behind its maximum output.
  const sized = Buffer.allocUnsafe(4 + block.length)
  sized.writeUInt32LE(maxOutputOf(block, header), 0)
  sized.set(block, 4)
  try {
    if (header.areBlocksIndependent || before.length === 0) return uncompressSync(sized)
    return uncompressSync(sized, lastWindow(before))
  } catch (error) {
    throw corruptCompression('lz4', 'a block is malformed', error)
  }
}

function lastWindow(before: readonly Uint8Array[]): Uint8Array {
  let first = before.length
  let gathered = 0
  while (first > 0 && gathered < windowBytes) gathered += before[--first]!.length
  const window = before.length - first === 1 ? before[first]! : Buffer.concat(before.slice(first), gathered)
  return window.subarray(Math.max(0, gathered - windowBytes))
}
