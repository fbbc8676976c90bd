/**
 * The details of a data file that the catalog keeps but does not read: partition tuple, split offsets and column statistics.
 *
 *   format 1 (1 byte)
 *   partition value count, per value: 0 (null) | length + 1, bytes
 *   split offset count, per offset: difference to the one before
 *   column count, per column: field id, column bytes, value count, null count, flags, [nan count], [lower], [upper]
 *   flags: 1 has nan count, 2 has lower, 4 has upper, 8 lower exact, 16 upper exact
 *   integers are unsigned varints, bounds are length and bytes
 */
import { ByteReader } from '../core/byte-reader.ts'
import type { ByteWriter } from '../core/byte-writer.ts'
import { FloeError } from '../core/errors.ts'
import type { ColumnStatistics, DataFile, SingleValue } from '../table/types.ts'

const format = 1

export type DataFileDetails = Pick<DataFile, 'partition' | 'splitOffsets' | 'columns'>

export function writeDataFileDetails(writer: ByteWriter, { partition, splitOffsets, columns }: DataFileDetails): void {
  writer.uint8(format)
  writer.uvarint(partition.length)
  for (const value of partition) {
    if (value === null) writer.uvarint(0)
    else {
      writer.uvarint(value.length + 1)
      writer.raw(value)
    }
  }
  writer.uvarint(splitOffsets.length)
  let previous = 0
  for (const offset of splitOffsets) {
    checkWhole(offset - previous, 'split offsets')
    writer.uvarint(offset - previous)
    previous = offset
  }
  writer.uvarint(columns.length)
  writeColumns(writer, columns)
}

/** Five integers of at most 8 bytes each, the flags, two lengths. */
const columnBytesMax = 5 * 8 + 1 + 2 * 8

/** A table file has many columns, and a busy catalog many files: written byte by byte into the buffer. */
function writeColumns(writer: ByteWriter, columns: readonly ColumnStatistics[]): void {
  let bytesMax = columns.length * columnBytesMax
  for (let index = 0; index < columns.length; index++) {
    const { lower, upper } = columns[index]!
    bytesMax += (lower === undefined ? 0 : lower.length) + (upper === undefined ? 0 : upper.length)
  }
  const bytes = writer.room(bytesMax)
  let at = writer.length
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]!
    checkStatistics(column)
    const { nanCount, lower, upper } = column
    at = putUvarint(bytes, at, column.fieldId)
    at = putUvarint(bytes, at, column.columnBytes)
    at = putUvarint(bytes, at, column.valueCount)
    at = putUvarint(bytes, at, column.nullCount)
    bytes[at++] =
      (nanCount === undefined ? 0 : 1) |
      (lower === undefined ? 0 : 2) |
      (upper === undefined ? 0 : 4) |
      (column.lowerExact ? 8 : 0) |
      (column.upperExact ? 16 : 0)
    if (nanCount !== undefined) at = putUvarint(bytes, at, nanCount)
    if (lower !== undefined) at = putBytes(bytes, putUvarint(bytes, at, lower.length), lower)
    if (upper !== undefined) at = putBytes(bytes, putUvarint(bytes, at, upper.length), upper)
  }
  writer.length = at
}

function putUvarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  let low = rest | 0
  while (low >= 0x80) {
    bytes[at++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  bytes[at++] = low
  return at
}

function putBytes(bytes: Uint8Array, at: number, source: Uint8Array): number {
  const { length } = source
  if (length > 32) bytes.set(source, at)
  else for (let index = 0; index < length; index++) bytes[at + index] = source[index]!
  return at + length
}

function checkStatistics({ fieldId, columnBytes, valueCount, nullCount, nanCount = 0 }: ColumnStatistics): void {
  const counts = isCount(fieldId) && isCount(columnBytes) && isCount(valueCount) && isCount(nullCount)
  if (!counts || !isCount(nanCount)) checkWhole(-1, 'statistics')
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function checkWhole(value: number, what: string): void {
  if (isCount(value)) return
  throw new FloeError(
    'invalid',
    'data-file-invalid',
    `${what} of a data file must be whole, ascending and not negative`,
  )
}

/** `bytes` is copied from, so the result owns its memory. errors  corrupt */
export function readDataFileDetails(bytes: Uint8Array): DataFileDetails {
  const reader = new ByteReader(bytes, 'data file details')
  const found = reader.uint8()
  if (found !== format) throw reader.corrupt(`format ${found} is unknown`)
  const partition: SingleValue[] = []
  const partitionCount = reader.boundedCount()
  for (let index = 0; index < partitionCount; index++) {
    const length = reader.uvarint()
    partition.push(length === 0 ? null : new Uint8Array(reader.raw(length - 1)))
  }
  const splitOffsets: number[] = []
  const splitCount = reader.boundedCount()
  let previous = 0
  for (let index = 0; index < splitCount; index++) {
    previous += reader.uvarint()
    splitOffsets.push(previous)
  }
  const columns: ColumnStatistics[] = []
  const columnCount = reader.boundedCount(5)
  for (let index = 0; index < columnCount; index++) columns.push(readColumn(reader))
  if (reader.remaining !== 0) throw reader.corrupt(`${reader.remaining} bytes too many`)
  return { partition, splitOffsets, columns }
}

function readColumn(reader: ByteReader): ColumnStatistics {
  const fieldId = reader.uvarint()
  const columnBytes = reader.uvarint()
  const valueCount = reader.uvarint()
  const nullCount = reader.uvarint()
  const flags = reader.uint8()
  const nanCount = (flags & 1) === 0 ? undefined : reader.uvarint()
  const lower = (flags & 2) === 0 ? undefined : new Uint8Array(reader.sizedBytes())
  const upper = (flags & 4) === 0 ? undefined : new Uint8Array(reader.sizedBytes())
  const lowerExact = (flags & 8) !== 0
  const upperExact = (flags & 16) !== 0
  return { fieldId, columnBytes, valueCount, nullCount, nanCount, lower, upper, lowerExact, upperExact }
}
