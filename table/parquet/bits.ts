/** One byte per slot to one bit per slot, least significant first. */
export function packBits(bytes: Uint8Array, length: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(length / 8))
  const whole = length & ~7
  let at = 0
  for (; at < whole; at += 8) {
    bits[at >> 3] =
      bytes[at]! |
      (bytes[at + 1]! << 1) |
      (bytes[at + 2]! << 2) |
      (bytes[at + 3]! << 3) |
      (bytes[at + 4]! << 4) |
      (bytes[at + 5]! << 5) |
      (bytes[at + 6]! << 6) |
      (bytes[at + 7]! << 7)
  }
  for (; at < length; at++) bits[at >> 3] = bits[at >> 3]! | (bytes[at]! << (at & 7))
  return bits
}
