/**
 * Strings as they are written.
 *
 *   "text"   escapes of JSON: \" \\ \/ \b \f \n \r \t \uXXXX, and \u{X} for any code point
 *   `text`   as it stands, without escapes: for regular expressions
 *
 * Both may be followed by `i`: whatever compares with it ignores case.
 */

export interface DecodedString {
  readonly text: string
  /** Where in the written text each UTF-16 unit of `text` begins; one more for the end. */
  readonly offsets: readonly number[]
  /** Where in the written text an escape is wrong. */
  readonly badEscape: { readonly from: number; readonly to: number } | undefined
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Decodes what stands between quotes; `start` is where it stands in the text that the offsets are to count in. */
export function decodeEscapes(body: string, start: number): DecodedString {
  let text = ''
  const offsets: number[] = []
  let badEscape: DecodedString['badEscape']
  for (let at = 0; at < body.length; ) {
    const [length, decoded] = body[at] === '\\' ? decodeEscape(body, at) : [1, body[at]!]
    if (decoded === undefined) badEscape ??= { from: start + at, to: start + at + length }
    const piece = decoded ?? body.slice(at, at + length)
    for (let unit = 0; unit < piece.length; unit++) offsets.push(start + at)
    text += piece
    at += length
  }
  offsets.push(start + body.length)
  return { text, offsets, badEscape }
}

/** How long the escape at `at` is, and what it stands for. */
function decodeEscape(body: string, at: number): [length: number, decoded: string | undefined] {
  const letter = body[at + 1]
  if (letter === undefined) return [1, undefined]
  if (Object.hasOwn(simpleEscapes, letter)) return [2, simpleEscapes[letter]]
  const four = /^\\u([0-9a-fA-F]{4})/.exec(body.slice(at, at + 6))
  if (four !== null) return [6, String.fromCharCode(Number.parseInt(four[1]!, 16))]
  const braces = /^\\u\{([0-9a-fA-F]{1,6})\}/.exec(body.slice(at, at + 10))
  if (braces !== null) {
    const code = Number.parseInt(braces[1]!, 16)
    if (code <= 0x10ffff) return [braces[0].length, String.fromCodePoint(code)]
  }
  return [2, undefined]
}

/** What stands between backticks, as it is. */
export function decodeRaw(body: string, start: number): DecodedString {
  return { text: body, offsets: Array.from({ length: body.length + 1 }, (_, at) => start + at), badEscape: undefined }
}

/** In backticks when that saves escapes, else in quotes. */
export function formatString(text: string, ignoreCase = false): string {
  const suffix = ignoreCase ? 'i' : ''
  if (/[\\"]/.test(text) && /^[\x20-\x5f\x61-\x7e]*$/.test(text)) return `\`${text}\`${suffix}`
  return quoteString(text) + suffix
}

/** In double quotes, on one line. */
export function quoteString(text: string): string {
  // What a terminal or an editor would not show as it is, quotes that mean something else, and halves of surrogate pairs.
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g,
    unit => {
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    },
  )
}
