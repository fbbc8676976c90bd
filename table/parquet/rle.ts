/**
 * Parquet's RLE / bit-packing hybrid, for levels and dictionary indices.
 *
 *   run      varint (count << 1), then the value in ceil(bitWidth / 8) bytes
 *   packed   varint (groups << 1 | 1), then groups of 8 values, bitWidth bits each, least significant bit first
 *
 * source  parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"
 */
import type { PageBuffer } from './page-buffer.ts'

/** Shorter repetitions are cheaper packed. */
const runCountMin = 16

export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max)
}

/** values[0, count), each below 2^bitWidth. */
export function writeHybrid(out: PageBuffer, values: Uint8Array | Int32Array, count: number, bitWidth: number): void {
  let packedFrom = 0
  let at = 0
  // Packed values come in groups of eight, so a run begins where a group ends: only those places are looked at.
  while (at < count) {
    const value = values[at]!
    let runEnd = at + 1
    while (runEnd < count && values[runEnd] === value) runEnd++
    if (runEnd - at < runCountMin) {
      at += 8
      continue
    }
    writePacked(out, values, packedFrom, at, bitWidth)
    writeRun(out, value, runEnd - at, bitWidth)
    packedFrom = runEnd
    at = runEnd
  }
  writePacked(out, values, packedFrom, count, bitWidth)
}

export function writeRun(out: PageBuffer, value: number, count: number, bitWidth: number): void {
  out.uvarint(count * 2)
  for (let shift = 0; shift < bitWidth; shift += 8) out.uint8((value >>> shift) & 0xff)
}

/** values[from, to); the last group is filled with zeros, which readers drop because they know the count. */
function writePacked(
  out: PageBuffer,
  values: Uint8Array | Int32Array,
  from: number,
  to: number,
  bitWidth: number,
): void {
  if (from === to) return
  const groupCount = (to - from + 7) >> 3
  out.uvarint(groupCount * 2 + 1)
  out.reserve(groupCount * bitWidth)
  const { bytes } = out
  let byteAt = out.length
  const end = byteAt + groupCount * bitWidth
  if (bitWidth === 1) {
    for (let at = from; at < to; at += 8) {
      let byte = 0
      const stop = Math.min(at + 8, to)
      for (let bit = at; bit < stop; bit++) byte |= values[bit]! << (bit - at)
      bytes[byteAt++] = byte
    }
  } else {
    // Widths stay below 25 (dictionaries and levels are small), so an accumulator of 32 bits is enough.
    let accumulator = 0
    let bits = 0
    for (let at = from; at < to; at++) {
      accumulator |= values[at]! << bits
      bits += bitWidth
      while (bits >= 8) {
        bytes[byteAt++] = accumulator
        accumulator >>>= 8
        bits -= 8
      }
    }
    if (bits > 0) bytes[byteAt++] = accumulator
  }
  bytes.fill(0, byteAt, end)
  out.length = end
}
