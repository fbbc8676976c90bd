/**
 * Strings as the kernel compares them: UTF-8, and half a surrogate pair as three bytes, so that different strings stay different.
 *
 * source  The WTF-8 encoding, simonsapin.github.io/wtf-8
 */
export function encodeWtf8(text: string): Uint8Array {
  if (text.isWellFormed()) return utf8.encode(text)
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code < 0xd800 || code > 0xdfff) bytes.push(...utf8.encode(character))
    else bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
  }
  return Uint8Array.from(bytes)
}

const utf8 = new TextEncoder()

/** Bytes of ordinary events, the most frequent first; what is not among them is rarer. */
const frequentBytes = utf8.encode('" e:,taoinsr0l1d2c-m3u4p5f6789g.ybh_/wv{}kTZ[]xjqz')
const rarity = new Uint8Array(256).fill(255)
for (const [index, byte] of frequentBytes.entries()) rarity[byte] = index

/** Where the byte lies that is looked for first: the rarer it is, the fewer places are compared in vain. 0 when there is none. */
export function rarestByteAt(bytes: Uint8Array): number {
  let best = 0
  for (let at = 1; at < bytes.length; at++) if (rarity[bytes[at]!]! > rarity[bytes[best]!]!) best = at
  return best
}
