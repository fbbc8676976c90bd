/**
 * The grammar of JSON over bytes, whole: what these functions pass is what JSON.parse passes.
 *
 * Each takes where something begins and where the text ends, and returns where it ends, or 0 when it is no such thing. Up to 16 bytes
 * behind the end of the text are read, and never looked at.
 *
 * source  RFC 8259
 */

const quote: u8 = 0x22
const backslash: u8 = 0x5c

/** Whether the string that `afterString` passed last has escapes. */
export let hasEscape: bool = false
/** Whether `numberValue` is exactly the number that `afterNumber` passed last, -0 being 0; if not, its text has to be looked at. */
export let isNumberExact: bool = false
export let numberValue: f64 = 0

/** Brackets within each other: what is deeper is no JSON. Whoever parses a part of it may recurse. */
const nestingMax: i32 = 1024
/** One bit for each open bracket, 1 for an object. */
const nesting = memory.data(nestingMax / 8)

export function afterSpace(start: usize, end: usize): usize {
  let at = start
  while (at < end) {
    const byte = load<u8>(at)
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

/** `start` is behind the opening quote. */
export function afterString(start: usize, end: usize): usize {
  const quotes = i8x16.splat(quote)
  const backslashes = i8x16.splat(backslash)
  const firstAllowed = i8x16.splat(0x20)
  hasEscape = false
  let at = start
  while (true) {
    const chunk = v128.load(at)
    const special = v128.or(
      v128.or(i8x16.eq(chunk, quotes), i8x16.eq(chunk, backslashes)),
      i8x16.lt_u(chunk, firstAllowed),
    )
    const mask = i8x16.bitmask(special)
    if (mask === 0) {
      at += 16
      if (at >= end) return 0
      continue
    }
    at += ctz(mask)
    if (at >= end) return 0
    const byte = load<u8>(at)
    if (byte === quote) return at + 1
    if (byte !== backslash) return 0
    hasEscape = true
    at = afterEscape(at, end)
    if (at === 0 || at >= end) return 0
  }
}

/** `start` is at the backslash. */
function afterEscape(start: usize, end: usize): usize {
  if (start + 1 >= end) return 0
  switch (load<u8>(start + 1)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return start + 2
    case 0x75: // u
      if (start + 6 > end) return 0
      for (let digit = start + 2; digit < start + 6; digit++) if (!isHexDigit(load<u8>(digit))) return 0
      return start + 6
    default:
      return 0
  }
}

function isHexDigit(byte: u8): bool {
  if (byte >= 0x30 && byte <= 0x39) return true
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66
}

function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39
}

/** Exact as doubles, so a quotient of a whole number below 2^53 and one of them is rounded once. */
const powersOfTen = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
])
const exactDigitsMax: i32 = 15

export function afterNumber(start: usize, end: usize): usize {
  let at = start
  const isNegative = load<u8>(at) === 0x2d
  if (isNegative && ++at >= end) return 0
  const digitsAt = at
  let digits: u64 = 0
  let byte = load<u8>(at)
  if (byte === 0x30) {
    at++
  } else {
    while (isDigit(byte)) {
      digits = digits * 10 + (byte - 0x30)
      if (++at >= end) break
      byte = load<u8>(at)
    }
    if (at === digitsAt) return 0
  }
  let digitCount = i32(at - digitsAt)
  let decimals: i32 = 0
  if (at < end && load<u8>(at) === 0x2e) {
    const decimalsAt = ++at
    for (; at < end; at++) {
      byte = load<u8>(at)
      if (!isDigit(byte)) break
      digits = digits * 10 + (byte - 0x30)
    }
    if (at === decimalsAt) return 0
    decimals = i32(at - decimalsAt)
    digitCount += decimals
  }
  isNumberExact = digitCount <= exactDigitsMax
  if (at < end && (load<u8>(at) | 0x20) === 0x65) {
    isNumberExact = false
    at++
    if (at < end && (load<u8>(at) === 0x2b || load<u8>(at) === 0x2d)) at++
    const exponentAt = at
    while (at < end && isDigit(load<u8>(at))) at++
    if (at === exponentAt) return 0
  }
  if (isNumberExact) {
    const value = f64(digits) / load<f64>(powersOfTen + (usize(decimals) << 3))
    numberValue = isNegative ? 0 - value : value
  }
  return at
}

export function afterTrue(start: usize, end: usize): usize {
  return start + 4 <= end && load<u32>(start) === 0x65757274 ? start + 4 : 0
}

export function afterFalse(start: usize, end: usize): usize {
  return start + 5 <= end && load<u32>(start + 1) === 0x65736c61 ? start + 5 : 0
}

export function afterNull(start: usize, end: usize): usize {
  return start + 4 <= end && load<u32>(start) === 0x6c6c756e ? start + 4 : 0
}

/** `start` is at the key's quote; returns where the value begins. */
function afterKey(start: usize, end: usize): usize {
  if (start >= end || load<u8>(start) !== quote) return 0
  const at = afterString(start + 1, end)
  return at === 0 ? 0 : afterColon(at, end)
}

/** `start` is behind the key; returns where the value begins. */
export function afterColon(start: usize, end: usize): usize {
  const at = afterSpace(start, end)
  if (at >= end || load<u8>(at) !== 0x3a) return 0
  return afterSpace(at + 1, end)
}

/** A value of any kind; `start` is at its first byte, and so many brackets are open around it. */
export function afterValue(start: usize, end: usize, outerDepth: i32): usize {
  let at = start
  let depth = outerDepth
  while (at < end) {
    const byte = load<u8>(at)
    switch (byte) {
      case 0x22:
        at = afterString(at + 1, end)
        break
      case 0x7b: // {
        if (depth === nestingMax) return 0
        at = afterSpace(at + 1, end)
        if (at < end && load<u8>(at) === 0x7d) {
          at++
          break
        }
        open(depth++, true)
        at = afterKey(at, end)
        if (at === 0) return 0
        continue
      case 0x5b: // [
        if (depth === nestingMax) return 0
        at = afterSpace(at + 1, end)
        if (at < end && load<u8>(at) === 0x5d) {
          at++
          break
        }
        open(depth++, false)
        continue
      case 0x74:
        at = afterTrue(at, end)
        break
      case 0x66:
        at = afterFalse(at, end)
        break
      case 0x6e:
        at = afterNull(at, end)
        break
      default:
        at = afterNumber(at, end)
    }
    if (at === 0) return 0
    // Behind a value: closing brackets, as many as there are, and then a comma, unless it was the whole.
    while (depth > outerDepth) {
      at = afterSpace(at, end)
      if (at >= end) return 0
      const isObject = isOpenObject(depth - 1)
      const next = load<u8>(at++)
      if (next === 0x2c) {
        at = afterSpace(at, end)
        if (isObject) at = afterKey(at, end)
        if (at === 0) return 0
        break
      }
      if (next !== (isObject ? 0x7d : 0x5d)) return 0
      depth--
    }
    if (depth === outerDepth) return at
  }
  return 0
}

function open(depth: i32, isObject: bool): void {
  const at = nesting + usize(depth >> 3)
  const bit = u8(1) << u8(depth & 7)
  store<u8>(at, isObject ? load<u8>(at) | bit : load<u8>(at) & ~bit)
}

function isOpenObject(depth: i32): bool {
  return ((load<u8>(nesting + usize(depth >> 3)) >> u8(depth & 7)) & 1) !== 0
}
