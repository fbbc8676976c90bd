import { describe, expect, test } from 'vitest'
import {
  cutCodePoints,
  cutUtf8Bytes,
  incrementBytes,
  incrementText,
  roundIcebergLower,
  roundIcebergUpper,
  shortenLower,
  shortenUpper,
} from '../../../table/bounds.ts'
import { boundBytesMax, primitive } from '../../../table/types.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder('utf-8', { fatal: true }).decode(bytes)

describe('cutting', () => {
  test('counts code points, whatever their width', () => {
    expect(text(cutCodePoints(utf8('aß€😀z'), 4))).toBe('aß€😀')
    expect(text(cutCodePoints(utf8('aß€😀'), 4))).toBe('aß€😀')
    expect(text(cutCodePoints(utf8('😀😀'), 1))).toBe('😀')
  })

  test('by bytes never splits a code point', () => {
    expect([4, 3, 2, 1, 0].map(count => text(cutUtf8Bytes(utf8('😀'), count)))).toEqual(['😀', '', '', '', ''])
    expect(text(cutUtf8Bytes(utf8('a€b'), 3))).toBe('a')
  })
})

describe('incrementing', () => {
  test('takes the next code point and skips the surrogates', () => {
    expect(text(incrementText(utf8('ab')))).toBe('ac')
    expect(text(incrementText(utf8('a\u007f')))).toBe('a\u0080')
    expect(text(incrementText(utf8('a\ud7ff')))).toBe('a\ue000')
    expect(text(incrementText(utf8('a\uffff')))).toBe('a\u{10000}')
  })

  test('drops what cannot be incremented and gives up when nothing can', () => {
    expect(text(incrementText(utf8('a\u{10ffff}\u{10ffff}')))).toBe('b')
    expect(incrementText(utf8('\u{10ffff}\u{10ffff}'))).toBeUndefined()
    expect(incrementText(utf8(''))).toBeUndefined()
  })

  test('leaves text that is not UTF-8 alone', () => {
    expect(incrementText(Uint8Array.of(0x61, 0xff))).toBeUndefined()
    expect(incrementText(Uint8Array.of(0xed, 0xa0, 0x80))).toBeUndefined()
  })

  test('of bytes carries over ff', () => {
    expect(incrementBytes(Uint8Array.of(1, 0xff))).toEqual(Uint8Array.of(2))
    expect(incrementBytes(Uint8Array.of(0xff, 0xff))).toBeUndefined()
  })
})

describe('bounds', () => {
  const string = primitive('string')
  const binary = primitive('binary')

  test('of Iceberg keep 16 code points or bytes and round up above', () => {
    const long = utf8('0123456789abcdefXYZ')
    expect(text(roundIcebergLower(string, long))).toBe('0123456789abcdef')
    expect(text(roundIcebergUpper(string, long))).toBe('0123456789abcdeg')
    expect(text(roundIcebergUpper(string, utf8('0123456789abcdef')))).toBe('0123456789abcdef')
    expect(roundIcebergUpper(string, utf8('\u{10ffff}'.repeat(17)))).toBeUndefined()
    expect(roundIcebergUpper(binary, new Uint8Array(17).fill(0xff))).toBeUndefined()
    expect(roundIcebergUpper(binary, new Uint8Array(17))).toEqual(new Uint8Array(16).fill(1, 15))
    expect(roundIcebergLower(binary, new Uint8Array(17))).toEqual(new Uint8Array(16))
    expect(roundIcebergUpper(primitive('long'), new Uint8Array(8))).toEqual(new Uint8Array(8))
  })

  test('of column statistics stay within their bytes', () => {
    const long = utf8('€'.repeat(200))
    expect(text(shortenLower(string, long))).toBe('€'.repeat(85))
    expect(text(shortenUpper(string, long))).toBe(`${'€'.repeat(83)}₭`)
    expect(shortenUpper(string, utf8('\ud7ff\u007f'.repeat(100)))!.length).toBeLessThanOrEqual(boundBytesMax)
    expect(shortenUpper(string, utf8('short'))).toEqual(utf8('short'))
    expect(shortenUpper(binary, new Uint8Array(300).fill(0xff))).toBeUndefined()
    expect(shortenLower(binary, new Uint8Array(300)).length).toBe(boundBytesMax)
  })
})
