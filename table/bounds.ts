/**
 * Shortening column bounds without making them wrong: lower bounds are cut, upper bounds are cut and then incremented, so the
 * result is still at or outside every value. Where no such upper bound exists it is left out, which costs pruning, never rows.
 *
 *   lower  "straße und wald"  4 code points -> "stra"
 *   upper  "straße und wald"  4 code points -> "strb"      upper  U+10FFFF U+10FFFF "x"  2 -> none
 *
 * source  Iceberg specification, "Bounds"; Delta protocol, "Per-file Statistics"
 */
import { boundBytesMax, type PrimitiveType } from './types.ts'

/** What Iceberg's `truncate(16)` metrics mode keeps of strings and of binary values. */
export const icebergBoundCodePointsMax = 16
export const icebergBoundBytesMax = 16
/** What Spark keeps of strings in Delta statistics. */
export const deltaBoundCodePointsMax = 32

/** The first `countMax` code points of UTF-8 text; the input itself when it is not longer. */
export function cutCodePoints(utf8: Uint8Array, countMax: number): Uint8Array {
  let count = 0
  for (let at = 0; at < utf8.length; at++) {
    if ((utf8[at]! & 0xc0) === 0x80) continue
    if (count === countMax) return utf8.subarray(0, at)
    count++
  }
  return utf8
}

/** The longest prefix of at most `bytesMax` bytes that ends between code points. */
export function cutUtf8Bytes(utf8: Uint8Array, bytesMax: number): Uint8Array {
  if (utf8.length <= bytesMax) return utf8
  let end = bytesMax
  while (end > 0 && (utf8[end]! & 0xc0) === 0x80) end--
  return utf8.subarray(0, end)
}

/**
 * The least text of the same or fewer code points that comes after every text beginning with `prefix`: the last code point
 * that has a successor is incremented and the rest dropped. Surrogates are no code points of UTF-8 and are skipped.
 * Undefined when there is none, and for bytes that are not UTF-8.
 */
export function incrementText(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length
  while (end > 0) {
    let start = end - 1
    while (start > 0 && (prefix[start]! & 0xc0) === 0x80) start--
    const codePoint = decodeCodePoint(prefix, start, end)
    if (codePoint === undefined) return undefined
    if (codePoint < 0x10ffff) {
      const next = encodeCodePoint(codePoint === 0xd7ff ? 0xe000 : codePoint + 1)
      const bytes = new Uint8Array(start + next.length)
      bytes.set(prefix.subarray(0, start))
      bytes.set(next, start)
      return bytes
    }
    end = start
  }
  return undefined
}

/** The same for bytes: 01 ff becomes 02; undefined when all are ff. */
export function incrementBytes(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length
  while (end > 0 && prefix[end - 1] === 0xff) end--
  if (end === 0) return undefined
  const bytes = prefix.slice(0, end)
  bytes[end - 1] = bytes[end - 1]! + 1
  return bytes
}

/** A value of the type as lower bound of at most boundBytesMax bytes, the form of ColumnStatistics. */
export function shortenLower(type: PrimitiveType, value: Uint8Array): Uint8Array {
  if (isText(type)) return cutUtf8Bytes(value, boundBytesMax)
  if (isBinary(type)) return value.length <= boundBytesMax ? value : value.subarray(0, boundBytesMax)
  return value
}

/** A value of the type as upper bound of at most boundBytesMax bytes, or undefined when it cannot be rounded up. */
export function shortenUpper(type: PrimitiveType, value: Uint8Array): Uint8Array | undefined {
  if (value.length <= boundBytesMax) return value
  if (isText(type)) {
    // Incrementing can lengthen the last code point by a byte, so one code point of room is left.
    return incrementText(cutUtf8Bytes(value, boundBytesMax - 4))
  }
  if (isBinary(type)) return incrementBytes(value.subarray(0, boundBytesMax))
  return value
}

/** A bound of ColumnStatistics as Iceberg's manifests hold it. */
export function roundIcebergLower(type: PrimitiveType, lower: Uint8Array): Uint8Array {
  if (isText(type)) return cutCodePoints(lower, icebergBoundCodePointsMax)
  if (isBinary(type)) return lower.subarray(0, icebergBoundBytesMax)
  return lower
}

export function roundIcebergUpper(type: PrimitiveType, upper: Uint8Array): Uint8Array | undefined {
  if (isText(type)) return roundTextUpper(upper, icebergBoundCodePointsMax)
  if (isBinary(type)) {
    return upper.length <= icebergBoundBytesMax ? upper : incrementBytes(upper.subarray(0, icebergBoundBytesMax))
  }
  return upper
}

/** Upper bound of text with at most `countMax` code points. */
export function roundTextUpper(upper: Uint8Array, countMax: number): Uint8Array | undefined {
  const cut = cutCodePoints(upper, countMax)
  return cut.length === upper.length ? upper : incrementText(cut)
}

const isText = (type: PrimitiveType): boolean => type.kind === 'primitive' && type.name === 'string'
const isBinary = (type: PrimitiveType): boolean => type.kind === 'primitive' && type.name === 'binary'

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8Encoder = new TextEncoder()

function decodeCodePoint(bytes: Uint8Array, start: number, end: number): number | undefined {
  try {
    const text = utf8Decoder.decode(bytes.subarray(start, end))
    const codePoint = text.codePointAt(0)
    return codePoint !== undefined && text.length === String.fromCodePoint(codePoint).length ? codePoint : undefined
  } catch {
    return undefined
  }
}

const encodeCodePoint = (codePoint: number): Uint8Array => utf8Encoder.encode(String.fromCodePoint(codePoint))
