/**
 * Which keys exist. One rule for every store, so that data can move between them: a key is a relative path that is also a
 * safe file name, needs no escaping in a URI, and whose string order is its byte order.
 */
import { FloeError } from '../core/errors.ts'

/** S3 allows 1,024 bytes for a key; the rest is left to the store's own prefix. */
export const keyBytesMax = 800
export const prefixBytesMax = 200
/** The longest file name on common file systems. */
const keyPartBytesMax = 255

const keyShape = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/
const prefixShape = /^(?:[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]*$/

/** errors  invalid: not of `[A-Za-z0-9._/-]`, too long, or with an empty, `.` or `..` part */
export function checkKey(key: string): void {
  if (!isKey(key)) throw badKey('key', key)
}

export function isKey(key: string): boolean {
  return key.length <= keyBytesMax && keyShape.test(key) && key.split('/').every(isSafePart)
}

/** A prefix is any beginning of a key, the empty one included. */
export function checkPrefix(prefix: string): void {
  const whole = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const ok = prefix.length <= keyBytesMax && prefixShape.test(prefix) && (whole === '' || isKey(whole.slice(0, -1)))
  if (!ok) throw badKey('prefix', prefix)
}

function isSafePart(part: string): boolean {
  return part !== '.' && part !== '..' && part.length <= keyPartBytesMax
}

function badKey(what: string, text: string): FloeError {
  const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text)
  return new FloeError(
    'invalid',
    'object-key-invalid',
    `object ${what} ${shown} is not valid: use up to ${keyBytesMax} characters of A-Z a-z 0-9 . _ - in parts of up to ${keyPartBytesMax} joined by /, none of them empty, . or ..`,
    { key: text.slice(0, 120) },
  )
}
