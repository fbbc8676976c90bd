/** Strings of JSON without their escapes, and comparisons of them. */

/**
 * Writes the string whose text is [start, end), which is valid and has no quotes around it, to `target`. Returns its bytes, which are
 * not more than it had. UTF-8; half a surrogate pair becomes three bytes, as in WTF-8, so that different strings stay different.
 */
export function decodeString(start: usize, end: usize, target: usize): usize {
  let to = target
  let at = start
  while (at < end) {
    const byte = load<u8>(at++)
    if (byte !== 0x5c) {
      store<u8>(to++, byte)
      continue
    }
    const letter = load<u8>(at++)
    switch (letter) {
      case 0x62:
        store<u8>(to++, 0x08)
        break
      case 0x66:
        store<u8>(to++, 0x0c)
        break
      case 0x6e:
        store<u8>(to++, 0x0a)
        break
      case 0x72:
        store<u8>(to++, 0x0d)
        break
      case 0x74:
        store<u8>(to++, 0x09)
        break
      case 0x75: {
        let code = hexUnit(at)
        at += 4
        if (code >= 0xd800 && code < 0xdc00 && at + 6 <= end && load<u16>(at) === 0x755c) {
          const low = hexUnit(at + 2)
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
            at += 6
          }
        }
        to = putCodePoint(code, to)
        break
      }
      default:
        store<u8>(to++, letter)
    }
  }
  return to - target
}

/** Four hexadecimal digits. */
function hexUnit(at: usize): u32 {
  let unit: u32 = 0
  for (let digit = at; digit < at + 4; digit++) {
    const byte: u32 = load<u8>(digit)
    unit = (unit << 4) | (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57)
  }
  return unit
}

function putCodePoint(code: u32, at: usize): usize {
  if (code < 0x80) {
    store<u8>(at, u8(code))
    return at + 1
  }
  if (code < 0x800) {
    store<u8>(at, u8(0xc0 | (code >> 6)))
    store<u8>(at, u8(0x80 | (code & 0x3f)), 1)
    return at + 2
  }
  if (code < 0x10000) {
    store<u8>(at, u8(0xe0 | (code >> 12)))
    store<u8>(at, u8(0x80 | ((code >> 6) & 0x3f)), 1)
    store<u8>(at, u8(0x80 | (code & 0x3f)), 2)
    return at + 3
  }
  store<u8>(at, u8(0xf0 | (code >> 18)))
  store<u8>(at, u8(0x80 | ((code >> 12) & 0x3f)), 1)
  store<u8>(at, u8(0x80 | ((code >> 6) & 0x3f)), 2)
  store<u8>(at, u8(0x80 | (code & 0x3f)), 3)
  return at + 4
}

/** Below, equal or above 0. The order of UTF-8 bytes is that of code points. */
export function compareBytes(left: usize, leftBytes: usize, right: usize, rightBytes: usize): i32 {
  const common = min(leftBytes, rightBytes)
  const order = memory.compare(left, right, common)
  if (order !== 0) return order
  return leftBytes < rightBytes ? -1 : leftBytes > rightBytes ? 1 : 0
}

/**
 * Whether [start, end) contains the needle. `rareAt` is the place in the needle of the byte that is looked for first.
 * Up to 16 bytes behind the end are read.
 */
export function containsBytes(start: usize, end: usize, needle: usize, needleBytes: usize, rareAt: usize): bool {
  if (needleBytes === 0) return true
  if (end - start < needleBytes) return false
  const wanted = load<u8>(needle + rareAt)
  const wantedBytes = i8x16.splat(wanted)
  // Places of the rare byte, as long as the whole needle fits around it.
  const last = end - needleBytes + rareAt
  for (let at = start + rareAt; at <= last; at += 16) {
    let mask = u32(i8x16.bitmask(i8x16.eq(v128.load(at), wantedBytes)))
    while (mask !== 0) {
      const found = at + usize(ctz(mask))
      if (found > last) return false
      if (memory.compare(found - rareAt, needle, needleBytes) === 0) return true
      mask &= mask - 1
    }
  }
  return false
}
