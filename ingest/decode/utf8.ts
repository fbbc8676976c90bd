/**
 * Whether bytes[start, end) are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
 * Written out because a native call per value costs more than the loop, for texts of the usual length.
 */
export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at]!
    if (lead < 0x80) {
      at++
    } else if (lead < 0xe0) {
      if (lead < 0xc2 || at + 2 > end || (bytes[at + 1]! & 0xc0) !== 0x80) return false
      at += 2
    } else if (lead < 0xf0) {
      if (at + 3 > end) return false
      const second = bytes[at + 1]!
      if ((second & 0xc0) !== 0x80 || (bytes[at + 2]! & 0xc0) !== 0x80) return false
      if (lead === 0xe0 && second < 0xa0) return false
      if (lead === 0xed && second >= 0xa0) return false
      at += 3
    } else {
      if (lead > 0xf4 || at + 4 > end) return false
      const second = bytes[at + 1]!
      if ((second & 0xc0) !== 0x80 || (bytes[at + 2]! & 0xc0) !== 0x80 || (bytes[at + 3]! & 0xc0) !== 0x80) return false
      if (lead === 0xf0 && second < 0x90) return false
      if (lead === 0xf4 && second >= 0x90) return false
      at += 4
    }
  }
  return true
}

/** Writes the code point (no surrogate) and returns the position after it. */
export function writeCodePoint(codePoint: number, target: Uint8Array, to: number): number {
  let at = to
  if (codePoint < 0x80) {
    target[at++] = codePoint
  } else if (codePoint < 0x800) {
    target[at++] = 0xc0 | (codePoint >> 6)
    target[at++] = 0x80 | (codePoint & 0x3f)
  } else if (codePoint < 0x10000) {
    target[at++] = 0xe0 | (codePoint >> 12)
    target[at++] = 0x80 | ((codePoint >> 6) & 0x3f)
    target[at++] = 0x80 | (codePoint & 0x3f)
  } else {
    target[at++] = 0xf0 | (codePoint >> 18)
    target[at++] = 0x80 | ((codePoint >> 12) & 0x3f)
    target[at++] = 0x80 | ((codePoint >> 6) & 0x3f)
    target[at++] = 0x80 | (codePoint & 0x3f)
  }
  return at
}
