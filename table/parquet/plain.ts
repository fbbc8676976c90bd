/**
 * Parquet's PLAIN encoding of a column's values, nulls left out.
 *
 *   boolean   one bit each, least significant first      decimal   precision <= 9 int32, <= 18 int64,
 *   numbers   little-endian                                        else the least fixed bytes, big-endian
 *   bytes     4-byte length, then the bytes: the form columns have anyway
 *
 * Columns are little-endian like the machines Node.js runs on, so numbers are copied whole.
 *
 * source  parquet-format, Encodings.md, "Plain"; LogicalTypes.md, "DECIMAL"
 */
import { packBits } from './bits.ts'
import type { DecimalColumn, PrimitiveColumn } from './column-data.ts'
import type { PageBuffer } from './page-buffer.ts'

/** `fixedBytes`: length of the fixed type of a decimal of more than 18 digits, else 0. `precision` counts for decimals. */
export function writePlain(out: PageBuffer, column: PrimitiveColumn, precision: number, fixedBytes: number): void {
  const { length, nullCount, validity } = column
  switch (column.kind) {
    case 'boolean': {
      const present = nullCount === 0 ? column.values : dropNulls(column.values, validity, length)
      out.raw(packBits(present, length - nullCount))
      return
    }
    case 'int32':
    case 'float32':
      writeWords(out, new Int32Array(column.values.buffer), 1, column)
      return
    case 'float64':
      writeWords(out, new Int32Array(column.values.buffer), 2, column)
      return
    case 'int64':
      writeWords(out, column.words, 2, column)
      return
    case 'bytes':
      // Nulls take no bytes: the values already lie back to back.
      out.raw(column.bytes.subarray(0, column.offsets[length]!))
      return
    case 'decimal':
      writeDecimals(out, column, precision, fixedBytes)
  }
}

function dropNulls(values: Uint8Array, validity: Uint8Array, length: number): Uint8Array {
  const present = new Uint8Array(length)
  let to = 0
  for (let at = 0; at < length; at++) if (validity[at] !== 0) present[to++] = values[at]!
  return present
}

function writeWords(
  out: PageBuffer,
  words: Int32Array,
  width: number,
  { length, nullCount, validity }: PrimitiveColumn,
): void {
  if (nullCount === 0) {
    out.raw(new Uint8Array(words.buffer, words.byteOffset, length * width * 4))
    return
  }
  out.reserve((length - nullCount) * width * 4)
  const { view } = out
  let to = out.length
  for (let at = 0; at < length; at++) {
    if (validity[at] === 0) continue
    for (let word = at * width; word < (at + 1) * width; word++) {
      view.setInt32(to, words[word]!, true)
      to += 4
    }
  }
  out.length = to
}

function writeDecimals(out: PageBuffer, column: DecimalColumn, precision: number, fixedBytes: number): void {
  const { words, length, validity } = column
  const width = fixedBytes > 0 ? fixedBytes : precision <= 9 ? 4 : 8
  out.reserve((length - column.nullCount) * width)
  const { view, bytes } = out
  let to = out.length
  for (let at = 0; at < length; at++) {
    if (validity[at] === 0) continue
    if (fixedBytes === 0) {
      view.setInt32(to, words[at * 4]!, true)
      if (width === 8) view.setInt32(to + 4, words[at * 4 + 1]!, true)
    } else {
      for (let byte = 0; byte < fixedBytes; byte++) {
        bytes[to + fixedBytes - 1 - byte] = words[at * 4 + (byte >> 2)]! >>> ((byte & 3) * 8)
      }
    }
    to += width
  }
  out.length = to
}
