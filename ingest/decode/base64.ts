/** Base64 (RFC 4648, standard and URL alphabets, padding optional), strict: no white space, no stray bits. */
const values = new Uint8Array(256).fill(64)
for (const [value, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  values[letter.charCodeAt(0)] = value
}
values['-'.charCodeAt(0)] = 62
values['_'.charCodeAt(0)] = 63

/** Writes the decoded bytes and returns the position after them, or -1. The target must have room for 3/4 of the text. */
export function decodeBase64(bytes: Uint8Array, start: number, end: number, target: Uint8Array, to: number): number {
  let last = end
  if ((end - start) % 4 === 0) {
    if (last > start && bytes[last - 1] === 0x3d) last--
    if (last > start && bytes[last - 1] === 0x3d) last--
  }
  const rest = (last - start) % 4
  if (rest === 1) return -1
  let at = start
  let out = to
  for (; at + 4 <= last; at += 4) {
    const a = values[bytes[at]!]!
    const b = values[bytes[at + 1]!]!
    const c = values[bytes[at + 2]!]!
    const d = values[bytes[at + 3]!]!
    if ((a | b | c | d) > 63) return -1
    const group = (a << 18) | (b << 12) | (c << 6) | d
    target[out++] = group >> 16
    target[out++] = group >> 8
    target[out++] = group
  }
  if (rest >= 2) {
    const a = values[bytes[at]!]!
    const b = values[bytes[at + 1]!]!
    const c = rest === 3 ? values[bytes[at + 2]!]! : 0
    if ((a | b | c) > 63) return -1
    const group = (a << 18) | (b << 12) | (c << 6)
    if ((group & (rest === 3 ? 0xff : 0xffff)) !== 0) return -1
    target[out++] = group >> 16
    if (rest === 3) target[out++] = group >> 8
  }
  return out
}
