/**
 * Avro binary data straight to columns, by the writer's schema (avro-plan.ts).
 *
 *   int, long  zigzag varint        string, bytes  long length, then bytes       union  long branch, then the value
 *   float, double  little-endian    array, map     blocks: long count (negative: then a long size in bytes), items; 0 ends
 *
 * Confluent framing puts a zero byte and a 4-byte schema id in front; without a registry any id is taken for the given schema.
 *
 * source  Apache Avro specification, "Binary Encoding"; Confluent wire format
 */
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import type { Field } from '../../table/types.ts'
import type {
  BooleanBuilder,
  BytesBuilder,
  ColumnBuilder,
  DecimalBuilder,
  Float32Builder,
  Float64Builder,
  Int32Builder,
  Int64Builder,
  ListBuilder,
  MapBuilder,
  StructBuilder,
} from '../columns/builders.ts'
import { type AvroNode, avroCode, planAvro } from './avro-plan.ts'
import { type AvroType, formatAvroSchema, parseAvroSchema } from './avro-schema.ts'
import { ByteCursor } from './byte-cursor.ts'
import { fitsPrecision, readBigEndian } from './decimal-bytes.ts'
import { nestingDepthMax, type ValueDecoder } from './decoder.ts'
import { pushMicros } from './json-scalars.ts'
import { dropRepeatedKeys } from './map-keys.ts'
import { reject } from './reject.ts'
import { isUtf8Range } from './utf8.ts'

export const confluentFrameBytes = 5
/** Items without bytes (nulls, empty records) in one record: nothing else bounds them. */
const emptyItemsMax = 65_536
const malformed = reject.malformedAvro
const hexDigits = new TextEncoder().encode('0123456789abcdef')

export class AvroDecoder implements ValueDecoder {
  rejectPath = ''
  readonly #root: AvroNode
  readonly #isFramed: boolean
  readonly #cursor = new ByteCursor()
  #end = 0
  #emptyItems = 0

  /**
   * errors  invalid: the schema cannot be read, or does not fit the columns
   */
  constructor(
    fields: readonly Field[],
    columns: readonly ColumnBuilder[],
    schemaText: string | undefined,
    framing: 'raw' | 'confluent',
  ) {
    this.#root = planAvro(parseAvroSchema(schemaText ?? formatAvroSchema(fields)), fields, columns)
    this.#isFramed = framing === 'confluent'
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    this.rejectPath = ''
    let at = start
    if (this.#isFramed) {
      if (end - start < confluentFrameBytes || bytes[start] !== 0) return reject.schemaIdMismatch
      at += confluentFrameBytes
    }
    this.#cursor.enter(bytes, at)
    this.#end = end
    this.#emptyItems = 0
    const result = this.#readFields(this.#root, 0)
    if (result !== reject.ok) return result
    if (this.#cursor.at > end) return reject.truncated
    return this.#cursor.at < end ? reject.trailingBytes : reject.ok
  }

  #fail(node: AvroNode, code: number): number {
    this.rejectPath = node.path
    return code
  }

  #readFields(node: AvroNode, depth: number): number {
    const { children, absent } = node
    for (let index = 0; index < children.length; index++) {
      const result = this.#readValue(children[index]!, depth)
      if (result !== reject.ok) return result
      if (this.#cursor.at > this.#end) return this.#fail(children[index]!, reject.truncated)
    }
    for (let index = 0; index < absent.length; index++) absent[index]!.pushNull()
    return reject.ok
  }

  #readValue(node: AvroNode, depth: number): number {
    const cursor = this.#cursor
    switch (node.code) {
      case avroCode.skip: {
        const result = this.#skip(node.writer, depth)
        return result === reject.ok ? result : this.#fail(node, result)
      }
      case avroCode.union: {
        const branch = node.children[cursor.readZigzag()]
        if (branch === undefined) return this.#fail(node, malformed)
        return this.#readValue(branch, depth)
      }
      case avroCode.null:
        if (node.required) return this.#fail(node, reject.missingRequiredField)
        node.column!.pushNull()
        return reject.ok
      case avroCode.boolean: {
        const value = cursor.bytes[cursor.at++]!
        if (value > 1) return this.#fail(node, malformed)
        const column = node.column as BooleanBuilder
        column.push(value === 0 ? 0 : 1)
        return reject.ok
      }
      case avroCode.intToInt:
      case avroCode.intToLong:
      case avroCode.intToDouble:
        return this.#readInt(node)
      case avroCode.long: {
        if (!cursor.readVarint64()) return this.#fail(node, malformed)
        cursor.unzigzag()
        const column = node.column as Int64Builder
        column.pushWords(cursor.low, cursor.high)
        return reject.ok
      }
      case avroCode.millis:
      case avroCode.nanos:
        return this.#readTimestamp(node)
      case avroCode.float:
      case avroCode.floatToDouble: {
        if (cursor.at + 4 > this.#end) return this.#fail(node, reject.truncated)
        const column = node.column as Float32Builder | Float64Builder
        column.push(cursor.view.getFloat32(cursor.at, true))
        cursor.at += 4
        return reject.ok
      }
      case avroCode.double: {
        if (cursor.at + 8 > this.#end) return this.#fail(node, reject.truncated)
        const column = node.column as Float64Builder
        column.push(cursor.view.getFloat64(cursor.at, true))
        cursor.at += 8
        return reject.ok
      }
      case avroCode.string:
      case avroCode.bytes:
        return this.#readBytes(node)
      case avroCode.fixed:
      case avroCode.fixedUuid:
        return this.#readFixed(node)
      case avroCode.enum: {
        const symbol = node.symbols[cursor.readZigzag()]
        if (symbol === undefined) return this.#fail(node, malformed)
        const column = node.column as BytesBuilder
        column.push(symbol, 0, symbol.length)
        return reject.ok
      }
      case avroCode.decimal:
        return this.#readDecimal(node)
      case avroCode.record: {
        if (depth > nestingDepthMax) return this.#fail(node, reject.nestingTooDeep)
        const result = this.#readFields(node, depth + 1)
        if (result !== reject.ok) return result
        const column = node.column as StructBuilder
        column.pushValid()
        return reject.ok
      }
      default:
        return this.#readBlocks(node, depth)
    }
  }

  #readInt(node: AvroNode): number {
    const value = this.#cursor.readZigzag()
    if (!(value >= -0x8000_0000 && value <= 0x7fff_ffff)) return this.#fail(node, malformed)
    if (node.code === avroCode.intToInt) {
      const column = node.column as Int32Builder
      column.push(value)
    } else if (node.code === avroCode.intToLong) {
      const column = node.column as Int64Builder
      column.pushNumber(value)
    } else {
      const column = node.column as Float64Builder
      column.push(value)
    }
    return reject.ok
  }

  /** Milliseconds times 1000, or nanoseconds over 1000 rounded down. */
  #readTimestamp(node: AvroNode): number {
    const cursor = this.#cursor
    const column = node.column as Int64Builder
    if (!cursor.readVarint64()) return this.#fail(node, malformed)
    cursor.unzigzag()
    const { low, high } = cursor
    if (node.code === avroCode.nanos) {
      const nanos = (BigInt(high) << 32n) | BigInt(low >>> 0)
      column.pushBigint(nanos / 1000n - (nanos % 1000n < 0n ? 1n : 0n))
      return reject.ok
    }
    const milliseconds = high * 0x1_0000_0000 + (low >>> 0)
    if (!Number.isSafeInteger(milliseconds)) return this.#fail(node, reject.outOfRange)
    pushMicros(column, milliseconds, 0)
    return reject.ok
  }

  /** Length of what follows, or -1 when it does not fit the record. */
  #readLength(): number {
    const length = this.#cursor.readZigzag()
    return length >= 0 && length <= this.#end - this.#cursor.at ? length : -1
  }

  #readBytes(node: AvroNode): number {
    const cursor = this.#cursor
    const length = this.#readLength()
    if (length < 0) return this.#fail(node, reject.truncated)
    const start = cursor.at
    const end = start + length
    cursor.at = end
    if (node.code === avroCode.string && !isUtf8Range(cursor.bytes, start, end)) {
      return this.#fail(node, reject.invalidUtf8)
    }
    const column = node.column as BytesBuilder
    column.push(cursor.bytes, start, end)
    return reject.ok
  }

  #readFixed(node: AvroNode): number {
    const cursor = this.#cursor
    const { size } = node
    const start = cursor.at
    if (size > this.#end - start) return this.#fail(node, reject.truncated)
    cursor.at += size
    const column = node.column as BytesBuilder
    if (node.code === avroCode.fixed) column.push(cursor.bytes, start, start + size)
    else pushUuid(column, cursor.bytes, start)
    return reject.ok
  }

  #readDecimal(node: AvroNode): number {
    const cursor = this.#cursor
    const length = node.size < 0 ? this.#readLength() : node.size
    if (length < 0 || length > this.#end - cursor.at) return this.#fail(node, reject.truncated)
    const start = cursor.at
    cursor.at += length
    const column = node.column as DecimalBuilder
    const unscaled = readBigEndian(cursor.bytes, start, start + length)
    if (unscaled === undefined || !fitsPrecision(unscaled, column.precision)) return this.#fail(node, reject.outOfRange)
    column.pushBigint(unscaled)
    return reject.ok
  }

  #readBlocks(node: AvroNode, depth: number): number {
    if (depth > nestingDepthMax) return this.#fail(node, reject.nestingTooDeep)
    const cursor = this.#cursor
    const child = node.children[0]!
    const map = node.code === avroCode.map ? (node.column as MapBuilder) : undefined
    const firstKey = map?.key.length ?? 0
    for (;;) {
      const count = this.#readBlockCount()
      if (count < 0) return this.#fail(node, malformed)
      if (count === 0) break
      for (let left = count; left > 0; left--) {
        const before = cursor.at
        if (map !== undefined) {
          const length = this.#readLength()
          if (length < 0) return this.#fail(node, reject.truncated)
          const start = cursor.at
          cursor.at += length
          if (!isUtf8Range(cursor.bytes, start, cursor.at)) return this.#fail(node, reject.invalidUtf8)
          map.key.push(cursor.bytes, start, cursor.at)
        }
        const result = this.#readValue(child, depth + 1)
        if (result !== reject.ok) return result
        if (cursor.at > this.#end) return this.#fail(node, reject.truncated)
        if (cursor.at === before && ++this.#emptyItems > emptyItemsMax) return this.#fail(node, malformed)
      }
    }
    if (map !== undefined) {
      dropRepeatedKeys(map, firstKey)
      map.pushValid()
    } else {
      const column = node.column as ListBuilder
      column.pushValid()
    }
    return reject.ok
  }

  /** Items in the next block; negative: malformed. */
  #readBlockCount(): number {
    const cursor = this.#cursor
    const count = cursor.readZigzag()
    if (!Number.isSafeInteger(count) || cursor.at > this.#end) return -1
    if (count >= 0) return count
    // The size of the block, for those who skip it unread.
    return this.#readLength() < 0 ? -1 : -count
  }

  #skip(type: AvroType, depth: number): number {
    if (depth > nestingDepthMax) return reject.nestingTooDeep
    const cursor = this.#cursor
    switch (type.kind) {
      case 'null':
        return reject.ok
      case 'boolean':
        cursor.at++
        return reject.ok
      case 'int':
      case 'long':
      case 'enum':
        return cursor.readVarint64() ? reject.ok : malformed
      case 'float':
        cursor.at += 4
        return reject.ok
      case 'double':
        cursor.at += 8
        return reject.ok
      case 'fixed':
        cursor.at += type.size
        return reject.ok
      case 'bytes':
      case 'string': {
        const length = this.#readLength()
        if (length < 0) return reject.truncated
        cursor.at += length
        return reject.ok
      }
      case 'union': {
        const branch = type.branches[cursor.readZigzag()]
        return branch === undefined ? malformed : this.#skip(branch, depth + 1)
      }
      case 'record':
        for (const field of type.fields) {
          const result = this.#skip(field.type, depth + 1)
          if (result !== reject.ok) return result
          if (cursor.at > this.#end) return reject.truncated
        }
        return reject.ok
      case 'array':
        return this.#skipBlocks(type.items, false, depth)
      case 'map':
        return this.#skipBlocks(type.values, true, depth)
    }
  }

  #skipBlocks(item: AvroType, isMap: boolean, depth: number): number {
    const cursor = this.#cursor
    for (;;) {
      const count = this.#readBlockCount()
      if (count < 0) return malformed
      if (count === 0) return reject.ok
      for (let left = count; left > 0; left--) {
        const before = cursor.at
        if (isMap) {
          const length = this.#readLength()
          if (length < 0) return reject.truncated
          cursor.at += length
        }
        const result = this.#skip(item, depth + 1)
        if (result !== reject.ok) return result
        if (cursor.at > this.#end) return reject.truncated
        if (cursor.at === before && ++this.#emptyItems > emptyItemsMax) return malformed
      }
    }
  }
}

/** 16 bytes as canonical text. */
function pushUuid(column: BytesBuilder, bytes: Uint8Array, start: number): void {
  column.reserve(36)
  let to = column.used + bytesPrefix
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) column.bytes[to++] = 0x2d
    const byte = bytes[start + index]!
    column.bytes[to++] = hexDigits[byte >> 4]!
    column.bytes[to++] = hexDigits[byte & 15]!
  }
  column.pushEnd(to)
}
