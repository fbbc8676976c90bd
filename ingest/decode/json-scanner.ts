/**
 * The grammar of JSON over bytes: strings, literals, and values that are skipped or kept as text. What it passes is well-formed
 * (RFC 8259, as JSON.parse reads it) and valid UTF-8.
 *
 * Escapes become UTF-8; a lone surrogate escape, which UTF-8 cannot hold, becomes U+FFFD, as TextEncoder does.
 */
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import type { BytesBuilder } from '../columns/builders.ts'
import { nestingDepthMax } from './decoder.ts'
import { NumberToken } from './number-token.ts'
import { reject } from './reject.ts'
import { isUtf8Range, writeCodePoint } from './utf8.ts'

/** 0 plain ASCII, 1 quote, 2 backslash, 3 control character, 4 part of a multi-byte character. */
const stringClass = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return 4
  if (byte < 0x20) return 3
  return byte === 0x22 ? 1 : byte === 0x5c ? 2 : 0
})

export function isSpace(byte: number): boolean {
  return byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
}

/**
 * The high bit of each of the four bytes that is a quote, a backslash, a control character or part of a multi-byte character.
 * Only the lowest mark is reliable: subtracting 1 from a zero byte sets its high bit, and borrows from the byte above.
 */
function markSpecials(word: number): number {
  const quotes = (word ^ 0x22222222) - 0x01010101
  const backslashes = (word ^ 0x5c5c5c5c) - 0x01010101
  return (quotes | backslashes | (word - 0x20202020) | word) & 0x80808080
}

/** Index (0 to 3) of the lowest marked byte. */
function firstMark(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >>> 3
}

const malformed = -reject.malformedJson
const emptyBytes = new Uint8Array(0)

export class JsonScanner {
  /** Whether the last string skipped holds a backslash. */
  hasEscapes = false
  /** Where unescape leaves its result. */
  scratch: Uint8Array = emptyBytes
  readonly token = new NumberToken()
  /** Of the bytes entered last. */
  view: DataView = new DataView(emptyBytes.buffer)
  viewBytes = 0
  #bytes: Uint8Array = emptyBytes
  /** Where #writeEscape ended in its target. */
  #writtenTo = 0

  /** Every position given afterwards is one in these bytes. */
  enter(bytes: Uint8Array): void {
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.viewBytes = bytes.byteLength
  }

  /** From the opening quote to the position after the closing one. */
  skipString(bytes: Uint8Array, start: number, end: number): number {
    let at = start + 1
    let multiByte = false
    this.hasEscapes = false
    const { view } = this
    for (;;) {
      let marks = 0
      while (at + 4 <= end) {
        marks = markSpecials(view.getInt32(at, true))
        if (marks !== 0) break
        at += 4
      }
      if (marks !== 0) at += firstMark(marks)
      else while (at < end && stringClass[bytes[at]!] === 0) at++
      if (at >= end) return malformed
      const kind = stringClass[bytes[at]!]
      if (kind === 1) break
      if (kind === 4) {
        multiByte = true
        at++
      } else if (kind === 2) {
        this.hasEscapes = true
        const next = bytes[at + 1]!
        if (next === 0x75) {
          if (at + 6 > end || hexFour(bytes, at + 2) < 0) return malformed
          at += 6
        } else {
          if (at + 2 > end || simpleEscape(next) === 0) return malformed
          at += 2
        }
      } else {
        return malformed
      }
    }
    if (multiByte && !isUtf8Range(bytes, start + 1, at)) return -reject.invalidUtf8
    return at + 1
  }

  /** Decodes the inside of a string that skipString passed into `scratch`; returns its length there. */
  unescape(bytes: Uint8Array, start: number, end: number): number {
    if (this.scratch.length < end - start) this.scratch = new Uint8Array(Math.max(256, (end - start) * 2))
    let to = 0
    let at = start
    while (at < end) {
      if (bytes[at] === 0x5c) {
        at = this.#writeEscape(bytes, at, end, this.scratch, to)
        to = this.#writtenTo
      } else {
        this.scratch[to++] = bytes[at++]!
      }
    }
    return to
  }

  /** Decodes the escape at the backslash; returns the position after it, or malformed. */
  #writeEscape(bytes: Uint8Array, at: number, end: number, target: Uint8Array, to: number): number {
    if (at + 2 > end) return malformed
    const letter = bytes[at + 1]!
    if (letter !== 0x75) {
      const byte = simpleEscape(letter)
      if (byte === 0) return malformed
      target[to] = byte
      this.#writtenTo = to + 1
      return at + 2
    }
    let codePoint = at + 6 > end ? -1 : hexFour(bytes, at + 2)
    if (codePoint < 0) return malformed
    let next = at + 6
    if (codePoint >= 0xd800 && codePoint < 0xe000) {
      const low =
        codePoint < 0xdc00 && next + 6 <= end && bytes[next] === 0x5c && bytes[next + 1] === 0x75
          ? hexFour(bytes, next + 2)
          : -1
      if (low >= 0xdc00 && low < 0xe000) {
        codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00)
        next += 6
      } else {
        codePoint = 0xfffd
      }
    }
    this.#writtenTo = writeCodePoint(codePoint, target, to)
    return next
  }

  /**
   * A string column's value: a JSON string decoded, anything else as its JSON text.
   * `at` is not at `null`.
   */
  parseString(column: BytesBuilder, bytes: Uint8Array, start: number, end: number, depth: number): number {
    if (bytes[start] !== 0x22) {
      const next = this.skipValue(bytes, start, end, depth)
      if (next > 0) column.push(bytes, start, next)
      return next
    }
    let at = start + 1
    // Decoding never lengthens: room for the rest of the record is room enough.
    column.reserve(Math.max(end - at, 0))
    const { view } = this
    const target = column.bytes
    const targetView = column.view
    const from = column.used + bytesPrefix
    let to = from
    let multiByte = false
    for (;;) {
      let marks = 0
      while (at + 4 <= end) {
        const word = view.getInt32(at, true)
        marks = markSpecials(word)
        // What lies behind a mark is overwritten by what follows.
        targetView.setInt32(to, word, true)
        if (marks !== 0) break
        at += 4
        to += 4
      }
      if (marks !== 0) {
        const plain = firstMark(marks)
        at += plain
        to += plain
      } else {
        while (at < end && stringClass[bytes[at]!] === 0) target[to++] = bytes[at++]!
      }
      if (at >= end) return malformed
      let byte = bytes[at]!
      if (byte === 0x22) break
      if (byte >= 0x80) {
        multiByte = true
        do {
          target[to++] = byte
          at++
          byte = at < end ? bytes[at]! : 0
        } while (byte >= 0x80)
      } else if (byte === 0x5c) {
        at = this.#writeEscape(bytes, at, end, target, to)
        if (at < 0) return malformed
        to = this.#writtenTo
      } else {
        return malformed
      }
    }
    if (multiByte && !isUtf8Range(target, from, to)) return -reject.invalidUtf8
    column.pushEnd(to)
    return at + 1
  }

  skipLiteral(bytes: Uint8Array, at: number, end: number): number {
    switch (bytes[at]) {
      case 0x6e:
        return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c && at + 4 <= end
          ? at + 4
          : malformed
      case 0x74:
        return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x75 && bytes[at + 3] === 0x65 && at + 4 <= end
          ? at + 4
          : malformed
      case 0x66:
        return bytes[at + 1] === 0x61 &&
          bytes[at + 2] === 0x6c &&
          bytes[at + 3] === 0x73 &&
          bytes[at + 4] === 0x65 &&
          at + 5 <= end
          ? at + 5
          : malformed
      default:
        return malformed
    }
  }

  /** Any value, checked in full. */
  skipValue(bytes: Uint8Array, start: number, end: number, depth: number): number {
    if (start >= end) return malformed
    const byte = bytes[start]!
    if (byte === 0x22) return this.skipString(bytes, start, end)
    if (byte === 0x7b || byte === 0x5b) return this.#skipNested(bytes, start, end, depth, byte === 0x7b)
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const next = this.token.scan(bytes, start, end)
      return next < 0 ? malformed : next
    }
    return this.skipLiteral(bytes, start, end)
  }

  #skipNested(bytes: Uint8Array, start: number, end: number, depth: number, isObject: boolean): number {
    if (depth >= nestingDepthMax) return -reject.nestingTooDeep
    const closing = isObject ? 0x7d : 0x5d
    let at = start + 1
    while (isSpace(bytes[at]!)) at++
    if (bytes[at] === closing) return at < end ? at + 1 : malformed
    for (;;) {
      if (isObject) {
        if (bytes[at] !== 0x22) return malformed
        at = this.skipString(bytes, at, end)
        if (at < 0) return at
        while (isSpace(bytes[at]!)) at++
        if (bytes[at] !== 0x3a) return malformed
        at++
        while (isSpace(bytes[at]!)) at++
      }
      at = this.skipValue(bytes, at, end, depth + 1)
      if (at < 0) return at
      while (isSpace(bytes[at]!)) at++
      if (at >= end) return malformed
      if (bytes[at] === closing) return at + 1
      if (bytes[at] !== 0x2c) return malformed
      at++
      while (isSpace(bytes[at]!)) at++
    }
  }
}

/** The byte that a one-letter escape stands for; 0 for letters that are no escape (none stands for NUL). */
function simpleEscape(letter: number): number {
  switch (letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    default:
      return 0
  }
}

function hexFour(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index]!
    const lower = byte | 0x20
    if (byte >= 0x30 && byte <= 0x39) value = value * 16 + byte - 0x30
    else if (lower >= 0x61 && lower <= 0x66) value = value * 16 + lower - 0x57
    else return -1
  }
  return value
}
