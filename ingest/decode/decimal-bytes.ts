/** Decimals as big-endian two's complement of any length, as Avro writes them. */
import { decodeDecimal } from '../../table/single-value.ts'

/** Longer than any decimal(38), sign-extended generously. */
const decimalBytesMax = 64

/** The unscaled value of bytes[start, end); no bytes are 0; undefined when there are too many. */
export function readBigEndian(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  const length = end - start
  if (length > decimalBytesMax) return undefined
  if (length <= 6) {
    let value = length === 0 ? 0 : (bytes[start]! << 24) >> 24
    for (let at = start + 1; at < end; at++) value = value * 256 + bytes[at]!
    return BigInt(value)
  }
  return decodeDecimal(bytes.subarray(start, end))
}

const limits = Array.from({ length: 39 }, (_, precision) => 10n ** BigInt(precision))

export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = limits[precision]!
  return unscaled < limit && unscaled > -limit
}
