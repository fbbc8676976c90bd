/**
 * Single Protobuf values from the wire into columns: numbers, text, enums, timestamps.
 *
 * source  Protocol Buffers documentation, "Encoding"; google/protobuf/timestamp.proto
 */
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import type {
  BooleanBuilder,
  BytesBuilder,
  ColumnBuilder,
  DecimalBuilder,
  Float32Builder,
  Float64Builder,
  Int32Builder,
  Int64Builder,
} from '../columns/builders.ts'
import type { ByteCursor } from './byte-cursor.ts'
import { pushMicros } from './json-scalars.ts'
import { type ProtoValueNode, protoCode } from './proto-plan.ts'
import { reject } from './reject.ts'
import { isUtf8Range } from './utf8.ts'

const malformed = reject.malformedProtobuf
const utf8 = new TextEncoder()

/** Reads the value at the cursor (its wire type was checked) and pushes it. `end` is where the enclosing message ends. */
export function readScalar(node: ProtoValueNode, cursor: ByteCursor, end: number): number {
  const { code, column } = node
  switch (code) {
    case protoCode.string:
    case protoCode.bytes:
      return readBytes(code, column as BytesBuilder, cursor, end)
    case protoCode.enum:
      return readEnum(node, cursor)
    case protoCode.float: {
      if (cursor.at + 4 > end) return reject.truncated
      const floats = column as Float32Builder | Float64Builder
      floats.push(cursor.view.getFloat32(cursor.at, true))
      cursor.at += 4
      return reject.ok
    }
    case protoCode.double: {
      if (cursor.at + 8 > end) return reject.truncated
      const doubles = column as Float64Builder
      doubles.push(cursor.view.getFloat64(cursor.at, true))
      cursor.at += 8
      return reject.ok
    }
    default: {
      const result = readWords(code, cursor, end)
      return result === reject.ok ? pushWords(code, column, cursor.low, cursor.high) : result
    }
  }
}

/** A bool or whole number into the cursor's low and high, as a 64-bit two's complement (unsigned for the unsigned types). */
export function readWords(code: number, cursor: ByteCursor, end: number): number {
  switch (code) {
    case protoCode.fixed32:
    case protoCode.sfixed32:
      if (cursor.at + 4 > end) return reject.truncated
      cursor.low = cursor.view.getInt32(cursor.at, true)
      cursor.high = code === protoCode.sfixed32 && cursor.low < 0 ? -1 : 0
      cursor.at += 4
      return reject.ok
    case protoCode.fixed64:
    case protoCode.sfixed64:
      if (cursor.at + 8 > end) return reject.truncated
      cursor.low = cursor.view.getInt32(cursor.at, true)
      cursor.high = cursor.view.getInt32(cursor.at + 4, true)
      cursor.at += 8
      return reject.ok
    default:
  }
  if (!cursor.readVarint64()) return malformed
  switch (code) {
    case protoCode.bool:
      cursor.low = cursor.low !== 0 || cursor.high !== 0 ? 1 : 0
      cursor.high = 0
      return reject.ok
    case protoCode.sint32:
      // Of a longer varint the low 32 bits count.
      cursor.low = (cursor.low >>> 1) ^ -(cursor.low & 1)
      cursor.high = cursor.low < 0 ? -1 : 0
      return reject.ok
    case protoCode.int32:
    case protoCode.enum:
      cursor.high = cursor.low < 0 ? -1 : 0
      return reject.ok
    case protoCode.uint32:
      cursor.high = 0
      return reject.ok
    case protoCode.sint64:
      cursor.unzigzag()
      return reject.ok
    default:
      return reject.ok
  }
}

function pushWords(code: number, column: ColumnBuilder, low: number, high: number): number {
  switch (column.kind) {
    case 'boolean': {
      const booleans: BooleanBuilder = column
      booleans.push(low === 0 ? 0 : 1)
      return reject.ok
    }
    case 'int32': {
      const ints: Int32Builder = column
      ints.push(low)
      return reject.ok
    }
    case 'int64': {
      const longs: Int64Builder = column
      if (high < 0 && (code === protoCode.uint64 || code === protoCode.fixed64)) return reject.outOfRange
      longs.pushWords(low, high)
      return reject.ok
    }
    case 'decimal': {
      const decimals: DecimalBuilder = column
      decimals.pushWords(low, high, 0, 0)
      return reject.ok
    }
    default:
      throw new TypeError(`a whole number cannot be pushed to ${column.kind}`)
  }
}

function readBytes(code: number, column: BytesBuilder, cursor: ByteCursor, end: number): number {
  const length = cursor.readCount()
  const start = cursor.at
  if (length < 0 || length > end - start) return reject.truncated
  cursor.at = start + length
  if (code === protoCode.string && !isUtf8Range(cursor.bytes, start, cursor.at)) return reject.invalidUtf8
  column.push(cursor.bytes, start, cursor.at)
  return reject.ok
}

function readEnum(node: ProtoValueNode, cursor: ByteCursor): number {
  if (!cursor.readVarint64()) return malformed
  pushEnum(node, cursor.low)
  return reject.ok
}

/** The name; the number as text when the schema does not know it. */
function pushEnum(node: ProtoValueNode, number: number): void {
  const { column } = node
  if (column.kind === 'int32') {
    column.push(number)
  } else if (column.kind === 'bytes') {
    const symbol = node.symbols.get(number) ?? utf8.encode(String(number))
    column.push(symbol, 0, symbol.length)
  }
}

/** The value of a field that is absent and has no presence. */
export function pushDefault(node: ProtoValueNode): void {
  const { column } = node
  if (node.code === protoCode.enum) {
    pushEnum(node, 0)
    return
  }
  switch (column.kind) {
    case 'boolean':
    case 'int32':
    case 'float32':
    case 'float64':
      column.push(0)
      return
    case 'int64':
      column.pushWords(0, 0)
      return
    case 'decimal':
      column.pushWords(0, 0, 0, 0)
      return
    case 'bytes':
      column.reserve(0)
      column.pushEnd(column.used + bytesPrefix)
      return
    default:
      throw new TypeError(`a ${column.kind} has no default`)
  }
}

/** Seconds and nanoseconds as microseconds, rounded down. */
export function pushTimestamp(column: Int64Builder, seconds: number, nanos: number): number {
  if (!Number.isSafeInteger(seconds * 1000) || nanos < 0 || nanos > 999_999_999) return reject.outOfRange
  const millis = Math.floor(nanos / 1_000_000)
  pushMicros(column, seconds * 1000 + millis, Math.floor((nanos - millis * 1_000_000) / 1000))
  return reject.ok
}

/** A map key in the cursor's words as text. */
export function formatKey(code: number, cursor: ByteCursor): Uint8Array {
  const { low, high } = cursor
  if (code === protoCode.bool) return utf8.encode(low === 0 ? 'false' : 'true')
  const isUnsigned =
    code === protoCode.uint64 || code === protoCode.fixed64 || code === protoCode.uint32 || code === protoCode.fixed32
  const value = (BigInt(isUnsigned ? high >>> 0 : high) << 32n) | BigInt(low >>> 0)
  return utf8.encode(String(value))
}
